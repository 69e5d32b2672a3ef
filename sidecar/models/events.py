"""The live events: which ones a subscriber asks for, and what the stream tells of itself."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from sidecar.models.base import Record, Wire

UPKEEP_TOPIC = "upkeep"
"""Runs of upkeep that did something or failed; the data is an `UpkeepRun`."""

RECOVERY_TOPIC = "recovery"
"""A damaged database was repaired, the file of an open one was lost, or the reports of that were acknowledged; see
`RecoveryReport` for the outcomes."""


class EventsQuery(Wire):
    topics: str | None = Field(
        default=None,
        max_length=1_000,
        pattern=r"^[a-z0-9_.]+(,[a-z0-9_.]+)*$",
        description="Only events of these topics, e.g. `todos,messages.delta`; all, if left out.",
    )


class ResetReason(StrEnum):
    """Why a stream cannot go on where its subscriber left off."""

    ANOTHER_INSTANCE = "another_instance"
    MOVED_ON = "moved_on"
    REPLACED = "replaced"
    MALFORMED = "malformed"


Start = Literal["new", "resumed", "reset"]


class Hello(Record):
    """The first event of every stream. With `reset` as its start, the event `reset` follows and says why."""

    instance: str
    start: Start


class Reset(Record):
    """Events were missed: what was read before may be out of date. The stream goes on from now."""

    reason: ResetReason
