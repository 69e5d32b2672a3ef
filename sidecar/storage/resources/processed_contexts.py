"""Processed contexts and the embeddings of todos: their tables, and what is done to contexts wherever they were found.

The methods are in `sidecar.storage.vectors`, because they are about what is found by meaning.
"""

from collections.abc import Mapping
from typing import Any

from sidecar.errors import NotFound
from sidecar.models.contexts import ContextType
from sidecar.storage.interfaces import Row, Work
from sidecar.storage.resources.rows.columns import choice, integer, json_list, json_object, real, text, time
from sidecar.storage.resources.rows.declaration import Declaration, Searched

TOPIC = "contexts"


class _Contexts(Declaration):
    """Contexts have an id of the caller's, and a number of their own."""

    def note_change(self, work: Work, row: Mapping[str, Any] | Row) -> None:
        """Report it; `number` is the row's own."""
        work.changed(TOPIC, row["context_id"], {"number": row["id"], "context_type": row["context_type"]})


def delete(work: Work, row_id: int) -> None:
    """Remove a context with its vector. Raises `NotFound`."""
    sql = "DELETE FROM processed_contexts WHERE id = ? RETURNING id, context_id, context_type"
    row = work.connection.execute(sql, (row_id,)).fetchone()
    if row is None:
        raise NotFound.row("context", row_id)
    CONTEXTS.note_change(work, row)


CONTEXTS = _Contexts(
    "processed_contexts",
    {
        "context_id": text(),
        "context_type": choice(ContextType, ContextType.ENTITY),
        "title": text(optional=True),
        "summary": text(optional=True),
        "keywords": json_list(str),
        "entities": json_list(),
        "confidence": real(0, 1, optional=True),
        "importance": real(optional=True),
        "create_time": time(),
        "event_time": time(),
        "update_time": time(),
        "call_count": integer(0),
        "merge_count": integer(0),
        "duration_count": integer(0),
        "source": text(optional=True),
        "raw_type": text(optional=True),
        "raw_id": text(optional=True),
        "text": text(),
        "metadata": json_object(),
    },
    topic=TOPIC,
    searched=Searched(
        "context",
        7,
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
        delete=delete,
        title="title",
        content=("summary", "text"),
    ),
)

TODO_EMBEDDINGS = Declaration(
    "todo_embeddings",
    {"content": text(), "metadata": json_object()},
    topic="todo_embeddings",
    key="todo_id",
)
