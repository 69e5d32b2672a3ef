"""Notices of changed rows, under the topic of each table."""

from collections.abc import Mapping
from typing import Any

from sidecar.storage.sqlite import contexts, states
from sidecar.storage.sqlite.activities import ACTIVITIES
from sidecar.storage.sqlite.conversations import CONVERSATIONS
from sidecar.storage.sqlite.messages import MESSAGES
from sidecar.storage.sqlite.monitoring import DATA_STATS, STAGE_TIMING, TOKEN_USAGE
from sidecar.storage.sqlite.thinking import THINKING
from sidecar.storage.sqlite.tips import TIPS
from sidecar.storage.sqlite.todos import TODOS
from sidecar.storage.sqlite.vault_tree import VAULTS
from sidecar.storage.sqlite.work import Work

_TABLES = (VAULTS, TODOS, ACTIVITIES, TIPS, CONVERSATIONS, MESSAGES, THINKING, TOKEN_USAGE, STAGE_TIMING, DATA_STATS)
_TOPICS = {table.name: table.topic for table in _TABLES}
_THREADS = {"chats": "id", "chat_histories": "chat_id", "exchanges": "chat_id"}


def note_change(work: Work, table: str, row: Mapping[str, Any]) -> None:
    """Note that a row was made, changed or removed. Rows of other programs' tables have no topic."""
    if table in _TOPICS:
        work.changed(_TOPICS[table], row["id"])
    elif table in _THREADS:
        work.changed(states.TOPIC, row[_THREADS[table]])
    elif table == "todo_embeddings":
        work.changed(contexts.TODO_EMBEDDINGS, row["todo_id"])
    elif table == "processed_contexts":
        contexts.changed(work, row["id"], row["context_id"], row["context_type"])
