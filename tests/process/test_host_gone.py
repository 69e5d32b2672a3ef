"""A host that dies takes its sidecar with it: gracefully where that is possible, within 2 s always."""

import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx

from .conftest import Hosts
from .host import Host, is_running, wait_until
from .patches import BLOCKED_EVENT_LOOP, LONG_MIGRATION, LONG_UNIT_OF_WORK

THROUGH_A_HOST = [sys.executable, str(Path(__file__).with_name("host_program.py"))]
GONE_WITHIN_S = 2.0


def kill_host(host: Host) -> None:
    """SIGKILL (on Windows, TerminateProcess) for the program that started the sidecar."""
    assert host.process.pid != host.pid
    host.process.kill()
    host.process.wait()


def assert_gone_in_time(host: Host) -> None:
    wait_until(lambda: not is_running(host.pid), "the sidecar is gone", GONE_WITHIN_S)


def call_in_vain(host: Host, method: str, path: str, **options: object) -> threading.Thread:
    """Make a call that will not be answered, in a thread that ends with the connection."""

    def call() -> None:
        with suppress(httpx.HTTPError):
            host.client.request(method, path, **options)  # type: ignore[arg-type]

    thread = threading.Thread(target=call)
    thread.start()
    return thread


def test_a_sidecar_goes_cleanly_when_its_host_is_killed(hosts: Hosts) -> None:
    host = hosts.start(through=THROUGH_A_HOST)
    host.add_tip("kept")
    kill_host(host)
    assert_gone_in_time(host)
    assert host.remaining_events()[-1] == {"event": "stopping", "reason": "host_gone"}
    assert not (hosts.data_dir / "run.json").exists()
    assert hosts.start().tips() == ["kept"]


def test_a_sidecar_goes_while_a_unit_of_work_is_long(hosts: Hosts) -> None:
    host = hosts.start(through=THROUGH_A_HOST, patch=LONG_UNIT_OF_WORK)
    host.add_tip("kept")
    call = call_in_vain(host, "POST", "/tips", json={"content": "slow"})
    wait_until(lambda: "has begun" in host.stderr, "the unit of work begins")
    kill_host(host)
    assert_gone_in_time(host)
    call.join()
    assert hosts.start().tips() == ["kept"]


def test_a_sidecar_goes_while_its_event_loop_is_blocked(hosts: Hosts) -> None:
    host = hosts.start(through=THROUGH_A_HOST, patch=BLOCKED_EVENT_LOOP)
    call = call_in_vain(host, "GET", "/health/ready")
    wait_until(lambda: "is blocked" in host.stderr, "the event loop is blocked")
    kill_host(host)
    assert_gone_in_time(host)
    call.join()


def test_a_sidecar_goes_while_it_migrates_and_the_next_one_migrates_again(hosts: Hosts) -> None:
    host = hosts.begin(through=THROUGH_A_HOST, patch=LONG_MIGRATION.format(seconds=60))
    host.event("stage")
    kill_host(host)
    assert_gone_in_time(host)
    assert "migrating" in hosts.start().stages


def test_a_sidecar_goes_that_never_heard_of_a_data_directory(hosts: Hosts) -> None:
    host = hosts.spawn(through=THROUGH_A_HOST)
    host.event("bound")
    kill_host(host)
    assert_gone_in_time(host)
    assert host.remaining_events()[-1]["exit_code"] == 2


def test_by_force_is_an_internal_error_to_whoever_still_looks(hosts: Hosts) -> None:
    host = hosts.start(patch=LONG_UNIT_OF_WORK)
    call = call_in_vain(host, "POST", "/tips", json={"content": "slow"})
    wait_until(lambda: "has begun" in host.stderr, "the unit of work begins")
    started = time.monotonic()
    host.close_pipe()
    assert host.wait(GONE_WITHIN_S) == 1
    assert time.monotonic() - started > 1.4, "it was not given its time to end gracefully"
    call.join()
