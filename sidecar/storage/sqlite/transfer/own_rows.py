"""The rows of extensions on their way out, as they are stored, and back in, as their tables are declared.

Going out, no module is needed: every table of a namespace is exported, with all its columns. Coming in, a row is read
as the loaded module declares its table; rows of other tables stay in the archive.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from sidecar.errors import ArchiveRefused
from sidecar.models.base import MAX_INTEGER, MIN_INTEGER
from sidecar.models.transfer import Row
from sidecar.storage.capabilities import RowsOf, own_rows_of
from sidecar.storage.resources.rows.columns import read_row, safe_value
from sidecar.storage.resources.rows.names import folded, quoted
from sidecar.storage.resources.rows_set_aside import as_json_values, stored_values
from sidecar.storage.sqlite.schema import own_tables
from sidecar.storage.sqlite.schema.catalog import TableInfo, tables
from sidecar.storage.sqlite.transfer.kinds import Kind, TransferKinds


def tables_of(connection: sqlite3.Connection) -> dict[str, TableInfo]:
    """Return the tables of all extensions, by their kinds, which are called `<namespace>.<table>`.

    Whatever else than letters, digits and underscores is in a table's name is percent-encoded: kinds name files.
    """
    # The longest first: `notes_more_cards` belongs to `notes_more`, if there is such a namespace.
    namespaces = sorted(own_tables.versions(connection), key=len, reverse=True)
    if not namespaces:
        return {}
    found = {}
    for table in tables(connection):
        namespace = next((name for name in namespaces if folded(table.name).startswith(f"{name}_")), None)
        if namespace is not None:
            found[f"{namespace}.{quote(table.name[len(namespace) + 1 :], safe='')}"] = table
    return found


def rows(connection: sqlite3.Connection, table: TableInfo) -> Iterator[Row]:
    """Yield the rows of a table as JSON objects, in the order of the primary key."""
    columns = ", ".join(map(quoted, table.columns))
    sql = f"SELECT {columns} FROM {quoted(table.name)} NOT INDEXED ORDER BY {', '.join(table.key)}"
    for row in connection.execute(sql):
        yield as_json_values(dict(row))


def readable(rows_of: RowsOf, kinds: TransferKinds) -> tuple[RowsOf, dict[str, int]]:
    """Return a way to read what is imported, and for each kind of an extension that is not, how many rows it has.

    Not imported are kinds that no loaded extension declares as exported, and those of a newer version of its module.
    """
    own = own_rows_of(rows_of)
    declared = {kind.name: kind for kind in kinds.own}
    wanted = {
        name: declared[name]
        for name in own.kinds
        if name in declared and own.versions.get(_namespace(name), 0) <= kinds.versions[_namespace(name)]
    }
    not_imported = {name: sum(1 for _ in rows_of(name)) for name in own.kinds if name not in wanted}

    def read(kind: str) -> Iterable[Row]:
        if kind in declared:
            return _declared(wanted[kind], rows_of(kind)) if kind in wanted else ()
        return rows_of(kind)

    return read, {name: count for name, count in not_imported.items() if count}


def _namespace(kind: str) -> str:
    return kind.partition(".")[0]


def _declared(kind: Kind, stored_rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows as a line of their kind has them. Raises `ArchiveRefused` for one without a place in the order."""
    last = MIN_INTEGER - 1
    for number, stored in enumerate(stored_rows, 1):
        row_id = stored.get(kind.key)
        if not isinstance(row_id, int) or not last < row_id <= MAX_INTEGER:
            raise ArchiveRefused(f"{kind.name}, row {number}: {kind.key} does not come after the one before.")
        last = row_id
        yield {kind.key: row_id, **_line(kind, stored_values(stored))}


def _line(kind: Kind, stored: Mapping[str, Any]) -> Row:
    """Return the declared columns of a row; those that a table of before lacks get their safe values."""
    names = [name for name in kind.columns if name != kind.key]
    there = {name: stored[name] for name in names if name in stored}
    values, invalid = read_row(kind.stored, there)
    line = {name: values[name] if name in there else safe_value(kind.stored[name], None) for name in names}
    line |= {name: None for name in kind.json_columns if there.get(name, "") is None}
    return {**line, "invalid": as_json_values({name: there[name] for name in invalid})} if invalid else line
