"""Views and triggers of extensions, in a recovery: their migrations do not run again, so nothing else makes them."""

import logging
import sqlite3
from collections.abc import Iterable
from contextlib import suppress

from sidecar.storage.resources.rows.names import folded
from sidecar.storage.sqlite.recovery.damaged_reader import READ_ERRORS
from sidecar.storage.sqlite.schema import own_tables

log = logging.getLogger(__name__)

Objects = dict[str, str]
"""Statements by the names of what they create."""


def of(connection: sqlite3.Connection) -> Objects:
    """Return the views and triggers of extensions in a database, which may be damaged."""
    with suppress(*READ_ERRORS):  # where the list of the extensions cannot be read, the other database has one
        namespaces = tuple(f"{name}_" for name in own_tables.versions(connection))
        sql = "SELECT name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger') ORDER BY type DESC, rowid"
        found = connection.execute(sql).fetchall()
        whole = ((name, text) for name, text in found if isinstance(name, str) and isinstance(text, str))
        return {name: text for name, text in whole if namespaces and folded(name).startswith(namespaces)}
    return {}


def remove_triggers(connection: sqlite3.Connection) -> Objects:
    """Remove the triggers, which must not fire while rows are put back; return them."""
    sql = "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
    triggers = {name for (name,) in connection.execute(sql).fetchall()}
    removed = {name: text for name, text in of(connection).items() if name in triggers}
    for name in removed:
        connection.execute(f'DROP TRIGGER "{name}"')
    return removed


def add(connection: sqlite3.Connection, objects: Iterable[Objects]) -> None:
    """Create each view and trigger that is not there; of two with the same name, the first."""
    present = {folded(name) for (name,) in connection.execute("SELECT name FROM sqlite_schema").fetchall()}
    for name, text in (pair for each in objects for pair in each.items()):
        if folded(name) not in present:
            try:
                connection.execute(text)
                present.add(folded(name))
            except sqlite3.OperationalError as error:  # its table is lost, or its statement damaged
                log.warning("%s of an extension cannot be made again: %s", name, error)
