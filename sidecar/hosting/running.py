"""A running sidecar: a real process on a free port, which is stopped for certain."""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, Self

from sidecar.clock import SYSTEM_CLOCK
from sidecar.hosting.client import Client
from sidecar.process.control import PROTOCOL

LONGEST_START_S = 45.0
LONGEST_STOP_S = 10.0


class SidecarFailed(Exception):
    """The sidecar did not start, or did not stop; the message has the reason and its log."""


class RunningSidecar:
    """A sidecar that this process has started, as the bridge starts one.

        with RunningSidecar(tmp_path, ["my_app.notes"], ["backend"]) as sidecar:
            sidecar.client.post("/x/notes/cards", {"front": "sea", "back": "mer"}).expect(201)

    It ends with the block, and with this process, however that ends.
    """

    def __init__(
        self,
        data_directory: Path,
        extensions: Sequence[str] = (),
        python_path: Sequence[str | Path] = (),
        settings: Mapping[str, Any] | None = None,
        *,
        command: Sequence[str | Path] | None = None,
    ) -> None:
        """Prepare a sidecar over a data directory; each entering of the block starts it again.

        `command` starts the program `sidecar` (default: `python -m sidecar`, with the Python of this process).
        """
        self.data_directory = data_directory.absolute()
        self._bootstrap = {
            "data_dir": str(self.data_directory),
            "extensions": list(extensions),
            "python_path": [str(Path(path).absolute()) for path in python_path],
            "settings": dict(settings or {}),
        }
        self._command = [sys.executable, "-m", "sidecar"] if command is None else [str(word) for word in command]
        self._process: subprocess.Popen[bytes] | None = None
        self.reached: dict[str, float] = {}
        """Seconds from the start to the first `bound`, `stage` and `ready`."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and return when it is ready. Raises `SidecarFailed` with the sidecar's own sentence."""
        token = SYSTEM_CLOCK.new_id()
        self.reached = {}
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self._began = SYSTEM_CLOCK.monotonic()
        try:
            self._process = subprocess.Popen(
                [*self._command, "serve", "--host-pipe"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
            )
        except OSError as error:
            self._log.close()
            raise SidecarFailed(f"{self._command[0]} cannot be started: {error.strerror or error}.") from error
        self._lines: SimpleQueue[tuple[bytes, float] | None] = SimpleQueue()
        self._reader = threading.Thread(target=self._read_lines, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        try:
            self._send({"protocol": PROTOCOL, "token": token, **self._bootstrap})
            ready = self._until_ready()
        except BaseException:
            self.kill()
            raise
        self.instance: str = ready["instance"]
        """The id of this run."""
        self.client = Client(f"http://127.0.0.1:{ready['port']}", token)
        """A client with the token of this run."""

    @property
    def pid(self) -> int:
        """The id of the process, while it runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """The text that it has written to standard error."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def stop(self) -> None:
        """Have it end in good order; does nothing after its end. Raises `SidecarFailed` if it has to be killed."""
        process = self._process
        if process is None:
            return
        with suppress(OSError):  # it has ended by itself
            self._send({"command": "shutdown"})
        try:
            code = process.wait(LONGEST_STOP_S)
        except subprocess.TimeoutExpired:
            raise SidecarFailed(f"The sidecar does not stop:\n{self._killed()}") from None
        log = self._killed()
        if code != 0:
            raise SidecarFailed(f"The sidecar ended with exit code {code}:\n{log}")

    def kill(self) -> None:
        """End it at once, as a crash or a power cut does; does nothing after its end."""
        self._killed()

    def _killed(self) -> str:
        """End the process, release what belongs to it, and return its log."""
        process, self._process = self._process, None
        if process is None:
            return ""
        process.kill()
        process.wait()
        self._reader.join()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # a command that it did not read any more
                    pipe.close()
        log = self.log
        self._log.close()
        return log

    def _send(self, line: Mapping[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line).encode() + b"\n")
        self._process.stdin.flush()

    def _until_ready(self) -> dict[str, Any]:
        """Return the status line that says so."""
        while True:
            try:
                read = self._lines.get(timeout=LONGEST_START_S)
            except Empty:
                raise SidecarFailed(f"The sidecar does not become ready:\n{self.log}") from None
            line, read_at = read or (b'{"event": "ended"}', 0.0)
            status: dict[str, Any] = json.loads(line)
            self.reached.setdefault(status["event"], read_at - self._began)
            if status["event"] == "ready":
                return status
            if status["event"] in ("failed", "ended"):
                raise SidecarFailed(f"{status.get('message', 'The sidecar ended.')}\n{self.log}")

    def _read_lines(self, output: IO[bytes]) -> None:
        for line in output:
            self._lines.put((line, SYSTEM_CLOCK.monotonic()))
        self._lines.put(None)
