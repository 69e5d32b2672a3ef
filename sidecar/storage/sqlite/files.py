"""Files beside the database: readable by their owner only, on the disk before they count, there as a whole or not."""

import os
from pathlib import Path


def partial_of(destination: Path) -> Path:
    """Where a file lies until it may have its name."""
    return destination.with_name(destination.name + ".partial")


def create(path: Path) -> int:
    """The descriptor of a new file. Raises `FileExistsError`."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)


def write_whole(path: Path, text: str) -> None:
    """Write the file; killed at any moment, the old one is there or the new one."""
    partial = partial_of(path)
    partial.unlink(missing_ok=True)
    with os.fdopen(create(partial), "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Have a file, or a directory's list of names, reach the disk. Windows cannot sync a directory and need not."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
