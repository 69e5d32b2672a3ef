"""The way back from an update: the refusal of a newer database ends with a command that restores an older backup."""

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from textwrap import dedent

from sidecar.storage.sqlite.schema.upgrade import latest_version

from ..storage.damage import as_newer
from .conftest import Hosts
from .host import PATIENCE_S, Host

OLD_DATABASE = Path(__file__).parents[1] / "storage" / "schemas" / "schema-3.sql"

EXTENSION = """
from sidecar.extension import Extension

notes = Extension("notes")

@notes.migration(1)
def create_lines(connection):
    connection.execute("CREATE TABLE notes_lines (id INTEGER PRIMARY KEY)")
"""

NEWER_EXTENSION = f"""{EXTENSION}
@notes.migration(2)
def add_text(connection):
    connection.execute("ALTER TABLE notes_lines ADD COLUMN text TEXT")
"""


def refused_with_command(host: Host) -> str:
    """Return the command at the end of the refusal."""
    refusal = host.refusal()
    assert (refusal["code"], refusal["exit_code"]) == ("database_too_new", 5)
    return str(refusal["message"]).rpartition("changes nothing else: ")[2]


def run(command: str, folder: Path) -> str:
    """Run a line as a person's shell does, in another folder; return what it prints."""
    done = subprocess.run(
        command, shell=True, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_backup_from_before_a_migration_is_restored_into_a_new_directory(hosts: Hosts, tmp_path: Path) -> None:
    data = hosts.data_dir = tmp_path / "the app's data"
    data.mkdir()
    with closing(sqlite3.connect(data / "sidecar.db", isolation_level=None)) as connection:
        connection.executescript(OLD_DATABASE.read_text(encoding="utf-8"))
    host = hosts.start()
    assert "backing_up" in host.stages
    host.client.delete(f"/tips/{host.client.get('/tips').json()['items'][0]['id']}").raise_for_status()
    hosts.stop(host)
    (backup,) = (data / "backups").glob("*-schema-3-before-migration.db")
    with closing(sqlite3.connect(data / "sidecar.db", isolation_level=None)) as connection:
        before = connection.execute("SELECT count(*) FROM tips").fetchone()[0]
        for statement in as_newer(latest_version() + 1):
            connection.execute(statement)
    newer = (data / "sidecar.db").read_bytes()

    command = refused_with_command(hosts.begin())
    assert str(backup.name) in command
    assert "Restored" in run(command, tmp_path)

    restored = hosts.start(tmp_path / "the app's data-restored")
    assert len(restored.client.get("/tips").json()["items"]) == before + 1
    assert (data / "sidecar.db").read_bytes() == newer
    # The next refusal does not name a directory that is in use.
    assert "the app'\"'\"'s data-restored-2" in refused_with_command(hosts.begin())


def test_an_extension_of_an_older_version_names_the_backup_from_before_its_update(hosts: Hosts, tmp_path: Path) -> None:
    backend = tmp_path / "backend"

    def begin(source: str, data_dir: Path | None = None) -> Host:
        backend.mkdir(exist_ok=True)
        (backend / "notes.py").write_text(dedent(source), encoding="utf-8")
        host = hosts.spawn(data_dir)
        host.bootstrap(extensions=["notes"], python_path=[str(backend)])
        return host

    host = begin(EXTENSION)
    host.event("ready")
    host.add_tip("before the update")
    hosts.stop(host)
    updated = begin(NEWER_EXTENSION)
    updated.event("ready")
    updated.add_tip("after the update")
    # A backup of the newer tables is newer, and has this program's schema.
    assert updated.client.post("/backups", json={}).status_code == 201
    hosts.stop(updated)

    run(refused_with_command(begin(EXTENSION)), tmp_path)
    older = begin(EXTENSION, hosts.data_dir.with_name("data-restored"))
    older.event("ready")
    assert older.tips() == ["before the update"]
