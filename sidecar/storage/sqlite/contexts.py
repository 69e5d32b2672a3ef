"""What is done to processed contexts wherever they were found: by word or by meaning."""

from sidecar.errors import NotFound
from sidecar.storage.sqlite.work import Work

TOPIC = "contexts"
TODO_EMBEDDINGS = "todo_embeddings"
"""The topic of what todos mean."""


def changed(work: Work, row_id: int, context_id: str, context_type: str) -> None:
    """Note it; `number` is the row's own."""
    work.changed(TOPIC, context_id, {"number": row_id, "context_type": context_type})


def delete(work: Work, row_id: int) -> None:
    """Remove a context with its vector. Raises `NotFound`."""
    sql = "DELETE FROM processed_contexts WHERE id = ? RETURNING context_id, context_type"
    row = work.connection.execute(sql, (row_id,)).fetchone()
    if row is None:
        raise NotFound.row("context", row_id)
    changed(work, row_id, row["context_id"], row["context_type"])
