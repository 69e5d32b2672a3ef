"""Upkeep: what is done in the background, and what came of it."""

from enum import StrEnum
from typing import Annotated, Any, cast

from pydantic import Field, GetCoreSchemaHandler, StringConstraints
from pydantic_core import CoreSchema

from sidecar.models.base import ApiModel, Record
from sidecar.models.timestamps import Timestamp


class UpkeepTaskName(StrEnum):
    IDEMPOTENCY_KEYS = "idempotency_keys"
    MONITORING = "monitoring"
    JOBS = "jobs"
    SEARCH_INDEX = "search_index"
    STATISTICS = "statistics"
    VACUUM = "vacuum"
    CHECKPOINT = "checkpoint"
    BACKUP = "backup"
    BACKUP_DRILL = "backup_drill"
    INTEGRITY = "integrity"
    INVALID_ROWS = "invalid_rows"


OwnTaskName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*$", max_length=200, strict=True)
]
"""The name of a function of an extension, such as `notes.fetch_news`."""


class _OneFinding:
    """Makes a name that fits neither form one finding with one reason."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        message = "must name a task; upkeep.list has the names"
        return cast("CoreSchema", {**handler(source), "custom_error_type": "task", "custom_error_message": message})


TaskName = Annotated[UpkeepTaskName | OwnTaskName, _OneFinding()]


class UpkeepRun(Record):
    """One run of a task."""

    task: TaskName
    started: Timestamp
    took_ms: float
    longest_step_ms: float = Field(description="Longest time that a write waited for the task, in milliseconds.")
    did: dict[str, int] = Field(description="Result in numbers. Empty if there was nothing to do.")
    gave_way: bool = Field(description="True if the task stopped for waiting writes; it continues soon.")
    error: str | None = Field(description="Error of the task. Null if it succeeded.")


class UpkeepTask(Record):
    name: TaskName
    is_running: bool
    due_in_s: float | None = Field(
        description="Seconds until the task is due. Null if nothing is due, or maintenance is disabled."
    )
    failures: int = Field(description="Number of consecutive failed runs.")
    last_run: UpkeepRun | None


class UpkeepTasks(Record):
    enabled: bool
    items: list[UpkeepTask]


class UpkeepRunRequest(ApiModel):
    task: TaskName
