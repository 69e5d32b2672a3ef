"""The store of conversation states, by thread."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.states import (
    ConversationState,
    ConversationThread,
    ConversationThreadPage,
    Exchange,
    ExchangePage,
    ThreadCost,
)
from sidecar.storage.stores.lists import Paging


class IConversationStateStore(ABC):
    """Conversation states by thread; a thread id has from 1 to 500 characters.

    A thread that is not there is an empty one: reading it finds nothing, writing makes it.
    """

    @abstractmethod
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
        """Replace the messages; merge `cache_info` over what is stored, name by name; the rest stays unless given.

        Without an `initial_request`, a thread's first one is the text of the first user message, if that can be seen.
        Raises `InvalidInput` for what JSON cannot hold.
        """

    @abstractmethod
    async def get_conversation_state(self, thread_id: str) -> ConversationState:
        """The messages and the cache information, both empty for a thread that is not there."""

    @abstractmethod
    async def update_cache_info(
        self, thread_id: str, cache_info: Mapping[str, Any], *, key: IdempotencyKey | None = None
    ) -> ConversationThread:
        """Merge `cache_info` over what is stored, name by name. Raises `InvalidInput` for what JSON cannot hold."""

    @abstractmethod
    async def clear_conversation_state(self, thread_id: str, *, key: IdempotencyKey | None = None) -> None:
        """Remove the messages and the cache information; what is known about the thread, and its exchanges, stay."""

    @abstractmethod
    async def get_threads(self, **paging: Unpack[Paging]) -> ConversationThreadPage:
        """Threads, the one that changed last first."""

    @abstractmethod
    async def get_thread(self, thread_id: str) -> ConversationThread:
        """What is known about a thread. Raises `NotFound`."""

    @abstractmethod
    async def delete_thread_permanently(self, thread_id: str, *, key: IdempotencyKey | None = None) -> None:
        """Remove a thread with its state and its exchanges for good. Raises `NotFound`."""

    @abstractmethod
    async def add_exchange(
        self,
        thread_id: str,
        model: str,
        request: str,
        cost: Mapping[str, float] | None = None,
        start: str | None = None,
        end: str | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Exchange:
        """Note a request to a model and what it cost, in amounts by name; it starts now unless `start` says when.

        Raises `InvalidInput` when it ends before it starts.
        """

    @abstractmethod
    async def get_exchanges(self, thread_id: str, **paging: Unpack[Paging]) -> ExchangePage:
        """A thread's exchanges, the oldest first."""

    @abstractmethod
    async def get_thread_cost(self, thread_id: str) -> ThreadCost:
        """Each amount's sum over all exchanges of a thread."""
