"""The control pipe: standard input, as long as a host holds its other end.

Its first line is the bootstrap. Every later line is a command: `{"command":"shutdown"}`, or `{"command":"stacks"}`
from a host that gets no answers and wants to know why. End-of-file means that the host is gone, however it died. Parent
pids are not looked at: shims and subreapers change them, and the system gives them to others.

Read with `os.read` in a daemon thread: a buffered reader holds a lock that a stuck read keeps until the interpreter's
end.
"""

import contextlib
import json
import os
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from sidecar.errors import BadConfiguration
from sidecar.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PROTOCOL = 1

BOOTSTRAP_DEADLINE_S = 10.0
"""Seconds to wait for the bootstrap. A host writes it at once or never."""

LAST_GRACE_S = 1.5
"""Seconds between the end of the host and a forced end of this process."""

STACKS_BEGIN, STACKS_END = b"--- stacks of all threads ---\n", b"--- end of stacks ---\n"
"""The lines between which the stacks are written. A host looks for them in standard error."""

LONGEST_LINE = 1024 * 1024
CHUNK = 64 * 1024

SHORTEST_TOKEN = 32

_STANDARD_ERROR = 2

_NOT_JSON = (ValueError, RecursionError)
"""Errors of parsing JSON; the second is for endless nesting."""


class Bootstrap(NamedTuple):
    """The first line of the control pipe: token, data directory, overrides, and the app's own Python."""

    token: str
    data_directory: "Path"
    overrides: dict[str, Any]
    extensions: "Sequence[str]" = ()
    """Names of the extension modules; with those that the settings name, all are loaded."""
    python_path: "Sequence[Path]" = ()
    """Directories in which they are looked for first."""
    is_packaged: bool = False
    """True if only the host may name code: the settings file and the environment may not."""
    operations: "Mapping[str, str]" = MappingProxyType({})
    """Fingerprints of the extensions' operations that the host knows, by their ids."""
    debugger_port: int | None = None
    """Port of 127.0.0.1 at which a debugger can attach; `None` for none. Never set in a packaged app."""


class ControlPipe:
    """Reads the pipe from the moment it is made."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._first_line: SimpleQueue[bytes | None] = SimpleQueue()
        self._stop: Callable[[str], None] | None = None
        self._stop_reason: str | None = None
        self._lock = threading.Lock()
        threading.Thread(target=self._read, name="control-pipe", daemon=True).start()

    def bootstrap(self) -> Bootstrap:
        """Return the host's first line. Raises `BadConfiguration` if it is missing, malformed or late."""
        try:
            line = self._first_line.get(timeout=BOOTSTRAP_DEADLINE_S)
        except Empty:
            raise BadConfiguration(f"The host sent no bootstrap line within {BOOTSTRAP_DEADLINE_S:g} s.") from None
        if line is None:
            raise BadConfiguration("The host closed the control pipe before it sent a bootstrap line.")
        return _parse_bootstrap(line)

    def on_stop(self, stop: Callable[[str], None]) -> None:
        """Call `stop`, in the pipe's thread, with the reason to end this process: `shutdown` if the host asks for it,
        `host_gone` if the pipe ends. If that has already happened, call it at once.
        """
        with self._lock:
            self._stop = stop
            reason = self._stop_reason
        if reason is not None:
            stop(reason)

    def _read(self) -> None:
        buffer = b""
        is_first = True
        while chunk := self._read_chunk():
            *lines, buffer = (buffer + chunk).split(b"\n")
            for line in lines:
                if is_first:
                    self._first_line.put(line)
                    is_first = False
                else:
                    self._obey(line)
            if len(buffer) > LONGEST_LINE:
                buffer = b""
                if is_first:
                    self._first_line.put(b"")
                    is_first = False
        self._first_line.put(None)
        if is_first:
            return  # nothing was begun yet: the start ends by itself, and says why, when it misses its bootstrap
        self._request_stop("host_gone")
        threading.Event().wait(LAST_GRACE_S)
        # Nobody is left to serve: neither a stuck request nor a long backup is worth outliving the host for.
        os._exit(ExitCode.INTERNAL_ERROR)

    def _read_chunk(self) -> bytes:
        try:
            return os.read(self._descriptor, CHUNK)
        except OSError:
            return b""

    def _obey(self, line: bytes) -> None:
        try:
            command = json.loads(line)
        except _NOT_JSON:
            command = None
        match command:
            case {"command": "shutdown"}:
                self._request_stop("shutdown")
            case {"command": "stacks"}:
                _write_stacks()
            case _:
                import logging

                logging.getLogger(__name__).warning("the host sent an unknown command; it was ignored")

    def _request_stop(self, reason: str) -> None:
        with self._lock:
            self._stop_reason = self._stop_reason or reason
            stop = self._stop
        if stop is not None:
            stop(reason)


