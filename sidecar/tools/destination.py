"""The file that a person names for a copy: it is checked first, and gets its name only when it is complete.

A path is not an identity. What is written to is a new name or a regular file, never a pipe, a device or a directory. A
symbolic link is followed, and stays. Nothing of the store is written over, by whatever path or link it is named.
"""

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import IO, Any, NamedTuple

from sidecar.errors import InvalidInput
from sidecar.storage.sqlite.backup.directory import BACKUPS
from sidecar.storage.sqlite.files import atomic
from sidecar.storage.sqlite.recovery.report_files import REPORT_PREFIX


class StorePlace(NamedTuple):
    """The directory and the database file of a store."""

    data_directory: Path
    own_names: Collection[str]
    """Names of the sidecar's files and folders in the data directory, without those of the database."""

    database: Path | None
    """The database's file, which may be elsewhere; `None` in memory."""


@contextmanager
def writing(path: Path, place: StorePlace, *, force: bool) -> Iterator[IO[Any]]:
    """Open a binary file to write to and read from; it gets its name `path` at the end of the block.

    It is then complete, synced with its directory, and readable by its owner only. When the block raises, whatever was
    at `path` is as it was. An existing file is replaced only with `force`.

    Raises `InvalidInput` for a path that must not be written to, before the block runs; `OSError`.
    """
    target = _checked(path, place, force)
    partial = atomic.partial_of(target)
    descriptor = _created(partial, path, place)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            atomic.flush(file)
        if _checked(path, place, force) != target:
            raise InvalidInput(f"{path} leads to another place than before; nothing was written. Try again.")
        partial.replace(target)
    except OSError as error:
        if error.filename in (None, str(partial)):  # of a write, which knows no name; of a file that nobody named
            error.filename = str(path)
        raise
    finally:
        partial.unlink(missing_ok=True)
    atomic.sync_names(target.parent)


def _created(partial: Path, path: Path, place: StorePlace) -> int:
    """The descriptor of a new file, which is to be at `path`. Raises `InvalidInput`."""
    try:
        _remove_leftover(partial, path, place)
        return atomic.create(partial)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written to: {error.strerror}.") from None


def _checked(path: Path, place: StorePlace, force: bool) -> Path:
    """Return the file that `path` leads to. Raises `InvalidInput` when it must not be written to."""
    try:
        target, state = path.resolve(), _state(path)
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the link leads to itself"
        raise InvalidInput(f"{path} cannot be written to: {reason}.") from None
    if state is None and not target.parent.is_dir():
        raise InvalidInput(f"There is no directory {target.parent}; create it, or choose another one.")
    if state is not None and stat.S_ISDIR(state.st_mode):
        raise InvalidInput(f"{path} is a directory; name a file in it.")
    if state is not None and not stat.S_ISREG(state.st_mode):
        raise InvalidInput(f"{path} is not a regular file; name a new file.")
    if _is_of_store(target, state, place):
        raise InvalidInput(f"{path} is, or could become, a file of the store itself; choose another directory.")
    for log in (f"{target}-wal", f"{target}-journal"):
        if os.path.lexists(log):
            raise InvalidInput(
                f"{log} exists: SQLite would apply this log of another database to the new file; choose another name."
            )
    if state is not None and not force:
        raise InvalidInput(f"{path} already exists; choose another name, or replace it with --force.")
    return target


def _remove_leftover(partial: Path, path: Path, place: StorePlace) -> None:
    """Remove the partial file of a killed process. Raises `InvalidInput` for a file that cannot be one."""
    try:
        state = partial.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(state.st_mode) or _is_of_store(partial, state, place):
        raise InvalidInput(
            f"{path} cannot be written to: a file of the name {partial.name} is in the way; choose another name."
        )
    partial.unlink()


def _is_of_store(target: Path, state: os.stat_result | None, place: StorePlace) -> bool:
    """Return whether the store uses this file or its name. Every existing file in the data directory is its own."""
    name = _name_below(place.data_directory, target)
    if name is not None and (state is not None or _begins_like(name, place.own_names)):
        return True
    if place.database is not None:
        name = _name_below(place.database.parent, target)
        if name is not None and _begins_like(name, (place.database.name, BACKUPS, REPORT_PREFIX)):
            return True
    return state is not None and any(os.path.samestat(state, other) for other in _files_of(place))


def _begins_like(name: str, names: Collection[str]) -> bool:
    """Return whether the name begins with one of `names`, as related files do; compared without case."""
    return name.casefold().startswith(tuple(other.casefold() for other in names))


def _name_below(directory: Path, target: Path) -> str | None:
    """Return the name in `directory` of `target`, or of the folder that it is in; `None` when it is elsewhere.

    Directories are compared by what they are: another path, a mount or another case may lead to the same one.
    """
    there = _state(directory)
    for parent in target.parents:
        state = _state(parent)
        if there is not None and state is not None and os.path.samestat(there, state):
            return target.relative_to(parent).parts[0]
    return None


def _files_of(place: StorePlace) -> Iterator[os.stat_result]:
    """Yield the state of each file of the store, for a comparison with a file that has another path."""
    found = [place.data_directory.rglob("*")]
    if place.database is not None:
        found.append(place.database.parent.glob(f"{escape(place.database.name)}*"))
        found.append((place.database.parent / BACKUPS).glob("*"))
    for paths in found:
        for path in paths:
            state = _state(path)
            if state is not None and stat.S_ISREG(state.st_mode):
                yield state


def _state(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None
