"""The kinds of documents as a search meets them: where their rows are, how they are shown, how they are deleted.

They follow from the declarations of the tables. What of a row is in the index, its view says; see the migration that
makes it.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sidecar.errors import NotFound
from sidecar.models.base import MAX_INTEGER, MIN_INTEGER
from sidecar.models.search import DataType
from sidecar.storage.interfaces import Work
from sidecar.storage.resources.all import TABLES
from sidecar.storage.resources.rows.declaration import Declaration, Searched
from sidecar.storage.resources.rows.table import Table
from sidecar.storage.sqlite.schema.growing import GROWING
from sidecar.storage.sqlite.search.index_format import KIND_BITS


class SearchKind(NamedTuple):
    """One kind. Its `number` is in the rowids of the index; `title`, `content` and `present` are SQL."""

    data_type: DataType
    number: int
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

    @property
    def first(self) -> int:
        """The number that is added to a row's id in the index; the kind's entries lie from here to the next kind's."""
        return self.number << KIND_BITS

    @property
    def view(self) -> str:
        """The view that shows the kind's documents as the index takes them."""
        return f"search_{self.table}"


def _kind(table: Declaration, searched: Searched) -> SearchKind:
    delete = searched.delete or (table.delete if isinstance(table, Table) else None)
    assert delete is not None, f"{table.name} does not say how its rows are deleted"
    content = _joined(table, searched.content)
    return SearchKind(
        DataType.of(searched.data_type),
        searched.number,
        table.name,
        searched.time,
        searched.metadata,
        delete,
        title=_joined(table, () if searched.title is None else (searched.title,)),
        content=GROWING.get(table.name, {}).get(content, content),
        text=_joined(table, searched.also_shown) if searched.also_shown else content,
        present=searched.present,
        is_indexed_present=searched.is_indexed_present,
    )


def _joined(table: Declaration, columns: Sequence[str]) -> str:
    """Return SQL for the texts of these columns, one below the other; NULL is no text."""
    if not columns:
        return "''"
    optional = [column for column in columns if table.columns[column].optional]
    required = [column for column in columns if column not in optional]
    if not required:
        (only,) = optional
        return f"coalesce({only}, '')"
    place = columns.index(required[0])
    before = [f"coalesce({column} || char(10), '') || " for column in columns[:place]]
    after = [
        f" || coalesce(char(10) || {column}, '')" if column in optional else f" || char(10) || {column}"
        for column in columns[place + 1 :]
    ]
    joined = f"{''.join(before)}{required[0]}{''.join(after)}"
    return f"({joined})" if len(columns) > 1 else joined


SEARCH_KINDS = tuple(
    sorted(
        (_kind(table, table.searched) for table in TABLES.values() if table.searched is not None),
        key=lambda kind: kind.number,
    )
)
BY_NUMBER = {kind.number: kind for kind in SEARCH_KINDS}
BY_NAME = {str(kind.data_type): kind for kind in SEARCH_KINDS}


def named(doc_id: str) -> tuple[SearchKind, int]:
    """Return the kind and the row that a document's id names. Raises `NotFound` for what is no such id."""
    name, _, row = doc_id.partition(":")
    if name not in BY_NAME or not re.fullmatch(r"-?[0-9]{1,19}", row) or not MIN_INTEGER <= int(row) <= MAX_INTEGER:
        raise NotFound(f"There is no document with the id '{doc_id[:100]}'.")
    return BY_NAME[name], int(row)
