"""A client of a running sidecar: plain requests, and the live events."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode, urlsplit

LONGEST_ANSWER_S = 30.0
"""Seconds that a request, or the next live event, may take."""


class Answer(NamedTuple):
    """The answer to a request."""

    status: int
    headers: Mapping[str, str]
    """By their names in lower case."""
    content: bytes

    def json(self) -> Any:
        """Return the content as JSON. Raises `ValueError`."""
        return json.loads(self.content)

    @property
    def code(self) -> str | None:
        """The code of a problem; `None` for a success."""
        return None if self.status < 400 else str(self.json()["code"])

    def expect(self, status: int) -> Self:
        """Return the answer itself. Raises `AssertionError` with its content if it has another status."""
        if self.status != status:
            raise AssertionError(f"the answer is {self.status}, not {status}: {self.content.decode(errors='replace')}")
        return self


class Client:
    """Sends requests with the token of a sidecar. Each has a connection of its own, so threads may share a client."""

    def __init__(self, url: str, token: str) -> None:
        self._address = urlsplit(url)
        self._token = token

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request, and return the answer, whatever its status.

        `body` is sent as JSON; bytes are sent as they are. `key` is the idempotency key: the same request sent again
        with it gets the first answer. Raises `TimeoutError`, `OSError`.
        """
        sent = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        if key is not None:
            sent["Idempotency-Key"] = key
        with self._connection(method, path, query, body, sent) as response:
            received = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, received, response.read())

    def get(self, path: str, **query: Any) -> Answer:
        """Send a GET request with these parameters."""
        return self.request("GET", path, query=query)

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        """Send a POST request."""
        return self.request("POST", path, body, key=key)

    def put(self, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        """Send a PUT request."""
        return self.request("PUT", path, body, key=key)

    def patch(self, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        """Send a PATCH request."""
        return self.request("PATCH", path, body, key=key)

    def delete(self, path: str, *, key: str | None = None) -> Answer:
        """Send a DELETE request."""
        return self.request("DELETE", path, key=key)

    @contextmanager
    def events(self, *topics: str) -> Iterator[Iterator[dict[str, Any]]]:
        """Yield the live events of some topics, or of all, from this moment on: `next(events)` waits for one.

        Waiting raises `TimeoutError` after 30 s.
        """
        query = {"topics": ",".join(topics)} if topics else {}
        with self._connection("GET", "/events", query, None, {}) as response:
            found = _events(response)
            first = next(found)
            assert first["event"] == "hello", first
            yield (event["data"] for event in found)

    @contextmanager
    def _connection(
        self, method: str, path: str, query: Mapping[str, Any] | None, body: bytes | None, headers: Mapping[str, str]
    ) -> Iterator[HTTPResponse]:
        target = f"{path}?{urlencode(query, doseq=True)}" if query else path
        connection = HTTPConnection(self._address.hostname or "", self._address.port, timeout=LONGEST_ANSWER_S)
        with closing(connection):
            connection.request(method, target, body, {"Authorization": f"Bearer {self._token}", **headers})
            yield connection.getresponse()


def _events(lines: HTTPResponse) -> Iterator[dict[str, Any]]:
    """Yield the name and the data of each server-sent event."""
    event: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name in ("event", "id"):
            event[name] = value
        elif name == "data":
            event[name] = json.loads(value)
        elif not name and event:
            yield event
            event = {}
