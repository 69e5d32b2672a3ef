"""Conversation states: the tables `chats`, `chat_histories` and `exchanges`.

A thread that is not there is an empty one: reading it finds nothing, saving makes it. Clearing takes its state; what
is known about it, and its exchanges, stay until it is removed for good.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

from pydantic_core import from_json

from sidecar.errors import InvalidInput, NotFound
from sidecar.models.base import LongText, ShortText, StoredRecord
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.states import (
    MAX_THREAD_ID,
    Amount,
    ConversationState,
    ConversationThread,
    ConversationThreadPage,
    Exchange,
    ExchangePage,
    ThreadCost,
    ThreadId,
)
from sidecar.models.timestamps import TimestampInput
from sidecar.storage.arguments import DEFAULT_LIMIT, JsonArray, JsonObject
from sidecar.storage.interfaces import Connection, Row, Work
from sidecar.storage.resources.first_request import first_request
from sidecar.storage.resources.rows.columns import LARGEST_REAL, json_list, json_object, read_row, text, time
from sidecar.storage.resources.rows.declaration import Declaration, Exported, Reference
from sidecar.storage.resources.rows.pagination import Order, PageRequest, Where, read_page
from sidecar.storage.resources.rows.table import Resource
from sidecar.storage.resources.rows.validation import json_text, optional_time, require_text

TOPIC = "states"
CHATS = Declaration(
    "chats",
    {
        "initial_request": text(optional=True),
        "project_root": text(optional=True),
        "current_issue": text(optional=True),
        "metadata": json_object(optional=True),
        "created_at": time(),
        "updated_at": time(),
    },
    topic=TOPIC,
    has_text_key=True,
    exported=Exported("threads", evidence=("initial_request", "created_at"), is_required=True),
    belonging=("chat_histories", "chat_id"),
)
CHAT_HISTORIES = Declaration(
    "chat_histories",
    {"messages": json_list(), "cache_info": json_object(), "updated_at": time()},
    topic=TOPIC,
    key="chat_id",
    has_text_key=True,
    exported=Exported("states", references=(Reference("chat_id", "threads"),), is_required=True),
)
EXCHANGES = Declaration(
    "exchanges",
    {
        "chat_id": text(),
        "model": text(),
        "request": text(),
        "cost": json_object(),
        "start": time(),
        "end": time(optional=True),
    },
    topic=TOPIC,
    key="exchange_id",
    subject="chat_id",
    exported=Exported(
        "exchanges",
        birth=("model", "request", "start"),
        evidence=("request", "start"),
        references=(Reference("chat_id", "threads"),),
        is_required=True,
    ),
)

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

    def stored_messages(self, connection: Connection, thread_id: str) -> str:
        """The messages as JSON text."""
        return json_text("messages", self.state(connection, thread_id).messages)

    def state(self, connection: Connection, thread_id: str) -> ConversationState:
        sql = "SELECT messages, cache_info, updated_at FROM chat_histories WHERE chat_id = ?"
        row = connection.execute(sql, (thread_id,)).fetchone()
        if row is None:
            return ConversationState(thread_id=thread_id, messages=[], cache_info={}, updated_at=None)
        values, invalid = read_row(CHAT_HISTORIES.columns, dict(row))
        return ConversationState(thread_id=thread_id, **values, invalid=invalid)

    def clear(self, work: Work, thread_id: str) -> None:
        """Remove the state; one that is not there stays so."""
        removed = work.connection.execute("DELETE FROM chat_histories WHERE chat_id = ?", (thread_id,)).rowcount
        if removed:
            self.save_thread(work, thread_id, {}, None)

    def has(self, connection: Connection, thread_id: str) -> bool:
        """Return whether the thread is known."""
        return connection.execute("SELECT 1 FROM chats WHERE id = ?", (thread_id,)).fetchone() is not None

    def thread(self, connection: Connection, thread_id: str) -> ConversationThread:
        """Raises `NotFound`."""
        row = connection.execute(f"SELECT {_THREAD} FROM chats WHERE id = ?", (thread_id,)).fetchone()
        if row is None:
            raise _not_found(thread_id)
        return _thread(row)

    def threads(self, connection: Connection, part: PageRequest) -> ConversationThreadPage:
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

    def exchanges(self, connection: Connection, thread_id: str, part: PageRequest) -> ExchangePage:
        source = f"(SELECT exchange_id AS id, {_EXCHANGE} FROM exchanges)"
        rows = read_page(connection, source, "*", Where().equals("thread_id", thread_id), Order("id"), part)
        items = [_exchange(row) for row in rows.rows]
        return ExchangePage(items=items, next_cursor=rows.next_cursor, total=rows.total)

    def cost(self, connection: Connection, thread_id: str) -> ThreadCost:
        """Return each amount's sum; what another tool stored there beside finite numbers is left out."""
        sums: dict[str, float] = {}
        exchanges = connection.execute("SELECT cost FROM exchanges WHERE chat_id = ?", (thread_id,)).fetchall()
        for (cost,) in exchanges:
            for name, amount in _amounts(cost):
                sums[name] = sums.get(name, 0.0) + amount
        bounded = {name: min(max(sums[name], -LARGEST_REAL), LARGEST_REAL) for name in sorted(sums)}
        return ThreadCost(thread_id=thread_id, exchanges=len(exchanges), cost=bounded)

    def _stored_cache_info(self, connection: Connection, thread_id: str) -> dict[str, Any]:
        return self.state(connection, thread_id).cache_info


