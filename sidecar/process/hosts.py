"""The host that started the process: a program at the other end of two pipes, or a person at a terminal.

Both say what to run with, hear how it is getting on, and ask for the end.
"""

import contextlib
import json
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from sidecar import platform
from sidecar.process.control import Bootstrap, ControlPipe
from sidecar.terminal import complain, say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HEADER_FILE = "authorization.header"
"""Name of the file with the token as a header, which `curl -H @file` reads, so that no command line holds it."""


_STANDARD_INPUT, _STANDARD_OUTPUT, _STANDARD_ERROR = 0, 1, 2
"""Descriptors, not `sys.stdin`: that is `None` where a host has closed it, which then is a failure to report."""


class Host(Protocol):
    """Its methods may be called from any thread."""

    least_log_level: str
    """Least severe level of the log's events for standard error."""

    def report(self, event: str, **fields: object) -> None:
        """Report `bound`, `stage`, `ready`, `warning`, `failed` or `stopping`, with the fields of its status line."""

    def bootstrap(self) -> Bootstrap:
        """Return the token, data directory and overrides. Raises `BadConfiguration` if the host sends a wrong
        bootstrap.
        """

    def on_stop(self, stop: Callable[[str], None]) -> None:
        """Call `stop` with a reason, from any thread, when the host asks for the end or is gone."""


class PipeHost:
    """A program. It reads standard output: one JSON object a line, and nothing else.

    So the real standard output is kept here, and whatever else is printed to it goes to standard error.
    """

    least_log_level = "NOTSET"

    def __init__(self) -> None:
        self._status_lines = os.dup(_STANDARD_OUTPUT)
        os.dup2(_STANDARD_ERROR, _STANDARD_OUTPUT)
        self._lock = threading.Lock()
        self._control = ControlPipe(_STANDARD_INPUT)

    def report(self, event: str, **fields: object) -> None:
        """Write one line. A host that no longer reads is no error here: the control pipe reports its end."""
        line = json.dumps({"event": event, **fields}, separators=(",", ":")) + "\n"
        with self._lock, contextlib.suppress(OSError):
            os.write(self._status_lines, line.encode())

    def bootstrap(self) -> Bootstrap:
        return self._control.bootstrap()

    def on_stop(self, stop: Callable[[str], None]) -> None:
        self._control.on_stop(stop)


class Terminal:
    """A person, who gets what is needed to call the sidecar by hand, and stops it with Ctrl-C."""

    least_log_level = "WARNING"

    def __init__(
        self, data_directory: "Path", extensions: "Sequence[str]" = (), python_path: "Sequence[Path]" = ()
    ) -> None:
        import secrets

        paths = [path.absolute() for path in python_path]
        self._bootstrap = Bootstrap(secrets.token_hex(32), data_directory.absolute(), {}, extensions, paths)
        self._header_file = self._bootstrap.data_directory / HEADER_FILE

    def report(self, event: str, **fields: object) -> None:
        """Print the event if it matters to a person."""
        if event == "ready":
            url = f"http://127.0.0.1:{fields['port']}"
            say(f"The sidecar is ready at {url} (Ctrl-C stops it).")
            say(f"Token: {self._bootstrap.token}")
            say(f"Try:   curl -H {platform.shell_word(f'@{self._header_file}')} {url}/todos")
        elif event == "stage":
            say(f"{fields['detail']} …")
        elif event == "warning":
            say(f"Warning: {fields['message']}")
        elif event == "stopping":
            say("Stopping …")
        elif event == "failed":
            complain(str(fields["message"]), str(fields["code"]))

    def bootstrap(self) -> Bootstrap:
        return self._bootstrap

    def on_stop(self, stop: Callable[[str], None]) -> None:
        """Do nothing: only signals end the process."""
