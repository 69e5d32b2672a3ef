# ruff: noqa: PTH102, PTH104, PTH106, PTH108, PTH123
"""Makes each call that changes a disk once, as Python, SQLite and others may: run under `shim.c` by `test_shim.py`."""

import ctypes
import os
import shutil
import sqlite3
import sys
from contextlib import closing, suppress
from pathlib import Path

C = ctypes.CDLL(None, use_errno=True)


def main(directory: Path) -> None:
    """Work below this directory."""
    os.chdir(directory)
    write_in_every_way()
    change_names()
    copy_inside_the_kernel()
    use_a_database()
    be_ignored()


def write_in_every_way() -> None:
    descriptor = os.open("file", os.O_RDWR | os.O_CREAT, 0o600)
    os.write(descriptor, b"written")
    os.pwrite(descriptor, b"placed", 10)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.writev(descriptor, [b"gathered"])
    os.pwritev(descriptor, [b"both"], 20)
    os.ftruncate(descriptor, 30)
    os.fsync(descriptor)
    os.fdatasync(descriptor)
    os.close(descriptor)
    appending = os.open("file", os.O_WRONLY | os.O_APPEND)
    os.write(appending, b"appended")
    os.close(appending)
    os.truncate("file", 5)
    os.close(os.open("file", os.O_WRONLY | os.O_TRUNC))
    C.creat(b"created", 0o600)


def change_names() -> None:
    os.mkdir("folder")
    here = os.open(".", os.O_RDONLY)
    os.mkdir("other", dir_fd=here)
    os.close(os.open("relative", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=here))
    os.rename("relative", "folder/renamed")
    os.replace("folder/renamed", "moved", src_dir_fd=here, dst_dir_fd=here)
    os.link("moved", "linked")
    os.link("moved", "linked too", src_dir_fd=here, dst_dir_fd=here)
    os.unlink("linked")
    os.unlink("linked too", dir_fd=here)
    os.rmdir("folder")
    os.rmdir("other", dir_fd=here)
    os.fsync(here)
    os.close(here)


def copy_inside_the_kernel() -> None:
    Path("source").write_bytes(b"content")
    shutil.copyfile("source", "copied")
    with open("source", "rb") as source, open("copied", "wb") as target, suppress(OSError):
        os.copy_file_range(source.fileno(), target.fileno(), 7)


def use_a_database() -> None:
    with closing(sqlite3.connect("sqlite.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE rows (row TEXT)")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def be_ignored() -> None:
    """What is not below the directory, and what is left out there."""
    os.mkdir("logs")
    Path("logs/log").write_text("line")
    Path.cwd().with_name("outside").write_text("nothing")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
