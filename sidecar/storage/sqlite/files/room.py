"""Room on a disk: whether a directory takes new files, and how much of it a copy may use."""

import os
import shutil
from pathlib import Path

from sidecar import platform
from sidecar.errors import DiskFull

SPARE_BYTES = 32 * 1024 * 1024
"""Bytes that a copy leaves free on the disk, for the commits of others."""

PROBE_BYTES = 1024 * 1024
"""Room for the two files that SQLite makes beside a database, and for a few commits."""


def is_lacking(error: OSError) -> bool:
    """Return whether an operating system's error says that a disk, or what a user may have of it, is full."""
    return error.errno in platform.NO_ROOM


def is_there(directory: Path) -> bool:
    """Return whether the directory takes a new file of `PROBE_BYTES`.

    One is made: quotas and the number of files that a disk can hold are in no figure that every system has.
    """
    from tempfile import TemporaryFile  # only where the disk was full

    try:
        with TemporaryFile(dir=directory, buffering=0) as probe:
            probe.write(bytes(PROBE_BYTES))
            os.fsync(probe.fileno())
            return probe.tell() == PROBE_BYTES
    except OSError as error:
        return not is_lacking(error)


def error() -> DiskFull:
    """Return the error of every write while there is no room."""
    return DiskFull("The disk is full; free some space and try again. Nothing was changed, and rows can still be read.")


def need_room(directory: Path, size: int) -> None:
    """Raises `DiskFull` when `size` bytes more would fill the disk."""
    free = shutil.disk_usage(directory).free
    if free < size + SPARE_BYTES:
        raise DiskFull(
            f"A copy of the database needs {size + SPARE_BYTES:,} bytes and {free:,} are free; free some space and try "
            "again. Nothing was changed."
        )
