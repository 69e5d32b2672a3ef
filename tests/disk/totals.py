"""How much was tried in all, said at the end of a run."""

from collections import Counter
from typing import Any

TRIED = " tried"
"""The end of the names of the properties that are summed up."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many states or faults were tried."""
    totals: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                totals.update({name: count for name, count in report.user_properties if name.endswith(TRIED)})
    for name, count in totals.items():
        terminalreporter.write_line(f"{count} {name}")
