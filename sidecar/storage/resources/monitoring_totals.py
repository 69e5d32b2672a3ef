"""Results of many hours: totals of a window, and the trend of its intervals.

One pass over the rows in the order of their time, added up here: grouped in SQL, they would have to be sorted.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from sidecar.models.monitoring import (
    DataCount,
    DataStatsInterval,
    DataStatsTrend,
    DataTotals,
    ModelTotals,
    MonitoringTotals,
    StagesTotals,
    StageTotals,
    TokenTotals,
)
from sidecar.storage.interfaces import Connection, Dialect

LONGEST_LIST = 20

T = TypeVar("T")
DataKey = tuple[str, str | None]


def _name(column: str) -> str:
    """Return SQL for a name that another program may have written as bytes."""
    return f"CAST({column} AS TEXT)"


def _readable(name: T) -> T | str:
    """Return a name; bytes that are not UTF-8 become replacement characters."""
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name


def tokens_sql(dialect: Dialect) -> str:
    """Return the query for the tokens of each hour from a time on."""
    number = dialect.whole_number
    return f"""
        SELECT {_name("model")}, {number("prompt_tokens")}, {number("completion_tokens")}, {number("total_tokens")}
        FROM monitoring_token_usage WHERE time_bucket >= ?
    """


def stages_sql(dialect: Dialect) -> str:
    """Return the query for the timing of stages in each hour from a time on."""
    number = dialect.whole_number
    return f"""
        SELECT {_name("stage_name")}, {number("count")}, {number("total_duration_ms")}, {number("min_duration_ms")},
            {number("max_duration_ms")}, {number("error_count")}
        FROM monitoring_stage_timing WHERE time_bucket >= ?
    """


def data_sql(dialect: Dialect) -> str:
    """Return the query for the data of each hour from a time on."""
    return f"""
        SELECT {_name("data_type")}, {_name("context_type")}, {dialect.whole_number("count")}
        FROM monitoring_data_stats WHERE time_bucket >= ?
    """


def trend_sql(dialect: Dialect) -> str:
    """Return the query for the data of each hour between two times, in their order."""
    return f"""
        SELECT time_bucket, {_name("data_type")}, {_name("context_type")}, {dialect.whole_number("count")}
        FROM monitoring_data_stats WHERE time_bucket >= ? AND time_bucket < ? ORDER BY time_bucket
    """


OLDEST_SQL = "SELECT min(time_bucket) FROM monitoring_data_stats WHERE time_bucket >= '' AND time_bucket < ':'"
"""The oldest hour. Times begin with a digit, and a colon comes after all of them."""


def totals(connection: Connection, dialect: Dialect, since: str) -> MonitoringTotals:
    """Return what was reported in the hours that began at or after `since`."""
    return MonitoringTotals(
        since=since,
        tokens=_tokens(connection.execute(tokens_sql(dialect), (since,))),
        stages=_stages(connection.execute(stages_sql(dialect), (since,))),
        data=_data(connection.execute(data_sql(dialect), (since,))),
    )


def trend(connection: Connection, dialect: Dialect, bounds: list[str]) -> DataStatsTrend:
    """Return what was reported between each of `bounds` and the next."""
    oldest = _readable(connection.execute(OLDEST_SQL).fetchone()[0])
    counters: list[Counter[DataKey]] = [Counter() for _ in bounds[1:]]
    place = 0
    hours = connection.execute(trend_sql(dialect), (bounds[0], bounds[-1]))
    for time_bucket, data_type, context_type, count in hours:
        while _readable(time_bucket) >= bounds[place + 1]:
            place += 1
        counters[place][_readable(data_type), _readable(context_type)] += count
    intervals = [
        _interval(start, end, counter, is_kept=oldest is not None and end > oldest)
        for start, end, counter in zip(bounds, bounds[1:], counters, strict=False)
    ]
    return DataStatsTrend(intervals=intervals)


def _interval(start: str, end: str, counter: Counter[DataKey], *, is_kept: bool) -> DataStatsInterval:
    by_name = sorted(counter.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    return DataStatsInterval(
        start_time=start,
        end_time=end,
        count=counter.total() if is_kept else None,
        data=[_data_count(key, count) for key, count in by_name],
    )


def _tokens(rows: Iterable[Any]) -> TokenTotals:
    sums: dict[str, tuple[int, int, int]] = {}
    for name, prompt, completion, total in rows:
        model = _readable(name)
        before = sums.get(model, (0, 0, 0))
        sums[model] = (before[0] + prompt, before[1] + completion, before[2] + total)
    models = [
        ModelTotals(model=model, prompt_tokens=prompt, completion_tokens=completion, total_tokens=total)
        for model, (prompt, completion, total) in sums.items()
    ]
    return TokenTotals(
        prompt_tokens=sum(model.prompt_tokens for model in models),
        completion_tokens=sum(model.completion_tokens for model in models),
        total_tokens=sum(model.total_tokens for model in models),
        models=_largest(models, lambda model: model.total_tokens),
    )


@dataclass(slots=True)
class _Stage:
    """One stage as its hours are added up; an hour without a duration has none to compare."""

    name: str
    count: int = 0
    total: int = 0
    errors: int = 0
    least: int | None = None
    most: int | None = None

    def add(self, count: int, total: int, shortest: int | None, longest: int | None, errors: int) -> None:
        self.count += count
        self.total += total
        self.errors += errors
        if shortest is not None:
            self.least = shortest if self.least is None else min(self.least, shortest)
        if longest is not None:
            self.most = longest if self.most is None else max(self.most, longest)

    def average(self) -> float:
        return self.total / self.count if self.count else 0.0

    def error_rate(self) -> float:
        return self.errors / self.count if self.count else 0.0

    def totals(self) -> StageTotals:
        return StageTotals(
            stage_name=self.name,
            count=self.count,
            avg_duration_ms=self.average(),
            min_duration_ms=self.least,
            max_duration_ms=self.most,
            error_count=self.errors,
            error_rate=self.error_rate(),
        )


def _stages(rows: Iterable[Any]) -> StagesTotals:
    by_name: dict[str, _Stage] = {}
    for stored_name, *hour in rows:
        name = _readable(stored_name)
        stage = by_name.get(name)
        if stage is None:
            stage = by_name[name] = _Stage(name)
        stage.add(*hour)
    stages = by_name.values()
    count, errors = sum(stage.count for stage in stages), sum(stage.errors for stage in stages)
    failing = [stage for stage in stages if stage.errors]
    return StagesTotals(
        count=count,
        error_count=errors,
        error_rate=errors / count if count else 0.0,
        slowest=[stage.totals() for stage in _largest(stages, _Stage.average)],
        failing=[stage.totals() for stage in _largest(failing, _Stage.error_rate)],
    )


def _data(rows: Iterable[Any]) -> DataTotals:
    counter = Counter[DataKey]()
    for data_type, context_type, count in rows:
        counter[_readable(data_type), _readable(context_type)] += count
    largest = _largest(counter, lambda key: counter[key])
    return DataTotals(count=counter.total(), largest=[_data_count(key, counter[key]) for key in largest])


def _data_count(key: DataKey, count: int) -> DataCount:
    data_type, context_type = key
    return DataCount(data_type=data_type, context_type=context_type, count=count)


def _largest(things: Iterable[T], size: Callable[[T], float]) -> list[T]:
    return heapq.nlargest(LONGEST_LIST, things, key=size)
