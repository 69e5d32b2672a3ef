"""The usage of models: tokens and cost of messages, added up."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from sidecar.models.base import ApiModel, Identifier, Record, ShortText, UrlIdentifier
from sidecar.models.timestamps import TimestampInput


class UsageGroup(StrEnum):
    """By what usage is added up."""

    MODEL = "model"
    CONVERSATION = "conversation"
    DAY = "day"


class UsageTotal(Record):
    """Sums over messages that name a model, tokens or a cost."""

    messages: int
    prompt_tokens: int
    completion_tokens: int
    cost: float = Field(description="Sum of the costs, rounded to nine decimals.")


class Usage(UsageTotal):
    """The sums of one group."""

    model: str | None = Field(default=None, description="Model of the group; null for messages without one.")
    conversation_id: Identifier | None = None
    day: date | None = None


class UsageReport(Record):
    """Usage by group, the earliest day first, then the largest cost."""

    items: list[Usage]
    has_more: bool = Field(description="True if there are more groups than `limit`.")
    totals: UsageTotal = Field(description="Sums over all groups.")


def _groups(value: str) -> str:
    if not {*value.split(",")} <= {*map(str, UsageGroup)}:
        raise ValueError(f"must be names from {', '.join(UsageGroup)}, separated by commas")
    return value


GroupNames = Annotated[str, AfterValidator(_groups), WithJsonSchema({"type": "string", "examples": ["day,model"]})]


class UsageQuery(ApiModel):
    group_by: GroupNames | None = Field(
        default=None, description="Names of groups, separated by commas: model, conversation, day. Default: one group."
    )
    start_time: TimestampInput | None = Field(default=None, description="Only messages created from this time on.")
    end_time: TimestampInput | None = Field(default=None, description="Only messages created before this time.")
    model: ShortText | None = None
    conversation_id: UrlIdentifier | None = None
    time_zone: ShortText = Field(default="UTC", description="Time zone in which days begin, such as Europe/Berlin.")
    limit: int = Field(default=1_000, ge=1, le=1_000, description="Largest number of groups to return.")
