"""Histories: whole conversations with their messages and thinking, stored as one unit of work.

A history with an external id updates the conversation that has it already; a message does the same. So a history can be
imported again at any time: messages that are new are added, changed ones are replaced, equal ones stay as they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sidecar.errors import InvalidInput
from sidecar.models.conversations import ConversationStatus
from sidecar.models.histories import (
    MAX_HISTORIES,
    MAX_HISTORY_ROWS,
    ConversationHistory,
    HistoriesImported,
    HistoryImported,
    HistoryMessage,
)
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.messages import MessageStatus
from sidecar.storage.interfaces import Work
from sidecar.storage.resources import message_columns, message_rows
from sidecar.storage.resources.conversations import CONVERSATIONS, require_source
from sidecar.storage.resources.message_columns import Given
from sidecar.storage.resources.message_parents import Names
from sidecar.storage.resources.message_rows import ROWS_AT_ONCE, located
from sidecar.storage.resources.message_table import MESSAGES
from sidecar.storage.resources.rows.columns import safe_value
from sidecar.storage.resources.rows.pagination import require_range
from sidecar.storage.resources.rows.table import Resource
from sidecar.storage.resources.rows.validation import json_text
from sidecar.storage.resources.thinking import THINKING

_REPLACED = ("page_name", "title", "user_id", "created_at")
"""Fields of a stored conversation that an import replaces, apart from those that need a closer look."""


class Histories(Resource, tables=()):
    """Whole conversations of other programs."""

    async def import_histories(
        self,
        conversations: Sequence[ConversationHistory],
        dry_run: bool = False,
        *,
        key: IdempotencyKey | None = None,
    ) -> HistoriesImported:
        """Store all of these conversations with their messages and thinking, or none.

        One whose `source` and `external_id` are stored already is updated: the fields that it names replace the stored
        ones, but for its status, and `updated_at` never goes back. A message whose `external_id` its conversation has
        is replaced, or left if it is equal; any other is added. Messages are removed only with `remove_missing`, and
        only those that have an external id. With `dry_run`, the same is reported and nothing is changed. Raises
        `InvalidInput`, which names the place.
        """
        require_range("conversations", len(conversations), 1, MAX_HISTORIES)
        _require_few(conversations)

        def store(work: Work) -> HistoriesImported:
            items = []
            for place, history in enumerate(conversations):
                with located(f"conversations.{place}"):
                    items.append(_import(work, history))
            result = HistoriesImported(items=items)
            if dry_run:
                raise _DryRunRollback(result)
            return result

        try:
            return await self._database.write(store, None if dry_run else key, HistoriesImported)
        except _DryRunRollback as tried:
            return tried.result


class _DryRunRollback(Exception):
    """Ends the unit of work of a dry run, which undoes it."""

    def __init__(self, result: HistoriesImported) -> None:
        super().__init__()
        self.result = result


def _require_few(conversations: Sequence[ConversationHistory]) -> None:
    messages = sum(len(history.messages) for history in conversations)
    steps = sum(len(message.thinking) for history in conversations for message in history.messages)
    for name, count in (("messages", messages), ("steps of thinking", steps)):
        if count > MAX_HISTORY_ROWS:
            reason = f"have {count:,} {name} together; send at most {MAX_HISTORY_ROWS:,} in one batch"
            raise InvalidInput.field("conversations", reason)


def _import(work: Work, history: ConversationHistory) -> HistoryImported:
    conversation = _stored_conversation(work, history)
    is_new = conversation is None
    if conversation is None:
        conversation_id = CONVERSATIONS.insert(work, _new_conversation(work.now, history)).id
    else:
        conversation_id = conversation["id"]
    messages = history.messages
    names = [Names(each.external_id, each.parent_index, each.parent_external_id) for each in messages]
    stored = message_rows.store(
        work, conversation_id, names, lambda place: _given(work.now, conversation_id, messages[place]), is_new=is_new
    )
    added = [place for place in range(len(messages)) if place not in stored.known]
    _add_thinking(work, [(place, stored.ids[place], messages[place]) for place in added])
    rethought = {place for place in stored.known if _replace_thinking(work, stored.ids[place], messages[place], place)}
    replaced = len(stored.replaced | rethought)
    removed = _remove_others(work, conversation_id, set(stored.ids)) if history.remove_missing and not is_new else 0
    if conversation is not None:
        is_any_changed = bool(added) or replaced + removed > 0
        columns = _changed_conversation(work.now, history, conversation, is_any_changed)
        if columns:
            CONVERSATIONS.update(work, conversation_id, columns)
    return HistoryImported(
        conversation_id=conversation_id,
        created=is_new,
        messages_added=len(added),
        messages_replaced=replaced,
        messages_unchanged=len(stored.known) - replaced,
        messages_removed=removed,
    )


def _stored_conversation(work: Work, history: ConversationHistory) -> Mapping[str, Any] | None:
    if history.external_id is None:
        return None
    require_source(history.source, history.external_id)
    sql = """
        SELECT id, page_name, title, user_id, metadata, created_at, updated_at FROM conversations
        WHERE source = ? AND external_id = ?
    """
    row = work.connection.execute(sql, (history.source, history.external_id)).fetchone()
    return None if row is None else dict(row)


def _new_conversation(now: str, history: ConversationHistory) -> dict[str, Any]:
    """Return the columns of a new conversation; times that are not given are those of its first and last message."""
    begun = [message.created_at for message in history.messages if message.created_at is not None]
    ended = [
        moment
        for message in history.messages
        for moment in (message.created_at, message.updated_at, message.completed_at)
        if moment is not None
    ]
    created_at = history.created_at or min(begun, default=now)
    is_deleted = history.status is ConversationStatus.DELETED
    return {
        "page_name": history.page_name,
        "user_id": history.user_id,
        "title": history.title,
        "status": history.status,
        "metadata": json_text("metadata", history.metadata),
        "created_at": created_at,
        "updated_at": history.updated_at or max(ended, default=created_at),
        "restored_status": ConversationStatus.ACTIVE if is_deleted else None,
        "source": history.source,
        "external_id": history.external_id,
    }


def _changed_conversation(
    now: str, history: ConversationHistory, stored: Mapping[str, Any], are_messages_changed: bool
) -> dict[str, Any]:
    """Return the columns in which a stored conversation is to be changed."""
    named = history.explicit_fields()
    columns: dict[str, Any] = {name: named[name] for name in _REPLACED if name in named}
    if "metadata" in named:
        columns["metadata"] = json_text("metadata", history.metadata)
    columns = {
        name: value
        for name, value in columns.items()
        if value != stored[name] and not (name == "created_at" and value is None)
    }
    updated_at = history.updated_at or (now if columns or are_messages_changed else None)
    if updated_at is not None and updated_at > safe_value(CONVERSATIONS.columns["updated_at"], stored["updated_at"]):
        columns["updated_at"] = updated_at
    return columns


def _given(now: str, conversation_id: int, message: HistoryMessage) -> Given:
    if message.status is MessageStatus.STREAMING:
        raise InvalidInput.field("status", "cannot be streaming: nothing would finish the message")
    content = message.content or message_columns.joined(message.parts)
    given = message_columns.given(
        now,
        conversation_id,
        message.role,
        content,
        message.status,
        message.token_count,
        message.metadata,
        (
            message.parts,
            message.external_id,
            message.model,
            message.prompt_tokens,
            message.completion_tokens,
            message.cost,
        ),
        (message.created_at, message.updated_at, message.completed_at),
    )
    if message.error_message is None:
        return given
    return given._replace(columns={**given.columns, "error_message": message.error_message})


def _add_thinking(work: Work, added: Sequence[tuple[int, int, HistoryMessage]]) -> None:
    rows = (row for place, message_id, message in added for row in _steps(work.now, message_id, message, place))
    while group := list(islice(rows, ROWS_AT_ONCE)):
        THINKING.insert_many(work, group)


def _steps(now: str, message_id: int, message: HistoryMessage, place: int) -> Iterator[dict[str, Any]]:
    for sequence, step in enumerate(message.thinking):
        with located(f"messages.{place}.thinking.{sequence}"):
            metadata = json_text("metadata", step.metadata)
        yield {
            "message_id": message_id,
            "content": step.content,
            "stage": step.stage,
            "progress": step.progress,
            "sequence": sequence,
            "metadata": metadata,
            "created_at": step.created_at or message.created_at or now,
        }


def _replace_thinking(work: Work, message_id: int, message: HistoryMessage, place: int) -> bool:
    if not message.thinking:
        return False
    steps = list(_steps(work.now, message_id, message, place))
    sql = f"SELECT {', '.join(steps[0])} FROM message_thinking WHERE message_id = ? ORDER BY sequence, id"
    stored = [dict(row) for row in work.connection.execute(sql, (message_id,)).fetchall()]
    for step, before, given in zip(steps, stored, message.thinking, strict=False):
        if given.created_at is None and message.created_at is None:
            step["created_at"] = before["created_at"]
    if steps == stored:
        return False
    sql = "DELETE FROM message_thinking WHERE message_id = ? RETURNING id"
    for (row_id,) in work.connection.execute(sql, (message_id,)).fetchall():
        work.changed(THINKING.topic, row_id)
    THINKING.insert_many(work, steps)
    return True


def _remove_others(work: Work, conversation_id: int, kept: set[int]) -> int:
    """Delete the messages that came with an external id and are not among the kept; return how many."""
    sql = "SELECT id FROM messages WHERE conversation_id = ? AND external_id IS NOT NULL"
    rows = work.connection.execute(sql, (conversation_id,)).fetchall()
    missing = [message_id for (message_id,) in rows if message_id not in kept]
    for message_id in missing:
        MESSAGES.delete(work, message_id)
    return len(missing)
