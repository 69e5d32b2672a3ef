"""`Write`: the parameter by which a route of an extension stores rows, exactly once for a request with a key."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar, get_type_hints

from fastapi import Depends

from sidecar.api.context import Storage, WriteKey
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.interfaces import Work
from sidecar.storage.unified import UnifiedStorage

T = TypeVar("T")


class Writer:
    """Runs one unit of work for one request."""

    def __init__(self, storage: UnifiedStorage, key: IdempotencyKey | None) -> None:
        self._storage = storage
        self._key = key
        self._has_written = False

    async def __call__(self, unit: Callable[[Work], T], returns: type[T] | None = None) -> T:
        """Run `unit` in a transaction, and return its result once that is on the disk.

        A request that is sent again with its key does not run the unit again: it gets the first result, read as
        `returns`, which is what the unit's annotation says unless it is given. So the result must be a JSON value, a
        dataclass or a model.

        Raises what the unit raises, with nothing stored; `TypeError` if there is neither an annotation nor `returns`;
        `RuntimeError` for a second unit of the same request, because the key stands for one.
        """
        if self._has_written:
            raise RuntimeError("a request writes once, since its key stands for one result; do all in one unit")
        kind = returns or _returned_by(unit)
        self._has_written = True
        return await self._storage.write(unit, self._key, kind)


def _returned_by(unit: Callable[..., Any]) -> Any:
    """Return what the unit is annotated to return. Raises `TypeError` if it is not."""
    hints = get_type_hints(unit)
    if "return" not in hints:
        name = getattr(unit, "__qualname__", repr(unit))
        raise TypeError(
            f"the unit {name} does not say what it returns; annotate it, or call write(unit, returns=...): the result "
            "of a repeated request is read as that type"
        )
    return hints["return"]


async def _writer(storage: Storage, key: WriteKey) -> Writer:
    return Writer(storage, key)


Write = Annotated[Writer, Depends(_writer)]
