"""The data directory: private to its owner, locked by one sidecar at a time, and the place where tools find that
sidecar.

`sidecar.lock` is held as long as the process lives; the system lets go of it however the process ends. A second lock
lies beside each database file, which the settings of several data directories may name. `run.json` says where the
running sidecar is and how to speak to it, for the command-line tools.
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from filelock import FileLock, Timeout

from sidecar import platform
from sidecar.config import SETTINGS_FILE
from sidecar.errors import (
    BadConfiguration,
    DataDirectoryLocked,
    DataDirectoryNotWritable,
    NoRoomToStart,
    OutOfDescriptors,
    SidecarError,
)
from sidecar.process.hosts import HEADER_FILE, Host
from sidecar.storage.sqlite.files import atomic

LOCK_FILE = "sidecar.lock"
DATABASE_LOCK_SUFFIX = ".lock"
RUN_FILE = "run.json"

OWN_NAMES = (LOCK_FILE, RUN_FILE, HEADER_FILE, SETTINGS_FILE, "logs")
"""The names of a sidecar's files and folders in the data directory; the database has names of its own."""

PATIENCE_S = 3.0
"""Seconds to wait for the lock: a sidecar whose host was killed needs up to 1.5 s to end."""

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
            _make(self.path)
            platform.make_private(self.path)
            _acquire(self._lock, self._host)
            self._forget()  # what a sidecar that was killed has left
        except Timeout:
            raise DataDirectoryLocked(self._locked_message()) from None
        except OSError as error:
            raise unusable(error, f"The data directory {self.path}", self.path) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError):
            running = find_running(self.path)
            # The directory may have been moved or deleted, and another sidecar may run at its path.
            if running is None or running.pid == os.getpid():
                self._forget()
        self._lock.release()

    def publish(self, running: RunningSidecar) -> None:
        """Write the address and token of the sidecar to files that only the owner can read.

        A power cut ends the sidecar, too, so they need not survive one.
        """
        atomic.write_whole(self.path / RUN_FILE, json.dumps(running._asdict()), lasts=False)
        atomic.write_whole(self.path / HEADER_FILE, f"Authorization: Bearer {running.token}\n", lasts=False)

    def _forget(self) -> None:
        for name in (RUN_FILE, HEADER_FILE):
            (self.path / name).unlink(missing_ok=True)

    def _locked_message(self) -> str:
        running = find_running(self.path)
        owner = f"with the process id {running.pid}" if running else "whose process id is not known"
        return (
            f"Another sidecar, {owner}, is using the data directory {self.path}; stop it or choose another directory."
        )


@contextmanager
def holding_databases(files: Iterable[Path], data_directory: Path, host: Host) -> Iterator[None]:
    """Lock each of these database files, whatever data directory it is opened from.

    Raises `DataDirectoryLocked`, naming the file; `DataDirectoryNotWritable`; `BadConfiguration` for a file that the
    sidecar uses for something else.
    """
    with ExitStack() as stack:
        for file in files:
            if file.parent == data_directory and file.name in OWN_NAMES:
                raise BadConfiguration(f"{file} is no database but a file of the sidecar; choose another path.")
            lock = FileLock(file.with_name(file.name + DATABASE_LOCK_SUFFIX), mode=OWNER_ONLY_FILE)
            try:
                _make(file.parent)
                _acquire(lock, host)
            except Timeout:
                raise DataDirectoryLocked(
                    f"Another sidecar, of another data directory, is using the database {file}; stop it or choose "
                    "another database."
                ) from None
            except OSError as error:
                raise unusable(error, f"The directory of the database {file}", file.parent) from error
            stack.callback(lock.release)
        yield


def _make(directory: Path) -> None:
    if not directory.is_dir():
        atomic.make_directory(directory)


def unusable(error: OSError, subject: str, directory: Path) -> SidecarError:
    """Return the error of this project for an error of the system. It names the file if that is not the directory
    itself.
    """
    if error.errno in platform.NO_ROOM:
        return NoRoomToStart(f"The disk of {directory} is full; free some space and start again.")
    exhausted = OutOfDescriptors.caused(error)
    if exhausted is not None:
        return exhausted
    what = error.strerror or type(error).__name__
    reason = what if error.filename in (None, str(directory)) else f"{error.filename}: {what}"
    advice = "make it writable for this user, or choose another directory"
    return DataDirectoryNotWritable(f"{subject} cannot be used: {reason}; {advice}.")


def _acquire(lock: FileLock, host: Host) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        host.report("stage", stage="waiting_for_lock", detail="Waiting for another sidecar to stop")
        lock.acquire(timeout=PATIENCE_S, poll_interval=0.02)


def is_held(data_directory: Path) -> bool:
    """Return whether a process holds the lock of the directory now. Nothing is created there."""
    lock_file = data_directory / LOCK_FILE
    if not lock_file.exists():
        return False
    try:
        with FileLock(lock_file, mode=OWNER_ONLY_FILE).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False  # the use of the directory reports more


def find_running(data_directory: Path) -> RunningSidecar | None:
    """Return the sidecar that `run.json` names, or `None`. It may have been killed since."""
    try:
        return RunningSidecar(**json.loads((data_directory / RUN_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
