"""From SQLite's result codes to this project's errors: by code, never by message.

The codes: https://sqlite.org/rescode.html. The low byte of an extended code is its primary code.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sidecar.errors import (
    Conflict,
    DatabaseDamaged,
    DiskFailed,
    DiskFull,
    InvalidInput,
    OutOfDescriptors,
    SearchIndexDamaged,
    SidecarError,
    StorageBusy,
    StorageError,
    StorageReadOnly,
)

_PRIMARY_CODE = 0xFF

_MEANINGS: dict[int, tuple[type[SidecarError], str]] = {
    sqlite3.SQLITE_BUSY: (StorageBusy, "Another program is using the database; try again in a moment."),
    sqlite3.SQLITE_LOCKED: (StorageBusy, "The database is locked; try again in a moment."),
    sqlite3.SQLITE_READONLY: (StorageReadOnly, "The database cannot be written to; check the directory's permissions."),
    sqlite3.SQLITE_PERM: (StorageReadOnly, "The database cannot be written to; check the directory's permissions."),
    sqlite3.SQLITE_CANTOPEN: (StorageReadOnly, "The database cannot be opened; check the directory's permissions."),
    sqlite3.SQLITE_FULL: (DiskFull, "The disk is full; free some space and try again."),
    sqlite3.SQLITE_CORRUPT: (DatabaseDamaged, "The database file is damaged."),
    # The only virtual table is the index: nothing but words that can be read from the rows again.
    sqlite3.SQLITE_CORRUPT_VTAB: (SearchIndexDamaged, "The search index is damaged; it is being rebuilt."),
    sqlite3.SQLITE_IOERR: (DiskFailed, "The disk reports an error; try again, and check the disk if it happens again."),
    # A file that is shorter than it should be.
    sqlite3.SQLITE_IOERR_SHORT_READ: (DatabaseDamaged, "The database file has been cut off."),
    sqlite3.SQLITE_NOTADB: (DatabaseDamaged, "The database file is not a database."),
    sqlite3.SQLITE_TOOBIG: (InvalidInput, "A value is larger than the database can hold."),
    sqlite3.SQLITE_CONSTRAINT: (Conflict, "The change does not fit the rows that are stored."),
}


def to_sidecar_error(error: sqlite3.Error) -> SidecarError:
    """Return the error of this project for an error of SQLite."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int):
        meaning = _MEANINGS.get(code) or _MEANINGS.get(code & _PRIMARY_CODE)
        if meaning is not None:
            if code & _PRIMARY_CODE == sqlite3.SQLITE_CANTOPEN and (exhausted := _out_of_descriptors()) is not None:
                return exhausted
            kind, message = meaning
            return kind(message)
    return StorageError(f"The database failed ({getattr(error, 'sqlite_errorname', type(error).__name__)}).")


def _out_of_descriptors() -> OutOfDescriptors | None:
    """Return the error if no file can be opened now, or `None`: SQLite hides the reason of a failure."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return OutOfDescriptors.caused(error)
    return None


def with_cause(error: BaseException) -> Exception:
    """`error` as a caller is to get it: SQLite's as this project's, with the original as its cause."""
    if isinstance(error, sqlite3.Error):
        meaning: SidecarError = to_sidecar_error(error)
    elif isinstance(error, UnicodeDecodeError):
        # Python cannot decode SQLite's message when that quotes damaged text.
        meaning = DatabaseDamaged("The database file is damaged.")
    else:
        return error if isinstance(error, Exception) else RuntimeError(repr(error))
    meaning.__cause__ = error
    return meaning


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise what SQLite raises as this project's errors, with the original as their cause."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise with_cause(error) from error
