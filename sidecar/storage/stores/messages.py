"""The stores of messages and of the thinking behind them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from sidecar.models.base import Identifier, Line, LongText, Text
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.messages import (
    Appended,
    Count,
    Message,
    MessageCreate,
    MessagePage,
    MessageStatus,
    MessageThinking,
    Progress,
    ThinkingCreate,
)
from sidecar.storage.stores.arguments import JsonObject
from sidecar.storage.stores.lists import MAX_LIMIT


class IMessageStore(ABC):
    """Messages, which may grow while they are read."""

    @abstractmethod
    async def create_message(
        self,
        conversation_id: Identifier,
        role: str,
        content: LongText,
        is_complete: bool = True,
        token_count: Count = 0,
        parent_message_id: Identifier | None = None,
        metadata: JsonObject | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        """Add a message; one that is not complete is `pending`.

        Raises `NotFound` for the conversation or the parent, `Conflict` for a deleted conversation or a parent in
        another one.
        """

    @abstractmethod
    async def batch_create_messages(
        self, conversation_id: Identifier, messages: Sequence[MessageCreate], *, key: IdempotencyKey | None = None
    ) -> list[int]:
        """Add all of them in this order or none; returns their ids.

        Their parents have to be there already: a message of the same batch has no id that could be named. Raises
        `InvalidInput`, and what `create_message` raises.
        """

    @abstractmethod
    async def create_streaming_message(
        self,
        conversation_id: Identifier,
        role: str,
        parent_message_id: Identifier | None = None,
        metadata: JsonObject | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        """Add an empty message that is going to grow. Raises as `create_message` does."""

    @abstractmethod
    async def get_message(self, message_id: Identifier, include_thinking: bool = True) -> Message:
        """One message; while it streams, with every chunk that was acknowledged. Raises `NotFound`."""

    @abstractmethod
    async def get_conversation_messages(
        self,
        conversation_id: Identifier,
        limit: int = MAX_LIMIT,
        after: Identifier | None = None,
        before: Identifier | None = None,
        newest: bool = False,
        include_thinking: bool = True,
    ) -> MessagePage:
        """A page of messages, the oldest first: the first one, the last one (`newest`), or the one next to a message.

        Raises `NotFound` for the conversation.
        """

    @abstractmethod
    async def get_conversation_messages_as_json(
        self,
        conversation_id: Identifier,
        limit: int = MAX_LIMIT,
        after: Identifier | None = None,
        before: Identifier | None = None,
        newest: bool = False,
        include_thinking: bool = True,
    ) -> bytes:
        """The same page as its `MessagePage` in JSON, for those who only hand it on; much faster."""

    @abstractmethod
    async def update_message(
        self,
        message_id: Identifier,
        new_content: LongText,
        is_complete: bool = False,
        token_count: Count | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        """Replace the content, and finish the message if it is open and now complete. Raises `NotFound`."""

    @abstractmethod
    async def append_message_content(
        self,
        message_id: Identifier,
        content_chunk: Text,
        token_count: Count = 0,
        sequence: Count | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Appended:
        """Add a chunk to an open message; a pending one begins to stream.

        With a `sequence`, a chunk that was written already is not written again. Raises `NotFound`, and `Conflict` for
        a finished message, a gap in the sequence, another text for a chunk that was written, or a message that would
        have more than `MAX_TEXT_BYTES`.
        """

    @abstractmethod
    async def update_message_metadata(
        self, message_id: Identifier, metadata: JsonObject, *, key: IdempotencyKey | None = None
    ) -> Message:
        """Merge over the metadata that is there; `None` removes a name. Raises `NotFound`."""

    @abstractmethod
    async def mark_message_finished(
        self,
        message_id: Identifier,
        status: str = MessageStatus.COMPLETED,
        error_message: LongText | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Message:
        """Finish an open message: fold its chunks, set its end and latency.

        One that finished the same way stays as it is. Raises `NotFound`, and `Conflict` when it finished otherwise.
        """

    @abstractmethod
    async def interrupt_message(self, message_id: Identifier, *, key: IdempotencyKey | None = None) -> Message:
        """Finish an open message as `cancelled`, keeping what it has. Raises as `mark_message_finished` does."""

    @abstractmethod
    async def delete_message(self, message_id: Identifier, *, key: IdempotencyKey | None = None) -> None:
        """Remove a message with its chunks and thinking. Raises `NotFound`."""


class IThinkingStore(ABC):
    """The thinking behind messages."""

    @abstractmethod
    async def add_message_thinking(
        self,
        message_id: Identifier,
        content: Text,
        stage: Line | None = None,
        progress: Progress = 0.0,
        sequence: Count | None = None,
        metadata: JsonObject | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> MessageThinking:
        """Add a step, behind the last unless `sequence` says where. Raises `NotFound`, `InvalidInput`."""

    @abstractmethod
    async def batch_add_message_thinking(
        self, message_id: Identifier, thinking: Sequence[ThinkingCreate], *, key: IdempotencyKey | None = None
    ) -> list[int]:
        """Add all of these steps or none, as `add_message_thinking` does one after the other; returns their ids.

        Raises `NotFound`, `InvalidInput`.
        """

    @abstractmethod
    async def get_message_thinking(self, message_id: Identifier) -> Sequence[MessageThinking]:
        """The steps of a message, in order. Raises `NotFound`."""

    @abstractmethod
    async def clear_message_thinking(self, message_id: Identifier, *, key: IdempotencyKey | None = None) -> None:
        """Remove the steps of a message. Raises `NotFound`."""
