"""Who may speak to the sidecar: pure ASGI in front of everything, streams and sockets included.

A loopback port can be reached by every program of the computer and by every web page in its browser. So each request
must carry this instance's token, name the loopback address as its `Host` (a page that rebinds its own name cannot), and
come without an `Origin` (every cross-site request of a page has one) unless that origin is allowed. There is no CORS.
"""

from collections.abc import Collection, Mapping
from hmac import compare_digest

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sidecar.api.problems import problem_response
from sidecar.errors import BodyTooLarge, Forbidden, RequestRefused, Unauthorized

OPEN_PATH = "/health/live"
"""The one thing that is answered without a token: whether the process lives, and which instance it is."""


PEER = "sidecar.peer"
"""The name, in an ASGI scope, of the `Peer` that the request came from; a server need not know of any."""


class Peer:
    """The other end of a connection, as far as its requests have identified it."""

    has_shown_token = False


class SecurityGate:
    """Lets through what may pass, and answers the rest itself."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str,
        port: int,
        allowed_origins: Collection[str],
        max_body_bytes: int,
        max_body_bytes_of: Mapping[str, int] | None = None,
    ) -> None:
        """`max_body_bytes_of` are paths whose bodies have a limit of their own."""
        self._app = app
        self._authorization = f"Bearer {token}".encode()
        self._host = f"127.0.0.1:{port}".encode()
        self._allowed_origins = frozenset(origin.encode() for origin in allowed_origins)
        self._max_body_bytes = max_body_bytes
        self._max_body_bytes_of = max_body_bytes_of or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope)
        if refusal is not None:
            await problem_response(refusal)(scope, receive, send)
            return
        await self._app(scope, _counting(receive, self._limit(scope)), send)

    def _refusal(self, scope: Scope) -> RequestRefused | None:
        """Why this request may not pass; `None` if it may."""
        headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in headers and name in (b"host", b"origin", b"authorization"):
                return Forbidden(f"The header '{name.decode('latin-1')}' is given more than once.")
            headers[name] = value
        if headers.get(b"host") != self._host:
            return Forbidden(f"The Host must be {self._host.decode()}.")
        origin = headers.get(b"origin")
        if origin is not None and origin not in self._allowed_origins:
            return Forbidden("Requests from web pages are refused; allow the origin in the settings if it is yours.")
        if compare_digest(headers.get(b"authorization", b""), self._authorization):
            peer: Peer | None = scope.get(PEER)
            if peer is not None:
                peer.has_shown_token = True
        elif not (scope["type"] == "http" and scope["path"] == OPEN_PATH and scope["method"] == "GET"):
            return Unauthorized("The request needs the header 'Authorization: Bearer <token of this instance>'.")
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._limit(scope):
            return _too_large(self._limit(scope))
        return None

    def _limit(self, scope: Scope) -> int:
        return self._max_body_bytes_of.get(scope["path"], self._max_body_bytes)


def _counting(receive: Receive, limit: int) -> Receive:
    """`receive`, raising `BodyTooLarge` once more than `limit` bytes came, whatever the headers promised."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise _too_large(limit)
        return message

    return counted


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {limit} bytes.")
