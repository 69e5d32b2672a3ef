"""Reading and writing a whole store, for exports and imports."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.transfer import ImportReport, Row

T = TypeVar("T")

RowsOf = Callable[[str], Iterable[Row]]
"""Every row of a kind, as in an archive, in the order of the keys."""


class ITransferStore(ABC):
    """All rows on their way out and in; which kinds there are, `sidecar.models.transfer` says."""

    @abstractmethod
    async def export_rows(self, take: Callable[[RowsOf, str], T]) -> T:
        """What `take` returns.

        It is called in another thread, with a way to read all rows as of one moment and with the id of the store.
        """

    @abstractmethod
    async def import_rows(
        self, rows: RowsOf, store_id: str, dry_run: bool = False, *, key: IdempotencyKey | None = None
    ) -> ImportReport:
        """Add the rows of another store that are not there yet, all or none; with `dry_run`, only report.

        `rows` is called in another thread, for kind after kind, for some more than once, and gives valid rows in the
        order of their keys. A `store_id` of `seed_sources` says that they come from a seed's database, which is known
        by its content. Raises `ArchiveRefused` when they do not fit together.
        """

    @abstractmethod
    def scratch_directory(self) -> Path | None:
        """Where files too large for memory may lie for a while: beside the data; `None` when that is in memory."""
