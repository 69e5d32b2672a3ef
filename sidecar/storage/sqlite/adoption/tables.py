"""The seeds' tables: the marks by which they are recognised, and the mapping of each column to ours.

Two systems: `sqlite-backend.md` (vaults, todos, conversations) and `sqlite-persistence.md` (chats), the latter in an
older shape, with histories in a table of their own, and a newer one, with messages inside `chats` and with exchanges.
"""

from typing import Any

from sidecar.models.base import MAX_INTEGER
from sidecar.models.conversations import ConversationStatus
from sidecar.models.messages import MessageStatus, Role
from sidecar.models.monitoring import MAX_NAME
from sidecar.models.todos import TodoStatus
from sidecar.models.vaults import NOTE
from sidecar.storage.resources.rows.columns import UNKNOWN_TIME
from sidecar.storage.sqlite.adoption import conversions as values
from sidecar.storage.sqlite.adoption.conversions import Convert
from sidecar.storage.sqlite.adoption.mapping import Carried, Column, Parent
from sidecar.storage.sqlite.adoption.times import Clock, hour_of, time_of

INDEXES = frozenset(
    {
        "idx_vaults_created",
        "idx_vaults_type",
        "idx_vaults_folder",
        "idx_vaults_deleted",
        "idx_todo_status",
        "idx_todo_urgency",
        "idx_todo_created",
        "idx_activity_time",
        "idx_tips_time",
        "idx_monitoring_token_created",
        "idx_monitoring_token_model",
        "idx_monitoring_stage_created",
        "idx_monitoring_stage_name",
        "idx_monitoring_data_created",
        "idx_monitoring_data_type",
        "idx_conversations_updated_at",
        "idx_conversations_user_page",
        "idx_messages_conversation_id",
        "idx_messages_status",
        "idx_messages_created_at",
        "idx_message_thinking_message_id",
        "idx_message_thinking_stage",
        "idx_message_thinking_sequence",
    }
)
"""Names of the systems' own indexes, which ours replace."""

RENAMED_COLUMNS = (("chats", "chat_id", "id"),)
"""Columns that have another name in our table: the table, the name there, and ours."""


def _added(column: str) -> str:
    """Return SQL that adds two counts, up to the largest integer."""
    return f"{column} = {column} + min(excluded.{column}, {MAX_INTEGER} - {column})"


def _extreme(which: str, column: str) -> str:
    return f"{column} = {which}(coalesce({column}, excluded.{column}), coalesce(excluded.{column}, {column}))"


_EARLIEST = "created_at = min(created_at, excluded.created_at)"
_LATEST_METADATA = "metadata = coalesce(excluded.metadata, metadata)"
_TOKEN_USAGE = f"""
    ON CONFLICT (time_bucket, model) DO UPDATE SET
        {_added("prompt_tokens")}, {_added("completion_tokens")}, {_added("total_tokens")}, {_EARLIEST}
"""
_STAGE_TIMING = f"""
    ON CONFLICT (time_bucket, stage_name) DO UPDATE SET
        {_added("count")}, {_added("total_duration_ms")},
        {_extreme("min", "min_duration_ms")}, {_extreme("max", "max_duration_ms")},
        avg_duration_ms = CAST(round(
            (total_duration_ms + min(excluded.total_duration_ms, {MAX_INTEGER} - total_duration_ms))
            / nullif(count + excluded.count + 0.0, 0)
        ) AS INTEGER),
        {_added("success_count")}, {_added("error_count")}, {_LATEST_METADATA}, {_EARLIEST}
"""
_DATA_STATS = f"""
    ON CONFLICT (time_bucket, data_type, coalesce(context_type, '')) DO UPDATE SET
        {_added("count")}, {_LATEST_METADATA}, {_EARLIEST}
"""


