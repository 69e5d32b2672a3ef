"""The store of conversation states, by thread."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from sidecar.models.base import Line, LongText
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.states import (
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
from sidecar.storage.stores.arguments import JsonArray, JsonObject
from sidecar.storage.stores.lists import DEFAULT_LIMIT


class IConversationStateStore(ABC):
    """Conversation states by thread; a thread id has from 1 to 500 characters.

    A thread that is not there is an empty one: reading it finds nothing, saving makes it.
    """

    @abstractmethod
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

    @abstractmethod
    async def get_conversation_state(self, thread_id: ThreadId) -> ConversationState:
        """The messages and the cache information, both empty for a thread that is not there."""

    @abstractmethod
    async def update_cache_info(
        self, thread_id: ThreadId, cache_info: JsonObject, *, key: IdempotencyKey | None = None
    ) -> ConversationThread | None:
        """Merge `cache_info` over what is stored, name by name; `None` removes a name.

        Does nothing, and returns `None`, for a thread that is not there. Raises `InvalidInput` for what JSON cannot
        hold.
        """

    @abstractmethod
    async def clear_conversation_state(self, thread_id: ThreadId, *, key: IdempotencyKey | None = None) -> None:
        """Remove the messages and the cache information; what is known about the thread, and its exchanges, stay."""

    @abstractmethod
    async def get_threads(
        self, limit: int = DEFAULT_LIMIT, offset: int = 0, cursor: str | None = None, with_total: bool = False
    ) -> ConversationThreadPage:
        """Threads, the one that changed last first."""

    @abstractmethod
    async def get_thread(self, thread_id: ThreadId) -> ConversationThread:
        """What is known about a thread. Raises `NotFound`."""

    @abstractmethod
    async def delete_thread_permanently(self, thread_id: ThreadId, *, key: IdempotencyKey | None = None) -> None:
        """Remove a thread with its state and its exchanges for good. Raises `NotFound`."""

    @abstractmethod
    async def add_exchange(
        self,
        thread_id: ThreadId,
        model: Line,
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

    @abstractmethod
    async def get_exchanges(
        self,
        thread_id: ThreadId,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> ExchangePage:
        """A thread's exchanges, the oldest first."""

    @abstractmethod
    async def get_thread_cost(self, thread_id: ThreadId) -> ThreadCost:
        """Each amount's sum over all exchanges of a thread."""
