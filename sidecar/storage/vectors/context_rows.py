"""Rows of `processed_contexts` and their vectors: from a context to SQL and back."""

import json
from collections.abc import Sequence
from typing import Any

from sidecar.errors import NotFound
from sidecar.models.contexts import (
    ContextPage,
    ContextProperties,
    ContextType,
    ExtractedData,
    ProcessedContext,
    ProcessedContextInput,
)
from sidecar.storage.interfaces import Connection, Row, Work
from sidecar.storage.resources import processed_contexts
from sidecar.storage.resources.processed_contexts import CONTEXTS
from sidecar.storage.resources.rows.columns import read_row
from sidecar.storage.resources.rows.pagination import Order, PageRequest, Where, read_page
from sidecar.storage.resources.rows.validation import json_text, optional_time
from sidecar.storage.vectors.collections import is_vector, require_fit
from sidecar.storage.vectors.meaning import Meaning
from sidecar.storage.vectors.vector import dimension_of, is_packed, unpack

_EXTRACTED = ("context_type", "title", "summary", "keywords", "entities", "confidence", "importance")
_PROPERTIES = tuple(ContextProperties.model_fields)
_COLUMNS = ("context_id", *_EXTRACTED, *_PROPERTIES, "text", "metadata")

NEWEST_FIRST = Order("create_time", newest_first=True)

_KEPT = {"create_time": "coalesce(:given_create_time, create_time)"}
_UPSERT = f"""
    INSERT INTO processed_contexts ({", ".join(_COLUMNS)}) VALUES ({", ".join(":" + name for name in _COLUMNS)})
    ON CONFLICT (context_id) DO UPDATE
    SET {", ".join(f"{name} = {_KEPT.get(name, 'excluded.' + name)}" for name in _COLUMNS[1:])}
    RETURNING id
"""
_UPSERT_VECTOR = """
    INSERT INTO context_vectors (id, vector) VALUES (?, ?) ON CONFLICT DO UPDATE SET vector = excluded.vector
"""

ALL_OF_TYPE = f"""
    SELECT processed_contexts.id, vector FROM processed_contexts CROSS JOIN context_vectors USING (id)
    WHERE context_type = ?1 AND {is_vector("?1")} ORDER BY processed_contexts.id
"""
_AMONG = "(SELECT value AS id FROM json_each(?)) AS among"
THESE = f"""
    SELECT id, context_type, vector FROM {_AMONG} CROSS JOIN processed_contexts USING (id)
    CROSS JOIN context_vectors USING (id) WHERE {is_vector("context_type")}
"""


def columns_of(field: str, context: ProcessedContextInput, new_id: str, now: str) -> dict[str, Any]:
    """Return the stored columns of a context without its vector. Raises `InvalidInput` that names `field`."""
    data, properties = context.extracted_data, context.properties
    times = {
        name: optional_time(f"{field}properties.{name}", getattr(properties, name))
        for name in ("create_time", "event_time", "update_time")
    }
    return {
        **{name: getattr(data, name) for name in _EXTRACTED},
        **{name: getattr(properties, name) for name in _PROPERTIES},
        **{name: time or now for name, time in times.items()},
        "context_id": context.id or new_id,
        "keywords": json_text(f"{field}extracted_data.keywords", data.keywords),
        "entities": json_text(f"{field}extracted_data.entities", data.entities),
        "text": context.text,
        "metadata": json_text(f"{field}metadata", context.metadata),
        "given_create_time": times["create_time"],
    }


def upsert(work: Work, columns: dict[str, Any], meaning: Meaning) -> str:
    """Store a context with its vector; returns its id. Raises `Conflict` where the vector fits no other of its type."""
    context_type, context_id = columns["context_type"], columns["context_id"]

    def is_alone() -> bool:
        sql = "SELECT 1 FROM processed_contexts WHERE context_type = ? AND context_id != ? LIMIT 1"
        return work.connection.execute(sql, (context_type, context_id)).fetchone() is None

    require_fit(work.connection, context_type, dimension_of(meaning.packed), meaning.model, is_alone)
    (row_id,) = work.connection.execute(_UPSERT, columns).fetchone()
    work.connection.execute(_UPSERT_VECTOR, (row_id, meaning.packed))
    CONTEXTS.note_change(work, {"id": row_id, "context_id": context_id, "context_type": context_type})
    return str(context_id)


