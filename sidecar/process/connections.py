"""Limits of one connection: time for a request to arrive, bytes for its head, requests that wait, an unread answer.

Any program of the computer can connect, and needs no token to be slow, endless or greedy. So whatever a connection that
has not shown the token makes the sidecar keep has a limit or a deadline:

    head                     bytes, headers, time
    body                     answered with 401 before it is read; bytes a time, and bytes that bring no content
    requests behind another  one piece is parsed, the rest of one read waits, and nothing more is read
    answers                  a deadline for a peer that does not take them

How many connections there may be is the subject of `capacity.py`.
"""

from asyncio import Handle
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from sidecar.api.problems import problem_response
from sidecar.api.security import PEER, Peer
from sidecar.errors import HeadTooLarge, MalformedRequest, RequestRefused, RequestTooSlow
from sidecar.process.capacity import Connections
from sidecar.process.coalescing import CoalescingTransport

HEAD_S = 15.0
"""Seconds from connecting, or from the first byte of a later request, to the end of its headers."""

MAX_HEAD_BYTES = 64 * 1024
"""Largest size of the request line and headers, and of the framing between or after the bytes of a body."""

MAX_HEADERS = 256
"""Largest number of headers. An empty one takes four bytes to send, and fifty times as many to keep."""

PIECE = 1024
"""Bytes to parse before the result is examined. They can hold 57 requests, and mostly hold one."""

PIECE_OF_KNOWN = 16 * 1024
"""The same for a connection that has shown the token: its requests mostly arrive as a whole."""

TURN = 16
"""Number of pieces to parse in one turn of the event loop, so that other connections get their turn."""

BODY_INTERVAL_S = 30.0
BODY_BYTES_PER_INTERVAL = 64 * 1024
"""Least bytes of an unfinished body in each interval, unless the sidecar itself is slow."""

UNREAD_S = 30.0
"""Seconds in which a peer without the token must read part of an answer that exceeds the buffers."""


class _Phase(Enum):
    BETWEEN = "between"
    HEAD = "head"
    BODY = "body"


