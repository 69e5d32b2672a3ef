"""One vector as it is stored: 32-bit floats, little-endian. Needs nothing that is not always there."""

import math
import sys
from array import array
from collections.abc import Sequence

from sidecar.errors import InvalidInput
from sidecar.models.contexts import MAX_DIMENSIONS

BYTES_PER_NUMBER = 4


def pack(field: str, vector: Sequence[float]) -> bytes:
    """The bytes of a vector. Raises `InvalidInput` for one that has no direction, or more than 8,192 dimensions."""
    if not 1 <= len(vector) <= MAX_DIMENSIONS:
        raise InvalidInput.field(field, f"must have from 1 to {MAX_DIMENSIONS} dimensions, and has {len(vector)}")
    try:
        numbers = array("f", vector)
    except (TypeError, OverflowError):
        raise InvalidInput.field(field, "must hold numbers only") from None
    if not all(map(math.isfinite, numbers)):
        raise InvalidInput.field(field, "must hold finite numbers of 32 bits only")
    if not any(numbers):
        raise InvalidInput.field(field, "must not be zero: it would have no direction")
    return _little_endian(numbers).tobytes()


def unpack(packed: bytes) -> list[float]:
    """The vector in these bytes."""
    numbers = array("f")
    numbers.frombytes(packed)
    return _little_endian(numbers).tolist()


def is_packed(stored: object) -> bool:
    """Return whether a stored value is a vector, and not something that another program wrote."""
    return isinstance(stored, bytes) and len(stored) > 0 and len(stored) % BYTES_PER_NUMBER == 0


def dimension_of(packed: bytes) -> int:
    return len(packed) // BYTES_PER_NUMBER


def _little_endian(numbers: "array[float]") -> "array[float]":
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
