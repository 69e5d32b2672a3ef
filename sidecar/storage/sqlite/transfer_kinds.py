"""The kinds of rows that are exported and imported: for each its table, its columns and what they refer to."""

from dataclasses import dataclass, field
from functools import cached_property

from sidecar.models.transfer import LINES
from sidecar.storage.sqlite.vaults import QUICK_START, QUICK_START_TITLE


def quoted(column: str) -> str:
    """Some columns have the names of keywords, such as `end`."""
    return f'"{column}"'


@dataclass(frozen=True)
class Reference:
    """A column that names a row of some kind by its key."""

    column: str
    kind: str
    required: bool = True
    """Whether the row has to be there; where it is not, another reference becomes NULL."""


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
    references: tuple[Reference, ...] = ()
    expressions: dict[str, str] = field(default_factory=dict)
    """What is exported instead of the bare column."""
    placeholder: tuple[str, tuple[str, ...]] | None = None
    """A statement that removes what a new store holds of its own accord, if it is all that the table holds."""
    check: tuple[str, str] | None = None
    """A query that finds nothing in a sound store, and a sentence about what it found."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return tuple(LINES[self.name].model_fields)

    @cached_property
    def select(self) -> str:
        """A statement, to be continued, that reads rows as they are exported."""
        columns = (f"{self.expressions.get(column, quoted(column))} AS {quoted(column)}" for column in self.columns)
        return f"SELECT {', '.join(columns)} FROM {self.table}"

    @cached_property
    def booleans(self) -> tuple[str, ...]:
        return tuple(name for name, column in LINES[self.name].model_fields.items() if column.annotation is bool)


KINDS = (
    Kind(
        "vaults",
        "vaults",
        birth=("created_at",),
        references=(Reference("parent_id", "vaults"), Reference("deleted_with", "vaults", required=False)),
        placeholder=(
            """
            DELETE FROM vaults WHERE title = ? AND content = ? AND updated_at = created_at AND is_deleted = 0
            AND (SELECT count(*) FROM vaults) = 1
            """,
            (QUICK_START_TITLE, QUICK_START),
        ),
        check=(
            """
            WITH RECURSIVE reached (id) AS (
                SELECT id FROM vaults WHERE parent_id IS NULL
                UNION
                SELECT vaults.id FROM vaults JOIN reached ON vaults.parent_id = reached.id
            )
            SELECT 1 FROM import_ids WHERE kind = 'vaults' AND is_added AND row_id NOT IN (SELECT id FROM reached)
            """,
            "Folders of the archive lie within one another in a circle.",
        ),
    ),
    Kind("todos", "todo", birth=("created_at",)),
    Kind(
        "activities",
        "activity",
        birth=("title", "content", "start_time", "end_time"),
        json_columns=("resources", "metadata"),
    ),
    Kind("tips", "tips", birth=("content", "created_at")),
    Kind("conversations", "conversations", birth=("page_name", "created_at"), json_columns=("metadata",)),
    Kind(
        "messages",
        "messages",
        birth=("role", "created_at"),
        json_columns=("metadata",),
        references=(
            Reference("conversation_id", "conversations"),
            Reference("parent_message_id", "messages", required=False),
        ),
        expressions={
            "parent_message_id": "nullif(CAST(parent_message_id AS INTEGER), 0)",
            "content": """
                content || coalesce((SELECT group_concat(content, '') FROM (
                    SELECT content FROM message_chunks WHERE message_id = messages.id ORDER BY sequence
                )), '')
            """,
            "token_count": """
                token_count + coalesce((SELECT sum(token_count) FROM message_chunks WHERE message_id = messages.id), 0)
            """,
        },
        check=(
            """
            SELECT 1 FROM import_ids JOIN messages ON messages.id = import_ids.row_id
            JOIN messages AS parent ON parent.id = CAST(messages.parent_message_id AS INTEGER)
            WHERE kind = 'messages' AND is_added AND parent.conversation_id != messages.conversation_id
            """,
            "A message of the archive answers one of another conversation.",
        ),
    ),
    Kind(
        "thinking",
        "message_thinking",
        birth=("content", "sequence", "created_at"),
        json_columns=("metadata",),
        references=(Reference("message_id", "messages"),),
    ),
    Kind("threads", "chats", has_text_key=True, json_columns=("metadata",)),
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
        key="exchange_id",
        birth=("model", "request", "start"),
        json_columns=("cost",),
        references=(Reference("chat_id", "threads"),),
    ),
)
