"""The declaration of a table: its columns, what of it is searched and exported, and what its rows belong to.

Readers, the search, exports and imports, the repair of invalid rows and the events derive what they need from it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.storage.interfaces import Row, Work
from sidecar.storage.resources.rows.columns import Columns


@dataclass(frozen=True)
class Searched:
    """How the rows of a table are found by word."""

    data_type: str
    """The kind of document that a row is; an id such as `vault:12` begins with it."""
    number: int
    """The place of the kind in the index; the migration that searches the table has the same."""
    time: str
    """The column by which the kind is listed."""
    metadata: tuple[str, ...]
    """Columns that describe a document besides its text."""
    delete: Callable[[Work, int], Any] | None = None
    """Deletes a row, where that is more than removing it."""
    title: str | None = None
    """The column that is a document's title."""
    content: tuple[str, ...] = ("content",)
    """Columns that are a document's text, one below the other."""
    also_shown: tuple[str, ...] = ()
    """Columns of which snippets are made, too, in the place that they have here beside those of the content."""
    present: str | None = None
    """SQL that is true for rows that may be found."""
    is_indexed_present: bool = True
    """True if rows that may not be found are out of the index, too."""


@dataclass(frozen=True)
class Reference:
    """A column that names a row of some exported kind by its key."""

    column: str
    kind: str
    required: bool = True
    """True if the row belongs to the other. A reference that is not required becomes NULL if there is no such row."""
    is_home: bool = True
    """True if a row whose parent is lost has no place and is set aside; otherwise it moves to the top."""
    may_be_own: bool = False
    """True if the row may name itself."""


@dataclass(frozen=True)
class Lift:
    """Rows whose reference in `column` must become NULL: `query` finds the key of the next one."""

    column: str
    query: str
    finding: str
    """The reason, for a person."""


@dataclass(frozen=True)
class Exported:
    """How the rows of a table are exported and imported."""

    kind: str
    """The name of the kind in an archive."""
    birth: tuple[str, ...] = ()
    """Columns that never change: with the key, they tell a row of one store from all others."""
    earlier_birth: tuple[str, ...] = ()
    """The `birth` columns of the time when rows could not be changed: imports of that time, and rows without a `birth`,
    are known by them."""
    evidence: tuple[str, ...] = ()
    """Columns by which copies of one seed's database are recognised."""
    references: tuple[Reference, ...] = ()
    placeholder: tuple[str, tuple[str, ...]] | None = None
    """A statement that removes what a new store holds of its own accord, if it is all that the table holds."""
    lift: Lift | None = None
    same: tuple[str, ...] = ()
    """Columns by which a row of another store is the same as one here, unless one of them is NULL."""
    is_same_unique: bool = True
    """True if no two rows have the same values in `same`."""
    is_required: bool = False
    """True for the kinds that every archive holds; the others are in it only where there are rows of them."""


class Declaration:
    """One table as its resource declares it."""

    def __init__(
        self,
        name: str,
        columns: Columns,
        *,
        topic: str,
        key: str = "id",
        has_text_key: bool = False,
        subject: str | None = None,
        searched: Searched | None = None,
        exported: Exported | None = None,
        belonging: tuple[str, str] | None = None,
    ) -> None:
        """`columns` are those apart from the key.

        Events have the `topic` and the id in the column `subject`, which is the key unless another is given. A text key
        is the caller's own name for a row. `belonging` names a table of rows that belong to rows of this one, and the
        column there that names them.
        """
        self.name = name
        self.columns = columns
        self.topic = topic
        self.key = key
        self.has_text_key = has_text_key
        self.searched = searched
        self.exported = exported
        self.belonging = belonging
        self._subject = subject or key

    def note_change(self, work: Work, row: Mapping[str, Any] | Row) -> None:
        """Report that a row was made, changed or removed."""
        work.changed(self.topic, row[self._subject])
