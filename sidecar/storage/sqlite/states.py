"""Conversation states: the tables `chats`, `chat_histories` and `exchanges`.

A thread that is not there is an empty one: reading it finds nothing, saving makes it. Clearing takes its state; what
is known about it, and its exchanges, stay until it is removed for good.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from sidecar.errors import InvalidInput, NotFound
from sidecar.models.base import StoredRecord
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.states import (
    MAX_THREAD_ID,
    ConversationState,
    ConversationThread,
    ConversationThreadPage,
    Exchange,
    ExchangePage,
    ThreadCost,
)
from sidecar.models.timestamps import Moment
from sidecar.storage.sqlite.columns import LARGEST_REAL, read_row, text
from sidecar.storage.sqlite.listing import Order, Part, Where, read_page
from sidecar.storage.sqlite.stored_columns import STORED
from sidecar.storage.sqlite.table import Domain
from sidecar.storage.sqlite.values import json_text, optional_time, require_text
from sidecar.storage.sqlite.work import Work
from sidecar.storage.stores.lists import DEFAULT_LIMIT
from sidecar.storage.stores.states import IConversationStateStore

TOPIC = "states"
USER_KINDS = frozenset({"user", "human"})
USER_CLASS = "HumanMessage"

_THREAD = "id AS thread_id, initial_request, project_root, current_issue, metadata, created_at, updated_at"
_EXCHANGE = 'exchange_id, chat_id AS thread_id, model, request, cost, start, "end"'


class ConversationRepository:
    """The statements behind `ConversationStates`; each method runs inside one unit of work or one query."""

    def save_thread(self, work: Work, thread_id: str, columns: Mapping[str, str | None], seen: str | None) -> None:
        """Make the thread or note that it changed, setting the columns that are given.

        `seen` is what the thread seems to have begun with; it counts when nothing was known or given.
        """
        work.connection.execute(
            """
            INSERT INTO chats (id, initial_request, project_root, current_issue, metadata, created_at, updated_at)
            VALUES (:id, coalesce(:initial_request, :seen), :project_root, :current_issue, :metadata, :now, :now)
            ON CONFLICT (id) DO UPDATE SET
                initial_request = coalesce(:initial_request, initial_request, :seen),
                project_root = coalesce(:project_root, project_root),
                current_issue = coalesce(:current_issue, current_issue),
                metadata = coalesce(:metadata, metadata),
                updated_at = :now
            """,
            {**dict.fromkeys(_THREAD_COLUMNS), **columns, "id": thread_id, "seen": seen, "now": work.now},
        )
        work.changed(TOPIC, thread_id)

    def save_history(
        self, work: Work, thread_id: str, messages: str, cache_info: Mapping[str, Any], removed: Collection[str] = ()
    ) -> None:
        """Replace the messages, merge the cache information over what is stored, then take the `removed` names out."""
        merged = {**self._stored_cache_info(work.connection, thread_id), **cache_info}
        for name in removed:
            del merged[name]
        work.connection.execute(
            """
            INSERT INTO chat_histories (chat_id, messages, cache_info, updated_at) VALUES (?, ?, ?, ?)
            ON CONFLICT (chat_id) DO UPDATE SET
                messages = excluded.messages, cache_info = excluded.cache_info, updated_at = excluded.updated_at
            """,
            (thread_id, messages, json_text("cache_info", merged), work.now),
        )

    def stored_messages(self, connection: sqlite3.Connection, thread_id: str) -> str:
        """The messages as JSON text."""
        return json_text("messages", self.state(connection, thread_id).messages)

    def state(self, connection: sqlite3.Connection, thread_id: str) -> ConversationState:
        sql = "SELECT messages, cache_info, updated_at FROM chat_histories WHERE chat_id = ?"
        row = connection.execute(sql, (thread_id,)).fetchone()
        if row is None:
            return ConversationState(thread_id=thread_id, messages=[], cache_info={}, updated_at=None)
        values, invalid = read_row(STORED["chat_histories"], dict(row))
        return ConversationState(thread_id=thread_id, **values, invalid=invalid)

    def clear(self, work: Work, thread_id: str) -> None:
        """Remove the state; one that is not there stays so."""
        removed = work.connection.execute("DELETE FROM chat_histories WHERE chat_id = ?", (thread_id,)).rowcount
        if removed:
            self.save_thread(work, thread_id, {}, None)

    def has(self, connection: sqlite3.Connection, thread_id: str) -> bool:
        """Return whether the thread is known."""
        return connection.execute("SELECT 1 FROM chats WHERE id = ?", (thread_id,)).fetchone() is not None

    def thread(self, connection: sqlite3.Connection, thread_id: str) -> ConversationThread:
        """Raises `NotFound`."""
        row = connection.execute(f"SELECT {_THREAD} FROM chats WHERE id = ?", (thread_id,)).fetchone()
        if row is None:
            raise _not_found(thread_id)
        return _thread(row)

    def threads(self, connection: sqlite3.Connection, part: Part) -> ConversationThreadPage:
        # Lists are ordered by a column and then by an integer `id`, which here is the row's own.
        source = f"(SELECT rowid AS id, {_THREAD} FROM chats)"
        rows = read_page(connection, source, "*", Where(), Order("updated_at", newest_first=True), part)
        items = [_thread(row) for row in rows.rows]
        return ConversationThreadPage(items=items, next_cursor=rows.next_cursor, total=rows.total)

    def remove(self, work: Work, thread_id: str) -> None:
        """Remove the thread with its state and exchanges. Raises `NotFound`."""
        if not work.connection.execute("DELETE FROM chats WHERE id = ?", (thread_id,)).rowcount:
            raise _not_found(thread_id)
        work.changed(TOPIC, thread_id)

    def add_exchange(self, work: Work, thread_id: str, columns: Mapping[str, Any]) -> Exchange:
        row = work.connection.execute(
            f"""
            INSERT INTO exchanges (chat_id, model, request, cost, start, "end")
            VALUES (:chat_id, :model, :request, :cost, :start, :end) RETURNING {_EXCHANGE}
            """,
            {**columns, "chat_id": thread_id},
        ).fetchone()
        return _exchange(row)

    def exchanges(self, connection: sqlite3.Connection, thread_id: str, part: Part) -> ExchangePage:
        source = f"(SELECT exchange_id AS id, {_EXCHANGE} FROM exchanges)"
        rows = read_page(connection, source, "*", Where().equals("thread_id", thread_id), Order("id"), part)
        items = [_exchange(row) for row in rows.rows]
        return ExchangePage(items=items, next_cursor=rows.next_cursor, total=rows.total)

    def cost(self, connection: sqlite3.Connection, thread_id: str) -> ThreadCost:
        """Return each amount's sum; what another tool stored there beside finite numbers is left out."""
        (count,) = connection.execute("SELECT count(*) FROM exchanges WHERE chat_id = ?", (thread_id,)).fetchone()
        sums = connection.execute(
            f"""
            SELECT amount.key, total(amount.value)
            FROM exchanges, json_each(CASE WHEN json_valid(cost) THEN cost ELSE '{{}}' END) AS amount
            WHERE chat_id = ? AND amount.type IN ('integer', 'real') AND abs(amount.value) <= {LARGEST_REAL}
            GROUP BY amount.key ORDER BY amount.key
            """,
            (thread_id,),
        )
        cost = {name: min(max(total, -LARGEST_REAL), LARGEST_REAL) for name, total in sums if isinstance(name, str)}
        return ThreadCost(thread_id=thread_id, exchanges=count, cost=cost)

    def _stored_cache_info(self, connection: sqlite3.Connection, thread_id: str) -> dict[str, Any]:
        return self.state(connection, thread_id).cache_info


