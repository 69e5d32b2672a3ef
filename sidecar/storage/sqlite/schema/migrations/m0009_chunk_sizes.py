"""The size of a streamed message up to the end of each of its chunks."""

import sqlite3


def migrate(connection: sqlite3.Connection) -> None:
    """Add the column, with the sizes of what is there. A row that another program writes may leave it empty."""
    connection.execute("ALTER TABLE message_chunks ADD COLUMN total_bytes INTEGER")
    connection.execute(
        """
        UPDATE message_chunks SET total_bytes = counted.total_bytes
        FROM (
            SELECT message_id, sequence, length(CAST(messages.content AS BLOB))
                + sum(length(CAST(message_chunks.content AS BLOB))) OVER (PARTITION BY message_id ORDER BY sequence)
                AS total_bytes
            FROM message_chunks JOIN messages ON messages.id = message_id
        ) AS counted
        WHERE message_chunks.message_id = counted.message_id AND message_chunks.sequence = counted.sequence
        """
    )
