"""What the rows of the bench are made of: results, how they are judged, and how large everything is that they measure.

Only arithmetic and printing; nothing is measured here.
"""

import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.profiles import PROFILES

Pair = tuple[float, float]
"""What was measured, and its yardstick: one right after the other."""


@dataclass(frozen=True)
class Scale:
    """How large and how long everything is."""

    rounds: int = 5
    starts: int = 15
    load_seconds: int = 3
    database_bytes: int = 10**9
    few_rows: int = 1_000
    many_rows: int = 1_000_000
    documents: int = 100_000
    vectors: int = 100_000
    messages: int = 1_000_000
    requests: int = 1_000_000
    reports: int = 100_000
    idle_seconds: int = 60


FULL = Scale()
QUICK = Scale(
    rounds=3,
    starts=5,
    load_seconds=1,
    database_bytes=10**8,
    many_rows=50_000,
    documents=20_000,
    vectors=20_000,
    messages=100_000,
    requests=100_000,
    reports=10_000,
    idle_seconds=15,
)


@dataclass
class Result:
    """One line of the table: medians over the rounds, and the ratio that they are judged by."""

    name: str
    measured: float
    yardstick_name: str
    yardstick: float
    unit: str
    ratio: float
    bound: float
    more_is_better: bool
    spread: float
    """Of the rounds' ratios: the largest less the smallest."""
    pairs: list[Pair]

    @property
    def holds(self) -> bool:
        return self.ratio >= self.bound if self.more_is_better else self.ratio <= self.bound


Row = Callable[[Scale], Iterable[Result]]


def compare(
    name: str, yardstick_name: str, unit: str, bound: float, pairs: Sequence[Pair], *, more_is_better: bool = False
) -> Result:
    """The result of rounds that each measured both."""
    ratios = [measured / yardstick for measured, yardstick in pairs]
    return Result(
        name,
        statistics.median(measured for measured, _ in pairs),
        yardstick_name,
        statistics.median(yardstick for _, yardstick in pairs),
        unit,
        statistics.median(ratios),
        bound,
        more_is_better,
        max(ratios) - min(ratios),
        list(pairs),
    )


def limit(name: str, unit: str, most: float, values: Iterable[float], *, more_is_better: bool = False) -> Result:
    """The result of rounds that are held against a number that was promised."""
    pairs = [(value, most) for value in values]
    return compare(name, "the promise", unit, 1, pairs, more_is_better=more_is_better)


def rounds(count: int, measure: Callable[[], Pair]) -> list[Pair]:
    return [measure() for _ in range(count)]


def print_table(results: Sequence[Result]) -> None:
    print(f"{'':42} {'measured':>10} {'yardstick':>10} {'':10} {'ratio':>7}   spread   bound")
    for result in results:
        print(line(result))
        if not result.holds and result.name in PROFILES:
            print(f"    {PROFILES[result.name]}")


def line(result: Result) -> str:
    sign = "≥" if result.more_is_better else "≤"
    verdict = "ok" if result.holds else "MISSED"
    numbers = f"{result.measured:10.2f} {result.yardstick:10.2f} {result.unit:10} {_short(result.ratio):>7}"
    spread = f"± {_short(result.spread / 2):6}"
    return f"{result.name:42} {numbers} {spread} {sign} {result.bound:<5} {verdict:6}  of {result.yardstick_name}"


def _short(number: float) -> str:
    return f"{number:.{2 if number >= 1 else 4}f}"


def save(results: Sequence[Result], path: Path) -> None:
    path.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
