"""Threads that have states or exchanges but no row of their own: their rows are made."""

import sqlite3

from sidecar.storage.resources.rows.columns import UNKNOWN_TIME

_MADE = "adopting_threads"
"""Holds the ids of threads that were made: as a table of the file it takes no memory."""


class Threads:
    """Makes the rows of such threads, and extends their times to those of all their states and exchanges."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.made = 0
        self._connection = connection
        connection.execute(f"CREATE TABLE {_MADE} (id TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID")

    def need(self, thread_id: str, request: str | None, first: str, last: str) -> None:
        """Make the thread if it is missing; extend the times of one that was made to `first` and `last`."""
        made = self._connection.execute(
            """
            INSERT INTO chats (id, initial_request, created_at, updated_at) VALUES (?, ?, ?, ?)
            ON CONFLICT (id) DO NOTHING
            """,
            (thread_id, request, first, last),
        ).rowcount
        if made:
            self.made += 1
            self._connection.execute(f"INSERT INTO {_MADE} VALUES (?)", (thread_id,))
            return
        known = {"id": thread_id, "request": request, "first": first, "last": last, "unknown": UNKNOWN_TIME}
        self._connection.execute(
            f"""
            UPDATE chats SET
                initial_request = coalesce(initial_request, :request),
                created_at = CASE
                    WHEN created_at = :unknown THEN :first WHEN :first = :unknown THEN created_at
                    ELSE min(created_at, :first) END,
                updated_at = max(updated_at, :last)
            WHERE id = :id AND id IN {_MADE}
            """,
            known,
        )

    def close(self) -> None:
        """Forget which threads were made."""
        self._connection.execute(f"DROP TABLE {_MADE}")
