"""Connections that do nothing, by the hundred, and heads that have no end."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import psutil
import pytest

from sidecar.process.connections import MAX_CONNECTIONS, MAX_HEAD_BYTES
from tests.process.conftest import Hosts
from tests.process.host import PATIENCE_S, Host, wait_until

from .test_slow_requests import connected, everything


@contextmanager
def many_connections(host: Host, count: int) -> Iterator[Sequence[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(connected(host)) for _ in range(count)]


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    finally:
        connection.settimeout(PATIENCE_S)


def established(host: Host) -> int:
    """The sidecar's own ends of its connections."""
    found = psutil.Process(host.pid).net_connections("tcp")
    return sum(one.status == psutil.CONN_ESTABLISHED for one in found)


def test_hundreds_of_idle_connections_keep_nobody_out_and_are_bounded(hosts: Hosts) -> None:
    host = hosts.start()
    with many_connections(host, 3 * MAX_CONNECTIONS) as connections:
        assert host.add_tip("answered") > 0
        wait_until(lambda: established(host) <= MAX_CONNECTIONS, "the oldest connections are closed")
        assert all(is_closed(connection) for connection in connections[:MAX_CONNECTIONS])
        assert not is_closed(connections[-1])
    assert host.tips() == ["answered"]


def test_who_is_being_answered_does_not_give_way(hosts: Hosts) -> None:
    host = hosts.start(patch="from sidecar.process import connections\nconnections.MAX_CONNECTIONS = 3")
    lines = ["GET /events HTTP/1.1", f"Host: 127.0.0.1:{host.port}", f"Authorization: Bearer {host.token}", "", ""]
    with many_connections(host, 3) as streams:
        for stream in streams:
            stream.sendall("\r\n".join(lines).encode())
            assert stream.recv(15) == b"HTTP/1.1 200 OK"
        with connected(host) as one_more:
            assert everything(one_more) == b""
        host_is_told = [stream.recv(4096) for stream in streams]
        assert all(host_is_told)


@pytest.mark.parametrize(
    "beginning", [b"GET /health/live?", b"GET /health/live HTTP/1.1\r\nX-Long: ", b"GET / HTTP/1.1\r\nX"]
)
def test_a_head_without_end_is_refused_after_little_of_it(hosts: Hosts, shared_host: Host, beginning: bytes) -> None:
    with connected(shared_host) as connection:
        connection.sendall(beginning)
        sent = 0
        try:
            while sent < 100 * MAX_HEAD_BYTES:
                connection.sendall(b"x" * 4096)
                sent += 4096
        except OSError:
            pass
        everything(connection)
    assert sent < 100 * MAX_HEAD_BYTES
    assert shared_host.client.get("/health/live").status_code == 200


def test_a_head_that_is_a_little_too_large_is_told_so(shared_host: Host) -> None:
    with connected(shared_host) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\n")
        # With the request line too large by that, so that nothing is still to be sent when the connection is closed.
        for _ in range(MAX_HEAD_BYTES // 1024):
            connection.sendall(b"X: " + b"x" * 1019 + b"\r\n")
        assert b"431" in everything(connection)


def test_what_is_not_http_is_answered_with_a_problem(shared_host: Host) -> None:
    answer = shared_host.exchange(b"\x16\x03\x01 not HTTP\r\n\r\n")
    assert (answer.status, answer.code) == (400, "malformed_request")


def test_a_websocket_is_not_opened_and_not_without_the_token(shared_host: Host) -> None:
    lines = [
        "GET /events HTTP/1.1",
        f"Host: 127.0.0.1:{shared_host.port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ]
    assert shared_host.exchange("\r\n".join([*lines, "", ""]).encode()).status == 401