class HeldFlow(FlowControl):
    """uvicorn's flow control. While it is held, reading does not resume."""

    is_held = False

    def resume_reading(self) -> None:
        if not self.is_held:
            super().resume_reading()


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's connection, closed when it exceeds a limit."""

    server_state: Connections
    flow: HeldFlow

    last_active = 0
    """The number of the moment at which it was made, or its last answer was complete; see `Connections.next_moment`."""

    _phase = _Phase.BETWEEN
    _received = 0
    _barren = 0
    _body_seen = 0
    _held = b""
    _deadline: Handle | None = None
    _unread: Handle | None = None
    _stalled_at: float | None = None
    _refusal: RequestRefused | None = None
    _is_deaf = False

    def connection_made(self, transport: Any) -> None:
        self._unanswered: deque[RequestResponseCycle] = deque()
        if self.server_state.is_stopping:
            self.transport = transport
            transport.abort()
            return
        writes = CoalescingTransport(transport, self.loop, may_give_up=lambda: not self.is_known)
        super().connection_made(writes)  # type: ignore[arg-type]
        self.flow = HeldFlow(self.transport)
        self.headers = []
        self._peer = Peer()
        self.last_active = self.server_state.next_moment()
        self._expect_within(HEAD_S, self._head_is_late)
        self.server_state.came(self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        self._held = b""
        self._expect_nothing()
        self._forget_unread()
        super().connection_lost(exc)
        # uvicorn ends only the last of them, and one before it may be a stream without an end.
        for cycle in self._unanswered:
            cycle.disconnected = True
            cycle.message_event.set()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self.flow.is_held:
            self._held += data
        elif not self._is_deaf:
            self._parse(data)

    def on_message_begin(self) -> None:
        self._phase = _Phase.HEAD
        super().on_message_begin()
        self.scope[PEER] = self._peer  # type: ignore[literal-required]

    def on_headers_complete(self) -> None:
        try:
            super().on_headers_complete()
        except (httptools.HttpParserError, AttributeError, UnicodeDecodeError):
            method = self.parser.get_method().decode()
            self._refusal = MalformedRequest(f"The target of the {method} request is not a path.")
            raise
        self._unanswered.append(self.cycle)
        self._phase = _Phase.BODY
        self._received = self._barren = self._body_seen = 0
        self.headers = []  # what may come now are trailers, which nobody reads
        self._expect_nothing()

    def on_body(self, body: bytes) -> None:
        self._received += len(body)
        self._body_seen += len(body)
        # What comes in chunks to a connection that has been refused is worth no more than what brings no content.
        if not self.is_idle or self.is_known or self._body_left() > 0:
            self._barren = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._phase = _Phase.BETWEEN
        self._received = 0
        self._expect_nothing()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._unanswered.popleft()
        self.last_active = self.server_state.next_moment()
        if self.is_idle and self.cycle.body:
            self.cycle.body = bytearray()  # came before it was refused, and would be kept until the next request
        super().on_response_complete()
        if self.flow.is_held and not self.pipeline:
            self.loop.call_soon(self._parse_held)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled_at = self.loop.time()
        self._unread = self.loop.call_later(UNREAD_S, self._look_at_unread, self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        self._forget_unread()
        super().resume_writing()

    def shutdown(self) -> None:
        if not self.is_known and (self.is_idle or self.transport.get_write_buffer_size() > 0):
            self.leave()
        else:
            super().shutdown()

    def leave(self) -> None:
        """Close the connection, without waiting for a peer that does not read."""
        if self.transport.get_write_buffer_size() > 0:
            self.transport.abort()
        else:
            self.transport.close()

    @property
    def is_known(self) -> bool:
        """Return whether the peer has shown the token."""
        return self._peer.has_shown_token

    @property
    def is_idle(self) -> bool:
        """Return whether no request is being answered. A request counts once its whole head has arrived."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    def stalled_for(self) -> float:
        """Return the seconds since the peer last read something of the waiting answer."""
        return 0.0 if self._stalled_at is None else self.loop.time() - self._stalled_at

    def _parse(self, data: bytes) -> None:
        """Parse the data until a request has to wait for another or the turn is over, and hold the rest."""
        size = PIECE_OF_KNOWN if self._peer.has_shown_token else PIECE
        if len(data) <= size:
            self._parse_piece(data)
        else:
            self._parse_pieces(data, size)
        if self.pipeline or self._held:
            self.flow.is_held = True
            self.flow.pause_reading()
            if not self.pipeline:
                self.loop.call_soon(self._parse_held)
        if not self.transport.is_closing():
            self._set_deadline()

    def _parse_pieces(self, data: bytes, size: int) -> None:
        position = pieces = 0
        while position < len(data) and not self._is_deaf and not self.transport.is_closing():
            if self.pipeline or pieces == TURN:
                self._held = data[position:]
                return
            end = position + max(size, self._body_left())
            self._parse_piece(data[position:end])
            position = end
            pieces += 1

    def _body_left(self) -> int:
        """Return the announced bytes of a body that are still to come; 0 for a chunked body. The parser checks the
        number.
        """
        if self._phase is _Phase.BODY:
            for name, value in self.scope["headers"]:
                if name == b"content-length":
                    return int(value) - self._body_seen
        return 0

    def _parse_held(self) -> None:
        if self.transport.is_closing():
            return
        held, self._held = self._held, b""
        self.flow.is_held = False
        if held:
            self._parse(held)
        self.flow.resume_reading()

    def _parse_piece(self, piece: bytes) -> None:
        if self._phase is _Phase.BODY:
            self._barren += len(piece)
        else:
            self._received += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            # The request is answered as any other. What follows would be in a protocol that is not spoken here.
            self.cycle.keep_alive = False
            self._is_deaf = True
        except httptools.HttpParserError:
            self._refuse(self._refusal or MalformedRequest("The request is not valid HTTP/1.1."))
            return
        if self._received > MAX_HEAD_BYTES or self._barren > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS:
            self._look_at_size()

    def _look_at_size(self) -> None:
        """Refuse a request that exceeds a limit. A body may be large if it brings content."""
        if self._phase is _Phase.BODY:
            if self._barren > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS:
                self._refuse(HeadTooLarge("The body has too many trailers, or too many bytes that are no content."))
        elif self._phase is _Phase.BETWEEN:
            self._refuse(MalformedRequest("The request does not begin."))
        elif self._received > MAX_HEAD_BYTES:
            self._refuse(HeadTooLarge(f"The request line and headers are larger than {MAX_HEAD_BYTES} bytes."))
        else:
            self._refuse(HeadTooLarge(f"The request has more than {MAX_HEADERS} headers."))

    def _set_deadline(self) -> None:
        """Set the deadline of a request that has begun to arrive, if it has none."""
        if self._deadline is not None:
            return
        if self._phase is _Phase.HEAD:
            self._expect_within(HEAD_S, self._head_is_late)
        elif self._phase is _Phase.BODY:
            self._expect_within(BODY_INTERVAL_S, self._look_at_body)
        elif self.is_idle:
            # The rest of a body that was refused; uvicorn waits for no end of the connection after that.
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

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
        if self.flow.read_paused:  # it may have come, and waits to be read
            self._expect_within(HEAD_S, self._head_is_late)
        elif self._phase is _Phase.HEAD:
            self._refuse(RequestTooSlow(f"The headers did not arrive within {HEAD_S:g} s."))
        else:
            self.transport.close()

    def _look_at_unread(self, size: int) -> None:
        left = self.transport.get_write_buffer_size()
        if left < size or self.is_known:
            self._stalled_at = self.loop.time() if left < size else self._stalled_at
            self._unread = self.loop.call_later(UNREAD_S, self._look_at_unread, left)
        else:
            self.transport.abort()

    def _forget_unread(self) -> None:
        self._stalled_at = None
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _refuse(self, refusal: RequestRefused) -> None:
        """Send the refusal, unless it could be taken for the answer to another request, and close."""
        if self.transport.is_closing():
            return
        is_owed = self._phase is _Phase.BODY and not self.pipeline and not self.cycle.response_started
        if is_owed or (self._phase is not _Phase.BODY and self.is_idle):
            response = problem_response(refusal)
            head = b"".join(b"%s: %s\r\n" % header for header in response.raw_headers)
            status = f"HTTP/1.1 {refusal.status} {refusal.title}\r\n".encode()
            self.transport.write(status + head + b"connection: close\r\n\r\n" + bytes(response.body))
        self.transport.close()