def _write_stacks() -> None:
    """Write what every thread is doing to standard error: places in the code, no values.

    By way of the descriptor, as `faulthandler` does: the stuck thread may hold a lock of `sys.stderr` or of a logger.
    """
    import faulthandler

    with contextlib.suppress(OSError):  # a standard error that is closed: nobody asked to see it
        os.write(_STANDARD_ERROR, STACKS_BEGIN)
        faulthandler.dump_traceback(_STANDARD_ERROR, all_threads=True)
        os.write(_STANDARD_ERROR, STACKS_END)


def _parse_bootstrap(line: bytes) -> Bootstrap:
    from pathlib import Path

    try:
        fields = json.loads(line)
    except _NOT_JSON:
        raise BadConfiguration("The bootstrap line is not JSON.") from None
    if not isinstance(fields, dict):
        raise BadConfiguration("The bootstrap line is not a JSON object.")
    if fields.get("protocol") != PROTOCOL:
        raise BadConfiguration(
            f"The host speaks protocol {fields.get('protocol')!r}, this sidecar protocol {PROTOCOL}; "
            "use a bridge and a sidecar of the same version."
        )
    token = fields.get("token")
    if not isinstance(token, str) or len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isalnum():
        raise BadConfiguration(f"The bootstrap's 'token' must be at least {SHORTEST_TOKEN} ASCII letters and digits.")
    directory = fields.get("data_dir")
    if not isinstance(directory, str) or "\0" in directory or not Path(directory).is_absolute():
        raise BadConfiguration("The bootstrap's 'data_dir' must be an absolute path.")
    overrides = fields.get("settings", {})
    if not isinstance(overrides, dict):
        raise BadConfiguration("The bootstrap's 'settings' must be an object.")
    extensions, python_path = fields.get("extensions", []), fields.get("python_path", [])
    if not _are_texts(extensions):
        raise BadConfiguration("The bootstrap's 'extensions' must be a list of module names.")
    if not _are_texts(python_path) or not all(Path(path).is_absolute() for path in python_path):
        raise BadConfiguration("The bootstrap's 'python_path' must be a list of absolute paths.")
    is_packaged = fields.get("packaged", False)
    if not isinstance(is_packaged, bool):
        raise BadConfiguration("The bootstrap's 'packaged' must be true or false.")
    operations = fields.get("operations", {})
    if not isinstance(operations, dict) or not _are_texts([*operations.values()]):
        raise BadConfiguration("The bootstrap's 'operations' must be an object with a fingerprint for each operation.")
    debugger_port = fields.get("debugpy")
    if debugger_port is not None and (is_packaged or type(debugger_port) is not int or not 0 < debugger_port < 65536):
        raise BadConfiguration("The bootstrap's 'debugpy' must be a port, and is not for a packaged app.")
    paths = [Path(path) for path in python_path]
    return Bootstrap(token, Path(directory), overrides, extensions, paths, is_packaged, operations, debugger_port)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each and "\0" not in each for each in value)