def carried_tables(clock: Clock) -> tuple[Carried, ...]:
    """Return every mapping of a seed's table to one of ours, parents before children."""
    time, local_time = time_of(clock), time_of(clock, is_local=True)
    text, time_or_none = Column(values.text), Column(time)
    line, name = Column(values.line()), Column(values.line(MAX_NAME), "")
    string, short_string, number = Column(values.text, ""), Column(values.line(), ""), Column(values.count, 0)
    json_object, any_json = Column(values.json_object), Column(values.any_json)

    def moment(*sources: str, convert: Convert = time) -> Column:
        return Column(convert, UNKNOWN_TIME, sources)

    bucket = {"time_bucket": Column(hour_of(clock), UNKNOWN_TIME), "created_at": moment("created_at")}
    # A clock of its own for times that are converted a second time, so that none is counted twice.
    time_again = time_of(Clock(clock.zone))
    state = {
        "chat_id": Column(values.thread_id),
        "messages": Column(values.json_list, "[]"),
        "cache_info": Column(values.json_object, "{}"),
        "updated_at": moment("updated_at", convert=time_again),
    }
    return (
        Carried(
            "vaults",
            "vaults",
            "id",
            {
                "title": short_string,
                "summary": text,
                "content": string,
                "tags": short_string,
                "parent_id": Column(values.integer),
                "is_folder": Column(values.boolean, 0),
                "is_deleted": Column(values.boolean, 0),
                "created_at": moment("created_at", "updated_at"),
                "updated_at": moment("updated_at", "created_at"),
                "document_type": Column(values.line(), NOTE),
                "sort_order": Column(values.integer, 0),
            },
            (Parent("parent_id", "vaults", lift="there is no such folder", must="parent.is_folder"),),
        ),
        Carried(
            "todo",
            "todo",
            "id",
            {
                "content": string,
                "created_at": moment("created_at", "start_time"),
                "start_time": time_or_none,
                "end_time": Column(local_time),
                "status": Column(_known(values.integer, values.one_of([*map(int, TodoStatus)])), 0),
                "urgency": Column(values.integer, 0),
                "assignee": line,
                "reason": text,
            },
        ),
        Carried(
            "activity",
            "activity",
            "id",
            {
                "title": short_string,
                "content": string,
                "resources": any_json,
                "metadata": json_object,
                "start_time": moment("start_time", "end_time", convert=local_time),
                "end_time": moment("end_time", "start_time", convert=local_time),
            },
        ),
        Carried("tips", "tips", "id", {"content": string, "created_at": moment("created_at")}),
        Carried(
            "conversations",
            "conversations",
            "id",
            {
                "title": text,
                "user_id": line,
                "page_name": short_string,
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
                "error_message": text,
                "completed_at": time_or_none,
                "created_at": moment("created_at", "updated_at"),
                "updated_at": moment("updated_at", "created_at"),
            },
            (
                Parent("conversation_id", "conversations"),
                Parent(
                    "parent_message_id",
                    "messages",
                    lift="there is no such message in its conversation",
                    must="parent.conversation_id = child.conversation_id",
                ),
            ),
        ),
        Carried(
            "message_thinking",
            "message_thinking",
            "id",
            {
                "message_id": Column(values.integer),
                "content": string,
                "stage": line,
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
            {**bucket, "model": name, "prompt_tokens": number, "completion_tokens": number, "total_tokens": number},
            adds_up=_TOKEN_USAGE,
        ),
        Carried(
            "monitoring_stage_timing",
            "monitoring_stage_timing",
            "id",
            {
                **bucket,
                "stage_name": name,
                "count": number,
                "total_duration_ms": number,
                "min_duration_ms": Column(values.count),
                "max_duration_ms": Column(values.count),
                "avg_duration_ms": Column(values.count),
                "success_count": number,
                "error_count": number,
                "metadata": any_json,
            },
            adds_up=_STAGE_TIMING,
        ),
        Carried(
            "monitoring_data_stats",
            "monitoring_data_stats",
            "id",
            {
                **bucket,
                "data_type": name,
                "count": number,
                "context_type": Column(_known(_empty_is_absent, values.line(MAX_NAME))),
                "metadata": any_json,
            },
            adds_up=_DATA_STATS,
        ),
        Carried(
            "chats",
            "chats",
            "id",
            {
                "id": Column(values.thread_id, sources=("id", "chat_id")),
                "initial_request": text,
                "project_root": text,
                "current_issue": text,
                "metadata": json_object,
                "created_at": moment("created_at", "updated_at"),
                "updated_at": moment("updated_at", "created_at"),
            },
        ),
        Carried(
            "chat_histories",
            "chat_histories",
            "chat_id",
            {**state, "updated_at": moment("updated_at")},
            newest_by=("updated_at", time_again),
            thread=("updated_at", "updated_at"),
        ),
        Carried(
            "chat_histories",
            "chats",
            "chat_id",
            {**state, "chat_id": Column(values.thread_id, sources=("chat_id", "id"))},
            (Parent("chat_id", "chats"),),
            needs="messages",
        ),
        Carried(
            "exchanges",
            "exchanges",
            "exchange_id",
            {
                "chat_id": Column(values.thread_id),
                "model": short_string,
                "request": string,
                "cost": Column(values.cost, "{}"),
                "start": moment("start", "end"),
                "end": time_or_none,
            },
            thread=("start", "end"),
        ),
    )


def _known(*steps: Convert) -> Convert:
    """Return the conversion that applies one step after the other."""

    def convert(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return convert


def _empty_is_absent(value: Any) -> Any:
    return None if value in ("", b"") else value
