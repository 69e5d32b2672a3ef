"""Requests to a sidecar that is running; only the standard library is needed for that.

Without proxies, whatever the environment says: the sidecar is on this computer.
"""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from sidecar.errors import BodyTooLarge, RequestRefused, SidecarError, StorageClosed
from sidecar.errors.lookup import error_with

LONGEST_SILENCE_S = 3600.0
"""While the sidecar does what no job reports on, it sends nothing."""


class RemoteClient:
    """The client of the sidecar at `url`. Raises what the sidecar says, and `StorageClosed` when it is gone."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._authorization = {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Return the body of the answer to a request, whose own body is JSON."""
        headers = None if body is None else {"Content-Type": "application/json"}
        with self.connection() as connection:
            return self.read(self.answer(connection, method, path, body, headers))

    def connection(self) -> "closing[HTTPConnection]":
        """Return a connection, to be closed at the end of a block."""
        return closing(HTTPConnection(urlsplit(self._url).netloc, timeout=LONGEST_SILENCE_S))

    def answer(
        self,
        connection: HTTPConnection,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> HTTPResponse:
        """Return the answer to a request. Raises what it says when it is a refusal."""
        with self._translating():
            # A request that is refused is answered before all of it was taken; then the answer is there to be read.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body, {**self._authorization, **(headers or {})})
            answer = connection.getresponse()
        if answer.status >= 400:
            raise _refusal(answer.status, self.read(answer))
        return answer

    def read(self, answer: HTTPResponse, size: int | None = None) -> bytes:
        """Return the next part of an answer's body, or all of it."""
        with self._translating():
            return answer.read(size)

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except (OSError, HTTPException) as error:
            raise StorageClosed(f"The sidecar at {self._url} went away: {error}.") from error


def is_live(url: str, instance: str, within_s: float) -> bool:
    """Return whether that instance of a sidecar answers at the URL."""
    try:
        with closing(HTTPConnection(urlsplit(url).netloc, timeout=within_s)) as connection:
            connection.request("GET", "/health/live")
            return bool(json.load(connection.getresponse())["instance"] == instance)
    except (OSError, ValueError, KeyError, TypeError, HTTPException):
        return False


def _refusal(status: int, body: bytes) -> SidecarError:
    otherwise = RequestRefused if status < 500 else SidecarError
    try:
        problem = json.loads(body)
        if status == BodyTooLarge.status:  # for its sender, a body of too many values is too large as well
            return BodyTooLarge(str(problem["detail"]))
        return error_with(problem["code"], str(problem["detail"]), otherwise)
    except (ValueError, KeyError, TypeError):
        return otherwise(f"The sidecar answered {status}.")
