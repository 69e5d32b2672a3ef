"""The states of the disk that a power cut may leave: each has a name by which it can be built again alone."""

import os
import shutil
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from random import Random
from typing import NamedTuple, Self

from ..disk.recording import NAMES, Kind, Mark, Operation
from .disk import WAYS, Disk, File, Model, Names

AROUND = 12
"""A cut close to a change of names is at most so many operations behind it."""


class Cut(NamedTuple):
    """One power cut: all that is left to chance follows from these."""

    scenario: str
    model: Model
    seed: int
    number: int

    @classmethod
    def parse(cls, name: str) -> Self:
        """The cut that `str` gave this name."""
        scenario, model, seed, number = name.split(":")
        return cls(scenario, Model(model), int(seed), int(number))

    def __str__(self) -> str:
        return f"{self.scenario}:{self.model}:{self.seed}:{self.number}"


class State(NamedTuple):
    """A directory as it may be after a cut."""

    cut: Cut
    directory: Path
    marks: list[Mark]
    """What had been noted before the cut."""

    description: str


class Recorded:
    """A program whose operations were recorded: where it began, and what it did."""

    def __init__(self, start: Path, root: Path, prepared: list[Mark], operations: list[Operation]) -> None:
        self.start = start
        self._root = root
        self._prepared = prepared
        self._operations = operations

    def states(self, cuts: Iterable[Cut], directory: Path) -> Iterator[State]:
        """Build the state of each cut, all of one model, below `directory`; the next one replaces it."""
        chosen = sorted(((self._place(dice := Random(str(cut))), dice, cut) for cut in cuts), key=lambda one: one[0])
        if not chosen:
            return
        disk = Disk(self.start, self._root, chosen[0][2].model)
        marks, done = list(self._prepared), 0
        for place, dice, cut in chosen:
            for operation in self._operations[done:place]:
                if operation.kind is Kind.MARK:
                    marks.append(operation.mark)
                else:
                    disk.do(operation)
            done = place
            target = directory / str(cut).replace(":", "-")
            description = self._build(disk, dice, target)
            last = self._operations[place - 1] if place else "nothing"
            yield State(cut, target, list(marks), f"after {place} operations, the last {last}; {description}")
            shutil.rmtree(target, ignore_errors=True)

    @cached_property
    def _changes(self) -> list[int]:
        return [place for place, one in enumerate(self._operations) if one.kind in NAMES or one.kind is Kind.TRUNCATE]

    @cached_property
    def _syncs(self) -> list[int]:
        return [place for place, one in enumerate(self._operations) if one.kind in (Kind.SYNC_BEGINS, Kind.SYNCED)]

    def _place(self, dice: Random) -> int:
        """Return the number of operations before the cut: often close to a change of names or to a sync."""
        kind = dice.random()
        if kind < 0.5 and self._changes:
            place = dice.choice(self._changes) + dice.randint(0, AROUND)
        elif kind < 0.75 and self._syncs:
            place = dice.choice(self._syncs) + dice.randint(0, 2)
        else:
            place = dice.randint(0, len(self._operations))
        return min(place, len(self._operations))

    def _build(self, disk: Disk, dice: Random, target: Path) -> str:
        way = dice.choice(WAYS)
        names, done = disk.names_after_cut(dice)
        target.mkdir(parents=True)
        written: dict[File, Path] = {}
        for name in sorted(names):
            path = target / Path(name).relative_to(self._root)
            if _is_reachable(name, names, str(self._root)):
                _make(path, names[name], written, way, dice)
        uncertain, kept = (", ".join(map(str, changes)) or "none" for changes in (disk.changes, done))
        return f"data {way}; of the uncertain names {uncertain}, these were kept: {kept}"


def _is_reachable(name: str, names: Names, root: str) -> bool:
    """Return whether all directories above are there."""
    parent = str(Path(name).parent)
    return parent == root or (parent in names and names[parent] is None and _is_reachable(parent, names, root))


def _make(path: Path, file: File | None, written: dict[File, Path], way: str, dice: Random) -> None:
    if file is None:
        path.mkdir(mode=0o700)
    elif file in written:
        path.hardlink_to(written[file])
    else:
        path.write_bytes(file.after_cut(way, dice))
        modified_ns = file.changes[-1].modified_ns if file.changes else file.modified_ns
        os.utime(path, ns=(modified_ns, modified_ns))
        written[file] = path
