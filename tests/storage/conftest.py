"""An open database with a table to write to, and a machine that lives in another zone."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.models import timestamps
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.schema import upgrade


def prepare(connection: sqlite3.Connection) -> None:
    """The schema of this project and one table of the tests' own."""
    upgrade.bring_up_to_date(connection, None, lambda *_: None, clock=SYSTEM_CLOCK)
    connection.execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)")


async def clock_moved_on() -> None:
    """Returns in a later millisecond than it was called in: times are stored by the millisecond."""
    begun = timestamps.now(SYSTEM_CLOCK)
    while timestamps.now(SYSTEM_CLOCK) == begun:  # noqa: ASYNC110 - time itself tells nobody
        await asyncio.sleep(0)


def before_change(backups: Path) -> Callable[[sqlite3.Connection], None]:
    """What copies a database into this directory before its schema changes."""
    return partial(BackupDirectory(backups, SYSTEM_CLOCK).back_up_before_change, announce=lambda *_: None)


@pytest.fixture(params=["disk", "memory"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An open database, on disk and in memory."""
    opened = await Database.open(tmp_path / "test.db" if request.param == "disk" else None, prepare, clock=SYSTEM_CLOCK)
    yield opened
    await opened.close()


@pytest.fixture
async def file_database(tmp_path: Path) -> AsyncIterator[Database]:
    """An open database on disk."""
    opened = await Database.open(tmp_path / "test.db", prepare, clock=SYSTEM_CLOCK)
    yield opened
    await opened.close()


@pytest.fixture
def migrated(tmp_path: Path) -> Callable[[], sqlite3.Connection]:
    """Opens a plain connection to a file that has had every migration."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(tmp_path / "migrated.db", isolation_level=None)
        upgrade.bring_up_to_date(connection, before_change(tmp_path / "backups"), lambda *_: None, clock=SYSTEM_CLOCK)
        return connection

    return connect


@pytest.fixture
def live_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Moves this machine to another zone."""

    def move(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()
