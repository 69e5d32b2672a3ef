"""The seeds' tables: how they are recognised, and what becomes of each of their columns.

Two systems: `sqlite-backend.md` (vaults, todos, conversations) and `sqlite-persistence.md` (chats), the latter in an
older shape, with histories in a table of their own, and a newer one, with messages inside `chats` and with exchanges.
"""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, NamedTuple

from sidecar.models.conversations import ConversationStatus
from sidecar.models.messages import MessageStatus, Role
from sidecar.models.todos import TodoStatus
from sidecar.models.vaults import NOTE
from sidecar.storage.sqlite import seed_values as values
from sidecar.storage.sqlite.seed_values import Convert

MINECONTEXT, VMPILOT = "minecontext", "vmpilot"
MARKS = (
    (
        MINECONTEXT,
        {
            "vaults": {"id", "title", "content"},
            "todo": {"id", "content", "status"},
            "activity": {"id", "title", "content"},
        },
    ),
    (VMPILOT, {"chats": {"id", "initial_request"}, "chat_histories": {"chat_id", "messages", "cache_info"}}),
    (VMPILOT, {"chats": {"chat_id", "initial_request", "messages", "cache_info"}}),
)
"""By which tables with which columns a file of each system is recognised."""

UNKNOWN_TIME = "1970-01-01T00:00:00.000Z"
"""Stands for a time that a row has to have and has not: the same whenever the row is adopted."""


class Column(NamedTuple):
    """What becomes of a column: how its values are converted, and what stands for an absent or unfit one.

    `sources` are the seeds' columns that hold it, the first that has a value; without any, the one of its own name.
    """

    convert: Convert
    default: Any = None
    sources: tuple[str, ...] = ()


class Parent(NamedTuple):
    """Which row a row belongs to. Without it the row is an orphan, or with `lift` one that belongs to none.

    A parent that is found must have the same value in the column `within`.
    """

    column: str
    table: str
    lift: bool = False
    within: str | None = None


class Carried(NamedTuple):
    """One of our tables, and where its rows come from."""

    table: str
    source: str
    key: str
    columns: Mapping[str, Column]
    parents: tuple[Parent, ...] = ()
    needs: str | None = None
    """A column without which the source has a shape that holds no such rows."""
    newest_first: str | None = None
    """Of several rows for one key, the newest by this column counts."""


