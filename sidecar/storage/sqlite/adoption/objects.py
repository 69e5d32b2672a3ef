"""Columns, indexes, triggers and views that others added to the tables of a seed's database.

Columns are added to our tables under their names. Indexes and triggers leave the old tables and are made again on ours;
views and references from tables of others stay, and follow columns to new names. What would not work there is removed,
and its text kept in the report.
"""

import sqlite3
from collections.abc import Callable, Collection
from contextlib import closing
from typing import NamedTuple

from sidecar.models.adoption import ForeignObject
from sidecar.storage.resources.rows.names import folded, quoted
from sidecar.storage.sqlite.adoption.carrying import SourceColumns
from sidecar.storage.sqlite.adoption.tables import INDEXES, RENAMED_COLUMNS

_RENAMED = "adopting_"
_ROW_ID = "rowid"
"""A column of this name would hide the row id, by which rows are found."""


class Object(NamedTuple):
    """An entry of the schema."""

    kind: str
    name: str
    table: str
    sql: str


class Objects:
    """The schema of a database that is being adopted, and of the tables that it will have."""

    def __init__(self, connection: sqlite3.Connection, ours: Collection[Object], *, keeps_columns: bool = True) -> None:
        self.renamed: dict[str, str] = {}
        """The old tables that have names of ours: their new names."""
        self._connection = connection
        self._keeps_columns = keeps_columns
        self._tables = {one.name for one in ours if one.kind == "table"}
        self._names = {one.name for one in ours}
        self._removed: list[Object] = []
        self._views = {
            one.name: one for one in schema_of(connection) if one.kind == "view" and self._problem(one) is None
        }

    def make_room(self) -> None:
        """Rename the tables that have names of ours, and remove what is on them or has another of these names.

        With `legacy_alter_table`, SQLite does not follow the renaming in views and triggers: they will refer to our
        tables.
        """
        shadows = {
            name for (name,) in self._connection.execute("SELECT name FROM pragma_table_list WHERE type = 'shadow'")
        }
        self._connection.execute("PRAGMA legacy_alter_table = ON")
        try:
            for one in sorted(schema_of(self._connection), key=lambda one: one.kind == "table"):
                is_ours = folded(one.name) in self._names
                if one.kind == "table":
                    if is_ours and one.name not in shadows:
                        new_name = _RENAMED + folded(one.name)
                        self._connection.execute(f"ALTER TABLE {quoted(one.name)} RENAME TO {quoted(new_name)}")
                        self.renamed[folded(one.name)] = new_name
                elif is_ours or folded(one.table) in self._tables:
                    self._connection.execute(f"DROP {one.kind} {quoted(one.name)}")
                    if folded(one.name) not in INDEXES:
                        self._removed.append(one)
        finally:
            self._connection.execute("PRAGMA legacy_alter_table = OFF")

    def follow_renamed_columns(self) -> None:
        """Have what refers to a renamed column refer to its new name; before our tables are made.

        A reference to a column that is not there would make every change of the table fail. SQLite itself follows a
        renamed column, here that of an empty table in the place of ours. What did not work before stays as it is.
        """
        self._connection.execute("PRAGMA writable_schema = ON")  # which has SQLite pass over what does not work
        try:
            for table, name, new_name in RENAMED_COLUMNS:
                columns = self._columns_of(self.renamed.get(table, ""))
                if name in columns and new_name not in columns:
                    self._connection.execute(f"CREATE TABLE {table} ({', '.join(map(quoted, columns))})")
                    self._connection.execute(f"ALTER TABLE {table} RENAME COLUMN {name} TO {new_name}")
                    self._connection.execute(f"DROP TABLE {table}")
        finally:
            self._connection.execute("PRAGMA writable_schema = OFF")

    def add_columns(self, source: str, table: str, known: Collection[str]) -> SourceColumns:
        """Give `table` the columns of `source` that are not `known`, unless columns are not kept at all."""
        sql = "SELECT name, type, hidden FROM pragma_table_xinfo(?)"
        taken = {_ROW_ID, *(folded(name) for name, _, _ in self._connection.execute(sql, (table,)))}
        kept, without_place = [], {}
        for name, declared, hidden in self._connection.execute(sql, (self.renamed[source],)).fetchall():
            column = folded(name)
            if column in known:
                continue
            if hidden:
                without_place[column] = "the column is computed from others"
            elif not self._keeps_columns:
                without_place[column] = "an import does not add columns"
            elif column in taken:
                without_place[column] = "the name belongs to another column of this schema"
            else:
                self._connection.execute(f"ALTER TABLE {table} ADD COLUMN {quoted(name)} {declared}")
                kept.append(column)
        return SourceColumns(tuple(kept), without_place)

    def restore(self) -> list[ForeignObject]:
        """Make the removed objects again, once our tables are there; return the report on them and on the views."""
        report = [_report(one, self._make(one)) for one in self._removed]
        for view in self._views.values():
            if view in self._removed:
                continue
            problem = self._problem(view)
            if problem is not None:
                self._connection.execute(f"DROP VIEW {quoted(view.name)}")
            report.append(_report(view, problem))
        return sorted(report, key=lambda one: (one.kind, one.name))

    def _make(self, one: Object) -> str | None:
        """Make the object and return `None`; or return the reason why it would not work, and leave it out."""
        if folded(one.name) in self._names:
            return "the name belongs to an object of this schema"
        try:
            self._connection.execute(one.sql)
        except sqlite3.Error as error:
            return str(error)
        problem = self._problem(one)
        if problem is not None:
            self._connection.execute(f"DROP {one.kind} {quoted(one.name)}")
        return problem

    def _columns_of(self, table: str) -> list[str]:
        sql = "SELECT lower(name) FROM pragma_table_info(?)"
        return [name for (name,) in self._connection.execute(sql, (table,))]

    def _problem(self, one: Object) -> str | None:
        """Return SQLite's error for a statement that uses the object; `None` when it can be prepared."""
        table = quoted(one.table)
        statements = {"view": [f"SELECT * FROM {table}"], "trigger": []}.get(one.kind, [])
        if one.kind == "trigger" and folded(one.table) in self._tables:
            names = self._connection.execute("SELECT name FROM pragma_table_info(?)", (one.table,)).fetchall()
            changes = ", ".join(f"{quoted(name)} = {quoted(name)}" for (name,) in names)
            statements = [
                f"INSERT INTO {table} DEFAULT VALUES",
                f"UPDATE {table} SET {changes}",
                f"DELETE FROM {table}",
            ]
        try:
            for statement in statements:
                self._connection.execute(f"EXPLAIN {statement}").close()
        except sqlite3.Error as error:
            return str(error)
        return None


def schema_of(connection: sqlite3.Connection) -> list[Object]:
    """Return all objects of the schema that a statement made; SQLite's own are left out."""
    sql = """
        SELECT type, name, tbl_name, sql FROM sqlite_schema
        WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
    """
    return [Object(*row) for row in connection.execute(sql)]


def schema_made_by(create: Callable[[sqlite3.Connection], None]) -> list[Object]:
    """Return the objects of a new database that `create` has filled."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as scratch:
        create(scratch)
        return schema_of(scratch)


def _report(one: Object, problem: str | None) -> ForeignObject:
    return ForeignObject(
        kind=one.kind, name=one.name, table=one.table, sql=one.sql, is_kept=problem is None, reason=problem
    )
