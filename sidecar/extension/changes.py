"""Rows that changed since a function of `on_change` last ran, collected from commits."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from sidecar.models.events import row_topics
from sidecar.storage.interfaces import STORE_REPLACED, Change

MOST_CHANGES = 1_000
"""Changes of one run. With more, the function reads everything again, which is cheaper then."""

_EVERYTHING = frozenset({STORE_REPLACED.topic, "imports"})
"""Topics of changes that stand for rows of any topic."""

_OWN_TOPIC = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")


@dataclass(frozen=True)
class Changes:
    """Rows that were made, changed or removed since the last run, each once."""

    rows: tuple[Change, ...] = ()
    is_complete: bool = True
    """False after an import, a restore and more than 1,000 changes, and for a run by hand: any row may have changed."""

    @property
    def ids(self) -> list[int | str]:
        """The ids of the rows, in the order in which they first changed."""
        return [row.id for row in self.rows]


def require_topic(topic: str) -> None:
    """Raise `ValueError` for a topic that no rows have; those of extensions, such as `notes.cards`, may be any."""
    if topic in row_topics or (_OWN_TOPIC.fullmatch(topic) and not topic.startswith("app.")):
        return
    nearest = get_close_matches(topic, row_topics, 1)
    advice = f"did you mean '{nearest[0]}'?" if nearest else f"there are {', '.join(sorted(row_topics))}"
    raise ValueError(f"no rows have the topic {topic!r}; {advice}")


class Collector:
    """The changes for one function. Without topics it collects nothing."""

    def __init__(self, name: str, topics: Collection[str]) -> None:
        self._name = name
        self._topics = topics
        self._rows: dict[tuple[str, int | str], Change] = {}
        self._is_complete = True
        self._has_any = False

    def heed(self, changes: Sequence[Change]) -> bool:
        """Take what concerns the function, and return whether anything did; not its own changes."""
        has_any = False
        for change in changes:
            if change.topic in _EVERYTHING:
                self._is_complete = False
            elif change.topic not in self._topics or change.by == self._name:
                continue
            else:
                self._rows[change.topic, change.id] = change
            has_any = True
        if len(self._rows) > MOST_CHANGES:
            self._is_complete = False
        if not self._is_complete:
            self._rows.clear()
        self._has_any = self._has_any or has_any
        return has_any

    def take(self) -> Changes:
        """Return what was collected, and begin again. Without a change, somebody runs the function by hand."""
        taken = Changes(tuple(self._rows.values()), self._is_complete and self._has_any)
        self._rows.clear()
        self._is_complete, self._has_any = True, False
        return taken

    def put_back(self, changes: Changes) -> None:
        """Collect the changes of a run that failed once more, before those that came since."""
        since = list(self._rows.values())
        self._is_complete = self._is_complete and changes.is_complete
        self._rows.clear()
        self._has_any = True
        self.heed([*changes.rows, *since])
