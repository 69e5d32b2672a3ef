"""Live events of a real sidecar over real sockets: those who read, those who do not, and the end."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import psutil
import pytest

from .conftest import Hosts
from .host import PATIENCE_S, Host

SUBSCRIBERS_THAT_NEVER_READ = 100
MEMORY_FOR_THEM = 48 * 1024 * 1024
"""The ring, and for each of them at most a buffer of 64 KiB, a piece of 32 KiB, and what keeps a connection."""
STOPPED_WITHIN_S = 1.0


def deaf_subscriber(host: Host) -> socket.socket:
    """A connection that asks for all events and never reads."""
    connection = socket.create_connection(("127.0.0.1", host.port), timeout=PATIENCE_S)
    lines = ["GET /events HTTP/1.1", f"Host: 127.0.0.1:{host.port}", f"Authorization: Bearer {host.token}"]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    return connection


def events_of(response: httpx.Response) -> Iterator[tuple[str, str, dict[str, Any]]]:
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        if "data" in fields:
            yield fields["event"], fields["id"], json.loads(fields["data"])
        fields = {}


def memory_of(host: Host) -> int:
    return int(psutil.Process(host.pid).memory_info().rss)


def test_a_change_reaches_a_subscriber(hosts: Hosts) -> None:
    host = hosts.start()
    with host.new_client() as client, client.stream("GET", "/events?topics=tips") as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        events = events_of(response)
        assert next(events)[0] == "hello"
        row = host.add_tip("one")
        assert next(events) == ("tips", f"{host.events[-1]['instance']}-1", {"topic": "tips", "id": row})


def test_another_instance_resets_whoever_comes_back(hosts: Hosts) -> None:
    host = hosts.start()
    last = f"{host.events[-1]['instance']}-0"
    hosts.stop(host)
    again = hosts.start()
    with again.new_client() as client, client.stream("GET", "/events", headers={"Last-Event-ID": last}) as response:
        events = events_of(response)
        assert next(events)[2]["start"] == "reset"
        assert next(events)[2] == {"reason": "another_instance"}


@pytest.mark.slow
def test_subscribers_that_never_read_hold_no_memory_and_stop_no_writer(hosts: Hosts) -> None:
    host = hosts.start()
    message = growing_message(host)
    append(host, message, 200)
    before = memory_of(host)
    with ExitStack() as stack:
        for _ in range(SUBSCRIBERS_THAT_NEVER_READ):
            stack.enter_context(deaf_subscriber(host))
        append(host, message, 3_000)
        assert memory_of(host) - before < MEMORY_FOR_THEM
        started = time.monotonic()
        hosts.stop(host)
        assert time.monotonic() - started < STOPPED_WITHIN_S
    assert "ERROR" not in host.stderr


def test_streams_that_are_read_end_cleanly_when_the_sidecar_stops(hosts: Hosts) -> None:
    host = hosts.start()
    with host.new_client() as client, client.stream("GET", "/events") as response:
        events = events_of(response)
        assert next(events)[0] == "hello"
        started = time.monotonic()
        host.shutdown()
        assert list(events) == []
        assert host.wait() == 0
        assert time.monotonic() - started < STOPPED_WITHIN_S
    assert "ERROR" not in host.stderr


def growing_message(host: Host) -> int:
    conversation = host.client.post("/conversations", json={"page_name": "chat"}).raise_for_status().json()
    path = f"/conversations/{conversation['id']}/messages/stream"
    return int(host.client.post(path, json={}).raise_for_status().json()["id"])


def append(host: Host, message: int, count: int) -> None:
    """Add chunks of 2 KiB, one after the other."""
    for _ in range(count):
        host.client.post(f"/messages/{message}/append", json={"content_chunk": "x" * 2_048}).raise_for_status()
