"""The job of a restore, whose sidecar is killed at some moment of it: it says what became of the store."""

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from ..sampling import sampled
from .conftest import Hosts
from .host import Host, wait_until
from .test_backups import KEY, filled, killed_during, names

__all__ = ["filled"]

HEADERS = {**KEY, "Prefer": "respond-async"}
UNFINISHED = {"queued", "running"}


def all_jobs(host: Host) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = host.client.get("/jobs").raise_for_status().json()["items"]
    return items


@pytest.mark.parametrize("seed", sampled(range(12), every=3))
def test_the_job_of_a_restore_says_which_store_there_is_whenever_the_sidecar_is_killed(
    hosts: Hosts, filled: Path, tmp_path: Path, seed: int
) -> None:
    data_dir = tmp_path / "data"
    shutil.copytree(filled, data_dir)
    (name,) = names(data_dir)
    restore = f"/backups/{name}/restore"
    killed_during(hosts, data_dir, restore, random.Random(seed).uniform(0, 0.6), HEADERS)
    host = hosts.start(data_dir)
    is_restored = "new" not in host.tips()
    wait_until(lambda: not UNFINISHED & {job["status"] for job in all_jobs(host)}, "every job is settled")
    own = [job for job in all_jobs(host) if job["name"] == "backups.restore"]
    if is_restored:
        assert [job["status"] for job in own] == ["done"]
        assert own[0]["result"]["restored"]["name"] == name
        backup = next(job for job in all_jobs(host) if job["name"] == "backups.create")
        assert (backup["status"], backup["error_code"]) == ("interrupted", "interrupted")
    else:
        assert [job["status"] for job in own] in ([], ["interrupted"])
    host.add_tip("since")
    again = host.client.post(restore, json={}, headers=HEADERS)
    assert again.status_code == 202
    if own:
        assert again.json()["id"] == own[0]["id"]
        assert host.tips()[-1] == "since"
    else:
        wait_until(lambda: "since" not in host.tips(), "the restore that was not begun is done")
