"""A ledger of calls and readings, and the check of it: was every call done exactly once?

The check follows every world that the calls allow. A call that was answered has been done; one that was not may have
been done or not, so there are two worlds from then on, until a reading tells them apart. A ledger without a world left
has a fault in it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from types import MappingProxyType

Row = tuple[str, int]
"""The content of a row, and the place in the ledger of the call that made it."""


@dataclass(frozen=True)
class Copy:
    """The rows and keys of a store at one moment."""

    rows: frozenset[Row] = frozenset()
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True)
class World:
    """What is in the store, in its backups and archives, and which calls on files have been done."""

    store: Copy = Copy()
    copies: Mapping[str, Copy] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    file_keys: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Call:
    """One call under an idempotency key. `is_answered` says whether its answer was seen."""

    key: str
    is_answered: bool

    def done_in(self, world: World, place: int) -> World:
        """Return the world after the call, which was not done in it before."""
        raise NotImplementedError

    def is_done_in(self, world: World) -> bool:
        return self.key in world.store.keys


@dataclass(frozen=True)
class Write(Call):
    """Adds rows, all or none."""

    contents: tuple[str, ...]

    def done_in(self, world: World, place: int) -> World:
        rows = world.store.rows | {(content, place) for content in self.contents}
        return replace(world, store=Copy(rows, world.store.keys | {self.key}))


@dataclass(frozen=True)
class Import(Call):
    """Adds the rows of an archive that the store does not hold."""

    archive: str

    def done_in(self, world: World, place: int) -> World:
        rows = world.store.rows | world.copies[self.archive].rows
        return replace(world, store=Copy(rows, world.store.keys | {self.key}))


@dataclass(frozen=True)
class _FileCall(Call):
    """A call whose effect is not in the rows: a restore does not undo it."""

    def is_done_in(self, world: World) -> bool:
        return self.key in world.file_keys


@dataclass(frozen=True)
class Backup(_FileCall):
    """Makes a copy that is known by the key of the call."""

    def done_in(self, world: World, place: int) -> World:
        copies = MappingProxyType({**world.copies, self.key: world.store})
        return replace(world, copies=copies, file_keys=world.file_keys | {self.key})


@dataclass(frozen=True)
class Restore(_FileCall):
    """Replaces the store by a backup: later writes are gone with their keys, and may be made again."""

    backup: str

    def done_in(self, world: World, place: int) -> World:
        return replace(world, store=world.copies[self.backup], file_keys=world.file_keys | {self.key})


@dataclass(frozen=True)
class Export:
    """An archive of the store's rows, known by its name."""

    name: str


@dataclass(frozen=True)
class Recovery:
    """The store was damaged and repaired; `lost` rows were reported to be lost. The next reading says which."""

    lost: int


@dataclass(frozen=True)
class Reading:
    """The contents of all rows."""

    contents: tuple[str, ...]


Entry = Call | Export | Recovery | Reading


def faults(ledger: list[Entry]) -> list[str]:
    """Return what is wrong at the first entry that no world explains; nothing when every call was done exactly once."""
    worlds = [World()]
    may_lack = 0
    for place, entry in zip(count(), ledger, strict=False):
        if isinstance(entry, Reading):
            explaining = [world for world in worlds if _explains(world, entry, may_lack)]
            if not explaining:
                return [f"entry {place}: {fault}" for fault in _told(worlds[0], entry, ledger[:place])]
            worlds = [_anchored(world, entry) for world in explaining] if may_lack else explaining
            may_lack = 0
        elif isinstance(entry, Recovery):
            may_lack += entry.lost
        else:
            worlds = _distinct([after for world in worlds for after in _after(world, entry, place)])
    return []


def _after(world: World, entry: Call | Export, place: int) -> Iterator[World]:
    if isinstance(entry, Export):
        yield replace(world, copies=MappingProxyType({**world.copies, entry.name: world.store}))
    elif entry.is_done_in(world):
        yield world
    else:
        yield entry.done_in(world, place)
        if not entry.is_answered:
            yield world


def _distinct(worlds: list[World]) -> list[World]:
    return [world for number, world in enumerate(worlds) if world not in worlds[:number]]


def _contents(world: World) -> Counter[str]:
    return Counter(content for content, _ in world.store.rows)


def _explains(world: World, reading: Reading, may_lack: int) -> bool:
    expected, found = _contents(world), Counter(reading.contents)
    return not found - expected and (expected - found).total() <= may_lack


def _anchored(world: World, reading: Reading) -> World:
    """Return the world without the rows that a recovery has lost."""
    present = set(reading.contents)
    rows = frozenset(row for row in world.store.rows if row[0] in present)
    return replace(world, store=replace(world.store, rows=rows))


def _told(world: World, reading: Reading, before: list[Entry]) -> Iterator[str]:
    """Say what differs from a world that was possible until then."""
    expected, found = _contents(world), Counter(reading.contents)
    for write in (entry for entry in before if isinstance(entry, Write)):
        present = [content for content in write.contents if found[content]]
        if 0 < len(present) < len(write.contents):
            yield f"half of {write.key} is there: {', '.join(present)}"
    for content, more in (found - expected).items():
        if expected[content]:
            yield f"{content} is there {more + expected[content]} times and was made {expected[content]} times"
        else:
            yield f"{content} is there, and was replaced or never made"
    for content in expected - found:
        yield f"{content} was answered and is lost"
