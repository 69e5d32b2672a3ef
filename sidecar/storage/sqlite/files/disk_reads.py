"""Errors of the disk while it is read. SQLite reports most of them as damage, so the file is read again here."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EIO
from pathlib import Path

from sidecar import platform
from sidecar.errors import DiskFailed
from sidecar.storage.sqlite.files import companions

_BLOCK = 1024 * 1024


@contextmanager
def reporting_disk_errors(path: Path) -> Iterator[None]:
    """Raise the operating system's error of a disk as `DiskFailed`."""
    try:
        yield
    except OSError as error:
        if error.errno != EIO:
            raise
        name = error.filename or path
        raise DiskFailed(
            f"The disk reports an error for {name}; try again, and check the disk if it happens again."
        ) from error


def require_readable(database: Path) -> None:
    """Read every byte of a database that nobody in this process has open, and of its journal and log.

    Raises `DiskFailed`, when it is the disk that does not give them.
    """
    for path in (database, *(companions.beside(database, suffix) for suffix in companions.EVIDENCE)):
        if path.is_file():
            _read_through(path)


def _read_through(path: Path) -> None:
    with reporting_disk_errors(path):
        descriptor = os.open(path, os.O_RDONLY | platform.BINARY)
        try:
            while os.read(descriptor, _BLOCK):
                pass
        finally:
            os.close(descriptor)
