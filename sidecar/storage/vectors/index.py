"""The index that a search scans: the directions of one collection's vectors in 8 bits a dimension, in memory.

A vector is divided by its largest number, multiplied by 127 and rounded; beside it is kept by what its dot product has
to be multiplied for a cosine. That is exact enough for a short list, which is then ranked by the true vectors. The rows
lie in blocks, so that growing copies nothing, and a removed row's place is taken by the last one.
"""

from array import array
from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from sidecar.errors import NotAvailable
from sidecar.storage.vectors.vector import dimension_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bytes = NDArray[np.int8]
    Numbers = NDArray[np.int64]
    Places = NDArray[np.intp]
    Floats = NDArray[np.float32]

BLOCK = 8_192
LEVELS = 127


class Libraries(NamedTuple):
    """The packages of the extra `vectors`."""

    numpy: ModuleType
    simsimd: ModuleType


@cache
def libraries() -> Libraries:
    """numpy and SimSIMD; the first call takes a tenth of a second. Raises `NotAvailable` without them."""
    try:
        import numpy
        import simsimd
    except ImportError:
        raise NotAvailable(
            "Search by meaning needs the extra 'vectors': pip install 'electron-sidecar[vectors]'."
        ) from None
    return Libraries(numpy, simsimd)


class VectorIndex:
    """The vectors of one collection by the numbers of their rows. Not for two threads at once."""

    def __init__(self) -> None:
        self.dimension: int | None = None
        self._np, self._simsimd = libraries()
        self._blocks: list[Bytes] = []
        self._factors: list[Floats] = []
        self._numbers = array("q")
        self._places: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def put(self, rows: Sequence[tuple[int, bytes]]) -> bool:
        """Take up these rows, in the place of those with their numbers; false when one has another dimension.

        A vector without a direction, which only another program can have stored, is left out.
        """
        if rows and not self._numbers:
            self.dimension = dimension_of(rows[0][1])
        if any(dimension_of(packed) != self.dimension for _, packed in rows):
            return False
        rows = self._with_direction(rows)
        if not rows:
            return True
        quantised, factors = self._quantise(b"".join(packed for _, packed in rows))
        blocks, offsets = self._np.divmod([self._place_for(number) for number, _ in rows], BLOCK)
        for block in self._np.unique(blocks):
            here = blocks == block
            self._blocks[block][offsets[here]] = quantised[here]
            self._factors[block][offsets[here]] = factors[here]
        return True

    def _with_direction(self, rows: Sequence[tuple[int, bytes]]) -> Sequence[tuple[int, bytes]]:
        if not rows:
            return rows
        np = self._np
        vectors = np.frombuffer(b"".join(packed for _, packed in rows), "<f4").reshape(-1, self.dimension)
        largest = np.abs(vectors).max(axis=1)
        has_direction = np.isfinite(largest) & (largest > 0)
        if has_direction.all():
            return rows
        for number, _ in (row for row, usable in zip(rows, has_direction, strict=True) if not usable):
            self.discard(number)
        return [row for row, usable in zip(rows, has_direction, strict=True) if usable]

    def discard(self, number: int) -> None:
        """Forget a row; one that is not there is no error."""
        place = self._places.pop(number, None)
        if place is None:
            return
        last_block, last_offset = divmod(len(self._numbers) - 1, BLOCK)
        last = self._numbers.pop()
        if last != number:
            block, offset = divmod(place, BLOCK)
            self._blocks[block][offset] = self._blocks[last_block][last_offset]
            self._factors[block][offset] = self._factors[last_block][last_offset]
            self._numbers[place] = last
            self._places[last] = place
        if last_offset == 0:
            del self._blocks[last_block], self._factors[last_block]

    def scan(self, packed: bytes) -> "tuple[Numbers, Floats]":
        """Every row's number, and nearly its cosine with this vector; no later change of the index shows in them."""
        np = self._np
        quantised, factors = self._quantise(packed)
        scores = np.empty(len(self._numbers), np.float32)
        for number, (block, by) in enumerate(zip(self._blocks, self._factors, strict=True)):
            part = scores[number * BLOCK : (number + 1) * BLOCK]
            rows = len(part)
            products = np.asarray(self._simsimd.cdist(quantised, block[:rows], "dot"), np.float32)
            np.multiply(products[0], by[:rows], out=part)
        scores *= factors[0]
        return np.array(memoryview(self._numbers), np.int64), scores

    def _place_for(self, number: int) -> int:
        place = self._places.get(number)
        if place is None:
            place = self._places[number] = len(self._numbers)
            self._numbers.append(number)
            if place % BLOCK == 0:
                self._blocks.append(self._np.empty((BLOCK, self.dimension), self._np.int8))
                self._factors.append(self._np.empty(BLOCK, self._np.float32))
        return place

    def _quantise(self, packed: bytes) -> "tuple[Bytes, Floats]":
        np = self._np
        vectors: Any = np.frombuffer(packed, "<f4").reshape(-1, self.dimension)
        vectors = vectors / np.abs(vectors).max(axis=1, keepdims=True)
        factors = 1 / (LEVELS * np.linalg.norm(vectors, axis=1))
        vectors *= LEVELS
        return np.rint(vectors, out=vectors).astype(np.int8), factors.astype(np.float32)


def cosines(query: bytes, vectors: Sequence[bytes]) -> list[float]:
    """The cosine of each vector with `query`, as exactly as 64 bits allow."""
    np = libraries().numpy
    one: Any = np.frombuffer(query, "<f4").astype(np.float64)
    many: Any = np.frombuffer(b"".join(vectors), "<f4").reshape(-1, len(one)).astype(np.float64)
    products = (many @ one) / (np.linalg.norm(many, axis=1) * np.linalg.norm(one))
    cosines: list[float] = np.clip(products, -1, 1).tolist()
    return cosines
