"""What a sidecar that does not answer tells of itself when its host asks for its stacks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

from .conftest import Hosts
from .host import Host, wait_until
from .patches import BLOCKED_EVENT_LOOP, LONG_MIGRATION

ASK = b'{"command":"stacks"}'
BEGIN, END = "--- stacks of all threads ---\n", "--- end of stacks ---\n"


def stacks_of(host: Host) -> str:
    """What it writes between the markers when it is asked."""
    earlier = host.stderr.count(END)
    host.send(ASK)
    wait_until(lambda: host.stderr.count(END) > earlier, "the stacks")
    return host.stderr.split(BEGIN)[-1].split(END)[0]


@contextmanager
def blocking_request(host: Host) -> Iterator[None]:
    """A request under way that takes the event loop and does not give it back."""

    def ask() -> None:
        with suppress(httpx.HTTPError), host.new_client() as client:
            client.get("/health/ready")

    thread = threading.Thread(target=ask)
    thread.start()
    wait_until(lambda: "the event loop is blocked" in host.stderr, "the event loop is blocked")
    yield
    host.process.kill()
    thread.join()


def test_a_blocked_event_loop_is_found_in_the_stacks(hosts: Hosts) -> None:
    host = hosts.start(patch=BLOCKED_EVENT_LOOP)
    with blocking_request(host):
        stacks = stacks_of(host)
    assert "in never_return" in stacks
    assert stacks.count("hread 0x") >= 3, stacks


def test_the_stacks_hold_no_token(hosts: Hosts) -> None:
    host = hosts.start()
    host.client.get("/todos").raise_for_status()
    assert host.token not in stacks_of(host)


def test_a_sidecar_that_is_well_goes_on_as_before(hosts: Hosts) -> None:
    host = hosts.start()
    assert stacks_of(host) != ""
    assert stacks_of(host) != ""
    assert host.client.get("/health/live").status_code == 200
    hosts.stop(host)


def test_a_sidecar_that_is_starting_has_stacks_too(hosts: Hosts) -> None:
    host = hosts.begin(patch=LONG_MIGRATION.format(seconds=0.5))
    host.event("stage")
    assert "in _connect_writer" in stacks_of(host)
