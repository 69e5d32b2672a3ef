"""A real sidecar answers everything as before after it was killed, and after a restore by the command line."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from ..process.conftest import Hosts
from ..process.host import PATIENCE_S, Host
from .everything import assert_equal, read_everything
from .populated import populate

T = TypeVar("T")


def with_client(host: Host, use: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
    """What `use` returns with a client of this sidecar."""

    async def run() -> T:
        headers = {"Authorization": f"Bearer {host.token}"}
        url = f"http://127.0.0.1:{host.port}"
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE_S, trust_env=False) as client:
            return await use(client)

    return asyncio.run(run())


def command(hosts: Hosts, name: str, *arguments: str) -> None:
    words: list[str | Path] = [sys.executable, "-m", "sidecar", name, "--data-dir", hosts.data_dir, *arguments]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr


def test_a_sidecar_that_was_killed_answers_everything_as_before(hosts: Hosts) -> None:
    host = hosts.start()
    with_client(host, populate)
    before = with_client(host, read_everything)
    host.process.kill()
    host.wait()
    assert_equal(before, with_client(hosts.start(), read_everything))


@pytest.mark.slow
@pytest.mark.parametrize("is_running", [True, False])
def test_a_backup_restored_by_the_command_line_answers_everything_as_before(hosts: Hosts, is_running: bool) -> None:
    host = hosts.start()
    with_client(host, populate)
    before = with_client(host, read_everything)
    command(hosts, "backup")
    (backup,) = (hosts.data_dir / "backups").glob("*.db")
    with_client(host, populate)
    if not is_running:
        hosts.stop(host)
    command(hosts, "restore", backup.name)
    if not is_running:
        host = hosts.start()
    assert_equal(before, with_client(host, read_everything))
