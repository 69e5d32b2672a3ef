"""The kinds of rows that are exported and imported: for each its table, its columns and what they refer to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import get_args

from sidecar.models.adoption import RowOrigin
from sidecar.models.transfer import AdoptionRow, ArchiveRow, Row, SetAsideRow
from sidecar.storage.interfaces import OwnTables
from sidecar.storage.resources.all import TABLES
from sidecar.storage.resources.lines import EXPORTED, LINES, line_type
from sidecar.storage.resources.rows.columns import Columns, boolean, json_object, text, time
from sidecar.storage.resources.rows.columns import Kind as ColumnKind
from sidecar.storage.resources.rows.declaration import Declaration, Exported, Lift, Reference
from sidecar.storage.resources.rows.names import quoted
from sidecar.storage.resources.rows_set_aside import ORPHANS
from sidecar.storage.sqlite.schema.growing import GROWING
from sidecar.storage.sqlite.schema.odd_values import odd_row

SET_ASIDE: Columns = {
    "table_name": text(),
    "reason": text(),
    "is_carried": boolean(),
    "created_at": time(),
    "acknowledged_at": time(optional=True),
}
"""How a row set aside is read: another program may have written there, too."""

ADOPTIONS: Columns = {"system": text(), "source": text(), "time_zone": text(), "adopted_at": time()}
"""How an adoption is read, apart from its report."""

ODD = "is_odd"
"""The name of a selected column that is true when some value of the row is not in the stored form."""


@dataclass(frozen=True)
class Kind:
    """One kind of rows."""

    name: str
    table: str
    stored: Columns
    """The kinds of the columns, apart from a key that is a number."""
    columns: tuple[str, ...]
    """The names of the columns, in the order of a line."""
    birth: tuple[str, ...] = ()
    """Columns that never change: with the key they tell a row of one store from all others."""
    earlier_birth: tuple[str, ...] = ()
    """The columns by which earlier imports are remembered, and rows known that lack a `birth`."""
    key: str = "id"
    has_text_key: bool = False
    """Such a key is the caller's own name for the row: it is kept, and two rows with the same one are the same."""
    references: tuple[Reference, ...] = ()
    expressions: Mapping[str, str] = field(default_factory=dict)
    """SQL that is exported instead of the column."""
    placeholder: tuple[str, tuple[str, ...]] | None = None
    """A statement that removes what a new store holds of its own accord, if it is all that the table holds."""
    lift: Lift | None = None
    same: tuple[str, ...] = ()
    """Columns by which a row is the same as one of the store, unless one of them is NULL."""
    is_same_unique: bool = True
    """True if no two rows have the same values in `same`."""
    comes_back: bool = True
    """True if another import adds a row again that was imported and removed since."""
    evidence: tuple[str, ...] = ()
    """Columns by which copies of one seed's database are recognised; see `sources.py`."""
    seed_identity: tuple[str, ...] | None = None
    """Columns that identify a row of a seed's database instead of its key, which differs from adoption to adoption."""
    declaration: Declaration | None = None
    """The table of an extension."""

    @cached_property
    def line(self) -> type[ArchiveRow]:
        """The type of a line that says a row."""
        return LINES[self.name] if self.declaration is None else line_type(self.declaration)

    def birth_of(self, row: Row) -> tuple[str, ...]:
        """Return the columns that tell this row from all others."""
        is_known = all(row[column] is not None for column in self.birth)
        return self.birth if is_known or not self.earlier_birth else self.earlier_birth

    @cached_property
    def json_columns(self) -> tuple[str, ...]:
        return tuple(name for name, column in self.stored.items() if column.null is not None)

    @cached_property
    def ids_as_text(self) -> tuple[str, ...]:
        """Columns that hold the id of a row as text."""
        return tuple(name for name, column in self.stored.items() if column.kind is ColumnKind.REFERENCE)

    @cached_property
    def select(self) -> str:
        """A statement, to be continued, that reads rows as they are exported, and whether they need a closer look."""
        columns = (f"{self.expressions.get(column, quoted(column))} AS {quoted(column)}" for column in self.columns)
        return f"SELECT {', '.join(columns)}, {odd_row(self.stored)} AS {ODD} FROM {self.table}"

    @cached_property
    def booleans(self) -> tuple[str, ...]:
        return tuple(name for name, column in self.stored.items() if column.kind is ColumnKind.BOOLEAN)


def _object(column: str) -> str:
    """A JSON object, whatever another tool has stored there."""
    return f"""
        CASE WHEN json_valid({column}) AND json_type({column}) = 'object' THEN {column}
        ELSE json_object('text', CAST({column} AS TEXT)) END
    """


def _columns_of(line: type[ArchiveRow]) -> tuple[str, ...]:
    return tuple(name for name in line.model_fields if name != "invalid")


def _kind(table: Declaration, exported: Exported) -> Kind:
    key = {table.key: text()} if table.has_text_key else {}
    return Kind(
        exported.kind,
        table.name,
        {**table.columns, **key},
        (table.key, *(name for name in table.columns if name != table.key)),
        birth=exported.birth,
        earlier_birth=exported.earlier_birth,
        key=table.key,
        has_text_key=table.has_text_key,
        references=exported.references,
        expressions=GROWING.get(table.name, {}),
        placeholder=exported.placeholder,
        lift=exported.lift,
        same=exported.same,
        is_same_unique=exported.is_same_unique,
        evidence=exported.evidence,
    )


KINDS = (
    *(_kind(table, table.exported) for table in EXPORTED.values() if table.exported is not None),
    Kind(
        "adoptions",
        "adoptions",
        {**ADOPTIONS, "report": json_object()},
        _columns_of(AdoptionRow),
        birth=("adopted_at",),
        expressions={"report": _object("report")},
        comes_back=False,
        seed_identity=(),
    ),
    Kind(
        "set_aside",
        ORPHANS,
        {**SET_ASIDE, "row": json_object()},
        _columns_of(SetAsideRow),
        birth=("table_name", "created_at"),
        references=(Reference("adoption_id", "adoptions", required=False),),
        expressions={
            "row": _object("row"),
            "origin": f"CASE WHEN origin IN {get_args(RowOrigin)} THEN origin ELSE 'import' END",
            # Without an id it is the store's own adoption, which came before any other.
            "adoption_id": """
                CASE origin WHEN 'adoption' THEN coalesce(adoption_id, (SELECT min(id) FROM adoptions)) END
            """,
        },
        comes_back=False,
        seed_identity=("table_name", "row", "reason"),
    ),
)

"""The built-in kinds, each after those that it refers to."""


class TransferKinds:
    """The kinds that one storage exports and imports: the built-in ones, and those that its extensions declare."""

    def __init__(self, extensions: Sequence[OwnTables] = ()) -> None:
        own = [table for tables in extensions for table in tables.declared]
        self.tables: Mapping[str, Declaration] = {**TABLES, **{table.name: table for table in own}}
        """Every table that is declared, by name."""
        self.own = tuple(
            replace(_kind(table, table.exported), declaration=table) for table in own if table.exported is not None
        )
        """Those of the extensions, in the order of their declarations."""
        self.versions = {tables.namespace: len(tables.migrations) for tables in extensions}
        """For each extension, the number of the newest migration that its module knows."""
        # Rows set aside come last: the ids in them follow all others.
        self.ordered = (*KINDS[:-2], *self.own, *KINDS[-2:])
        self.named = {kind.name: kind for kind in self.ordered}
        self.of_table = {kind.table: kind for kind in self.ordered}


BUILT_IN = TransferKinds()
