"""A process that can open no more files says so, and works again when it can."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from sidecar.errors import OutOfDescriptors
from sidecar.process import descriptors

from .conftest import Hosts
from .host import PATIENCE_S, Host, wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on descriptors")

FEW = 20

EATING = """
import os, pathlib, resource, threading, time
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
def eat():
    sign, eaten = pathlib.Path({sign!r}), []
    while True:
        if sign.exists():
            try:
                while True:
                    eaten.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                pass
        else:
            while eaten:
                os.close(eaten.pop())
        time.sleep(0.01)
threading.Thread(target=eat, daemon=True).start()
"""


def limited_to(count: int) -> Callable[[], None]:
    def limit() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))

    return limit


@pytest.mark.parametrize("command", ["backup", "serve"])
def test_a_limit_that_is_too_low_is_named(tmp_path: Path, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sidecar", command, "--data-dir", str(tmp_path)],
        preexec_fn=limited_to(FEW),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 2
    assert f"may open {FEW} files at a time" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_host_gets_the_code_of_it(hosts: Hosts) -> None:
    host = hosts.spawn(through=["sh", "-c", f'ulimit -n {FEW}; exec "$@"', "sh"])
    with suppress(BrokenPipeError):  # it may have ended already
        host.bootstrap()
    assert host.refusal()["code"] == "too_few_descriptors"


@pytest.fixture
def hungry(hosts: Hosts, tmp_path: Path) -> Host:
    """A sidecar that has no descriptor left while there is a file `sign` in the workplace."""
    return hosts.start(patch=EATING.format(sign=str(tmp_path / "sign")))


@contextmanager
def starving(host: Host, tmp_path: Path) -> Iterator[None]:
    sign = tmp_path / "sign"
    sign.touch()
    process = psutil.Process(host.pid)
    wait_until(lambda: process.num_fds() >= 128, "all descriptors are taken")
    yield
    sign.unlink()
    wait_until(lambda: process.num_fds() < 100, "the descriptors are free again")


def test_one_that_has_none_left_goes_on_says_so_and_recovers(hungry: Host, tmp_path: Path) -> None:
    hungry.add_tip("before")
    with starving(hungry, tmp_path):
        process = psutil.Process(hungry.pid)
        refused = hungry.client.post("/backups", json={})
        assert (refused.status_code, refused.json()["code"]) == (503, "out_of_descriptors")
        hungry.add_tip("meanwhile")
        with ExitStack() as stack:
            for _ in range(20):
                with pytest.raises(httpx.TransportError):
                    stack.enter_context(hungry.new_client()).get("/tips", timeout=0.05)
        spent = sum(process.cpu_times()[:2])
        threading.Event().wait(0.5)
        assert sum(process.cpu_times()[:2]) - spent < 0.4, "accepting without descriptors does not spin"
    with hungry.new_client() as another:
        assert another.get("/health/live").status_code == 200
    assert hungry.client.post("/backups", json={}).status_code == 201
    assert hungry.tips() == ["before", "meanwhile"]


@pytest.mark.parametrize(("number", "is_meant"), [(24, True), (23, True), (13, False), (2, False)])
def test_only_its_own_errors_are_taken_for_it(number: int, is_meant: bool) -> None:
    assert (OutOfDescriptors.caused(OSError(number, "x")) is not None) == is_meant


def test_a_low_limit_leaves_room_for_few_connections_only() -> None:
    assert descriptors.connections_within(descriptors.NEEDED) == 16
    assert 2 * descriptors.connections_within(descriptors.WANTED) + descriptors.OWN == descriptors.WANTED
