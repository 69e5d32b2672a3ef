"""Compaction: a database is rewritten without its free pages, in bounded memory."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sidecar.storage.sqlite.engine import pragmas
from sidecar.storage.sqlite.files import atomic, room

_PAGES_AT_ONCE = 256


def compact(connection: sqlite3.Connection) -> None:
    """Rewrite the open database as one that can be vacuumed in steps. After a kill at any moment, no row is lost.

    VACUUM does the same, but keeps the new database in memory where temporary tables are kept there. Here it is a file
    beside the database, which is then copied over it in one transaction. Raises `DiskFull`, `OSError`, `sqlite3.Error`.
    """
    pragmas.vacuum_in_steps(connection)
    location: str = connection.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()[0]
    if not location:
        connection.execute("VACUUM")
        return
    rewritten = compacted_of(Path(location))
    rewritten.unlink(missing_ok=True)
    try:
        room.need_room(rewritten.parent, 2 * _bytes_in_use(connection))
        os.close(atomic.create(rewritten))
        connection.execute("VACUUM INTO ?", (str(rewritten),))
        with closing(sqlite3.connect(rewritten, isolation_level=None)) as source:
            source.backup(connection, pages=_PAGES_AT_ONCE)
        if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        rewritten.unlink(missing_ok=True)


def _bytes_in_use(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def compacted_of(path: Path) -> Path:
    """Return the file that holds the new form of a database meanwhile. One that is found at a start is a leftover."""
    return path.with_name(path.name + ".compacted")
