"""Monitoring of what went wrong and what ran: texts of errors, runs of processors, and the counters of a session."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, JsonValue

from sidecar.models.base import ApiModel, Identifier, Page, PageQuery, Record, ShortText, StoredRecord, Text
from sidecar.models.monitoring import DEFAULT_HOURS, Amount, Hours, Name, Zone
from sidecar.models.timestamps import Timestamp, TimestampInput

LONGEST_ERROR = 500
"""Characters of an error that are kept: its first line, mostly, which is what errors have in common."""
MOST_ERRORS_IN_HOUR = 200
"""Different errors of an hour. Texts that all differ, such as those that name a file, must not fill the store."""
OTHER_ERRORS = "(other errors)"
"""Stands for the errors of a stage beyond that."""
MOST_COUNTS = 50
"""Counts of one run: a run's summary, not its log."""
MOST_TOP_ERRORS = 200
DEFAULT_TOP_ERRORS = 20

RunCounts = Annotated[dict[Name, Amount], Field(max_length=MOST_COUNTS)]


class ErrorReport(ApiModel):
    stage_name: Name = Field(description="The stage or processor that failed.")
    message: Text = Field(description="Text of the error. Its first 500 characters are kept.")
    count: Amount = 1


class ErrorTotals(Record):
    """One text of errors in a window."""

    stage_name: str
    message: str = Field(description="`(other errors)` stands for those beyond 200 different ones in an hour.")
    count: int
    first_at: Timestamp
    last_at: Timestamp


class ErrorsQuery(ApiModel):
    hours: Hours = DEFAULT_HOURS
    time_zone: Zone | None = Field(
        default=None,
        description="Time zone at whose midnight the window begins, such as `Europe/Berlin`, for whole days.",
    )
    limit: int = Field(
        default=DEFAULT_TOP_ERRORS, ge=1, le=MOST_TOP_ERRORS, description="Largest number of texts to return."
    )


class TopErrors(Record):
    """The most frequent errors of a window."""

    since: Timestamp
    count: int = Field(description="Number of all errors in the window.")
    items: list[ErrorTotals] = Field(description="The most frequent first.")


class RunStatus(StrEnum):
    """How a run of a processor ended."""

    SUCCESS = "success"
    ERROR = "error"
    CANCELLED = "cancelled"


class ProcessorRun(StoredRecord):
    """One run of a processor."""

    id: Identifier
    processor_name: str
    start_time: Timestamp
    end_time: Timestamp
    status: RunStatus
    counts: dict[str, JsonValue] = Field(description="Numbers of what was done, by name.")
    error_message: str | None
    created_at: Timestamp


class ProcessorRunPage(Page[ProcessorRun]):
    """Runs of processors, the latest start first."""


class ProcessorRunReport(ApiModel):
    processor_name: Name
    start_time: TimestampInput
    end_time: TimestampInput | None = Field(default=None, description="Default: now.")
    status: RunStatus = RunStatus.SUCCESS
    counts: RunCounts = Field(
        default_factory=dict, description="Numbers of what was done, by name, such as `documents`."
    )
    error_message: Text | None = Field(
        default=None, description="Text of the error of a run that failed. Its first 500 characters are kept."
    )


class ProcessorRunsQuery(PageQuery):
    hours: Hours = DEFAULT_HOURS
    time_zone: Zone | None = Field(
        default=None,
        description="Time zone at whose midnight the window begins, such as `Europe/Berlin`, for whole days.",
    )
    processor_name: ShortText | None = None
    status: RunStatus | None = None


class SessionCounters(Record):
    """Sums of all reports since the session began. A reset begins a new session; a restart of the sidecar does not."""

    started_at: Timestamp | None = Field(description="Start of the session. Null before the first report.")
    model_calls: int
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    stage_runs: int
    stage_errors: int
    data_count: int
    processor_runs: int
    processor_errors: int
    errors: int = Field(description="Number of errors that were reported with a text.")
