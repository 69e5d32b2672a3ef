"""The collections that searches scan, kept in memory as the last commit left them.

A collection is loaded when it is first searched. From then on the numbers of rows that commits changed are noted, and
the next search reads those rows before it scans. All that happens in a reader's thread, in the search's own snapshot:
the notes are taken before the snapshot begins, so that what they tell of is in it. After too many of them everything is
forgotten, and loaded again when it is next searched.
"""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sidecar.errors import Conflict, StorageError
from sidecar.storage.interfaces import Connection, Database
from sidecar.storage.vectors.index import VectorIndex, libraries
from sidecar.storage.vectors.vector import dimension_of

if TYPE_CHECKING:
    from sidecar.storage.vectors.index import Floats, Numbers, Places

T = TypeVar("T")

MOST_NOTES = 50_000
STRETCH = 32
"""Neighbouring scores of which the best stands for all."""

ROWS_AT_ONCE = 1_024
"""Read in one piece, so that the vectors are never in memory a second time."""


class Source(NamedTuple):
    """How the rows of collections are read."""

    all_of: str
    """SQL: number and vector of every row of the collection `?`, by number."""
    these: str
    """SQL: number, collection and vector of the rows whose numbers are in the JSON list `?`."""


class Candidates:
    """The rows of a scan, the nearest first as far as anybody looks."""

    def __init__(self, numbers: "Numbers", scores: "Floats") -> None:
        self._numbers = numbers
        self._scores = scores

    def widening(self, first: int) -> Iterator[list[int]]:
        """Numbers of the nearest rows, `first` or some more; then, `ROWS_AT_ONCE` at a time, of all others."""
        np = libraries().numpy
        nearest = self._nearest(first)
        yield self._numbers[nearest].tolist()
        others = np.ones(len(self._scores), np.bool_)
        others[nearest] = False
        order = np.argsort(-self._scores)
        numbers = self._numbers[order[others[order]]]
        for start in range(0, len(numbers), ROWS_AT_ONCE):
            yield numbers[start : start + ROWS_AT_ONCE].tolist()

    def _nearest(self, count: int) -> "Places":
        """Places of the `count` best scores at least.

        As many stretches as that have a best score of `least` or more, so there are as many scores; finding `least`
        looks at one score a stretch only, which is many times quicker than to put all of them in order.
        """
        np = libraries().numpy
        whole = len(self._scores) // STRETCH * STRETCH
        best = self._scores[:whole].reshape(-1, STRETCH).max(axis=1)
        if len(best) > count:
            least = np.partition(best, -count)[-count]
            places = np.flatnonzero(self._scores >= least)
        else:
            places = np.arange(len(self._scores))
        if len(places) > 4 * count:
            places = places[np.argpartition(self._scores[places], -count)[-count:]]
        found: Places = places
        return found


Scan = Callable[[Sequence[str], bytes], Candidates]
"""Scans these collections for a vector. Has to come before anything else that is read. Raises `Conflict`."""


class _OutOfDate(Exception):
    """The cache was forgotten after the search had begun."""


