"""Jobs: durable long work with progress, cancellation and a result."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from sidecar.models.base import ApiModel, Identifier, Page, PageQuery, StoredRecord
from sidecar.models.timestamps import Timestamp

MAX_JOB_JSON_BYTES = 256 * 1024
"""Of the arguments and of the result of one job, as JSON. What is larger belongs into a table or a file."""

LONGEST_MESSAGE = 500
"""Characters of a progress message and of an error that are kept."""

JobName = Annotated[str, StringConstraints(min_length=1, max_length=200, strict=True)]


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def is_finished(self) -> bool:
        """True if the job will not run any more."""
        return self not in (JobStatus.QUEUED, JobStatus.RUNNING)


class JobProgress(ApiModel):
    """How far a job is."""

    done: int = Field(default=0, ge=0, description="Amount of work that is done, in units of the job.")
    total: int | None = Field(default=None, ge=0, description="Amount of work in all. Null if it is not known.")
    message: str | None = Field(default=None, description="Present activity, for a person.")


class Job(StoredRecord):
    """Long work that outlives the request that started it."""

    id: Identifier
    name: str = Field(description="Kind of the job, such as `backups.create`.")
    status: JobStatus = Field(
        description="`interrupted` if the sidecar ended while the job ran and it is not repeatable."
    )
    arguments: dict[str, JsonValue]
    done: int = Field(description="Amount of work that is done, in units of the job.")
    total: int | None = Field(description="Amount of work in all. Null if it is not known.")
    message: str | None = Field(description="Present activity, for a person.")
    result: JsonValue = Field(description="Result of a job that is done.")
    error: str | None = Field(description="Reason why the job failed or was interrupted; of the last attempt.")
    error_code: str | None = Field(description="Stable code of the error.")
    is_cancelling: bool = Field(description="True if the cancellation of the job was requested.")
    attempts: int = Field(description="Number of times that the job was started.")
    created_at: Timestamp
    started_at: Timestamp | None = Field(description="Start of the last attempt.")
    finished_at: Timestamp | None


class JobPage(Page[Job]):
    """Jobs, the newest first."""


class JobQuery(PageQuery):
    """Which jobs are asked for."""

    status: JobStatus | None = Field(default=None, description="Only jobs with this status.")
    name: JobName | None = Field(default=None, description="Only jobs of this kind.")
