"""Every unit of work runs twice: first inside a savepoint that is rolled back, then for good.

A unit may run again when it met a damaged index or a text that is not UTF-8, so it must be a function of the database
alone. `UNITS_TWICE=1` in the environment has whole suites run in this way.
"""

import os
from copy import copy
from typing import Any

import pytest

from sidecar.storage.sqlite.engine import unit_of_work as units

ENABLED = os.environ.get("UNITS_TWICE", "") not in ("", "0")


def rehearse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each unit run twice from now on."""
    run_once = units.run_once

    def run_twice(work: units.SQLiteWork, submission: units.Submission) -> Any:
        connection = work.connection
        connection.execute("SAVEPOINT rehearsal")
        trial = copy(work)
        trial.changes = []
        try:
            run_once(trial, submission)
        except Exception:
            if not connection.in_transaction:  # SQLite gave it up as a whole
                raise
            # The second run fails in the same way, and says so.
        connection.execute("ROLLBACK TO rehearsal")
        connection.execute("RELEASE rehearsal")
        return run_once(work, submission)

    monkeypatch.setattr(units, "run_once", run_twice)
