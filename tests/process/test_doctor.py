"""`sidecar doctor` while a sidecar runs: it asks that one, and says so."""

import json
import subprocess
import sys
from pathlib import Path

from .conftest import Hosts
from .host import PATIENCE_S


def findings(data_dir: Path) -> dict[str, dict[str, str]]:
    """What the command finds, by subject; nothing of it may be a problem."""
    command = [sys.executable, "-m", "sidecar", "doctor", "--data-dir", str(data_dir), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return {finding["subject"]: finding for finding in json.loads(done.stdout)["findings"]}


def test_it_asks_the_sidecar_that_runs_wherever_that_has_its_database(hosts: Hosts, tmp_path: Path) -> None:
    host = hosts.start(settings={"database": {"path": str(tmp_path / "elsewhere" / "store.db")}})
    host.add_tip("one")
    host.client.post("/backups", json={}).raise_for_status()
    found = findings(hosts.data_dir)
    assert str(host.pid) in found["owner"]["message"]
    assert "answers" in found["owner"]["message"]
    assert {found[subject]["level"] for subject in ("schema", "integrity", "references", "search index")} == {"ok"}
    assert found["search index"]["message"] == "The search index has every row."
    assert "is 0 days old" in found["backups"]["message"]
    assert str(tmp_path / "elsewhere") in found["permissions"]["message"]
