"""Requests that no client of the sidecar sends: each is refused in a sentence, and none leaves a line in the log."""

import pytest

from tests.process.conftest import Hosts
from tests.process.host import Host

from .test_slow_requests import connected, everything

ODD = {
    "CONNECT": b"CONNECT a.example:443 HTTP/1.1\r\n{host}\r\n",
    "CONNECT with the token": b"CONNECT a.example:443 HTTP/1.1\r\n{host}{token}\r\n",
    "a URL beyond 64 KiB": b"GET /" + b"a" * 65_560 + b" HTTP/1.1\r\n{host}\r\n",
    "a URL far beyond 64 KiB": b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n{host}\r\n",
    "a target that is no URL": b"GET http://[::1 HTTP/1.1\r\n{host}{token}\r\n",
    "a target that is not ASCII": b"GET /\xc3\xa4 HTTP/1.1\r\n{host}{token}\r\n",
    "a target without a slash": b"GET todos HTTP/1.1\r\n{host}{token}\r\n",
    "another protocol": b"DESCRIBE rtsp://a RTSP/1.0\r\n{host}{token}\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another version": b"GET / HTTP/3.7\r\n{host}{token}\r\n",
    "no version": b"GET /\r\n\r\n",
    "a method that nobody knows": b"FOO / HTTP/1.1\r\n{host}{token}\r\n",
    "a chunk size that is no number": b"POST /tips HTTP/1.1\r\n{host}{token}Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk size that is too large": b"POST /tips HTTP/1.1\r\n{host}{token}Transfer-Encoding: chunked\r\n\r\n"
    + b"f" * 17
    + b"\r\n",
    "two kinds of length": b"POST /tips HTTP/1.1\r\n{host}{token}Content-Length: 3\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an encoding that is not spoken": b"POST /tips HTTP/1.1\r\n{host}{token}Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
    "lines without a carriage return": b"GET /tips HTTP/1.1\n{host}{token}\n\n",
    "a folded header": b"GET /tips HTTP/1.1\r\n{host}{token}X: a\r\n b\r\n\r\n",
    "a null in a header": b"GET /tips HTTP/1.1\r\n{host}{token}X: \0\r\n\r\n",
    "too many headers": b"GET /tips HTTP/1.1\r\n{host}{token}" + b"a:\r\n" * 2_000 + b"\r\n",
    "empty lines": b"\r\n" * 60_000,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 200,
    "the token in a trailer": b"POST /tips HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n0\r\n{token}\r\n",
}


def filled_in(host: Host, request: bytes) -> bytes:
    request = request.replace(b"{token}", f"Authorization: Bearer {host.token}\r\n".encode())
    return request.replace(b"{host}", f"Host: 127.0.0.1:{host.port}\r\n".encode())


@pytest.mark.parametrize("kind", ODD)
def test_it_is_refused_and_leaves_no_line_in_the_log(shared_host: Host, kind: str) -> None:
    before = shared_host.stderr
    with connected(shared_host) as connection:
        connection.sendall(filled_in(shared_host, ODD[kind]))
        status = connection.recv(10)
    assert status == b"HTTP/1.1 4"
    assert shared_host.client.get("/health/live").status_code == 200
    assert shared_host.stderr == before


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_for_another_protocol_is_answered_in_this_one(shared_host: Host, method: str) -> None:
    head = b"%s /todos HTTP/1.1\r\n{host}Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n"
    before = shared_host.stderr
    with connected(shared_host) as connection:
        connection.sendall(filled_in(shared_host, head % method.encode()) + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" * 100)
        answers = everything(connection)
    assert answers.startswith(b"HTTP/1.1 401 ")
    assert answers.count(b"HTTP/1.1") == 1
    assert shared_host.stderr == before


def test_requests_behind_each_other_are_answered_in_their_order(hosts: Hosts) -> None:
    host = hosts.start()
    count = 200
    posts = b"".join(
        filled_in(host, b"POST /tips HTTP/1.1\r\n{host}{token}Content-Type: application/json\r\n")
        + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        for number in range(count)
        if (body := b'{"content": "%d"}' % number)
    )
    with connected(host) as connection:
        connection.sendall(posts)
        received = b""
        while received.count(b"HTTP/1.1 201") < count:
            piece = connection.recv(65_536)
            assert piece
            received += piece
    assert host.tips() == [str(number) for number in range(count)]
