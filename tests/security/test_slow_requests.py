"""Requests that take for ever to arrive, from programs that need no token for that."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.process.conftest import Hosts
from tests.process.host import PATIENCE_S, Host

IMPATIENT = """
from sidecar.process import connections, server
connections.HEAD_S = {head}
connections.BODY_INTERVAL_S = {body}
connections.BODY_BYTES_PER_INTERVAL = 100
server.KEEP_ALIVE_S = {keep_alive}
"""


def impatient(hosts: Hosts, head: float = 60, body: float = 60, keep_alive: float = 60) -> Host:
    """A sidecar with these limits in seconds."""
    return hosts.start(patch=IMPATIENT.format(head=head, body=body, keep_alive=keep_alive))


@contextmanager
def connected(host: Host) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", host.port), timeout=PATIENCE_S) as connection:
        yield connection


@contextmanager
def dripping(connection: socket.socket, drop: bytes) -> Iterator[None]:
    """One drop after the other, in a thread, until the other side has had enough or the block ends."""
    ended = threading.Event()

    def drip() -> None:
        while not ended.wait(0.02):
            try:
                connection.sendall(drop)
            except OSError:
                return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side closes, which it must within the test's patience."""
    received = b""
    try:
        while piece := connection.recv(4096):
            received += piece
    except ConnectionResetError:
        pass
    return received


def head(host: Host, *headers: str) -> bytes:
    lines = ["POST /tips HTTP/1.1", f"Host: 127.0.0.1:{host.port}", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def authorized(host: Host, length: int) -> bytes:
    return head(
        host, f"Authorization: Bearer {host.token}", "Content-Type: application/json", f"Content-Length: {length}"
    )


def test_headers_that_drip_are_cut_off_while_others_are_answered(hosts: Hosts) -> None:
    host = impatient(hosts, head=0.5)
    with connected(host) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nX-Slow: ")
        with dripping(connection, b"x"):
            host.add_tip("in between")
            assert everything(connection).startswith(b"HTTP/1.1 408 ")
    assert host.tips() == ["in between"]


def test_who_connects_and_says_nothing_is_cut_off(hosts: Hosts) -> None:
    host = impatient(hosts, head=0.2)
    with connected(host) as connection:
        assert everything(connection) == b""


def test_headers_that_drip_behind_a_whole_request_are_cut_off(hosts: Hosts) -> None:
    host = impatient(hosts, head=0.5)
    with connected(host) as connection:
        connection.sendall(f"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1:{host.port}\r\n\r\nGET /".encode())
        with dripping(connection, b"x"):
            answers = everything(connection)
    assert answers.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answers


def test_a_body_that_drips_is_cut_off_and_changes_nothing(hosts: Hosts) -> None:
    host = impatient(hosts, body=1)
    with connected(host) as connection:
        connection.sendall(authorized(host, 100_000) + b'{"content": "')
        with dripping(connection, b"x"):
            assert everything(connection).startswith(b"HTTP/1.1 408 ")
    assert host.tips() == []
    assert "Traceback" not in host.stderr


def test_a_body_that_comes_slowly_but_comes_is_taken(hosts: Hosts) -> None:
    host = impatient(hosts, body=1)
    body = b'{"content": "%s"}' % (b"x" * 300)
    with connected(host) as slow, connected(host) as silent:
        slow.sendall(authorized(host, len(body)) + body[:200])
        silent.sendall(authorized(host, len(body)))
        everything(silent)  # one interval has passed for both
        slow.sendall(body[200:])
        assert slow.recv(4096).startswith(b"HTTP/1.1 201 ")


def test_the_answer_to_a_request_without_a_token_does_not_wait_for_its_body(hosts: Hosts) -> None:
    host = impatient(hosts)
    with connected(host) as connection:
        connection.sendall(head(host, "Content-Length: 1000"))
        assert connection.recv(4096).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("rest", [b"", b'{"content": "x"}'], ids=["that never comes", "that comes after all"])
def test_a_body_that_was_refused_does_not_keep_its_connection_for_ever(hosts: Hosts, rest: bytes) -> None:
    host = impatient(hosts, body=0.3, keep_alive=0.3)
    with connected(host) as connection:
        connection.sendall(head(host, "Content-Length: 16"))
        answer = connection.recv(4096)
        connection.sendall(rest)
        answer += everything(connection)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_an_idle_connection_is_closed_at_its_limit(hosts: Hosts) -> None:
    host = impatient(hosts, keep_alive=0.3)
    with connected(host) as connection:
        connection.sendall(f"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1:{host.port}\r\n\r\n".encode())
        assert everything(connection).startswith(b"HTTP/1.1 200 ")


def test_a_request_that_is_answered_slowly_is_not_cut_off(hosts: Hosts) -> None:
    host = impatient(hosts, head=0.2, body=0.2, keep_alive=0.2)
    with ExitStack() as stack:
        stream, silent = stack.enter_context(connected(host)), stack.enter_context(connected(host))
        lines = ["GET /events HTTP/1.1", f"Host: 127.0.0.1:{host.port}", f"Authorization: Bearer {host.token}", "", ""]
        stream.sendall("\r\n".join(lines).encode())
        everything(silent)  # the time for a head has passed
        everything(stack.enter_context(connected(host)))  # and once more
        host.add_tip("told")
        received = b""
        while b"event: tips" not in received:
            piece = stream.recv(4096)
            assert piece, received
            received += piece


def test_an_answer_on_a_connection_that_closes_waits_for_a_peer_with_the_token(hosts: Hosts) -> None:
    host = hosts.start(patch="from sidecar.process import coalescing\ncoalescing.LINGER_S = 0.1")
    for _ in range(20):
        host.add_tip("x" * 100_000)
    lines = [
        "GET /tips?limit=100 HTTP/1.1",
        f"Host: 127.0.0.1:{host.port}",
        f"Authorization: Bearer {host.token}",
        "Connection: close",
    ]
    with connected(host) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        time.sleep(1)  # busy with something else
        head, _, body = everything(connection).partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head
    assert len(body) > 2_000_000
