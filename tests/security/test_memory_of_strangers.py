"""The memory that programs without the token can make the sidecar hold, for each way to send bytes."""

import os
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import httpx
import psutil
import pytest

from tests.process.conftest import Hosts
from tests.process.host import Host

SHORT_S = 0.25
LONG_S = 60.0 * (float(os.environ.get("CHAOS_MINUTES") or 0) or 0.5)

MOST_MEMORY = 48 * 1024 * 1024
"""Of growth, in bytes. Pipelines and trailers took hundreds of megabytes within seconds when they had no bound."""

MOST_LOG = 64 * 1024

PROBE_S = 2.0
"""The time that the bridge gives a probe."""


class Way(NamedTuple):
    """What each connection sends: the opening once, and then the flood again and again."""

    name: str
    opening: bytes = b""
    flood: bytes = b""
    reads: bool = False
    connections: int = 4


HOST = b"Host: 127.0.0.1:%(port)d\r\n"
LIVE = b"GET /health/live HTTP/1.1\r\n" + HOST + b"\r\n"
CHUNKED = b"POST /todos HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"

WAYS = [
    Way("requests behind each other", flood=LIVE, reads=True),
    Way("requests behind each other, with answers that nobody reads", flood=LIVE),
    Way("short requests behind each other", flood=b"GET / HTTP/1.1\r\n\r\n", reads=True),
    Way("posts behind each other", flood=b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n123456789", reads=True),
    Way("a body that is refused", CHUNKED, b"400\r\n" + b"x" * 1024 + b"\r\n"),
    Way("a body that is announced", b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"x" * 1024),
    Way("trailers", CHUNKED + b"0\r\n", b"a: b\r\n"),
    Way("a trailer without end", CHUNKED + b"0\r\na: ", b"x"),
    Way("extensions of a chunk", CHUNKED + b"1;a=", b"x"),
    Way("many chunks of one byte", CHUNKED, b"1;a=bbbbbbbb\r\nx\r\n"),
    Way("heads that do not end", LIVE[:-2] + b"X: ", b"", connections=300),
    Way("large heads that do not end", b"GET / HTTP/1.1\r\nX: " + b"x" * 60_000, b"", connections=150),
    Way("many small headers", b"GET / HTTP/1.1\r\n", b"a:\r\n", connections=50),
    Way("a header without end", b"GET / HTTP/1.1\r\nX: ", b"x"),
    Way("a URL without end", b"GET /", b"x"),
    Way("CONNECT", flood=b"CONNECT a.example:443 HTTP/1.1\r\n" + HOST + b"\r\n", reads=True),
    Way("upgrades", flood=LIVE[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", reads=True),
    Way("what looks like TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00" * 512),
    Way("empty lines", flood=b"\r\n"),
    Way("connections", connections=600),
]


class Strangers(threading.Thread):
    """Sends in one way until it is told to end, and makes a new connection for each that is closed."""

    def __init__(self, way: Way, port: int) -> None:
        super().__init__()
        self._way = way
        self._port = port
        self._opening = way.opening.replace(b"%(port)d", b"%d" % port)
        flood = way.flood.replace(b"%(port)d", b"%d" % port)
        self._flood = flood * (65_536 // len(flood)) if flood else b""
        self._unsent: dict[socket.socket, bytes] = {}
        self._selector = selectors.DefaultSelector()
        self.has_to_end = threading.Event()
        self.sent = 0

    def run(self) -> None:
        try:
            while not self.has_to_end.is_set():
                while len(self._unsent) < self._way.connections and not self.has_to_end.is_set():
                    self._connect()
                for key, _ in self._selector.select(0.02):
                    connection = key.fileobj
                    assert isinstance(connection, socket.socket)
                    try:
                        self._work(connection)
                    except BlockingIOError:
                        pass
                    except OSError:
                        self._forget(connection)
        finally:
            for connection in list(self._unsent):
                self._forget(connection)
            self._selector.close()

    def _connect(self) -> None:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=PROBE_S)
        connection.setblocking(False)
        self._unsent[connection] = self._opening
        wanted = selectors.EVENT_READ if self._way.reads or not self._flood else 0
        self._selector.register(connection, wanted | selectors.EVENT_WRITE)

    def _work(self, connection: socket.socket) -> None:
        if self._way.reads and connection.recv(1 << 20) == b"":
            raise ConnectionResetError
        unsent = self._unsent[connection] or self._flood
        if not unsent:
            self._selector.modify(connection, selectors.EVENT_READ)
            if connection.recv(4096) == b"":
                raise ConnectionResetError
            return
        sent = connection.send(unsent)
        self.sent += sent
        # A part of a flood goes on where it was cut, so that it stays what it is.
        self._unsent[connection] = unsent[sent:]

    def _forget(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        del self._unsent[connection]
        connection.close()


@contextmanager
def strangers(way: Way, host: Host) -> Iterator[Strangers]:
    sending = Strangers(way, host.port)
    sending.start()
    try:
        yield sending
    finally:
        sending.has_to_end.set()
        sending.join()


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with ExitStack() as stack:
        host = Hosts(tmp_path_factory.mktemp("attacked"), stack).start()
        host.add_tip("kept")
        yield host


def probe(host: Host) -> None:
    """What a host sends: over its own connection, and over a new one, with and without its token."""
    assert host.client.get("/tips", timeout=PROBE_S).status_code == 200
    for headers in ({}, {"Authorization": f"Bearer {host.token}"}):
        url = f"http://127.0.0.1:{host.port}/health/live"
        with httpx.Client(trust_env=False, verify=False, timeout=PROBE_S) as client:
            assert client.get(url, headers=headers).status_code == 200


def attack(host: Host, way: Way, seconds: float) -> None:
    sidecar = psutil.Process(host.pid)
    before, log = sidecar.memory_info().rss, len(host.stderr)
    peak = before
    with strangers(way, host) as sending:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            probe(host)
            peak = max(peak, sidecar.memory_info().rss)
            sending.has_to_end.wait(0.02)
        assert sending.is_alive()
    assert peak - before < MOST_MEMORY, f"{(peak - before) / 2**20:.0f} MiB for {sending.sent / 2**20:.1f} MiB sent"
    assert len(host.stderr) - log < MOST_LOG
    assert "Traceback" not in host.stderr


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name.replace(" ", "-"))
def test_it_is_little_and_the_host_gets_in(attacked: Host, way: Way) -> None:
    attack(attacked, way, SHORT_S)


@pytest.mark.slow
@pytest.mark.timeout(LONG_S * 2 + 60)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name.replace(" ", "-"))
def test_it_stays_little_for_long(attacked: Host, way: Way) -> None:
    attack(attacked, way, LONG_S)