_REPOSITORY = ConversationRepository()
_THREAD_OR_NONE = ConversationThread | None
_THREAD_VALUES = {**STORED["chats"], "thread_id": text()}
_THREAD_COLUMNS = ("initial_request", "project_root", "current_issue", "metadata")


class ConversationStates(Domain, IConversationStateStore):
    async def save_conversation_state(
        self,
        thread_id: str,
        messages: Sequence[Any],
        cache_info: Mapping[str, Any] | None = None,
        initial_request: str | None = None,
        project_root: str | None = None,
        current_issue: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> ConversationThread:
        _require_thread_id(thread_id)
        text = json_text("messages", list(messages))
        json_text("cache_info", cache_info)
        columns = {
            "initial_request": initial_request,
            "project_root": project_root,
            "current_issue": current_issue,
            "metadata": None if metadata is None else json_text("metadata", metadata),
        }
        seen = first_request(messages)

        def save(work: Work) -> ConversationThread:
            _REPOSITORY.save_thread(work, thread_id, columns, seen)
            _REPOSITORY.save_history(work, thread_id, text, cache_info or {})
            return _REPOSITORY.thread(work.connection, thread_id)

        return await self._database.write(save, key, ConversationThread)

    async def get_conversation_state(self, thread_id: str) -> ConversationState:
        _require_thread_id(thread_id)
        return await self._database.read(lambda connection: _REPOSITORY.state(connection, thread_id))

    async def update_cache_info(
        self, thread_id: str, cache_info: Mapping[str, Any], *, key: IdempotencyKey | None = None
    ) -> ConversationThread | None:
        _require_thread_id(thread_id)
        json_text("cache_info", cache_info)
        removed = [name for name, value in cache_info.items() if value is None]

        def update(work: Work) -> ConversationThread | None:
            if not _REPOSITORY.has(work.connection, thread_id):
                return None
            _REPOSITORY.save_thread(work, thread_id, {}, None)
            messages = _REPOSITORY.stored_messages(work.connection, thread_id)
            _REPOSITORY.save_history(work, thread_id, messages, cache_info, removed)
            return _REPOSITORY.thread(work.connection, thread_id)

        return await self._database.write(update, key, cast("type[ConversationThread | None]", _THREAD_OR_NONE))

    async def clear_conversation_state(self, thread_id: str, *, key: IdempotencyKey | None = None) -> None:
        _require_thread_id(thread_id)
        await self._database.write(lambda work: _REPOSITORY.clear(work, thread_id), key, type(None))

    async def get_threads(
        self, limit: int = DEFAULT_LIMIT, offset: int = 0, cursor: str | None = None, with_total: bool = False
    ) -> ConversationThreadPage:
        part = Part(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: _REPOSITORY.threads(connection, part))

    async def get_thread(self, thread_id: str) -> ConversationThread:
        _require_thread_id(thread_id)
        return await self._database.read(lambda connection: _REPOSITORY.thread(connection, thread_id))

    async def delete_thread_permanently(self, thread_id: str, *, key: IdempotencyKey | None = None) -> None:
        _require_thread_id(thread_id)
        await self._database.write(lambda work: _REPOSITORY.remove(work, thread_id), key, type(None))

    async def add_exchange(
        self,
        thread_id: str,
        model: str,
        request: str,
        cost: Mapping[str, float] | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Exchange:
        _require_thread_id(thread_id)
        ended_at = optional_time("end", end)
        started_at = optional_time("start", start) or ended_at or self._now()
        if ended_at is not None and ended_at < started_at:
            raise InvalidInput.field("end", f"lies before start ({ended_at} < {started_at})")
        columns = {
            "model": model,
            "request": request,
            "cost": json_text("cost", cost or {}),
            "start": started_at,
            "end": ended_at,
        }

        def add(work: Work) -> Exchange:
            _REPOSITORY.save_thread(work, thread_id, {}, request)
            return _REPOSITORY.add_exchange(work, thread_id, columns)

        return await self._database.write(add, key, Exchange)

    async def get_exchanges(
        self,
        thread_id: str,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> ExchangePage:
        _require_thread_id(thread_id)
        part = Part(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: _REPOSITORY.exchanges(connection, thread_id, part))

    async def get_thread_cost(self, thread_id: str) -> ThreadCost:
        _require_thread_id(thread_id)
        return await self._database.read(lambda connection: _REPOSITORY.cost(connection, thread_id))


def first_request(messages: Sequence[Any]) -> str | None:
    """The text of the first user message, in the forms that chat libraries serialise one; `None` if none is seen."""
    for message in messages:
        if isinstance(message, Mapping) and _is_from_user(message):
            text = "".join(_texts(message))
            if text:
                return text
    return None


def _is_from_user(message: Mapping[str, Any]) -> bool:
    kinds = (message.get("role"), message.get("type"))
    if any(isinstance(kind, str) and kind.lower() in USER_KINDS for kind in kinds):
        return True
    path = message.get("id")
    return isinstance(path, list) and path[-1:] == [USER_CLASS]


def _texts(message: Mapping[str, Any]) -> Iterator[str]:
    """Content is a text or a list of texts and blocks; some libraries put it one level down."""
    for holder in (message, message.get("data"), message.get("kwargs")):
        content = holder.get("content") if isinstance(holder, Mapping) else None
        for block in content if isinstance(content, list) else [content]:
            text = block.get("text") if isinstance(block, Mapping) else block
            if isinstance(text, str):
                yield text


def _thread(row: sqlite3.Row) -> ConversationThread:
    values, invalid = read_row(_THREAD_VALUES, _columns(row, ConversationThread))
    return ConversationThread(**values, invalid=invalid)


def _exchange(row: sqlite3.Row) -> Exchange:
    values, invalid = read_row(STORED["exchanges"], _columns(row, Exchange))
    return Exchange(**values, invalid=invalid)


def _columns(row: sqlite3.Row, record: type[StoredRecord]) -> dict[str, Any]:
    return {name: row[name] for name in record.model_fields if name != "invalid"}


def _not_found(thread_id: str) -> NotFound:
    return NotFound(f"There is no thread with the id {thread_id!r}.")


def _require_thread_id(thread_id: str) -> None:
    require_text("thread_id", thread_id, 1, MAX_THREAD_ID)
