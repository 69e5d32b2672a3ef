"""What one connection may take: time for a request to arrive, bytes for its head, a place among the others.

Any program of the computer can connect, and needs no token to be slow. So a connection that nobody is being answered on
has a deadline, and the one that has been idle for longest gives way when there are too many.
"""

from asyncio import Handle
from collections.abc import Callable
from enum import Enum
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sidecar.api.problems import problem_response
from sidecar.errors import HeadTooLarge, MalformedRequest, RequestRefused, RequestTooSlow
from sidecar.process.joined_writes import JoinedWrites

MAX_CONNECTIONS = 200
"""More than a host needs, and fewer than the 256 descriptors that a process has on some systems."""

HEAD_S = 15.0
"""From connecting, or the first byte of a later request, to the end of its headers."""

MAX_HEAD_BYTES = 64 * 1024
"""The request line and all headers. What arrives with the body in one piece is not counted so exactly."""

BODY_INTERVAL_S = 30.0
BODY_BYTES_PER_INTERVAL = 64 * 1024
"""A body that is not finished brings at least so many bytes in each interval, unless it is the sidecar that is slow."""


class _Phase(Enum):
    BETWEEN = "between"
    HEAD = "head"
    BODY = "body"


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's connection, which is closed when it takes too much."""

    _phase = _Phase.BETWEEN
    _received = 0
    _deadline: Handle | None = None
    _idle_since = 0.0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(JoinedWrites(transport, self.loop))  # type: ignore[arg-type]
        self._idle_since = self.loop.time()
        self._expect_within(HEAD_S, self._head_is_late)
        if len(self.connections) > MAX_CONNECTIONS:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._phase is not _Phase.BODY:
            self._received += len(data)
        super().data_received(data)
        if self._phase is _Phase.HEAD:
            if self._received > MAX_HEAD_BYTES:
                self._refuse(HeadTooLarge(f"The request line and headers are larger than {MAX_HEAD_BYTES} bytes."))
            elif self._deadline is None:
                self._expect_within(HEAD_S, self._head_is_late)
        elif self._phase is _Phase.BODY:
            if self._deadline is None:
                self._expect_within(BODY_INTERVAL_S, self._look_at_body)
        elif self.is_idle and self._deadline is None:
            # The rest of a body that was refused; uvicorn waits for no end of the connection after that.
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_message_begin(self) -> None:
        self._phase = _Phase.HEAD
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._phase = _Phase.BODY
        self._received = 0
        self._expect_nothing()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._phase = _Phase.BETWEEN
        self._received = 0
        self._expect_nothing()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(MalformedRequest(msg))

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered; one that has not arrived as a whole head is none yet."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    def _expect_within(self, seconds: float, late: Callable[..., None], *arguments: object) -> None:
        self._deadline = self.loop.call_later(seconds, late, *arguments)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _look_at_body(self) -> None:
        if self._received >= BODY_BYTES_PER_INTERVAL or self.flow.read_paused:
            self._received = 0
            self._expect_within(BODY_INTERVAL_S, self._look_at_body)
        else:
            self._refuse(RequestTooSlow(f"Less than {BODY_BYTES_PER_INTERVAL} bytes came in {BODY_INTERVAL_S:g} s."))

    def _head_is_late(self) -> None:
        if self._phase is _Phase.HEAD:
            self._refuse(RequestTooSlow(f"The headers did not arrive within {HEAD_S:g} s."))
        else:
            self.transport.close()

    def _refuse(self, refusal: RequestRefused) -> None:
        """Answer in the server's own name, where that cannot be taken for the answer to something else, and close."""
        if self.transport.is_closing():
            return
        is_owed = self._phase is _Phase.BODY and not self.pipeline and not self.cycle.response_started
        if is_owed or (self._phase is not _Phase.BODY and self.is_idle):
            response = problem_response(refusal)
            head = b"".join(b"%s: %s\r\n" % header for header in response.raw_headers)
            status = f"HTTP/1.1 {refusal.status} {refusal.title}\r\n".encode()
            self.transport.write(status + head + b"connection: close\r\n\r\n" + bytes(response.body))
        self.transport.close()

    def _make_room(self) -> None:
        """Close the connection that has been idle for longest, which is this one when all others are at work."""
        others = [cast("BoundedConnection", other) for other in self.connections if other is not self]
        idle = [other for other in others if other.is_idle and not other.transport.is_closing()]
        leaving = min(idle, key=lambda other: other._idle_since, default=self)
        leaving.transport.close()
