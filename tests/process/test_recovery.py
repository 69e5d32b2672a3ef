"""A sidecar over a damaged database: it says what it is busy with, serves what could be saved, and may be killed in the
middle of that."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from sidecar.storage.sqlite.backup import snapshot

from ..storage.damage import leaves, overwrite, populate, storage_at
from .conftest import Hosts
from .host import Host, wait_until

SLOW_RECOVERY = """
import time
from sidecar.storage.sqlite.recovery import ladder as recovery
sync = recovery.atomic.sync
def sync_slowly(path):
    sync(path)
    if path.name.endswith(".recovering"):
        recovery_announce()
        time.sleep(60)
recovery.atomic.sync = sync_slowly
swap = recovery.Recovery.__init__
def remember(self, path, backups, announce, clock):
    global recovery_announce
    recovery_announce = lambda: announce("recovering", "half way")
    swap(self, path, backups, announce, clock)
recovery.Recovery.__init__ = remember
"""
"""A recovery stops for a minute when the new file is complete and not yet in its place."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a storage that was closed: 200 tips, a backup, and no sidecar."""
    directory = tmp_path_factory.mktemp("template")

    async def make() -> None:
        storage = storage_at(directory)
        await storage.initialize()
        await populate(storage, "row", rows=200)
        await storage.close()

    asyncio.run(make())
    with closing(sqlite3.connect(directory / "sidecar.db", isolation_level=None)) as connection:
        snapshot.make_snapshot(connection, directory / "backups" / "20260101T000000.000Z-schema-1-test.db")
    return directory


@pytest.fixture
def damaged(hosts: Hosts, template: Path) -> Path:
    """A data directory whose database has lost a page of tips."""
    shutil.copytree(template, hosts.data_dir)
    file = hosts.data_dir / "sidecar.db"
    overwrite(file, leaves(file, "tips")[1])
    return file


def health(host: Host) -> dict[str, Any]:
    answer: dict[str, Any] = host.client.get("/health/ready").json()
    return answer


def test_it_tells_the_stage_and_serves_everything(hosts: Hosts, damaged: Path) -> None:
    host = hosts.start()
    assert "recovering" in host.stages
    assert len(host.tips()) == 200
    ready = health(host)
    assert ready["status"] == "ready"
    assert "test.db" in ready["components"]["recovery"]["detail"]
    (report,) = host.client.get("/recovery").json()["items"]
    assert (hosts.data_dir / report["set_aside"]).exists()
    assert host.client.post("/recovery/acknowledge").status_code == 200
    assert health(host)["components"]["recovery"]["detail"] is None


def test_killed_in_the_middle_of_a_recovery_the_next_start_has_everything(hosts: Hosts, damaged: Path) -> None:
    dying = hosts.begin(patch=SLOW_RECOVERY)
    wait_until(lambda: _stage(dying) == "half way", "the recovery is half way")
    dying.process.kill()
    dying.wait()
    host = hosts.start()
    assert len(host.tips()) == 200
    assert len(host.client.get("/recovery").json()["items"]) == 1


def _stage(host: Host) -> str:
    return str(host.event("stage")["detail"])


def test_damage_that_is_met_while_it_runs_is_mended_while_it_runs(hosts: Hosts, template: Path) -> None:
    shutil.copytree(template, hosts.data_dir)
    host = hosts.start()
    file = hosts.data_dir / "sidecar.db"
    overwrite(file, leaves(file, "tips")[1])

    def read_all() -> httpx.Response:
        return host.client.get("/tips", params={"limit": 1000})

    refused = read_all()
    assert refused.status_code == 503
    assert (refused.json()["code"], refused.json()["retryable"]) == ("database_damaged", True)
    wait_until(lambda: read_all().status_code == 200, "tips can be read again")
    assert len(host.tips()) == 200
    assert host.add_tip("new") == 201
    wait_until(lambda: _detail(host, "recovery") is not None, "the health check tells of it")
    hosts.stop(host)


def _detail(host: Host, component: str) -> str | None:
    detail: str | None = health(host)["components"][component]["detail"]
    return detail
