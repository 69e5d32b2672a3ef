"""Vectors as they are stored: 32-bit floats, little-endian; what has no direction is refused."""

import math
import struct

import pytest

from sidecar.errors import InvalidInput
from sidecar.models.contexts import MAX_DIMENSIONS
from sidecar.storage.vectors.vector import dimension_of, pack, unpack


def test_a_vector_is_stored_as_little_endian_floats_of_32_bits() -> None:
    assert pack("vector", [1.5, -2.0, 0]) == struct.pack("<3f", 1.5, -2.0, 0)


def test_what_was_packed_is_unpacked() -> None:
    packed = pack("vector", [0.1, 1e-45, 3e38])
    assert unpack(packed) == list(struct.unpack("<3f", packed))
    assert dimension_of(packed) == 3


@pytest.mark.parametrize(
    "vector",
    [[], [0.0, 0.0], [1e-60], [math.nan, 1.0], [math.inf], [1e300], [1.0] * (MAX_DIMENSIONS + 1), ["one"]],
    ids=["empty", "zero", "zero in 32 bits", "nan", "infinite", "infinite in 32 bits", "huge", "text"],
)
def test_a_vector_without_direction_or_bound_is_refused(vector: list[float]) -> None:
    with pytest.raises(InvalidInput, match=r"^vector: "):
        pack("vector", vector)
