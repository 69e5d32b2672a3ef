"""Files beside the database: readable by their owner only, on the disk before they count, there as a whole or not."""

import os
from errno import EACCES, EINVAL, ENOTSUP, EPERM
from pathlib import Path
from typing import IO, Any

from sidecar import platform


def partial_of(destination: Path) -> Path:
    """Where a file lies until it may have its name."""
    return destination.with_name(destination.name + ".partial")


def create(path: Path) -> int:
    """The descriptor of a new file. Raises `FileExistsError`."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | platform.BINARY, 0o600)


def make_directory(path: Path) -> None:
    """Make the directory, and those above it, for its owner only, unless it is there; synced with its name."""
    missing = [directory for directory in (path, *path.parents) if not directory.is_dir()]
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for directory in missing:
        sync_names(directory.parent)


def write_whole(path: Path, text: str, *, lasts: bool = True) -> None:
    """Write the file; killed at any moment, the old one is there or the new one.

    With `lasts`, it also survives a power cut, which takes 5 to 10 ms.
    """
    partial = partial_of(path)
    partial.unlink(missing_ok=True)
    with os.fdopen(create(partial), "wb") as file:
        file.write(text.encode())
        if lasts:
            flush(file)
    partial.replace(path)
    if lasts:
        sync_names(path.parent)


def flush(file: IO[Any]) -> None:
    """Have everything that was written to an open file reach the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Have a file, or a directory's list of names, reach the disk. Windows cannot sync a directory and need not."""
    if not platform.syncs_directories() and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_names(directory: Path) -> None:
    """Sync a directory if that is possible: some network disks sync none, and this user may be unable to read it."""
    try:
        sync(directory)
    except OSError as error:
        if error.errno not in (EACCES, EINVAL, ENOTSUP, EPERM):
            raise
