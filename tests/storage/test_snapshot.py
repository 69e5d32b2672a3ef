"""Copies: whole, of one moment, verified before they get their name."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.errors import StorageError
from sidecar.storage.sqlite.backup import snapshot
from sidecar.storage.sqlite.backup.cancellation import CancellationToken
from sidecar.storage.sqlite.files import atomic
from sidecar.storage.sqlite.schema import upgrade

Connect = Callable[[], sqlite3.Connection]


@pytest.fixture
def source(migrated: Connect) -> sqlite3.Connection:
    connection = migrated()
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executemany("INSERT INTO tips (content) VALUES (?)", [(f"tip {number}",) for number in range(100)])
    return connection


def test_a_snapshot_holds_every_row_in_one_file(source: sqlite3.Connection, tmp_path: Path) -> None:
    with closing(source):
        made = snapshot.make_snapshot(source, tmp_path / "copies" / "copy.db")
    assert made.rows["tips"] == 100
    assert made.schema_version == upgrade.latest_version()
    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["copy.db"]
    assert snapshot.verify(made.path) == made


def test_the_directory_of_a_first_copy_is_synced_with_its_name(
    source: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(atomic, "sync", synced.append)
    destination = tmp_path / "new" / "copies" / "copy.db"
    with closing(source):
        snapshot.make_snapshot(source, destination)
    assert synced == [tmp_path / "new", tmp_path, atomic.partial_of(destination), destination.parent]


def test_a_snapshot_that_fails_leaves_the_good_one_and_no_partial(
    source: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    destination = tmp_path / "copies" / "copy.db"

    def find_damage(path: Path, *, job: CancellationToken | None) -> snapshot.Snapshot:
        raise StorageError(f"{path} is damaged")

    with closing(source):
        snapshot.make_snapshot(source, destination)
        good = destination.read_bytes()
        monkeypatch.setattr(snapshot, "verify", find_damage)
        with pytest.raises(StorageError, match="damaged"):
            snapshot.make_snapshot(source, destination)
    assert destination.read_bytes() == good
    assert list(destination.parent.iterdir()) == [destination]


def test_damage_in_a_copy_is_found(source: sqlite3.Connection, tmp_path: Path) -> None:
    with closing(source):
        made = snapshot.make_snapshot(source, tmp_path / "copy.db")
    damaged = bytearray(made.path.read_bytes())
    damaged[4096 * 3 : 4096 * 3 + 2000] = b"\xff" * 2000
    made.path.write_bytes(damaged)
    with pytest.raises((StorageError, sqlite3.DatabaseError)):
        snapshot.verify(made.path)


def test_rows_that_refer_to_nothing_are_counted_and_no_reason_to_be_without_a_copy(
    source: sqlite3.Connection, tmp_path: Path
) -> None:
    with closing(source):
        source.execute("INSERT INTO messages (conversation_id, role) VALUES (999, 'user')")
        made = snapshot.make_snapshot(source, tmp_path / "copy.db")
    assert made.broken_references == 1
    assert snapshot.verify(made.path) == made
