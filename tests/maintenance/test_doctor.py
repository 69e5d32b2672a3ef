"""What the doctor finds, and that looking changes nothing."""

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from sidecar.cli import main
from sidecar.clock import SYSTEM_CLOCK
from sidecar.maintenance import doctor, folders
from sidecar.models.backups import BackupManifest
from sidecar.models.doctor import DoctorReport, Finding, Level
from sidecar.storage.resources import rows_set_aside as orphans
from sidecar.storage.sqlite.backup import snapshot
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.maintenance.diagnostics import sqlite_version
from sidecar.storage.sqlite.schema import upgrade
from tests.storage.vintages import make

from ..storage.damage import leaves, overwrite, populate, storage_at


@pytest.fixture
async def directory(tmp_path: Path) -> Path:
    """The data directory of a store that was closed, with a backup."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    storage = storage_at(data)
    await storage.initialize()
    await populate(storage, "row", rows=100)
    await storage.close()
    backups = BackupDirectory.beside(data / "sidecar.db", SYSTEM_CLOCK)
    with closing(sqlite3.connect(data / "sidecar.db", isolation_level=None)) as connection:
        backups.record(snapshot.make_snapshot(connection, backups.next_path(upgrade.latest_version(), "test")))
    return data


def found(report: DoctorReport, subject: str) -> Finding:
    (finding,) = [finding for finding in report.findings if finding.subject == subject]
    return finding


def look(directory: Path) -> DoctorReport:
    return doctor.examine_at_rest(directory / "sidecar.db", SYSTEM_CLOCK)


def test_the_user_version_of_another_tool_is_no_schema_version(tmp_path: Path) -> None:
    with closing(sqlite3.connect(make("minecontext-5", tmp_path / "sidecar.db"))) as connection:
        connection.execute("PRAGMA user_version = 42")
    finding = found(look(tmp_path), "schema")
    assert finding.level is Level.OK
    assert "version 0; the next start upgrades it to" in finding.message


def test_the_database_of_another_program_is_a_problem(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    assert found(look(tmp_path), "schema").level is Level.PROBLEM


async def test_all_is_well_with_a_store_in_order(directory: Path) -> None:
    report = look(directory)
    assert {
        finding.subject: finding.level for finding in report.findings if finding.subject != "SQLite"
    } == dict.fromkeys(
        (
            "invalid rows",
            "schema",
            "integrity",
            "references",
            "search index",
            "rows set aside",
            "permissions",
            "disk space",
            "file system",
            "synced folder",
            "backups",
            "leftover files",
        ),
        Level.OK,
    )


async def test_looking_changes_nothing(directory: Path) -> None:
    overwrite(directory / "sidecar.db", leaves(directory / "sidecar.db", "tips")[0])
    before = contents(directory)
    look(directory)
    assert contents(directory) == before


def contents(directory: Path) -> dict[str, bytes]:
    """Every file but those that SQLite needs to read a database with a log."""
    files = [path for path in directory.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal"))]
    return {path.name: path.read_bytes() for path in files}


async def test_damage_is_a_problem(directory: Path) -> None:
    overwrite(directory / "sidecar.db", leaves(directory / "sidecar.db", "tips")[0])
    finding = found(look(directory), "integrity")
    assert finding.level is Level.PROBLEM
    assert "Start the sidecar" in finding.message


async def test_what_is_no_database_is_a_problem(directory: Path) -> None:
    overwrite(directory / "sidecar.db", 1)
    assert found(look(directory), "database").level is Level.PROBLEM


async def test_rows_that_refer_to_nothing_are_a_problem(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "sidecar.db", isolation_level=None)) as connection:
        connection.execute("INSERT INTO messages (conversation_id, role) VALUES (999, 'user')")
    assert found(look(directory), "references").level is Level.PROBLEM


async def test_no_backup_and_an_old_one_are_warnings_and_a_damaged_one_a_problem(directory: Path) -> None:
    (backup,) = (directory / "backups").glob("*.db")
    manifest = backup.with_suffix(".json")
    known = BackupManifest.model_validate_json(manifest.read_bytes())
    manifest.write_text(known.model_copy(update={"created_at": "2020-01-01T00:00:00.000Z"}).model_dump_json())
    assert found(look(directory), "backups").level is Level.WARNING
    backup.write_bytes(b"damaged" * 1000)
    assert found(look(directory), "backups").level is Level.PROBLEM
    backup.unlink()
    assert found(look(directory), "backups").level is Level.WARNING


async def test_leftovers_are_named(directory: Path) -> None:
    (directory / "sidecar.db.damaged-20260101T000000.000Z").touch()
    finding = found(look(directory), "leftover files")
    assert finding.level is Level.WARNING
    assert "damaged-20260101" in finding.message


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
async def test_a_directory_that_others_can_look_into_is_a_warning(directory: Path) -> None:
    directory.chmod(0o755)
    assert found(look(directory), "permissions").level is Level.WARNING


async def test_a_disk_with_little_room_is_a_problem(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(directory)._replace(free=1024)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert found(look(directory), "disk space").level is Level.PROBLEM


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "SMBFS", "fuse.sshfs", "fuse.rclone"])
def test_network_file_systems_are_a_problem(kind: str) -> None:
    assert folders.file_system(kind).level is Level.PROBLEM


@pytest.mark.parametrize("kind", ["ext4", "apfs", "NTFS", "overlay", "fuseblk", None])
def test_local_file_systems_are_not(kind: str | None) -> None:
    assert folders.file_system(kind).level is Level.OK


@pytest.mark.parametrize(
    "path",
    [
        PureWindowsPath(r"C:\Users\Ann\OneDrive - Company\app"),
        PurePosixPath("/Users/ann/Dropbox/app"),
        PurePosixPath("/Users/ann/Library/Mobile Documents/com~apple~CloudDocs/app"),
        PurePosixPath("/Users/ann/Library/CloudStorage/GoogleDrive-ann/My Drive"),
    ],
    ids=str,
)
def test_synced_folders_are_a_warning(path: PurePosixPath) -> None:
    assert folders.synced_folder(path).level is Level.WARNING


def test_other_folders_are_not() -> None:
    assert folders.synced_folder(PurePosixPath("/home/ann/.config/app")).level is Level.OK


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ((3, 36, 0), Level.PROBLEM),
        ((3, 40, 1), Level.WARNING),
        ((3, 51, 2), Level.WARNING),
        ((3, 51, 3), Level.OK),
        ((3, 53, 0), Level.OK),
    ],
)
def test_versions_of_sqlite_with_known_bugs_are_named(version: tuple[int, ...], level: Level) -> None:
    assert sqlite_version(version).level is level


async def test_the_command_prints_a_table_and_its_exit_code_says_whether_something_has_to_be_done(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--data-dir", str(directory)]) == 0
    assert "No sidecar" in capsys.readouterr().out
    overwrite(directory / "sidecar.db", leaves(directory / "sidecar.db", "tips")[0])
    assert main(["doctor", "--data-dir", str(directory), "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {finding["subject"] for finding in findings if finding["level"] == "problem"} == {"integrity"}


def test_the_command_names_a_directory_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--data-dir", str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err


async def test_rows_that_were_set_aside_are_named_until_they_are_acknowledged(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "sidecar.db")) as connection, connection:
        orphans.keep(connection, "tips", {"id": 1}, "content: is missing", "2026-01-31T09:30:00.000Z")
    finding = found(look(directory), "rows set aside")
    assert finding.level is Level.WARNING
    assert "1 of tips" in finding.message
    with closing(sqlite3.connect(directory / "sidecar.db")) as connection, connection:
        connection.execute("UPDATE adopted_orphans SET acknowledged_at = created_at")
    assert found(look(directory), "rows set aside").level is Level.OK
