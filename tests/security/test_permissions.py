"""Who else uses this computer reads nothing: directories 0700, files 0600, whatever the umask."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process.conftest import Hosts

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")

OPEN_UMASK = "import os; os.umask(0)"


def modes(directory: Path) -> dict[str, str]:
    """Those of everything in a directory that are not as private as they should be."""
    return {
        str(path.relative_to(directory)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in [directory, *directory.rglob("*")]
        if stat.S_IMODE(path.stat().st_mode) != (0o700 if path.is_dir() else 0o600)
    }


def test_the_database_its_logs_and_its_backups_are_their_owners_alone(hosts: Hosts) -> None:
    host = hosts.start(patch=OPEN_UMASK)
    host.add_tip("a row")
    backup = host.client.post("/backups", json={}).raise_for_status().json()
    assert {"sidecar.db", "sidecar.db-wal", "sidecar.db-shm", "sidecar.log", "run.json", backup["name"]} <= {
        path.name for path in hosts.data_dir.rglob("*")
    }
    assert modes(hosts.data_dir) == {}
    host.client.post(f"/backups/{backup['name']}/restore").raise_for_status()
    host.add_tip("another row")
    assert modes(hosts.data_dir) == {}
    hosts.stop(host)
    assert modes(hosts.data_dir) == {}


@pytest.mark.parametrize("is_running", [True, False])
def test_an_export_is_its_owners_alone(hosts: Hosts, tmp_path: Path, is_running: bool) -> None:
    host = hosts.start()
    host.add_tip("a row")
    if not is_running:
        hosts.stop(host)
    archive = tmp_path / "everything.zip"
    code = f"{OPEN_UMASK}\nimport sys\nfrom sidecar.cli import main\nsys.exit(main())"
    command = [sys.executable, "-c", code, "export", "--data-dir", str(hosts.data_dir), str(archive)]
    subprocess.run(command, check=True, capture_output=True)
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert modes(hosts.data_dir) == {}
