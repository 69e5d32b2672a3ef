"""A host for tests: starts a real sidecar, speaks its pipe protocol, calls it over HTTP."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.client import HTTPResponse
from pathlib import Path
from queue import Empty, SimpleQueue
from socket import create_connection
from typing import Any, NamedTuple, Self

import httpx
import psutil

PATIENCE_S = 20.0
"""For what has no deadline of its own: long enough for a machine that is busy with something else."""

Status = dict[str, Any]
"""One status line."""


class Program:
    """A started process whose standard output is read line by line, and which never outlives its test."""

    def __init__(
        self, command: Sequence[str | Path], workplace: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        surroundings = {name: value for name, value in os.environ.items() if not name.startswith("SIDECAR_")}
        descriptor, path = tempfile.mkstemp(suffix=".stderr", dir=workplace)
        self._stderr = Path(path)
        with os.fdopen(descriptor, "wb") as stderr:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=workplace,
                env={**surroundings, **(environment or {})},
            )
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._reader = threading.Thread(target=self._read_lines, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.close_pipe()
        self._reader.join()
        if self.process.stdout is not None:
            self.process.stdout.close()

    @property
    def stderr(self) -> str:
        """What it has written to standard error so far."""
        return self._stderr.read_text(encoding="utf-8", errors="replace")

    def line(self, within: float = PATIENCE_S) -> str | None:
        """The next line of standard output, without its end; `None` when there will be no more."""
        try:
            return self._lines.get(timeout=within)
        except Empty:
            raise AssertionError(f"nothing on standard output within {within} s; stderr:\n{self.stderr}") from None

    def lines(self) -> list[str]:
        """The rest of standard output, to its end."""
        return list(iter(self.line, None))

    def close_pipe(self) -> None:
        """Let go of its standard input: the end of the host, as far as a sidecar can tell."""
        with suppress(OSError):
            if self.process.stdin is not None:
                self.process.stdin.close()

    def wait(self, within: float = PATIENCE_S) -> int:
        """Its exit code."""
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {within} s; stderr:\n{self.stderr}") from None

    def _read_lines(self) -> None:
        for line in self.process.stdout or ():
            self._lines.put(line.decode().removesuffix("\n"))
        self._lines.put(None)


class Answer(NamedTuple):
    """The answer to a request that was written by hand."""

    status: int
    body: bytes

    @property
    def code(self) -> str:
        """The problem's code."""
        return str(json.loads(self.body)["code"])


class Host(Program):
    """A program that has started a sidecar, and holds the other ends of its pipes."""

    def __init__(
        self,
        data_dir: Path,
        workplace: Path,
        *,
        arguments: Sequence[str | Path] = (),
        environment: Mapping[str, str] | None = None,
        patch: str = "",
        through: Sequence[str | Path] = (),
    ) -> None:
        """`patch` is Python that runs in the sidecar's process before its command line does; `through` is a program
        that starts the sidecar in its turn."""
        code = f"{patch}\nimport sys\nfrom sidecar.cli import main\nsys.exit(main())"
        python = [sys.executable, "-c", code] if patch else [sys.executable, "-m", "sidecar"]
        self.data_dir = data_dir
        self.token = secrets.token_hex(32)
        self.events: list[Status] = []
        self._client: httpx.Client | None = None
        super().__init__([*through, *python, "serve", "--host-pipe", *arguments], workplace, environment)

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.close()
        super().__exit__()
        is_bound = any(status["event"] == "bound" for status in self.events)
        if is_bound and is_running(self.pid):  # started through another program, and it has outlived that
            psutil.Process(self.pid).kill()

    # The pipe.

    def bootstrap(self, **fields: object) -> None:
        """Send the first line; `fields` are added to it or replace what is usually in it."""
        line = {"protocol": 1, "token": self.token, "data_dir": str(self.data_dir), **fields}
        self.send(json.dumps(line).encode())

    def send(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def shutdown(self) -> None:
        """Ask for a graceful stop."""
        self.send(b'{"command":"shutdown"}')

    def event(self, name: str, within: float = PATIENCE_S) -> Status:
        """The next status line with this name; those before it are kept in `events`, as it is."""
        while (line := self.line(within)) is not None:
            status: Status = json.loads(line)
            self.events.append(status)
            if status["event"] == name:
                return status
        raise AssertionError(f"no '{name}', only {self.events}; stderr:\n{self.stderr}")

    def remaining_events(self) -> list[Status]:
        """All status lines to the end, those that were read before included."""
        self.events += [json.loads(line) for line in self.lines()]
        return self.events

    def refusal(self) -> Status:
        """The last status line of a sidecar that does not start, which must be `failed` with the true exit code."""
        last = self.remaining_events()[-1]
        assert last["event"] == "failed", self.events
        assert last["exit_code"] == self.wait()
        return last

    @property
    def stages(self) -> list[str]:
        """The names of the stages that were told so far."""
        return [str(status["stage"]) for status in self.events if status["event"] == "stage"]

    def _told(self, field: str) -> Any:
        return next(status[field] for status in self.events if status["event"] == "bound")

    @property
    def port(self) -> int:
        return int(self._told("port"))

    @property
    def pid(self) -> int:
        """The sidecar's own process id, whatever it was started through."""
        return int(self._told("pid"))

    # The server.

    @property
    def client(self) -> httpx.Client:
        if self._client is None:
            self._client = self.new_client()
        return self._client

    def new_client(self) -> httpx.Client:
        """A client with connections of its own; the caller closes it."""
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=PATIENCE_S,
            trust_env=False,
            verify=False,
        )

    def exchange(self, request: bytes) -> Answer:
        """Send these very bytes on a connection of their own."""
        with create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as connection:
            connection.sendall(request)
            response = HTTPResponse(connection, method=request.split()[0].decode())
            response.begin()
            return Answer(response.status, response.read())

    def add_tip(self, content: str) -> int:
        """A new row's id."""
        answer = self.client.post("/tips", json={"content": content})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def tips(self) -> list[str]:
        """The contents of all rows that `add_tip` made, oldest first."""
        found: list[str] = []
        query: dict[str, str | int] = {"limit": 1000}
        while True:
            page = self.client.get("/tips", params=query).raise_for_status().json()
            found += [item["content"] for item in page["items"]]
            if page["next_cursor"] is None:
                return found[::-1]
            query["cursor"] = page["next_cursor"]


def wait_until(condition: Callable[[], bool], what: str, within: float = PATIENCE_S) -> None:
    """Return as soon as `condition` holds; fail, saying `what` did not come, when it has not in time."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
        time.sleep(0.005)


def is_running(pid: int) -> bool:
    """Whether the process exists and does more than wait to be reaped."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
