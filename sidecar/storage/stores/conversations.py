"""The store of conversations."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from sidecar.models.base import Identifier, Line
from sidecar.models.conversations import Conversation, ConversationCreate, ConversationPage
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.stores.arguments import UNSET, JsonObject, Unset
from sidecar.storage.stores.lists import DEFAULT_LIMIT


class IConversationStore(ABC):
    """Conversations."""

    @abstractmethod
    async def create_conversation(
        self,
        page_name: Line,
        user_id: Line | None = None,
        title: Line | None = None,
        metadata: JsonObject | None = None,
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
    async def get_conversation(self, conversation_id: Identifier) -> Conversation:
        """One conversation, deleted or not. Raises `NotFound`."""

    @abstractmethod
    async def get_conversation_list(
        self,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        page_name: Line | None = None,
        user_id: Line | None = None,
        status: str | None = None,
        cursor: str | None = None,
        with_total: bool = True,
    ) -> ConversationPage:
        """Conversations, the one that changed last first; without a `status`, all that are not deleted."""

    @abstractmethod
    async def update_conversation(
        self,
        conversation_id: Identifier,
        title: Line | Unset | None = UNSET,
        status: str | Unset = UNSET,
        metadata: JsonObject | Unset = UNSET,
        *,
        key: IdempotencyKey | None = None,
    ) -> Conversation:
        """Change what is given; `metadata` replaces what is there, the status `deleted` deletes.

        Raises `NotFound`, and `Conflict` for a conversation that is deleted.
        """

    @abstractmethod
    async def delete_conversation(
        self, conversation_id: Identifier, *, key: IdempotencyKey | None = None
    ) -> Conversation:
        """Mark as deleted. Raises `NotFound`, `Conflict`."""

    @abstractmethod
    async def restore_conversation(
        self, conversation_id: Identifier, *, key: IdempotencyKey | None = None
    ) -> Conversation:
        """Bring back a deleted one, with the status that it had. Raises `NotFound`, `Conflict`."""

    @abstractmethod
    async def delete_conversation_permanently(
        self, conversation_id: Identifier, *, key: IdempotencyKey | None = None
    ) -> None:
        """Remove for good, with its messages, their chunks and their thinking. Raises `NotFound`."""