def carried_tables(zone: tzinfo | None) -> tuple[Carried, ...]:
    """Everything that is carried over, parents before children."""
    time = values.time_in(zone)
    optional_text, optional_time = Column(values.text), Column(time)
    string, number = Column(values.text, ""), Column(values.count, 0)
    json_object, any_json = Column(values.json_object), Column(values.any_json)

    def moment(*sources: str) -> Column:
        return Column(time, UNKNOWN_TIME, sources)

    bucket = {"time_bucket": Column(values.hour_in(zone), UNKNOWN_TIME), "created_at": moment("created_at")}
    return (
        Carried(
            "vaults",
            "vaults",
            "id",
            {
                "title": string,
                "summary": optional_text,
                "content": string,
                "tags": string,
                "parent_id": Column(values.integer),
                "is_folder": Column(values.boolean, 0),
                "is_deleted": Column(values.boolean, 0),
                "created_at": moment("created_at", "updated_at"),
                "updated_at": moment("updated_at", "created_at"),
                "document_type": Column(values.text, NOTE),
                "sort_order": Column(values.integer, 0),
            },
            (Parent("parent_id", "vaults", lift=True),),
        ),
        Carried(
            "todo",
            "todo",
            "id",
            {
                "content": string,
                "created_at": moment("created_at", "start_time"),
                "start_time": optional_time,
                "end_time": optional_time,
                "status": Column(_known(values.integer, values.one_of([*map(int, TodoStatus)])), 0),
                "urgency": Column(values.integer, 0),
                "assignee": optional_text,
                "reason": optional_text,
            },
        ),
        Carried(
            "activity",
            "activity",
            "id",
            {
                "title": string,
                "content": string,
                "resources": any_json,
                "metadata": json_object,
                "start_time": moment("start_time", "end_time"),
                "end_time": moment("end_time", "start_time"),
            },
        ),
        Carried("tips", "tips", "id", {"content": string, "created_at": moment("created_at")}),
        Carried(
            "conversations",
            "conversations",
            "id",
            {
                "title": optional_text,
                "user_id": optional_text,
                "page_name": string,
                "status": Column(values.one_of([*map(str, ConversationStatus)]), "active"),
                "metadata": json_object,
                "created_at": moment("created_at", "updated_at"),
                "updated_at": moment("updated_at", "created_at"),
            },
        ),
        Carried(
            "messages",
            "messages",
            "id",
            {
                "conversation_id": Column(values.integer),
                "parent_message_id": Column(_known(_empty_is_absent, values.integer, values.text)),
                "role": Column(values.one_of([*map(str, Role)]), "assistant"),
                "content": string,
                "status": Column(values.one_of([*map(str, MessageStatus)]), "completed"),
                "token_count": number,
                "metadata": json_object,
                "latency_ms": Column(values.count),
                "error_message": optional_text,
                "completed_at": optional_time,
                "created_at": moment("created_at", "updated_at"),
                "updated_at": moment("updated_at", "created_at"),
            },
            (
                Parent("conversation_id", "conversations"),
                Parent("parent_message_id", "messages", lift=True, within="conversation_id"),
            ),
        ),
        Carried(
            "message_thinking",
            "message_thinking",
            "id",
            {
                "message_id": Column(values.integer),
                "content": string,
                "stage": optional_text,
                "progress": Column(values.progress, 0.0),
                "sequence": number,
                "metadata": json_object,
                "created_at": moment("created_at"),
            },
            (Parent("message_id", "messages"),),
        ),
        Carried(
            "monitoring_token_usage",
            "monitoring_token_usage",
            "id",
            {**bucket, "model": string, "prompt_tokens": number, "completion_tokens": number, "total_tokens": number},
        ),
        Carried(
            "monitoring_stage_timing",
            "monitoring_stage_timing",
            "id",
            {
                **bucket,
                "stage_name": string,
                "count": number,
                "total_duration_ms": number,
                "min_duration_ms": Column(values.integer),
                "max_duration_ms": Column(values.integer),
                "avg_duration_ms": Column(values.integer),
                "success_count": number,
                "error_count": number,
                "metadata": optional_text,
            },
        ),
        Carried(
            "monitoring_data_stats",
            "monitoring_data_stats",
            "id",
            {
                **bucket,
                "data_type": string,
                "count": number,
                "context_type": optional_text,
                "metadata": optional_text,
            },
        ),
        Carried(
            "chats",
            "chats",
            "id",
            {
                "id": Column(values.thread_id, sources=("id", "chat_id")),
                "initial_request": optional_text,
                "project_root": optional_text,
                "current_issue": optional_text,
                "metadata": json_object,
                "created_at": moment("created_at", "updated_at"),
                "updated_at": moment("updated_at", "created_at"),
            },
        ),
        Carried(
            "chat_histories",
            "chat_histories",
            "chat_id",
            {
                "chat_id": Column(values.thread_id),
                "messages": Column(values.json_list, "[]"),
                "cache_info": Column(values.json_object, "{}"),
                "updated_at": moment("updated_at"),
            },
            (Parent("chat_id", "chats"),),
            newest_first="updated_at",
        ),
        Carried(
            "chat_histories",
            "chats",
            "chat_id",
            {
                "chat_id": Column(values.thread_id, sources=("chat_id",)),
                "messages": Column(values.json_list, "[]"),
                "cache_info": Column(values.json_object, "{}"),
                "updated_at": moment("updated_at"),
            },
            (Parent("chat_id", "chats"),),
            needs="messages",
        ),
        Carried(
            "exchanges",
            "exchanges",
            "exchange_id",
            {
                "chat_id": Column(values.thread_id),
                "model": string,
                "request": string,
                "cost": Column(values.cost, "{}"),
                "start": moment("start", "end"),
                "end": optional_time,
            },
            (Parent("chat_id", "chats"),),
        ),
    )


def _known(*steps: Convert) -> Convert:
    """One conversion after the other."""

    def convert(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return convert


def _empty_is_absent(value: Any) -> Any:
    return None if value in ("", b"") else value
