"""The store of adoptions, and of rows that were set aside."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from sidecar.models.adoption import AdoptionOverview, RowRestored, RowSetAsidePage
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.stores.lists import DEFAULT_LIMIT


class IAdoptionStore(ABC):
    """Rows set aside: listed, brought back, and reported until somebody has acknowledged them."""

    @abstractmethod
    async def get_adoptions(self) -> AdoptionOverview:
        """Return every adoption with its report, and the number of rows set aside."""

    @abstractmethod
    async def get_rows_set_aside(
        self,
        table: str | None = None,
        origin: str | None = None,
        is_carried: bool | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> RowSetAsidePage:
        """Return a page of the rows set aside, in the order in which that was done."""

    @abstractmethod
    async def restore_row_set_aside(
        self, row_id: int, values: Mapping[str, Any] | None = None, *, key: IdempotencyKey | None = None
    ) -> RowRestored:
        """Bring a row back into its table; `values` replace those of its columns.

        The row gets its own id where that is free, and a new one otherwise. A carried row, which is in its table
        already, gets back the values that were replaced there and have not been changed since. A missing row that it
        belongs to is brought back, too, or is made.

        Raises `NotFound`; `InvalidInput`, naming the column, for a value that does not fit; `Conflict` for a row of a
        table that this store does not have. Nothing is changed then.
        """

    @abstractmethod
    async def acknowledge_rows_set_aside(self, *, key: IdempotencyKey | None = None) -> AdoptionOverview:
        """Acknowledge all rows that are set aside: the health check no longer names them. Return the overview."""
