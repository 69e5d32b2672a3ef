"""Connections that do nothing, by the hundred, and heads that have no end."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

import psutil
import pytest

from sidecar.api.events import MAX_STREAMS
from sidecar.process.capacity import MAX_CONNECTIONS
from sidecar.process.connections import MAX_HEAD_BYTES
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


FEW = 9
FEW_PLACES = f"""
from sidecar.process import capacity, connections, run
run.MAX_CONNECTIONS = {FEW}
capacity.RESERVED_FOR_STRANGERS = 2
connections.UNREAD_S = 0.5
"""
FEW_STREAMS = 6
"""Two thirds of the places."""
FREQUENT_HEARTBEATS = """
from sidecar.api.events import EventHub
EventHub.__init__.__kwdefaults__["heartbeat_s"] = 0.05
"""


@pytest.fixture(scope="module")
def small_sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """One sidecar with nine places for many tests."""
    with ExitStack() as stack:
        yield Hosts(tmp_path_factory.mktemp("small"), stack).start(patch=FEW_PLACES)


@pytest.fixture
def small_host(small_sidecar: Host) -> Host:
    """That sidecar, once it has closed every connection of the test before: each takes a place until then."""
    sidecar = psutil.Process(small_sidecar.pid)
    wait_until(
        lambda: all(one.status == psutil.CONN_LISTEN for one in sidecar.net_connections("tcp")),
        "the connections of other tests are closed",
    )
    return small_sidecar


def ask(connection: socket.socket, host: Host, path: str, *, with_token: bool = True) -> bytes:
    """Send a request and return the beginning of its answer."""
    token = [f"Authorization: Bearer {host.token}"] if with_token else []
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{host.port}", *token, "", ""]
    connection.sendall("\r\n".join(lines).encode())
    return connection.recv(15)


def begin_stream(connection: socket.socket, host: Host) -> None:
    """Begin a stream, as soon as those of another test have ended."""

    def has_begun() -> bool:
        if ask(connection, host, "/events") == b"HTTP/1.1 200 OK":
            return True
        connection.recv(65_536)
        return False

    wait_until(has_begun, "there is a place for a stream")


def test_who_is_being_answered_does_not_give_way_and_a_probe_gets_in(small_host: Host) -> None:
    with many_connections(small_host, FEW_STREAMS) as streams:
        for stream in streams:
            begin_stream(stream, small_host)
        with many_connections(small_host, 20) as strangers:
            assert everything(strangers[0]) == b""
            with connected(small_host) as probe:
                assert ask(probe, small_host, "/health/live", with_token=False) == b"HTTP/1.1 200 OK"
        assert all(stream.recv(4096) for stream in streams)


def test_of_those_that_come_in_one_moment_the_last_stay(small_host: Host) -> None:
    sidecar = psutil.Process(small_host.pid)
    sidecar.suspend()
    try:
        with many_connections(small_host, 40) as strangers:
            sidecar.resume()
            wait_until(lambda: established(small_host) == FEW, "the first ones are closed")
            assert [is_closed(stranger) for stranger in strangers] == [True] * (40 - FEW) + [False] * FEW
    finally:
        sidecar.resume()


def test_a_connection_that_has_shown_the_token_stays_while_strangers_come_and_go(small_host: Host) -> None:
    with connected(small_host) as known:
        assert ask(known, small_host, "/health/live") == b"HTTP/1.1 200 OK"
        with many_connections(small_host, 100) as strangers:
            assert everything(strangers[0]) == b""
            known.recv(65_536)
            assert ask(known, small_host, "/todos") == b"HTTP/1.1 200 OK"


def test_of_those_that_have_shown_the_token_the_longest_idle_gives_way(small_host: Host) -> None:
    with ExitStack() as stack:
        known = []
        for _ in range(15):
            known.append(stack.enter_context(connected(small_host)))
            assert ask(known[-1], small_host, "/todos") == b"HTTP/1.1 200 OK"
        assert everything(known[0])  # the rest of its answer, and then the end
        for connection in known[10:]:
            assert connection.recv(65_536)
            assert not is_closed(connection)


def test_strangers_that_never_read_their_answers_give_way_and_are_closed(small_host: Host) -> None:
    requests = f"GET /todos HTTP/1.1\r\nHost: 127.0.0.1:{small_host.port}\r\n\r\n".encode() * 300
    with ExitStack() as stack:
        unread = [stack.enter_context(socket.socket()) for _ in range(10)]
        for connection in unread:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.connect(("127.0.0.1", small_host.port))
            connection.setblocking(False)
            with suppress(OSError):
                connection.send(requests)
        for _ in range(3):
            with connected(small_host) as one_more:
                assert ask(one_more, small_host, "/todos") == b"HTTP/1.1 200 OK"
        wait_until(lambda: not any(goes_on(connection, requests) for connection in unread), "all of them are closed")


def goes_on(connection: socket.socket, requests: bytes) -> bool:
    """Send what can be sent, and return whether the connection still stands."""
    try:
        connection.send(requests)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


def test_as_many_streams_as_there_may_be_leave_room_for_a_probe_and_one_more_is_refused(small_host: Host) -> None:
    with many_connections(small_host, FEW_STREAMS) as streams:
        for stream in streams:
            begin_stream(stream, small_host)
        answer = small_host.client.get("/events")
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_streams")
        with connected(small_host) as probe:
            assert ask(probe, small_host, "/health/live", with_token=False) == b"HTTP/1.1 200 OK"
        streams[0].close()
        wait_until(lambda: stream_status(small_host) == 200, "the place of a stream that was closed is free")


def stream_status(host: Host) -> int:
    with host.client.stream("GET", "/events") as answer:
        return answer.status_code


def test_200_streams_with_the_token_do_not_keep_the_health_check_out(hosts: Hosts) -> None:
    host = hosts.start()
    with many_connections(host, MAX_CONNECTIONS) as streams:
        first_bytes = [ask(stream, host, "/events") for stream in streams]
        assert first_bytes.count(b"HTTP/1.1 200 OK") == MAX_STREAMS
        with connected(host) as probe:
            assert ask(probe, host, "/health/live", with_token=False) == b"HTTP/1.1 200 OK"


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


def test_a_stream_with_a_request_behind_it_gives_its_place_back_when_its_connection_ends(hosts: Hosts) -> None:
    host = hosts.start(patch=FEW_PLACES + FREQUENT_HEARTBEATS)
    with many_connections(host, FEW_STREAMS) as streams:
        for stream in streams:
            begin_stream(stream, host)
            stream.sendall(f"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1:{host.port}\r\n\r\n".encode())
            stream.recv(4096)
    with connected(host) as stream:
        begin_stream(stream, host)


def test_where_there_are_few_places_strangers_do_not_take_those_of_connections_with_the_token(hosts: Hosts) -> None:
    places = 16  # for the fewest files that a process may open
    host = hosts.start(patch=f"from sidecar.process import run\nrun.MAX_CONNECTIONS = {places}")
    with connected(host) as known:
        assert ask(known, host, "/health/live") == b"HTTP/1.1 200 OK"
        known.recv(65_536)
        with many_connections(host, 2 * places - 4) as strangers:
            assert everything(strangers[0]) == b""
            assert not is_closed(known)
