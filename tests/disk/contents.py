"""What a database that nobody has open holds, as far as the ledger asks."""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

TEXTS = {"todo": "content", "tips": "content", "vaults": "title"}
"""The column of each table that tells its rows apart."""


class Contents(NamedTuple):
    """The rows of one file."""

    problems: list[str]
    """What SQLite's check says, if the file is not sound."""

    rows: dict[str, Counter[str]]
    messages: dict[int, tuple[str, str]]
    """The status and the content of each."""

    threads: dict[str, int]
    """The version that was saved last."""


def contents(path: Path) -> Contents:
    """Read the file, which must have no write-ahead log."""
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
        found = [text for (text,) in connection.execute("PRAGMA integrity_check")]
        histories = connection.execute("SELECT chat_id, messages FROM chat_histories WHERE messages LIKE '%\"role\"%'")
        return Contents(
            problems=[] if found == ["ok"] else found,
            rows={table: rows_of(connection, table) for table in TEXTS},
            messages={
                number: (status, content)
                for number, status, content in connection.execute("SELECT id, status, content FROM messages")
            },
            threads={thread: _version(messages) for thread, messages in histories},
        )


def rows_of(connection: sqlite3.Connection, table: str) -> Counter[str]:
    """How often each text is in the table."""
    return Counter(str(text) for (text,) in connection.execute(f"SELECT {TEXTS[table]} FROM {table}"))


def _version(messages: str) -> int:
    first = json.loads(messages)[0]["content"].split()[0]
    return int(first) if first.isdigit() else 0
