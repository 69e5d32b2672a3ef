"""The kinds of documents as a search meets them: where their rows are, how they are shown, how they are deleted.

What of a row is searched, its view says; see the migration that makes it.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from sidecar.errors import NotFound
from sidecar.models.base import MAX_INTEGER, MIN_INTEGER
from sidecar.models.search import DataType
from sidecar.storage.sqlite import contexts, conversations, vault_tree
from sidecar.storage.sqlite.activities import ACTIVITIES
from sidecar.storage.sqlite.messages import MESSAGES
from sidecar.storage.sqlite.migrations.m0004_search import KIND_BITS
from sidecar.storage.sqlite.tips import TIPS
from sidecar.storage.sqlite.todos import TODOS
from sidecar.storage.sqlite.work import Work


class SearchKind(NamedTuple):
    """One kind. Its `number` is in the rowids of the index; `title`, `content` and `present` are SQL."""

    data_type: DataType
    number: int
    table: str
    time: str
    metadata: tuple[str, ...]
    delete: Callable[[Work, int], Any]
    title: str = "''"
    content: str = "content"
    text: str = "content"
    """What snippets are taken from."""
    present: str | None = None
    """Which rows may be found."""
    is_indexed_present: bool = True
    """Whether rows that may not be found are out of the index, too."""

    @property
    def first(self) -> int:
        """What is added to a row's id in the index; a kind's entries lie between this and the next kind's."""
        return self.number << KIND_BITS


SEARCH_KINDS = (
    SearchKind(
        DataType.VAULT,
        1,
        "vaults",
        "created_at",
        ("title", "summary", "tags", "document_type", "parent_id", "is_folder", "created_at", "updated_at"),
        vault_tree.delete,
        title="title",
        text="(coalesce(summary || char(10), '') || content)",
        present="is_deleted = 0",
    ),
    SearchKind(
        DataType.TODO,
        2,
        "todo",
        "created_at",
        ("created_at", "start_time", "end_time", "status", "urgency", "assignee", "reason"),
        TODOS.delete,
        text="(content || coalesce(char(10) || reason, ''))",
    ),
    SearchKind(
        DataType.ACTIVITY,
        3,
        "activity",
        "start_time",
        ("title", "resources", "metadata", "start_time", "end_time"),
        ACTIVITIES.delete,
        title="title",
    ),
    SearchKind(DataType.TIP, 4, "tips", "created_at", ("created_at",), TIPS.delete),
    # A deleted conversation hides its messages; writing each of them into the index again would take long.
    SearchKind(
        DataType.MESSAGE,
        5,
        "messages",
        "created_at",
        ("conversation_id", "role", "status", "metadata", "created_at"),
        MESSAGES.delete,
        content="""content || coalesce((SELECT group_concat(content, '') FROM (
            SELECT content FROM message_chunks WHERE message_id = messages.id ORDER BY sequence
        )), '')""",
        present="(SELECT status FROM conversations WHERE conversations.id = conversation_id) != 'deleted'",
        is_indexed_present=False,
    ),
    SearchKind(
        DataType.CONVERSATION,
        6,
        "conversations",
        "updated_at",
        ("title", "user_id", "page_name", "status", "metadata", "created_at", "updated_at"),
        conversations.delete,
        title="coalesce(title, '')",
        content="''",
        text="''",
        present="status != 'deleted'",
    ),
    SearchKind(
        DataType.CONTEXT,
        7,
        "processed_contexts",
        "create_time",
        (
            "context_id",
            "context_type",
            "title",
            "keywords",
            "entities",
            "source",
            "raw_type",
            "raw_id",
            "metadata",
            "create_time",
            "event_time",
            "update_time",
        ),
        contexts.delete,
        title="coalesce(title, '')",
        content="(coalesce(summary || char(10), '') || text)",
        text="(coalesce(summary || char(10), '') || text)",
    ),
)

BY_NUMBER = {kind.number: kind for kind in SEARCH_KINDS}
BY_NAME = {str(kind.data_type): kind for kind in SEARCH_KINDS}


def named(doc_id: str) -> tuple[SearchKind, int]:
    """The kind and the row that a document's id names. Raises `NotFound` for what is no such id."""
    name, _, row = doc_id.partition(":")
    if name not in BY_NAME or not re.fullmatch(r"-?[0-9]{1,19}", row) or not MIN_INTEGER <= int(row) <= MAX_INTEGER:
        raise NotFound(f"There is no document with the id '{doc_id[:100]}'.")
    return BY_NAME[name], int(row)
