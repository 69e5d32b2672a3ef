"""The data directory: made for its owner alone, held by one sidecar at a time, and the place where that one is found.

`sidecar.lock` is held as long as the process lives; the system lets go of it however the process ends. `run.json` says
where the running sidecar is and how to speak to it, for the command-line tools.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from filelock import FileLock, Timeout

from sidecar.errors import DataDirectoryLocked, DataDirectoryNotWritable
from sidecar.process.hosts import HEADER_FILE, Host

LOCK_FILE = "sidecar.lock"
RUN_FILE = "run.json"

PATIENCE_S = 3.0
"""A sidecar whose host was killed needs up to 1.5 s to end; an app started again at once must not fail on it."""

OWNER_ONLY = 0o700
OWNER_ONLY_FILE = 0o600


class RunningSidecar(NamedTuple):
    """The content of `run.json`."""

    url: str
    token: str
    instance: str
    pid: int
    database: str | None = None
    """The database's file, which a host may have put anywhere; `None` in memory."""


class DataDirectory:
    """A data directory that this process owns, while used as a context manager."""

    def __init__(self, path: Path, host: Host) -> None:
        self.path = path
        self._host = host
        self._lock = FileLock(path / LOCK_FILE, mode=OWNER_ONLY_FILE)

    def __enter__(self) -> Self:
        """Make the directory and take its lock. Raises `DataDirectoryLocked`, `DataDirectoryNotWritable`."""
        try:
            self.path.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
            if os.name != "nt":
                self.path.chmod(OWNER_ONLY)
            self._acquire()
            self._forget()  # what a sidecar that was killed has left
        except Timeout:
            raise DataDirectoryLocked(self._locked_message()) from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise DataDirectoryNotWritable(f"The data directory {self.path} cannot be used: {reason}.") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._forget()
        self._lock.release()

    def publish(self, running: RunningSidecar) -> None:
        """Say where the sidecar is, in files that only the owner can read."""
        _write_privately(self.path / RUN_FILE, json.dumps(running._asdict()))
        _write_privately(self.path / HEADER_FILE, f"Authorization: Bearer {running.token}\n")

    def _forget(self) -> None:
        for name in (RUN_FILE, HEADER_FILE):
            (self.path / name).unlink(missing_ok=True)

    def _acquire(self) -> None:
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            self._host.report("stage", stage="waiting_for_lock", detail="Waiting for another sidecar to stop")
            self._lock.acquire(timeout=PATIENCE_S, poll_interval=0.02)

    def _locked_message(self) -> str:
        running = find_running(self.path)
        owner = f"with the process id {running.pid}" if running else "whose process id is not known"
        return (
            f"Another sidecar, {owner}, is using the data directory {self.path}; stop it or choose another directory."
        )


def find_running(data_directory: Path) -> RunningSidecar | None:
    """The sidecar that says it runs there; it may have been killed since. `None` if there is no word of one."""
    try:
        return RunningSidecar(**json.loads((data_directory / RUN_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write_privately(path: Path, text: str) -> None:
    """Write the whole file or none of it, readable by its owner only from the first moment."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY_FILE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)
