"""A disk of which the power may be cut: what is on it for certain, and what may be.

Written data is certain when its file was synced after it, a name when its directory was. Until then any part of the
data may be there, by sectors and in any order. Of the names, a model says which sets are possible:

`ordered`: a file system with a journal. Names change in their order, and a sync of anything makes all changes before it
certain. ext4, XFS and APFS are so, as far as is known.

`unordered`: what POSIX promises. Each change of a name stands for itself, until a sync of its directory.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import NamedTuple

from ..disk.recording import NAMES, Kind, Operation

OLD, NEW, PREFIX, ONE_MISSING, BY_SECTOR, BY_PAGE = "old", "new", "prefix", "one missing", "by sector", "by page"
WAYS = (OLD, NEW, PREFIX, ONE_MISSING, BY_SECTOR, BY_SECTOR, BY_PAGE)
"""How much of the data of a file that is not certain gets onto the disk."""

SECTOR, PAGE = 512, 4096


class Model(StrEnum):
    ORDERED = "ordered"
    UNORDERED = "unordered"


class Change(NamedTuple):
    """A write, or without data a truncation to `offset`."""

    offset: int
    data: bytes | None
    modified_ns: int

    def apply(self, content: bytearray) -> None:
        """Do it in memory."""
        length = self.offset if self.data is None else self.offset + len(self.data)
        if self.data is None:
            del content[self.offset :]
        if len(content) < length:
            content.extend(bytes(length - len(content)))
        if self.data is not None:
            content[self.offset : length] = self.data


@dataclass(eq=False)
class File:
    """The content of an inode: what is certain, and the changes since."""

    certain: bytearray = field(default_factory=bytearray)
    modified_ns: int = 0
    changes: list[Change] = field(default_factory=list)
    settled: int = 0
    """How many changes are certain by now."""

    @property
    def written(self) -> int:
        """How many changes there have been."""
        return self.settled + len(self.changes)

    def settle(self, written: int) -> None:
        """Make the changes certain that there were when so many had been written."""
        done = self.changes[: max(0, written - self.settled)]
        for change in done:
            change.apply(self.certain)
            self.modified_ns = change.modified_ns
        del self.changes[: len(done)]
        self.settled += len(done)

    def after_cut(self, way: str, dice: Random) -> bytes:
        """Return the content that the file may have when the power is cut now."""
        if way in (BY_SECTOR, BY_PAGE, ONE_MISSING):
            return self._by_sector(way, dice)
        content, count = bytearray(self.certain), len(self.changes)
        if way == OLD:
            count = 0
        elif way == PREFIX:
            count = dice.randint(0, count)
        for change in self.changes[:count]:
            change.apply(content)
        torn = self.changes[count] if way == PREFIX and count < len(self.changes) else None
        if torn is not None and torn.data is not None:
            sectors = dice.randint(0, len(torn.data) // SECTOR)
            torn._replace(data=torn.data[: sectors * SECTOR]).apply(content)
        return bytes(content)

    def _by_sector(self, way: str, dice: Random) -> bytes:
        """Each sector has its first few changes, whatever the others have; the length is one that the file has had."""
        size = PAGE if way == BY_PAGE else SECTOR
        lengths, sectors = self._sectors(size)
        content = bytearray(self.certain)
        content.extend(bytes(max(lengths) - len(content)))
        missing = dice.choice(list(sectors)) if sectors else None
        for sector, changes in sectors.items():
            if way == ONE_MISSING:
                count = 0 if sector == missing else len(changes)
            else:
                count = dice.choice([0, len(changes), dice.randint(0, len(changes))])
            for offset, data in changes[:count]:
                content[offset : offset + len(data)] = data
        return bytes(content[: lengths[-1] if way == ONE_MISSING or dice.random() < 0.7 else dice.choice(lengths)])

    def _sectors(self, size: int) -> tuple[list[int], dict[int, list[tuple[int, bytes]]]]:
        """Return the lengths that the file has had, and the changes of each sector in their order."""
        lengths = [len(self.certain)]
        sectors: dict[int, list[tuple[int, bytes]]] = {}
        for change in self.changes:
            before = lengths[-1]
            if change.data is None:
                lengths.append(change.offset)
                data = bytes(max(0, max(lengths) - change.offset))  # what was cut off reads as zeros if it grows again
            else:
                data = change.data
                lengths.append(max(before, change.offset + len(data)))
            end = change.offset + len(data)
            for start in range(change.offset // size * size, end, size):
                first, last = max(start, change.offset), min(start + size, end)
                sectors.setdefault(start, []).append((first, data[first - change.offset : last - change.offset]))
        return lengths, sectors


class NameChange(NamedTuple):
    """A change of one or two names that is not certain."""

    kind: Kind
    path: str
    to: str
    file: File | None
    """`None` for a directory."""

    def __str__(self) -> str:
        return f"{self.kind.name} {Path(self.to or self.path).name}"

    @property
    def directories(self) -> set[str]:
        return {str(Path(path).parent) for path in (self.path, self.to) if path}

    def apply(self, names: "Names") -> None:
        match self.kind:
            case Kind.UNLINK | Kind.REMOVE_DIRECTORY:
                if names.get(self.path) is self.file:
                    names.pop(self.path, None)
            case Kind.RENAME:
                if names.get(self.path) is self.file:
                    names.pop(self.path, None)
                names[self.to] = self.file
            case Kind.LINK:
                names[self.to] = self.file
            case _:
                names[self.path] = self.file


Names = dict[str, File | None]
"""Each path with its file, or `None` for a directory."""


class Disk:
    """The directory `root` of a program whose recorded operations are done here, one after the other."""

    def __init__(self, start: Path, root: Path, model: Model) -> None:
        """Begin with the content of `start`, all of which is certain."""
        self.model = model
        self.root = root
        self.certain: Names = {}
        for path in sorted(start.rglob("*")):
            name = str(root / path.relative_to(start))
            state = path.stat()
            self.certain[name] = None if path.is_dir() else File(bytearray(path.read_bytes()), state.st_mtime_ns)
        self.names = dict(self.certain)
        self.changes: list[NameChange] = []
        self._files: dict[int, File] = {}
        self._syncs: dict[int, tuple[int, list[NameChange]]] = {}

    def do(self, operation: Operation) -> None:
        if operation.kind in NAMES:
            self._change_names(operation)
        elif operation.kind in (Kind.WRITE, Kind.TRUNCATE):
            data = operation.data if operation.kind is Kind.WRITE else None
            change = Change(operation.offset, data, operation.modified_ns)
            self._file(operation).changes.append(change)
        elif operation.kind is Kind.SYNC_BEGINS:
            written = 0 if self._is_directory(operation) else self._file(operation).written
            self._syncs[operation.offset] = (written, list(self.changes))
        elif operation.kind is Kind.SYNCED:
            written, changes = self._syncs.pop(operation.offset)
            if not self._is_directory(operation):
                self._file(operation).settle(written)
            self._settle_names(operation, changes)

    def _is_directory(self, operation: Operation) -> bool:
        path = operation.path
        return path == str(self.root) or (path in self.names and self.names[path] is None)

    def _file(self, operation: Operation) -> File:
        """The file of the operation; one that was there before is found by its name when it is first met."""
        if operation.inode not in self._files:
            self._files[operation.inode] = self.names.get(operation.path) or File()
        return self._files[operation.inode]

    def _change_names(self, operation: Operation) -> None:
        file = self.names.get(operation.path)
        if operation.kind is Kind.CREATE:
            file = self._files[operation.inode] = File(modified_ns=operation.modified_ns)
        change = NameChange(operation.kind, operation.path, operation.to, file)
        change.apply(self.names)
        self.changes.append(change)

    def _settle_names(self, operation: Operation, before: list[NameChange]) -> None:
        if self.model is Model.ORDERED:
            settled = before
        elif self._is_directory(operation):
            settled = [change for change in before if operation.path in change.directories]
        else:
            return
        done = {id(change) for change in settled}
        for change in self.changes:
            if id(change) in done:
                change.apply(self.certain)
        self.changes = [change for change in self.changes if id(change) not in done]

    def names_after_cut(self, dice: Random) -> tuple[Names, list[NameChange]]:
        """Return the names that may be there when the power is cut now, and which of the uncertain changes are done."""
        if self.model is Model.ORDERED:
            done = self.changes[: dice.choice([0, len(self.changes), dice.randint(0, len(self.changes))])]
        else:
            share = dice.choice([0.15, 0.5, 0.85])
            done = [change for change in self.changes if dice.random() < share]
        names = dict(self.certain)
        for change in done:
            change.apply(names)
        return names, done