class VectorCache:
    """The collections of one source. Lives on one event loop; scans run in the readers' threads, one at a time."""

    def __init__(self, database: Database, source: Source) -> None:
        self._database = database
        self._source = source
        self._indexes: dict[str, VectorIndex] = {}
        self._following = False
        self._notes: deque[int] = deque()
        self._notes_while_loading: list[int] | None = None
        self._generation = 0
        self._loading = asyncio.Lock()
        self._scanning = threading.Lock()

    @property
    def loaded(self) -> int:
        """How many vectors are in memory."""
        return sum(len(index) for index in tuple(self._indexes.values()))

    @property
    def noted(self) -> int:
        """How many changes the next search has to read."""
        return len(self._notes)

    def note(self, numbers: Iterable[int]) -> None:
        """These rows were made, changed or removed, and that is committed. Called on the event loop."""
        if not self._following:
            return
        noted = list(numbers)
        self._notes.extend(noted)
        if self._notes_while_loading is not None:
            self._notes_while_loading.extend(noted)
        if len(self._notes) > MOST_NOTES:
            self.forget()

    def forget(self) -> None:
        """Whatever was read before may be out of date. Called on the event loop."""
        self._generation += 1
        self._indexes = {}
        self._notes.clear()

    async def read(self, collections: Sequence[str], search: Callable[[Connection, Scan], T]) -> T:
        """Run `search` in a reader's thread; return its result. Raises `NotAvailable` without the extra `vectors`."""
        while True:
            generation = await self._load(collections)

            def read(connection: Connection, generation: int = generation) -> T:
                def scan(names: Sequence[str], vector: bytes) -> Candidates:
                    with self._scanning:
                        return self._scan(connection, generation, names, vector)

                return search(connection, scan)

            try:
                return await self._database.read(read)
            except _OutOfDate:
                continue

    async def _load(self, collections: Sequence[str]) -> int:
        """Load those that are not there; returns the generation that they belong to."""
        # Those that are there are searched while others are being loaded.
        while missing := [name for name in collections if name not in self._indexes]:
            async with self._loading:
                await self._load_now([name for name in missing if name not in self._indexes])
        return self._generation

    async def _load_now(self, names: Sequence[str]) -> None:
        """Nothing is there afterwards when everything was forgotten meanwhile."""
        self._following = True
        generation = self._generation
        # What is noted now may be newer than what is being read, and a search may take the notes before that is here.
        self._notes_while_loading = []
        try:
            loaded = await self._database.read_isolated(lambda connection: self._read_all(connection, names))
            if generation == self._generation:
                self._indexes.update(loaded)
                self._notes.extend(self._notes_while_loading)
        finally:
            self._notes_while_loading = None

    def _read_all(self, connection: Connection, names: Sequence[str]) -> dict[str, VectorIndex]:
        indexes = {}
        for name in names:
            index = indexes[name] = VectorIndex()
            cursor: Any = connection.execute(self._source.all_of, (name,))
            cursor.row_factory = None
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                if not index.put(rows):
                    raise StorageError(f"The stored vectors of '{name}' have different dimensions.")
        return indexes

    def _scan(self, connection: Connection, generation: int, names: Sequence[str], vector: bytes) -> Candidates:
        indexes = self._indexes
        self._catch_up(connection, indexes)
        if generation != self._generation or not indexes.keys() >= set(names):
            raise _OutOfDate
        scanned = [_scanned(name, indexes[name], vector) for name in names if len(indexes[name])]
        np = libraries().numpy
        if not scanned:
            return Candidates(np.empty(0, np.int64), np.empty(0, np.float32))
        numbers, scores = zip(*scanned, strict=True)
        return Candidates(np.concatenate(numbers), np.concatenate(scores))

    def _catch_up(self, connection: Connection, indexes: dict[str, VectorIndex]) -> None:
        numbers = list(dict.fromkeys(self._take_notes()))
        try:
            for start in range(0, len(numbers), ROWS_AT_ONCE):
                self._read_again(connection, indexes, numbers[start : start + ROWS_AT_ONCE])
        except BaseException:
            self._notes.extend(numbers)
            raise

    def _take_notes(self) -> Iterator[int]:
        # Not `while self._notes`: the event loop may clear them in between.
        with suppress(IndexError):
            while True:
                yield self._notes.popleft()

    def _read_again(self, connection: Connection, indexes: dict[str, VectorIndex], numbers: list[int]) -> None:
        rows = connection.execute(self._source.these, (json.dumps(numbers),)).fetchall()
        for name, index in tuple(indexes.items()):
            present = [(number, vector) for number, collection, vector in rows if collection == name]
            for number in set(numbers).difference(number for number, _ in present):
                index.discard(number)
            if not index.put(present):
                # The collection was emptied and began again with another dimension.
                indexes.pop(name)


def _scanned(name: str, index: VectorIndex, vector: bytes) -> "tuple[Numbers, Floats]":
    dimension = dimension_of(vector)
    if dimension != index.dimension:
        raise Conflict(f"Vectors of '{name}' have {index.dimension} dimensions, and the query has {dimension}.")
    return index.scan(vector)
