"""The store of conversations."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

from sidecar.models.conversations import Conversation, ConversationCreate, ConversationPage
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.stores.lists import DEFAULT_LIMIT


class ConversationChanges(TypedDict, total=False):
    """`metadata` replaces what is there; the status `deleted` deletes."""

    title: str | None
    status: str
    metadata: Mapping[str, Any]


class IConversationStore(ABC):
    """Conversations."""

    @abstractmethod
    async def create_conversation(
        self,
        page_name: str,
        user_id: str | None = None,
        title: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Conversation:
        """Begin a conversation; `metadata` holds whatever the caller wants to find again."""

    @abstractmethod
    async def batch_create_conversations(
        self, conversations: Sequence[ConversationCreate], *, key: IdempotencyKey | None = None
    ) -> list[int]:
        """Begin all of them or none; returns their ids in order. Raises `InvalidInput`."""

    @abstractmethod
    async def get_conversation(self, conversation_id: int) -> Conversation:
        """One conversation, deleted or not. Raises `NotFound`."""

    @abstractmethod
    async def get_conversation_list(
        self,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        page_name: str | None = None,
        user_id: str | None = None,
        status: str | None = None,
        cursor: str | None = None,
        with_total: bool = True,
    ) -> ConversationPage:
        """Conversations, the one that changed last first; without a `status`, all that are not deleted."""

    @abstractmethod
    async def update_conversation(
        self, conversation_id: int, *, key: IdempotencyKey | None = None, **changes: Unpack[ConversationChanges]
    ) -> Conversation:
        """Change the given columns. Raises `NotFound`, and `Conflict` for a conversation that is deleted."""

    @abstractmethod
    async def delete_conversation(self, conversation_id: int, *, key: IdempotencyKey | None = None) -> Conversation:
        """Mark as deleted. Raises `NotFound`, `Conflict`."""

    @abstractmethod
    async def restore_conversation(self, conversation_id: int, *, key: IdempotencyKey | None = None) -> Conversation:
        """Bring back a deleted one, with the status that it had. Raises `NotFound`, `Conflict`."""

    @abstractmethod
    async def delete_conversation_permanently(self, conversation_id: int, *, key: IdempotencyKey | None = None) -> None:
        """Remove for good, with its messages, their chunks and their thinking. Raises `NotFound`."""
