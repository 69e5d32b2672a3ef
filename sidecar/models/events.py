"""The live events: the topics of a subscriber, the data of each topic, and the events about the stream itself."""

from enum import StrEnum
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, JsonValue, RootModel, create_model

from sidecar.models.base import ApiModel, Identifier, Record, unset
from sidecar.models.jobs import JobStatus
from sidecar.models.preferences import PreferenceChanged
from sidecar.models.recovery import RecoveryOutcome
from sidecar.models.upkeep import UpkeepRun

UPKEEP_TOPIC = "upkeep"
"""Runs of upkeep that did something or failed; the data is an `UpkeepRun`."""

JOBS_TOPIC = "jobs"
"""Jobs that were queued, started, progressed or finished."""
IMPORTS_TOPIC = "imports"
"""An import added rows; one event stands for all of them."""

RECOVERY_TOPIC = "recovery"
"""A damaged database was repaired, the file of an open one was lost, or the reports of that were acknowledged; see
`RecoveryReport` for the outcomes."""


class EventsQuery(ApiModel):
    topics: str | None = Field(
        default=None,
        max_length=1_000,
        pattern=r"^[a-z0-9_.]+(\.\*)?(,[a-z0-9_.]+(\.\*)?)*$",
        description="Only events of these topics, such as `todos,messages.delta`; `notes.*` stands for all topics that "
        "begin with `notes.`. Default: all.",
    )


MAX_EVENT_BYTES = 16 * 1024
"""Of the data of an event that an app publishes, as JSON. Events are held in memory for subscribers that resume."""


class AppEvent(ApiModel):
    """An event of the app's own."""

    topic: str = Field(
        max_length=100,
        pattern=r"^app(\.[a-z0-9_]+)+$",
        description="Topic, which begins with `app.`, such as `app.theme`.",
    )
    data: dict[str, JsonValue] = Field(default_factory=dict, description="Any values, of 16 KiB together at most.")


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


row_topics: set[str] = set()
"""The topics of all tables, which the list of resources adds."""

imported_topics: set[str] = set()
"""Those of them whose rows an import may add."""


class RowChanged(Record):
    """A row was created, changed or removed."""

    topic: str
    id: Identifier = Field(description="Of the row; of the todo, for its embedding.")


class StateChanged(Record):
    """A conversation state was saved, changed or removed."""

    topic: Literal["states"]
    id: str = Field(description="The thread's id.")


class ContextChanged(Record):
    """A processed context was saved or removed."""

    topic: Literal["contexts"]
    id: str = Field(description="The context's own id.")
    number: Identifier = Field(description="The id of its row.")
    context_type: str


class MessageDelta(Record):
    """A streamed message grew by a chunk."""

    topic: Literal["messages.delta"]
    id: Identifier = Field(description="Of the message.")
    conversation_id: Identifier
    sequence: int = Field(description="The place of the chunk among the message's chunks, from 0 on.")
    text: str = Field(description="The text of the chunk.")


class RowsImported(Record):
    """An import added rows; the other fields are their numbers by kind. One event stands for all of its rows."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]

    topic: Literal["imports"]
    id: Literal["import"]


class RecoveryChanged(Record):
    """The database was damaged and is repaired, or all reports of repairs were acknowledged."""

    topic: Literal["recovery"]
    id: str = Field(description="Of the report; `acknowledged` when all reports were acknowledged.")
    outcome: RecoveryOutcome = unset("Absent when reports were acknowledged.")
    detail: str = unset("What was saved, and what was not, for a person; absent when reports were acknowledged.")


class AdoptionChanged(Record):
    """A row that was set aside is back, or all reports of adoptions were acknowledged."""

    topic: Literal["adoption"]
    id: Identifier | Literal["acknowledged"]


class SearchIndexEmptied(Record):
    """The search index was emptied to be rebuilt."""

    topic: Literal["search_index"]
    id: Literal["emptied"]


class DiskWritable(Record):
    """The disk takes writes again after it refused one."""

    topic: Literal["health"]
    id: Literal["writable"]


class UpkeepFinished(UpkeepRun):
    """A background task did something or failed."""

    topic: Literal["upkeep"]


class JobChanged(Record):
    """A job was queued, started, progressed or finished. `jobs.get` has its result."""

    topic: Literal["jobs"]
    id: Identifier
    name: str
    status: JobStatus
    done: int
    total: int | None
    message: str | None
    is_cancelling: bool


_KINDS: tuple[type[Record], ...] = (
    StateChanged,
    ContextChanged,
    PreferenceChanged,
    MessageDelta,
    RowsImported,
    RecoveryChanged,
    AdoptionChanged,
    SearchIndexEmptied,
    DiskWritable,
    UpkeepFinished,
    JobChanged,
)

_KIND_OF = {topic: kind for kind in _KINDS for topic in get_args(kind.model_fields["topic"].annotation)}


def known_topics() -> frozenset[str]:
    """Return the topics of the sidecar itself, without those of extensions and of the app."""
    return frozenset(row_topics).union(_KIND_OF)


def live_event() -> type[RootModel[Any]]:
    """Return the type of all events' data, distinguished by topic; `RowChanged` is for the tables without a type."""
    topics: Any = Literal.__getitem__(tuple(sorted(row_topics - _KIND_OF.keys())))
    row_changed = create_model("RowChanged", __base__=RowChanged, __doc__=RowChanged.__doc__, topic=(topics, ...))
    kinds = reduce(or_, _KINDS, row_changed)
    event = RootModel[Annotated[kinds, Field(discriminator="topic")]]  # type: ignore[valid-type]
    return create_model("LiveEvent", __base__=event, __doc__="The data of an event of the stream, by its topic.")
