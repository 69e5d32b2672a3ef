"""The files that SQLite keeps beside a database: the rollback journal, the write-ahead log, and that one's index.

They belong to one file. A journal or a log that stays beside another one is played into it, and damages it.
"""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from sidecar.storage.sqlite.files import open_mark

log = logging.getLogger(__name__)

EVIDENCE = ("-journal", "-wal")
"""The companions that hold pages of the database."""

_INDEX = "-shm"


def beside(database: Path, suffix: str) -> Path:
    return database.with_name(database.name + suffix)


def has_journal(database: Path) -> bool:
    """Return whether there is a rollback journal that holds anything."""
    try:
        return beside(database, "-journal").stat().st_size > 0
    except FileNotFoundError:
        return False


def set_aside(database: Path, destination: Path) -> None:
    """Give the companions of a closed database the names of those of `destination`, where they are not yet."""
    for suffix in EVIDENCE:
        companion = beside(database, suffix)
        if companion.exists():
            companion.replace(beside(destination, suffix))
    beside(database, _INDEX).unlink(missing_ok=True)


def discard(database: Path) -> None:
    """Remove the companions of a file that is no longer a database."""
    for suffix in (*EVIDENCE, _INDEX):
        beside(database, suffix).unlink(missing_ok=True)


def roll_back(database: Path) -> None:
    """Have SQLite undo the transaction that a crash interrupted, as it does for every program that opens the database.

    An empty file is left alone: SQLite would remove its journal. What cannot be done here is met again by whoever opens
    the database.
    """
    if not database.exists() or database.stat().st_size == 0 or not has_journal(database):
        return
    # Whoever writes a rollback journal has put the write-ahead log away.
    open_mark.remove(database)
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        log.warning("the rollback journal of %s: %s", database, error)
    else:
        log.warning("a transaction that was interrupted in %s was rolled back", database)
