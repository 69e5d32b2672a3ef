"""Conversation states: the serialised messages and cache information of a thread, and its exchanges with a model."""

from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from sidecar.models.base import ApiModel, Identifier, LongText, Page, Record, ShortText, StoredRecord
from sidecar.models.timestamps import Timestamp, TimestampInput

MAX_THREAD_ID = 500

ThreadId = Annotated[str, StringConstraints(min_length=1, max_length=MAX_THREAD_ID, strict=True)]
"""Whatever the caller calls the thread; any text, percent-encoded in a path."""

Amount = Annotated[float, Field(allow_inf_nan=False)]


class ConversationState(StoredRecord):
    """The stored messages and cache information of a thread; both are empty if nothing is stored."""

    thread_id: str
    messages: list[JsonValue]
    cache_info: dict[str, JsonValue]
    updated_at: Timestamp | None = Field(description="Time of the last save. Null if nothing is stored.")


class ConversationThread(StoredRecord):
    """The details of a thread besides its state."""

    thread_id: str
    initial_request: str | None = Field(description="First request of the thread.")
    project_root: str | None
    current_issue: str | None
    metadata: dict[str, JsonValue]
    created_at: Timestamp
    updated_at: Timestamp


class ConversationThreadPage(Page[ConversationThread]):
    """Threads, the one that changed last first."""


class StateSave(ApiModel):
    messages: list[JsonValue] = Field(description="All messages of the thread; they replace those that are stored.")
    cache_info: dict[str, JsonValue] | None = Field(
        default=None, description="Values to merge into the stored ones, name by name. Default: no change."
    )
    initial_request: LongText | None = Field(
        default=None, description="First request of the thread. Default: the text of the first user message."
    )
    project_root: LongText | None = Field(default=None, description="New value. Default: no change.")
    current_issue: LongText | None = Field(default=None, description="New value. Default: no change.")
    metadata: dict[str, JsonValue] | None = Field(default=None, description="New value. Default: no change.")


class CacheInfoUpdate(ApiModel):
    cache_info: dict[str, JsonValue] = Field(
        description="Values to merge into the stored ones, name by name. Null removes a name."
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


class ExchangeCreate(ApiModel):
    model: ShortText
    request: LongText
    cost: dict[str, Amount] = Field(default={}, description="Costs by purpose, such as `total` and `cache_read`.")
    start: TimestampInput | None = Field(default=None, description="Start of the exchange. Default: now.")
    end: TimestampInput | None = None


class ThreadCost(Record):
    thread_id: str
    exchanges: int = Field(description="Number of exchanges.")
    cost: dict[str, float] = Field(description="Sum of each cost over all exchanges.")