_REPOSITORY = ConversationRepository()
_THREAD_OR_NONE = ConversationThread | None
_THREAD_VALUES = {**CHATS.columns, "thread_id": text()}
_THREAD_COLUMNS = ("initial_request", "project_root", "current_issue", "metadata")


class ConversationStates(Resource, tables=(CHATS, CHAT_HISTORIES, EXCHANGES)):
    """Conversation states by thread; a thread id has from 1 to 500 characters.

    A thread that is not there is an empty one: reading it finds nothing, saving makes it.
    """

    async def save_conversation_state(
        self,
        thread_id: ThreadId,
        messages: JsonArray,
        cache_info: JsonObject | None = None,
        initial_request: LongText | None = None,
        project_root: LongText | None = None,
        current_issue: LongText | None = None,
        metadata: JsonObject | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> ConversationThread:
        """Replace the messages; merge `cache_info` over what is stored, name by name; the rest stays unless given.

        A `None` in `cache_info` is a value like any other; `update_cache_info` removes names.
        Without an `initial_request`, a thread's first one is the text of the first user message, if that can be seen.
        Raises `InvalidInput` for what JSON cannot hold.
        """
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

    async def get_conversation_state(self, thread_id: ThreadId) -> ConversationState:
        """The messages and the cache information, both empty for a thread that is not there."""
        _require_thread_id(thread_id)
        return await self._database.read(lambda connection: _REPOSITORY.state(connection, thread_id))

    async def update_cache_info(
        self, thread_id: ThreadId, cache_info: JsonObject, *, key: IdempotencyKey | None = None
    ) -> ConversationThread | None:
        """Merge `cache_info` over what is stored, name by name; `None` removes a name.

        Does nothing, and returns `None`, for a thread that is not there. Raises `InvalidInput` for what JSON cannot
        hold.
        """
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

    async def clear_conversation_state(self, thread_id: ThreadId, *, key: IdempotencyKey | None = None) -> None:
        """Remove the messages and the cache information; what is known about the thread, and its exchanges, stay."""
        _require_thread_id(thread_id)
        await self._database.write(lambda work: _REPOSITORY.clear(work, thread_id), key, type(None))

    async def get_threads(
        self, limit: int = DEFAULT_LIMIT, offset: int = 0, cursor: str | None = None, with_total: bool = False
    ) -> ConversationThreadPage:
        """Threads, the one that changed last first."""
        part = PageRequest(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: _REPOSITORY.threads(connection, part))

    async def get_thread(self, thread_id: ThreadId) -> ConversationThread:
        """Return a thread. Raises `NotFound`."""
        _require_thread_id(thread_id)
        return await self._database.read(lambda connection: _REPOSITORY.thread(connection, thread_id))

    async def delete_thread_permanently(self, thread_id: ThreadId, *, key: IdempotencyKey | None = None) -> None:
        """Remove a thread with its state and its exchanges for good. Raises `NotFound`."""
        _require_thread_id(thread_id)
        await self._database.write(lambda work: _REPOSITORY.remove(work, thread_id), key, type(None))

    async def add_exchange(
        self,
        thread_id: ThreadId,
        model: ShortText,
        request: LongText,
        cost: Mapping[str, Amount] | None = None,
        start: TimestampInput | None = None,
        end: TimestampInput | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Exchange:
        """Note a request to a model and what it cost, in amounts by name; it starts now unless `start` says when.

        Raises `InvalidInput` when it ends before it starts.
        """
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
        thread_id: ThreadId,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> ExchangePage:
        """A thread's exchanges, the oldest first."""
        _require_thread_id(thread_id)
        part = PageRequest(limit, offset, cursor, with_total)
        return await self._database.read(lambda connection: _REPOSITORY.exchanges(connection, thread_id, part))

    async def get_thread_cost(self, thread_id: ThreadId) -> ThreadCost:
        """Each amount's sum over all exchanges of a thread."""
        _require_thread_id(thread_id)
        return await self._database.read(lambda connection: _REPOSITORY.cost(connection, thread_id))


def _amounts(cost: Any) -> Iterator[tuple[str, float]]:
    """Yield the finite numbers in the JSON of a cost, by name."""
    try:
        amounts = from_json(cost)
    except (ValueError, TypeError):
        return
    for name, amount in amounts.items() if isinstance(amounts, dict) else ():
        if isinstance(amount, int | float) and not isinstance(amount, bool) and abs(amount) <= LARGEST_REAL:
            yield name, float(amount)


def _thread(row: Row) -> ConversationThread:
    values, invalid = read_row(_THREAD_VALUES, _columns(row, ConversationThread))
    return ConversationThread(**values, invalid=invalid)


def _exchange(row: Row) -> Exchange:
    values, invalid = read_row(EXCHANGES.columns, _columns(row, Exchange))
    return Exchange(**values, invalid=invalid)


def _columns(row: Row, record: type[StoredRecord]) -> dict[str, Any]:
    return {name: row[name] for name in record.model_fields if name != "invalid"}


def _not_found(thread_id: str) -> NotFound:
    return NotFound(f"There is no thread with the id {thread_id!r}.")


def _require_thread_id(thread_id: str) -> None:
    require_text("thread_id", thread_id, 1, MAX_THREAD_ID)
