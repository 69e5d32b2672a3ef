"""Upkeep: what is done in the background, and what came of it."""

from enum import StrEnum

from pydantic import Field

from sidecar.models.base import Record, Wire
from sidecar.models.timestamps import Timestamp


class UpkeepTaskName(StrEnum):
    IDEMPOTENCY_KEYS = "idempotency_keys"
    MONITORING = "monitoring"
    SEARCH_INDEX = "search_index"
    STATISTICS = "statistics"
    VACUUM = "vacuum"
    CHECKPOINT = "checkpoint"
    BACKUP = "backup"
    BACKUP_DRILL = "backup_drill"
    INTEGRITY = "integrity"
    INVALID_ROWS = "invalid_rows"


class UpkeepRun(Record):
    """One run of a task."""

    task: UpkeepTaskName
    started: Timestamp
    took_ms: float
    longest_step_ms: float = Field(description="How long a write had to wait for it at most.")
    did: dict[str, int] = Field(description="What it did, in numbers; empty when there was nothing to do.")
    gave_way: bool = Field(description="It left off for writes, and will go on soon.")
    error: str | None = Field(description="Why it failed; null when it did not.")


class UpkeepTask(Record):
    name: UpkeepTaskName
    is_running: bool
    due_in_s: float | None = Field(description="Null when nothing is due, or upkeep is switched off.")
    failures: int = Field(description="How many runs in a row have failed.")
    last_run: UpkeepRun | None


class UpkeepTasks(Record):
    enabled: bool
    items: list[UpkeepTask]


class UpkeepRunRequest(Wire):
    task: UpkeepTaskName
