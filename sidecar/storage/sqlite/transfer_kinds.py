"""The kinds of rows that are exported and imported: for each its table, its columns and what they refer to."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import get_args

from sidecar.models.adoption import RowOrigin
from sidecar.models.transfer import LINES
from sidecar.storage.sqlite.columns import Columns, boolean, json_object, odd_row, text, time
from sidecar.storage.sqlite.names import quoted
from sidecar.storage.sqlite.orphans import ORPHANS
from sidecar.storage.sqlite.stored_columns import STORED
from sidecar.storage.sqlite.vaults import QUICK_START, QUICK_START_TITLE

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
class Reference:
    """A column that names a row of some kind by its key."""

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
class Kind:
    """One kind. `birth` are columns that never change: with the key they tell a row of one store from all others."""

    name: str
    table: str
    birth: tuple[str, ...] = ()
    key: str = "id"
    has_text_key: bool = False
    """Such a key is the caller's own name for the row: it is kept, and two rows with the same one are the same."""
    json_columns: tuple[str, ...] = ()
    ids_as_text: tuple[str, ...] = ()
    """Columns that hold the id of a row as text."""
    references: tuple[Reference, ...] = ()
    expressions: dict[str, str] = field(default_factory=dict)
    """SQL that is exported instead of the column."""
    other_columns: Columns = field(default_factory=dict)
    """The kinds of the columns of a table that `STORED` does not have."""
    placeholder: tuple[str, tuple[str, ...]] | None = None
    """A statement that removes what a new store holds of its own accord, if it is all that the table holds."""
    lift: Lift | None = None
    comes_back: bool = True
    """True if another import adds a row again that was imported and removed since."""
    evidence: tuple[str, ...] = ()
    """Columns by which copies of one seed's database are recognised; see `seed_sources.py`."""
    seed_identity: tuple[str, ...] | None = None
    """Columns that identify a row of a seed's database instead of its key, which differs from adoption to adoption."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return tuple(field for field in LINES[self.name].model_fields if field != "invalid")

    @cached_property
    def stored(self) -> Columns:
        """The kinds of the columns, apart from a key that is a number."""
        objects = dict.fromkeys(self.json_columns, json_object())
        declared = {
            **objects,
            **STORED.get(self.table, self.other_columns),
            **({self.key: text()} if self.has_text_key else {}),
        }
        return {column: declared[column] for column in self.columns if column in declared}

    @cached_property
    def select(self) -> str:
        """A statement, to be continued, that reads rows as they are exported, and whether they need a closer look."""
        columns = (f"{self.expressions.get(column, quoted(column))} AS {quoted(column)}" for column in self.columns)
        return f"SELECT {', '.join(columns)}, {odd_row(self.stored)} AS {ODD} FROM {self.table}"

    @cached_property
    def booleans(self) -> tuple[str, ...]:
        return tuple(name for name, column in LINES[self.name].model_fields.items() if column.annotation is bool)


def _object(column: str) -> str:
    """A JSON object, whatever another tool has stored there."""
    return f"""
        CASE WHEN json_valid({column}) AND json_type({column}) = 'object' THEN {column}
        ELSE json_object('text', CAST({column} AS TEXT)) END
    """


KINDS = (
    Kind(
        "vaults",
        "vaults",
        evidence=("title", "created_at"),
        birth=("created_at",),
        references=(
            Reference("parent_id", "vaults", is_home=False),
            Reference("deleted_with", "vaults", required=False, may_be_own=True),
        ),
        placeholder=(
            """
            DELETE FROM vaults WHERE title = ? AND content = ? AND updated_at = created_at AND is_deleted = 0
            AND (SELECT count(*) FROM vaults) = 1
            """,
            (QUICK_START_TITLE, QUICK_START),
        ),
        lift=Lift(
            "parent_id",
            """
            WITH RECURSIVE reached (id) AS (
                SELECT id FROM vaults WHERE parent_id IS NULL
                UNION
                SELECT vaults.id FROM vaults JOIN reached ON vaults.parent_id = reached.id
            )
            SELECT min(row_id) FROM import_ids
            WHERE kind = 'vaults' AND is_added AND row_id NOT IN (SELECT id FROM reached)
            """,
            "it lies, through others, in itself",
        ),
    ),
    Kind("todos", "todo", birth=("created_at",), evidence=("content", "created_at")),
    Kind(
        "activities",
        "activity",
        evidence=("title", "content", "start_time"),
        birth=("title", "content", "start_time", "end_time"),
        json_columns=("resources", "metadata"),
    ),
    Kind("tips", "tips", birth=("content", "created_at"), evidence=("content", "created_at")),
    Kind("conversations", "conversations", birth=("page_name", "created_at"), json_columns=("metadata",)),
    Kind(
        "messages",
        "messages",
        evidence=("role", "content", "created_at"),
        birth=("role", "created_at"),
        json_columns=("metadata",),
        ids_as_text=("parent_message_id",),
        references=(
            Reference("conversation_id", "conversations"),
            Reference("parent_message_id", "messages", required=False),
        ),
        expressions={
            "content": """
                content || coalesce((SELECT group_concat(content, '') FROM (
                    SELECT content FROM message_chunks WHERE message_id = messages.id ORDER BY sequence
                )), '')
            """,
            "token_count": """
                token_count + coalesce((SELECT sum(token_count) FROM message_chunks WHERE message_id = messages.id), 0)
            """,
        },
        lift=Lift(
            "parent_message_id",
            """
            SELECT min(messages.id) FROM import_ids JOIN messages ON messages.id = import_ids.row_id
            JOIN messages AS parent ON parent.id = CAST(messages.parent_message_id AS INTEGER)
            WHERE kind = 'messages' AND is_added AND parent.conversation_id != messages.conversation_id
            """,
            "it names a message of another conversation",
        ),
    ),
    Kind(
        "thinking",
        "message_thinking",
        evidence=("content", "created_at"),
        birth=("content", "sequence", "created_at"),
        json_columns=("metadata",),
        references=(Reference("message_id", "messages"),),
    ),
    Kind(
        "threads",
        "chats",
        has_text_key=True,
        json_columns=("metadata",),
        evidence=("initial_request", "created_at"),
    ),
    Kind(
        "states",
        "chat_histories",
        key="chat_id",
        has_text_key=True,
        json_columns=("messages", "cache_info"),
        references=(Reference("chat_id", "threads"),),
    ),
    Kind(
        "exchanges",
        "exchanges",
        evidence=("request", "start"),
        key="exchange_id",
        birth=("model", "request", "start"),
        json_columns=("cost",),
        references=(Reference("chat_id", "threads"),),
    ),
    Kind(
        "adoptions",
        "adoptions",
        birth=("adopted_at",),
        json_columns=("report",),
        expressions={"report": _object("report")},
        other_columns=ADOPTIONS,
        comes_back=False,
        seed_identity=(),
    ),
    Kind(
        "set_aside",
        ORPHANS,
        birth=("table_name", "created_at"),
        json_columns=("row",),
        references=(Reference("adoption_id", "adoptions", required=False),),
        expressions={
            "row": _object("row"),
            "origin": f"CASE WHEN origin IN {get_args(RowOrigin)} THEN origin ELSE 'import' END",
            # Without an id it is the store's own adoption, which came before any other.
            "adoption_id": """
                CASE origin WHEN 'adoption' THEN coalesce(adoption_id, (SELECT min(id) FROM adoptions)) END
            """,
        },
        other_columns=SET_ASIDE,
        comes_back=False,
        seed_identity=("table_name", "row", "reason"),
    ),
)

KIND_OF = {kind.table: kind for kind in KINDS}
"""The kind of a table's rows."""

KIND_NAMED = {kind.name: kind for kind in KINDS}
