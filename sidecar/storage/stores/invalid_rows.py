"""The store of invalid rows: found, reported and repaired."""

from abc import ABC, abstractmethod

from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.invalid_rows import InvalidRowPage, InvalidRowsRepaired, RepairAction
from sidecar.storage.stores.lists import DEFAULT_LIMIT


class IInvalidRowStore(ABC):
    """Rows in which other programs have stored values that cannot be read."""

    @abstractmethod
    async def get_invalid_rows(
        self, limit: int = DEFAULT_LIMIT, cursor: str | None = None, table: str | None = None
    ) -> InvalidRowPage:
        """Look through the tables, or one of them, and return invalid rows by table and key.

        Raises `InvalidInput` for a table or a cursor that is not known.
        """

    @abstractmethod
    async def repair_invalid_rows(
        self,
        action: str = RepairAction.REPAIR,
        table: str | None = None,
        id: int | str | None = None,  # noqa: A002
        *,
        key: IdempotencyKey | None = None,
    ) -> InvalidRowsRepaired:
        """Store safe values in the place of those that cannot be read, or set the rows aside; keep the originals.

        Raises `InvalidInput`; `NotFound` for a row that is not there; `Conflict` for setting aside a row that others
        belong to.
        """

    @abstractmethod
    async def invalid_rows_scan_is_due(self) -> bool:
        """Return whether another program may have written something since the last scan of all rows."""

    @abstractmethod
    async def scan_for_invalid_rows(self, limit: int) -> bool:
        """Check up to `limit` more rows; return whether there are more to check."""
