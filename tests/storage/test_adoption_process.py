"""An adoption in a process of its own: killed at any moment, and measured."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.storage.sqlite.adoption.upgrade import adopt_or_upgrade
from sidecar.storage.sqlite.schema import makers as seed_makers
from sidecar.storage.sqlite.schema.migrations import MIGRATIONS
from tests.clocks import SlowMachineClock
from tests.storage.vintages import make

MEBIBYTE = 1024 * 1024
ROWS = 20_000

ADOPT = """
import pathlib, sqlite3, sys
import psutil
from sidecar.clock import SYSTEM_CLOCK
from sidecar.storage.sqlite.engine import pragmas
from sidecar.storage.sqlite.adoption.upgrade import adopt_or_upgrade
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
pragmas.prepare_writer(connection)
process, largest = psutil.Process(), 0
def note(*_):
    global largest
    largest = max(largest, process.memory_info().rss)
def announce(stage, detail):
    note()
    print(detail, flush=True)
    if sys.argv[2] in detail:
        sys.stdin.readline()
# Called between SQLite's own steps, as those of one long statement are.
connection.set_progress_handler(note, 100_000)
adopt_or_upgrade(connection, None, announce, clock=SYSTEM_CLOCK)
note()
print(f"largest {largest}", flush=True)
"""
NEVER = "(no stage says this)"


def large(path: Path, rows: int = ROWS) -> Path:
    """A database with so many messages of 1 kB, and documents of 8 kB."""
    counted = f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
    return make(
        "minecontext-5",
        path,
        "INSERT INTO conversations (id, title) VALUES (1, 'c')",
        f"{counted} INSERT INTO messages (id, conversation_id, parent_message_id, role, content) "
        "SELECT i, 1, CASE WHEN i > 1 THEN i - 1 END, 'user', hex(randomblob(500)) FROM n",
        f"{counted} INSERT INTO vaults (id, title, content) "
        "SELECT i, 'a', hex(randomblob(4000)) FROM n WHERE i % 4 = 0",
    )


def adopt(path: Path, stop_at: str = NEVER) -> subprocess.Popen[str]:
    """A process that adopts the database, and waits when a stage says `stop_at`."""
    return subprocess.Popen(
        [sys.executable, "-c", ADOPT, str(path), stop_at], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def peak_of(path: Path) -> int:
    with adopt(path) as process:
        output, _ = process.communicate(timeout=300)
    return int(output.split()[-1])


@pytest.mark.parametrize(
    "stage", ["the rows of vaults", "the rows of messages", "removing the old tables", "local times", "giving back"]
)
def test_a_kill_leaves_the_database_as_it_was_or_adopted(stage: str, tmp_path: Path) -> None:
    path = large(tmp_path / "sidecar.db", 400)
    with adopt(path, stage) as process:
        assert process.stdout is not None
        assert any(stage in line for line in iter(process.stdout.readline, ""))
        process.kill()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        is_adopted = stage in ("local times", "giving back")
        assert seed_makers.maker(connection) == (None if is_adopted else "minecontext")
        assert adopt_or_upgrade(connection, None, lambda *_: None, clock=SYSTEM_CLOCK) == (
            0 if is_adopted else len(MIGRATIONS)
        )
        counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("messages", "vaults")]
        assert counts == [400, 100]
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_database(tmp_path: Path) -> None:
    path = large(tmp_path / "large.db")
    assert path.stat().st_size > 60 * MEBIBYTE
    idle = peak_of(large(tmp_path / "small.db", 4))
    assert peak_of(path) - idle < 16 * MEBIBYTE


def test_a_long_adoption_says_how_far_it_is(tmp_path: Path) -> None:
    stages: list[str] = []
    with closing(sqlite3.connect(large(tmp_path / "sidecar.db", 400), isolation_level=None)) as connection:
        adopt_or_upgrade(connection, None, lambda _, detail: stages.append(detail), clock=SlowMachineClock())
    assert "the rows of messages" in stages
    assert "the rows of messages: 400 so far" in stages
