"""Conversation states: the serialised messages and cache information of a thread, and its exchanges with a model."""

from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from sidecar.models.base import Identifier, Line, LongText, Page, Record, StoredRecord, Wire
from sidecar.models.timestamps import Timestamp, TimestampInput

MAX_THREAD_ID = 500

ThreadId = Annotated[str, StringConstraints(min_length=1, max_length=MAX_THREAD_ID, strict=True)]
"""Whatever the caller calls the thread; any text, percent-encoded in a path."""

Amount = Annotated[float, Field(allow_inf_nan=False)]


class ConversationState(StoredRecord):
    """What is stored of a thread; one that was never saved, or was cleared, has neither."""

    thread_id: str
    messages: list[JsonValue]
    cache_info: dict[str, JsonValue]
    updated_at: Timestamp | None = Field(description="When it was last saved; null when there is none.")


class ConversationThread(StoredRecord):
    """What is known about a thread beside its state."""

    thread_id: str
    initial_request: str | None = Field(description="What the thread began with.")
    project_root: str | None
    current_issue: str | None
    metadata: dict[str, JsonValue]
    created_at: Timestamp
    updated_at: Timestamp


class ConversationThreadPage(Page[ConversationThread]):
    """Threads, the one that changed last first."""


class StateSave(Wire):
    messages: list[JsonValue] = Field(description="All messages of the thread; they replace those that are stored.")
    cache_info: dict[str, JsonValue] | None = Field(
        default=None, description="Merged over what is stored, name by name; left out, that stays as it is."
    )
    initial_request: LongText | None = Field(default=None, description="The first user message's text, if left out.")
    project_root: LongText | None = Field(default=None, description="Stays as it is, if left out.")
    current_issue: LongText | None = Field(default=None, description="Stays as it is, if left out.")
    metadata: dict[str, JsonValue] | None = Field(default=None, description="Stays as it is, if left out.")


class CacheInfoUpdate(Wire):
    cache_info: dict[str, JsonValue] = Field(
        description="Merged over what is stored, name by name; null removes a name."
    )


class Exchange(StoredRecord):
    """One request to a model, and what it cost."""

    exchange_id: Identifier
    thread_id: str
    model: str
    request: str
    cost: dict[str, JsonValue]
    start: Timestamp
    end: Timestamp | None


class ExchangePage(Page[Exchange]):
    """Exchanges, the oldest first."""


class ExchangeCreate(Wire):
    model: Line
    request: LongText
    cost: dict[str, Amount] = Field(default={}, description="Amounts by what they are for, e.g. `total`, `cache_read`.")
    start: TimestampInput | None = Field(default=None, description="Now, if left out.")
    end: TimestampInput | None = None


class ThreadCost(Record):
    thread_id: str
    exchanges: int = Field(description="How many there are.")
    cost: dict[str, float] = Field(description="Each amount's sum over all exchanges.")
