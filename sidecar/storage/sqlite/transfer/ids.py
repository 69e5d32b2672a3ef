"""Translation of the ids inside a row set aside that is imported into a store with other ids.

Its own id, and the ids that it refers to, become the ids that those rows have in this store. An id of a row that the
archive does not hold becomes, for every import alike, an id that no row of this store ever had.
"""

import json
import sqlite3
from hashlib import blake2b
from typing import Any

from sidecar.models.transfer import Row
from sidecar.storage.sqlite.transfer.kinds import Kind, TransferKinds

LARGEST_KEPT_ID = 2**52
"""A row with a larger id gets a new one: ids go on after the largest, and SQLite's and JavaScript's come to an end."""

_LOST = "lost rows"


def followed(connection: sqlite3.Connection, line: Row, source: str, kinds: TransferKinds) -> Row:
    """Return the column `row` of a line with the ids of this store; nothing for a table of another program."""
    kind = kinds.of_table.get(line["table_name"])
    if kind is None:
        return {}
    content = dict(line["row"])
    named = {reference.column: kinds.named[reference.kind] for reference in kind.references}
    for column, parent in {kind.key: kind, **named}.items():
        source_id = _number(content.get(column))
        if source_id is not None and not parent.has_text_key:
            became = _what_became(connection, parent, source_id, source)
            content[column] = str(became) if isinstance(content[column], str) else became
    return {"row": content}


def _number(value: Any) -> int | None:
    """Return the id that a reference holds, which may be text as a message's parent is; `None` for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _what_became(connection: sqlite3.Connection, kind: Kind, source_id: int, source: str) -> int:
    sql = "SELECT row_id FROM import_ids WHERE kind = ? AND source_id = ?"
    found = connection.execute(sql, (kind.name, source_id)).fetchone()
    if found is not None:
        return int(found[0])
    identity = blake2b(json.dumps([source, kind.name, source_id]).encode(), digest_size=16).digest()
    sql = "SELECT row_id FROM imported_rows WHERE kind = ? AND identity = ?"
    found = connection.execute(sql, (_LOST, identity)).fetchone()
    if found is None:
        reserved = _reserve(connection, kind, source_id)
        connection.execute("INSERT INTO imported_rows VALUES (?, ?, ?)", (_LOST, identity, reserved))
        return reserved
    return int(found[0])


def _reserve(connection: sqlite3.Connection, kind: Kind, wanted: int) -> int:
    """Reserve an id that no row of the table has or will get: the wanted one if it comes after all others."""
    sql = f"""
        SELECT max(
            coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0),
            coalesce((SELECT max({kind.key}) FROM {kind.table}), 0)
        )
    """
    (last,) = connection.execute(sql, (kind.table,)).fetchone()
    reserved = wanted if last < wanted <= LARGEST_KEPT_ID else int(last) + 1
    if connection.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", (reserved, kind.table)).rowcount == 0:
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (kind.table, reserved))
    return reserved
