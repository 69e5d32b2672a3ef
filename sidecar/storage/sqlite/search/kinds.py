"""The kinds of documents as a search meets them: where their rows are, how they are shown, how they are deleted.

They follow from the declarations of the tables. What of a row is in the index, its view says; see the migration that
makes it.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sidecar.errors import NotFound
from sidecar.models.base import MAX_INTEGER, MIN_INTEGER
from sidecar.models.search import DataType
from sidecar.storage.interfaces import Work
from sidecar.storage.resources.all import TABLES
from sidecar.storage.resources.rows.declaration import Declaration, Searched
from sidecar.storage.resources.rows.table import Table
from sidecar.storage.sqlite.schema import own_search
from sidecar.storage.sqlite.schema.growing import GROWING
from sidecar.storage.sqlite.schema.joined_text import joined
from sidecar.storage.sqlite.search.index_format import KIND_BITS


class SearchKind(NamedTuple):
    """One kind; its `title`, `content` and `present` are SQL."""

    data_type: DataType
    number: int
    """The beginning of the kind's rowids in the index; 0 where it is not known yet, see `SearchKinds`."""
    table: str
    time: str
    metadata: tuple[str, ...]
    delete: Callable[[Work, int], Any]
    title: str
    content: str
    text: str
    """The text that snippets are taken from."""
    present: str | None
    """Which rows may be found."""
    is_indexed_present: bool
    """True if rows that may not be found are out of the index, too."""
    declaration: Declaration
    """The table."""

    @property
    def first(self) -> int:
        """The number that is added to a row's id in the index; the kind's entries lie from here to the next kind's."""
        return self.number << KIND_BITS


def view_of(table: str) -> str:
    """Return the view that shows the documents of a table as the index takes them."""
    return f"search_{table}"


def _kind(table: Declaration, searched: Searched) -> SearchKind:
    delete = searched.delete or (table.delete if isinstance(table, Table) else None)
    assert delete is not None, f"{table.name} does not say how its rows are deleted"
    content = joined(table.columns, searched.content)
    return SearchKind(
        DataType.of(searched.data_type),
        searched.number,
        table.name,
        searched.time,
        searched.metadata,
        delete,
        title=joined(table.columns, () if searched.title is None else (searched.title,)),
        content=GROWING.get(table.name, {}).get(content, content),
        text=joined(table.columns, searched.also_shown) if searched.also_shown else content,
        present=searched.present,
        is_indexed_present=searched.is_indexed_present,
        declaration=table,
    )


def _kinds(tables: Iterable[Declaration]) -> tuple[SearchKind, ...]:
    found = (_kind(table, table.searched) for table in tables if table.searched is not None)
    return tuple(sorted(found, key=lambda kind: kind.number))


SEARCH_KINDS = _kinds(TABLES.values())
"""The built-in kinds."""
_TABLES = {kind.number: kind.table for kind in SEARCH_KINDS}


class SearchKinds:
    """The kinds that a search of one storage knows: the built-in ones, and those of its extensions."""

    def __init__(self, own: Iterable[Declaration] = ()) -> None:
        self._own = _kinds(own)
        self.by_name = {str(kind.data_type): kind for kind in (*SEARCH_KINDS, *self._own)}
        """Every kind. Those of extensions have no number yet, which differs from database to database."""

    def numbered(self, connection: sqlite3.Connection, wanted: Sequence[SearchKind]) -> Sequence[SearchKind]:
        """Return the kinds with the numbers that they have in this database."""
        if not self._own:
            return wanted
        numbers = {table: number for number, table in own_search.searched(connection).items()}
        return [
            kind if kind.number else kind._replace(number=numbers[kind.table])
            for kind in wanted
            if kind.number or kind.table in numbers
        ]

    def named(self, doc_id: str) -> tuple[SearchKind, int]:
        """Return the kind and the row that a document's id names. Raises `NotFound` for what is no such id."""
        name, _, row = doc_id.partition(":")
        kind = self.by_name.get(name)
        if kind is None or not re.fullmatch(r"-?[0-9]{1,19}", row) or not MIN_INTEGER <= int(row) <= MAX_INTEGER:
            raise NotFound(f"There is no document with the id '{doc_id[:100]}'.")
        return kind, int(row)


def table_of(connection: sqlite3.Connection, number: int) -> str | None:
    """Return the table whose rows are in the index under this number, whether its module is loaded or not.

    `None` for a number that is no kind's, or no longer one's.
    """
    if number < own_search.FIRST_NUMBER:
        return _TABLES.get(number)
    return own_search.searched(connection).get(number)


def numbers(connection: sqlite3.Connection) -> list[int]:
    """Return the numbers of all kinds that are in the index."""
    return [*_TABLES, *own_search.searched(connection)]