def get(connection: Connection, context_id: str, context_type: str | None, need_vector: bool) -> ProcessedContext:
    """One context. Raises `NotFound`."""
    row = _row(connection, "*", context_id, context_type)
    vectors = _vectors(connection, [row["id"]]) if need_vector else {}
    return _record(row, vectors.get(row["id"]))


def delete(work: Work, context_id: str, context_type: str | None) -> None:
    """Remove a context with its vector. Raises `NotFound`."""
    processed_contexts.delete(work, _row(work.connection, "id", context_id, context_type)["id"])


def page(
    connection: Connection, context_type: ContextType, filtered: Where, part: PageRequest, need_vector: bool
) -> ContextPage:
    """Contexts of one type, the newest first."""
    where = Where(["context_type = ?", *filtered.clauses], [context_type, *filtered.values])
    return _page(connection, where, part, need_vector)


def page_of_source(
    connection: Connection, raw_type: str, raw_id: str, part: PageRequest, need_vector: bool
) -> ContextPage:
    """Contexts of every type that were made from one source, the newest first."""
    where = Where().equals("raw_type", raw_type).equals("raw_id", raw_id)
    return _page(connection, where, part, need_vector)


def _page(connection: Connection, where: Where, part: PageRequest, need_vector: bool) -> ContextPage:
    rows = read_page(connection, "processed_contexts", "*", where, NEWEST_FIRST, part)
    vectors = _vectors(connection, [row["id"] for row in rows.rows]) if need_vector else {}
    items = [_record(row, vectors.get(row["id"])) for row in rows.rows]
    return ContextPage(items=items, next_cursor=rows.next_cursor, total=rows.total)


def records(connection: Connection, numbers: Sequence[int]) -> list[ProcessedContext]:
    """The contexts with these numbers, in their order, without vectors."""
    sql = f"SELECT processed_contexts.* FROM {_AMONG} CROSS JOIN processed_contexts USING (id)"
    rows = {row["id"]: row for row in connection.execute(sql, (json.dumps(numbers),))}
    return [_record(rows[number], None) for number in numbers]


def passing(connection: Connection, numbers: Sequence[int], filtered: Where) -> list[tuple[int, bytes]]:
    """Numbers and vectors of those of the rows `numbers` that fulfil the conditions."""
    # Without conditions, the rows themselves need not be read.
    rows = "CROSS JOIN processed_contexts USING (id)" if filtered.clauses else ""
    sql = f"SELECT id, vector FROM {_AMONG} {rows} CROSS JOIN context_vectors USING (id) WHERE {filtered.sql()}"
    cursor = connection.execute(sql, (json.dumps(numbers), *filtered.values))
    return [(number, vector) for number, vector in cursor]


def count(connection: Connection, context_type: ContextType) -> int:
    sql = "SELECT count(*) FROM processed_contexts WHERE context_type = ?"
    (found,) = connection.execute(sql, (context_type,)).fetchone()
    return int(found)


def _row(connection: Connection, columns: str, context_id: str, context_type: str | None) -> Row:
    sql = f"SELECT {columns} FROM processed_contexts WHERE context_id = :id AND (:type IS NULL OR context_type = :type)"
    row: Row | None = connection.execute(sql, {"id": context_id, "type": context_type}).fetchone()
    if row is None:
        kind = "context" if context_type is None else f"context of the type '{context_type}'"
        raise NotFound(f"There is no {kind} with the id {context_id!r}.")
    return row


def _vectors(connection: Connection, numbers: Sequence[int]) -> dict[int, list[float]]:
    sql = f"SELECT id, vector FROM {_AMONG} CROSS JOIN context_vectors USING (id)"
    rows = connection.execute(sql, (json.dumps(numbers),))
    return {number: unpack(vector) for number, vector in rows if is_packed(vector)}


def _record(row: Row, vector: list[float] | None) -> ProcessedContext:
    columns, invalid = read_row(CONTEXTS.columns, dict(row))
    return ProcessedContext(
        invalid=invalid,
        id=columns["context_id"],
        # The limits are for what comes in; a row that another program wrote may exceed them.
        extracted_data=ExtractedData.model_construct(**{name: columns[name] for name in _EXTRACTED}),
        properties=ContextProperties(**{name: columns[name] for name in _PROPERTIES}),
        text=columns["text"],
        vector=vector,
        metadata=columns["metadata"],
    )
