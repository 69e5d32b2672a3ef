"""The stores of messages and of the thinking behind them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.messages import (
    Appended,
    Message,
    MessageCreate,
    MessagePage,
    MessageStatus,
    MessageThinking,
    ThinkingCreate,
)
from sidecar.storage.stores.lists import MAX_LIMIT


class IMessageStore(ABC):
    """Messages, which may grow while they are read."""

    @abstractmethod
    async def create_message(
        self,
        conversation_id: int,
        role: str,
        content: str,
        is_complete: bool = True,
        token_count: int = 0,
        parent_message_id: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        """Add a message; one that is not complete is `pending`.

        Raises `NotFound` for the conversation or the parent, `Conflict` for a deleted conversation or a parent in
        another one.
        """

    @abstractmethod
    async def batch_create_messages(
        self, conversation_id: int, messages: Sequence[MessageCreate], *, key: IdempotencyKey | None = None
    ) -> list[int]:
        """Add all of them in this order or none; returns their ids.

        Their parents have to be there already: a message of the same batch has no id that could be named. Raises
        `InvalidInput`, and what `create_message` raises.
        """

    @abstractmethod
    async def create_streaming_message(
        self,
        conversation_id: int,
        role: str,
        parent_message_id: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        """Add an empty message that is going to grow. Raises as `create_message` does."""

    @abstractmethod
    async def get_message(self, message_id: int, include_thinking: bool = True) -> Message:
        """One message; while it streams, with every chunk that was acknowledged. Raises `NotFound`."""

    @abstractmethod
    async def get_conversation_messages(
        self,
        conversation_id: int,
        limit: int = MAX_LIMIT,
        after: int | None = None,
        before: int | None = None,
        newest: bool = False,
        include_thinking: bool = True,
    ) -> MessagePage:
        """A page of messages, the oldest first: the first one, the last one (`newest`), or the one next to a message.

        Raises `NotFound` for the conversation.
        """

    @abstractmethod
    async def get_conversation_messages_as_json(
        self,
        conversation_id: int,
        limit: int = MAX_LIMIT,
        after: int | None = None,
        before: int | None = None,
        newest: bool = False,
        include_thinking: bool = True,
    ) -> bytes:
        """The same page as its `MessagePage` in JSON, for those who only hand it on; much faster."""

    @abstractmethod
    async def update_message(
        self,
        message_id: int,
        new_content: str,
        is_complete: bool = False,
        token_count: int | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        """Replace the content, and finish the message if it is open and now complete. Raises `NotFound`."""

    @abstractmethod
    async def append_message_content(
        self,
        message_id: int,
        content_chunk: str,
        token_count: int = 0,
        sequence: int | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Appended:
        """Add a chunk to an open message; a pending one begins to stream.

        With a `sequence`, a chunk that was written already is not written again. Raises `NotFound`, and `Conflict` for
        a finished message, a gap in the sequence, or another text for a chunk that was written.
        """

    @abstractmethod
    async def update_message_metadata(
        self, message_id: int, metadata: Mapping[str, Any], *, key: IdempotencyKey | None = None
    ) -> Message:
        """Merge over the metadata that is there; `None` removes a name. Raises `NotFound`."""

    @abstractmethod
    async def mark_message_finished(
        self,
        message_id: int,
        status: str = MessageStatus.COMPLETED,
        error_message: str | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        """Finish an open message: fold its chunks, set its end and latency.

        One that finished the same way stays as it is. Raises `NotFound`, and `Conflict` when it finished otherwise.
        """

    @abstractmethod
    async def interrupt_message(self, message_id: int, *, key: IdempotencyKey | None = None) -> Message:
        """Finish an open message as `cancelled`, keeping what it has. Raises as `mark_message_finished` does."""

    @abstractmethod
    async def delete_message(self, message_id: int, *, key: IdempotencyKey | None = None) -> None:
        """Remove a message with its chunks and thinking. Raises `NotFound`."""


class IThinkingStore(ABC):
    """The thinking behind messages."""

    @abstractmethod
    async def add_message_thinking(
        self,
        message_id: int,
        content: str,
        stage: str | None = None,
        progress: float = 0.0,
        sequence: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> MessageThinking:
        """Add a step, behind the last unless `sequence` says where. Raises `NotFound`, `InvalidInput`."""

    @abstractmethod
    async def batch_add_message_thinking(
        self, message_id: int, thinking: Sequence[ThinkingCreate], *, key: IdempotencyKey | None = None
    ) -> list[int]:
        """Add all of these steps or none, as `add_message_thinking` does one after the other; returns their ids.

        Raises `NotFound`, `InvalidInput`.
        """

    @abstractmethod
    async def get_message_thinking(self, message_id: int) -> Sequence[MessageThinking]:
        """The steps of a message, in order. Raises `NotFound`."""

    @abstractmethod
    async def clear_message_thinking(self, message_id: int, *, key: IdempotencyKey | None = None) -> None:
        """Remove the steps of a message. Raises `NotFound`."""
