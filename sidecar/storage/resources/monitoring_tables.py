"""The tables of monitoring: a row holds one hour, and each report is one statement that makes the row or adds to it."""

from collections.abc import Mapping
from typing import Any

from sidecar.models.monitoring import DataStats, StageTiming, TokenUsage
from sidecar.storage.interfaces import Row, Work
from sidecar.storage.resources.monitoring_windows import bucket
from sidecar.storage.resources.rows.columns import Columns, integer, json_value, real, text, time
from sidecar.storage.resources.rows.table import R, Table

_ADD_TOKEN_USAGE = """
    INSERT INTO monitoring_token_usage AS hour
        (time_bucket, model, prompt_tokens, completion_tokens, total_tokens, created_at)
    VALUES (:time_bucket, :model, :prompt_tokens, :completion_tokens, :total_tokens, :created_at)
    ON CONFLICT (time_bucket, model) DO UPDATE SET
        prompt_tokens = hour.prompt_tokens + excluded.prompt_tokens,
        completion_tokens = hour.completion_tokens + excluded.completion_tokens,
        total_tokens = hour.total_tokens + excluded.total_tokens
"""

_ADD_STAGE_TIMING = """
    INSERT INTO monitoring_stage_timing AS hour
        (time_bucket, stage_name, count, total_duration_ms, min_duration_ms, max_duration_ms, avg_duration_ms,
         success_count, error_count, metadata, created_at)
    VALUES
        (:time_bucket, :stage_name, 1, :duration_ms, :duration_ms, :duration_ms, :duration_ms,
         :success_count, :error_count, :metadata, :created_at)
    ON CONFLICT (time_bucket, stage_name) DO UPDATE SET
        count = hour.count + 1,
        total_duration_ms = hour.total_duration_ms + excluded.total_duration_ms,
        min_duration_ms = CASE WHEN hour.min_duration_ms < excluded.min_duration_ms
            THEN hour.min_duration_ms ELSE excluded.min_duration_ms END,
        max_duration_ms = CASE WHEN hour.max_duration_ms > excluded.max_duration_ms
            THEN hour.max_duration_ms ELSE excluded.max_duration_ms END,
        avg_duration_ms =
            CAST(round((hour.total_duration_ms + excluded.total_duration_ms) / (hour.count + 1.0)) AS INTEGER),
        success_count = hour.success_count + excluded.success_count,
        error_count = hour.error_count + excluded.error_count,
        metadata = coalesce(excluded.metadata, hour.metadata)
"""

_ADD_DATA_STATS = """
    INSERT INTO monitoring_data_stats AS hour (time_bucket, data_type, count, context_type, metadata, created_at)
    VALUES (:time_bucket, :data_type, :count, :context_type, :metadata, :created_at)
    ON CONFLICT (time_bucket, data_type, coalesce(context_type, '')) DO UPDATE SET
        count = hour.count + excluded.count,
        metadata = coalesce(excluded.metadata, hour.metadata)
"""


class _Buckets(Table[R]):
    """Rows that hold one hour each, made and added to by the statement `upsert`."""

    def __init__(self, name: str, record: type[R], columns: Columns, upsert: str, *, kind: str, topic: str) -> None:
        super().__init__(name, record, columns, kind=kind, topic=topic)
        self._upsert = f"{upsert} RETURNING {self.selected}"

    def fields(self, row: Row) -> dict[str, Any]:
        return _with_average(super().fields(row))

    def readable_fields(self, row: Row) -> dict[str, Any]:
        return _with_average(super().readable_fields(row))

    def add(self, work: Work, values: Mapping[str, Any]) -> R:
        """The row of this hour, with the report in it."""
        now = work.now
        times = {"time_bucket": bucket(now), "created_at": now}
        row = work.connection.execute(self._upsert, {**values, **times}).fetchone()
        work.changed(self.topic, row["id"])
        return self.record(row)


TOKEN_USAGE = _Buckets(
    "monitoring_token_usage",
    TokenUsage,
    {
        "time_bucket": time(),
        "created_at": time(),
        "model": text(),
        "prompt_tokens": integer(0),
        "completion_tokens": integer(0),
        "total_tokens": integer(0),
    },
    _ADD_TOKEN_USAGE,
    kind="hour of token usage",
    topic="monitoring.token_usage",
)
STAGE_TIMING = _Buckets(
    "monitoring_stage_timing",
    StageTiming,
    {
        "time_bucket": time(),
        "created_at": time(),
        "stage_name": text(),
        "count": integer(0),
        "total_duration_ms": integer(0),
        "min_duration_ms": integer(optional=True),
        "max_duration_ms": integer(optional=True),
        "avg_duration_ms": real(optional=True),
        "success_count": integer(0),
        "error_count": integer(0),
        "metadata": json_value(),
    },
    _ADD_STAGE_TIMING,
    kind="hour of stage timing",
    topic="monitoring.stage_timing",
)
DATA_STATS = _Buckets(
    "monitoring_data_stats",
    DataStats,
    {
        "time_bucket": time(),
        "created_at": time(),
        "data_type": text(),
        "count": integer(0),
        "context_type": text(optional=True),
        "metadata": json_value(),
    },
    _ADD_DATA_STATS,
    kind="hour of data stats",
    topic="monitoring.data_stats",
)


def _with_average(fields: dict[str, Any]) -> dict[str, Any]:
    """Replace the stored average, which is a whole number for other programs, by the exact one."""
    if "avg_duration_ms" in fields and fields["count"]:
        fields["avg_duration_ms"] = fields["total_duration_ms"] / fields["count"]
    return fields
