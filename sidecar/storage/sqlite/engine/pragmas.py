"""Every setting of a connection, each a function that says why. See https://sqlite.org/pragma.html for what they do."""

import sqlite3

INCREMENTAL = 2
"""The value that `PRAGMA auto_vacuum` returns."""


def prepare_writer(connection: sqlite3.Connection) -> None:
    """All settings of the one connection that writes."""
    vacuum_in_steps(connection)
    write_ahead(connection)
    commit_durably(connection)
    bound_the_journal(connection)
    _prepare(connection)


def prepare_reader(connection: sqlite3.Connection) -> None:
    """All settings of a connection that only reads."""
    refuse_writes(connection)
    _prepare(connection)


def _prepare(connection: sqlite3.Connection) -> None:
    wait_for_locks(connection)
    enforce_foreign_keys(connection)
    distrust_the_schema(connection)
    check_cells(connection)
    keep_temporary_tables_in_memory(connection)
    cache_pages(connection)


def keep_log_index_in_memory(connection: sqlite3.Connection) -> None:
    """Read a write-ahead log without the file that connections share: nobody else can then open the database.

    Must come before anything is read (https://sqlite.org/wal.html, "Use of WAL Without Shared-Memory").
    """
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")


def vacuum_in_steps(connection: sqlite3.Connection) -> None:
    """Lets free pages be given back a few at a time. Only has an effect before the first table is made.

    Where it is set, setting it again would be a write of its own at every start, before the log was looked at.
    """
    if connection.execute("PRAGMA auto_vacuum").fetchone()[0] != INCREMENTAL:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")


def write_ahead(connection: sqlite3.Connection) -> None:
    """Readers and the writer do not wait for each other, and a commit is one sequential write."""
    connection.execute("PRAGMA journal_mode = WAL")


def commit_durably(connection: sqlite3.Connection) -> None:
    """A commit that was answered survives a power cut: FULL syncs the log at every commit, NORMAL only at checkpoints.

    On macOS a plain fsync leaves data in the drive's cache; `fullfsync` does not. Elsewhere it does nothing.
    """
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA checkpoint_fullfsync = ON")


def bound_the_journal(connection: sqlite3.Connection) -> None:
    """A log that grew during one long transaction is cut back to 16 MiB once it has been checkpointed."""
    connection.execute(f"PRAGMA journal_size_limit = {16 * 1024 * 1024}")


def wait_for_locks(connection: sqlite3.Connection) -> None:
    """Another program may look into the file; give it two seconds before telling the caller that it is busy."""
    connection.execute("PRAGMA busy_timeout = 2000")


def enforce_foreign_keys(connection: sqlite3.Connection) -> None:
    """SQLite ignores foreign keys unless each connection asks for them."""
    connection.execute("PRAGMA foreign_keys = ON")


def distrust_the_schema(connection: sqlite3.Connection) -> None:
    """A database file is input: its triggers and views may not call functions that reach outside."""
    connection.execute("PRAGMA trusted_schema = OFF")


def check_cells(connection: sqlite3.Connection) -> None:
    """Damage is noticed when a page is read rather than when its content makes no sense."""
    connection.execute("PRAGMA cell_size_check = ON")


def keep_temporary_tables_in_memory(connection: sqlite3.Connection) -> None:
    """Sorting never leaves a user's rows in a temporary file."""
    connection.execute("PRAGMA temp_store = MEMORY")


def cache_pages(connection: sqlite3.Connection) -> None:
    """Up to 2 MiB a connection; the operating system's cache holds the rest.

    More made neither writes nor searches faster, and is what a sidecar grows by in its first hours.
    """
    connection.execute("PRAGMA cache_size = -2048")


def refuse_writes(connection: sqlite3.Connection) -> None:
    """A second guard behind the read-only open mode."""
    connection.execute("PRAGMA query_only = ON")
