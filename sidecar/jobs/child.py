"""The process of one job: it reads what to do from its standard input, and writes how it goes.

The first line of the input is the request. The line `cancel` asks for the end; end-of-file means that the sidecar is
gone, however that came about, and everything that the job has started ends with it. Standard output goes to standard
error, as the log of the sidecar does, so that what a job prints disturbs nothing.
"""

import json
import logging
import os
import sys
import threading
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from sidecar import platform

if TYPE_CHECKING:
    from sidecar.jobs.declaration import JobKind
    from sidecar.jobs.running import Running

REPORT_EVERY_S = 0.01
"""A job may report its progress at every step, and each message costs both processes something."""

NICENESS = 5
"""The sidecar's own calls get a processor first."""

LONGEST_TRACEBACK = 20_000


def main() -> None:
    """Execute the job of the request, and report its outcome."""
    lines = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", 0)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    request = json.loads(_read_line(lines))
    # The thread that reads standard input does the same, but cannot while a library holds the interpreter.
    if platform.live_as_long_as(request["lifeline"]):
        _end()
    _be_like_the_sidecar(request)
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)

    from sidecar.jobs.running import Running

    running = Running(request["id"], request["name"], request["attempt"])
    threading.Thread(target=_listen, args=(lines, running), name="sidecar", daemon=True).start()
    with _Reports(running, answers) as reports:
        answer = _outcome(request, running)
    reports.send(answer)


def _outcome(request: dict[str, Any], running: "Running") -> dict[str, Any]:
    """Run the function; return the message about its end."""
    from sidecar.jobs.failure import failure
    from sidecar.jobs.running import JobCancelled

    try:
        kind = _kind(request)
        result = kind(running, **kind.from_stored(request["arguments"]))
        return {"result": kind.result_as_json(result)}
    except JobCancelled:
        return {"cancelled": True}
    except Exception as error:  # noqa: BLE001 - reported
        failed = failure(request["name"], error)
        return {"error": failed.error, "code": failed.code, "traceback": traceback.format_exc()[-LONGEST_TRACEBACK:]}


def _kind(request: dict[str, Any]) -> "JobKind[Any, Any]":
    from sidecar.jobs.declaration import JobKind, RunIn

    found: Any = import_module(request["module"])
    for name in request["function"].split("."):
        found = getattr(found, name)
    return found if isinstance(found, JobKind) else JobKind(request["name"], found, run_in=RunIn.PROCESS)


class _Reports:
    """Sends the latest progress from a thread of its own, until the function has ended."""

    def __init__(self, running: "Running", answers: BinaryIO) -> None:
        self._running = running
        self._answers = answers
        self._reported = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send_all, name="progress", daemon=True)

    def __enter__(self) -> "_Reports":
        self._running.on_progress(self._reported.set)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._reported.set()
        self._thread.join()

    def send(self, message: dict[str, Any]) -> None:
        """Write one message."""
        self._answers.write(json.dumps(message).encode() + b"\n")

    def _send_all(self) -> None:
        while not self._ended.is_set():
            self._reported.wait()
            self._reported.clear()
            latest = self._running.latest
            self.send({"progress": [latest.done, latest.total, latest.message]})
            self._ended.wait(REPORT_EVERY_S)


def _read_line(lines: BinaryIO) -> bytes:
    line = lines.readline()
    if not line.endswith(b"\n"):
        _end()
    return line


def _listen(lines: BinaryIO, running: "Running") -> None:
    while True:
        if _read_line(lines) == b"cancel\n":
            running.cancel()


def _be_like_the_sidecar(request: dict[str, Any]) -> None:
    """Find the modules that the sidecar finds, and give the programs that the job starts its environment."""
    sys.path[:] = request["path"]
    if request["python_path"] is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = request["python_path"]
    platform.lower_priority(NICENESS)


def _end() -> None:
    """End this process and what it has started: the sidecar is gone."""
    platform.kill_own_group()
    os._exit(1)
