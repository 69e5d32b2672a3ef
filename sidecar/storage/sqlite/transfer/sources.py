"""Recognition of the seed's database that an import comes from, by its content and not by its path.

Such a database has no id of its own, it is copied and moved, it grows, and its rows are edited and removed. So an
import of one says only of which system it is, and is compared with those that were imported before:

- A row is *known* of an earlier database when that one held a row of the same kind, id and `evidence`: the columns that
  seldom change, such as a message's text and the time when it was made.
- A row *contradicts* an earlier database when that one held a row of the same kind, id and time, with other evidence.
- The import is of the earlier database of which more of its first rows are known than contradict it. Where there is
  none, it is of a new one. When in doubt it is of a new one: then a row may be there twice, but none is missing.

A database that the store itself was made of by adoption counts as the first that was imported of its system; the first
import looks at the store's rows and remembers them.

Within one database a row is the row of the same id and time, whatever was edited. Of times only the place within a
quarter of an hour counts: the same local time may have been read in another zone by another import, and zones are
quarters of an hour apart.
"""

import json
import sqlite3
from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice
from typing import Any

from sidecar.models.timestamps import canonical
from sidecar.models.transfer import Row
from sidecar.storage.capabilities import RowsOf
from sidecar.storage.sqlite.transfer.kinds import KINDS, Kind

PREFIX = "seed "
"""The beginning of the `store_id` of an archive that was made of a seed's database; the system's name follows."""

COMPARED_ROWS = 1_000
"""Number of rows of each kind that are compared with earlier imports."""

_SOURCES, _EVIDENCE = "sources", "evidence"
_TIMES = frozenset({"created_at", "start_time", "end_time", "start"})


def store_id(system: str) -> str:
    """Return the `store_id` of an archive that was made of this system's database."""
    return PREFIX + system


def source_of(connection: sqlite3.Connection, rows: RowsOf, store_id: str, own_rows: RowsOf) -> str:
    """Return the id of the store that the rows come from; `own_rows` are those of this store.

    For a seed's database, it is the id of the earlier import that holds the same content, or a new id.
    """
    if not store_id.startswith(PREFIX):
        return store_id
    if _is_adopted(connection, store_id) and not any(_known_sources(connection, store_id)):
        _note_all(connection, own_rows, _new_source(connection, store_id))
    known = list(_known_sources(connection, store_id))
    votes = dict.fromkeys(known, 0)
    for kind in KINDS:
        for row in islice(rows(kind.name), COMPARED_ROWS) if kind.evidence and known else ():
            for source in known:
                votes[source] += _vote(connection, kind, row, source)
    best = max(known, key=votes.__getitem__, default=None)
    if best is not None and votes[best] > 0:
        return best
    return _new_source(connection, store_id)


def identity(kind: Kind, row: Row, source: str) -> bytes | None:
    """Return the hash by which a row of a seed's database is known; `None` for a row of any other store."""
    if not source.startswith(PREFIX):
        return None
    if kind.seed_identity is not None:
        return _hash([source, kind.name, *(row[column] for column in kind.seed_identity)])
    times = [_within_quarter(row[column]) for column in kind.earlier_birth or kind.birth if column in _TIMES]
    return _hash([source, row[kind.key], *times])


def note(connection: sqlite3.Connection, kind: Kind, row: Row, source: str) -> None:
    """Remember an imported row, as evidence that its seed's database was imported."""
    if kind.evidence and source.startswith(PREFIX):
        _remember(connection, _EVIDENCE, _evidence(kind, row, source), 0)


def _is_adopted(connection: sqlite3.Connection, store_id: str) -> bool:
    """Return whether this store was made of a database of that system, which was adopted in place."""
    sql = """
        SELECT 1 FROM adoptions
        WHERE system = ? AND id NOT IN (SELECT row_id FROM imported_rows WHERE kind = 'adoptions')
    """
    return connection.execute(sql, (store_id.removeprefix(PREFIX),)).fetchone() is not None


def _note_all(connection: sqlite3.Connection, own_rows: RowsOf, source: str) -> None:
    """Remember the rows of this store as if they had been imported from `source`."""
    for kind in KINDS:
        for row in own_rows(kind.name):
            note(connection, kind, row, source)
            named = None if kind.has_text_key else identity(kind, row, source)
            if named is not None:
                _remember(connection, kind.name, named, row[kind.key])


def _new_source(connection: sqlite3.Connection, store_id: str) -> str:
    number = len(list(_known_sources(connection, store_id))) + 1
    new = f"{store_id} {number}"
    _remember(connection, _SOURCES, _hash([new]), number)
    return new


def _vote(connection: sqlite3.Connection, kind: Kind, row: Row, source: str) -> int:
    if _is_remembered(connection, _EVIDENCE, _evidence(kind, row, source)):
        return 1
    named = identity(kind, row, source)
    return -1 if named is not None and _is_remembered(connection, kind.name, named) else 0


def _evidence(kind: Kind, row: Row, source: str) -> bytes:
    columns = [_within_quarter(row[column]) if column in _TIMES else row[column] for column in kind.evidence]
    return _hash([source, kind.name, row[kind.key], *columns])


def _within_quarter(time: Any) -> Any:
    """Return `2:03.250` for `…T09:47:03.250Z`; a value that is no time as it is."""
    try:
        text = canonical(time)
    except (TypeError, ValueError):
        return time
    return f"{int(text[14:16]) % 15}{text[16:23]}"


def _known_sources(connection: sqlite3.Connection, store_id: str) -> Iterator[str]:
    number = 1
    while _is_remembered(connection, _SOURCES, _hash([f"{store_id} {number}"])):
        yield f"{store_id} {number}"
        number += 1


def _hash(known: list[Any]) -> bytes:
    return blake2b(json.dumps(known).encode(), digest_size=16).digest()


def _is_remembered(connection: sqlite3.Connection, kind: str, identity: bytes) -> bool:
    sql = "SELECT 1 FROM imported_rows WHERE kind = ? AND identity = ?"
    return connection.execute(sql, (kind, identity)).fetchone() is not None


def _remember(connection: sqlite3.Connection, kind: str, identity: bytes, row_id: int) -> None:
    connection.execute("INSERT OR IGNORE INTO imported_rows VALUES (?, ?, ?)", (kind, identity, row_id))
