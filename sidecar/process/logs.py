"""Logs: to standard error and to a rotating file, one line an event, never with the token.

A line is UTC time, level, logger and message. Control characters are escaped, so that text from a request cannot
forge a line of its own.
"""

import errno
import logging
import re
import sys
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from sidecar.config import LogSettings
from sidecar.errors import DataDirectoryNotWritable, OutOfDescriptors
from sidecar.models import timestamps
from sidecar.terminal import complain

LOG_FILE = Path("logs") / "sidecar.log"
REDACTED = "[token]"

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class _OneLine(logging.Formatter):
    def __init__(self, secret: str) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._secret = secret

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802
        return timestamps.render(datetime.fromtimestamp(record.created, UTC))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        record.message = record.message.replace("\n", "\\n").replace("\t", "\\t")
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        """Format the event, with a traceback on indented lines."""
        text = super().format(record).replace(self._secret, REDACTED)
        text = _CONTROL_CHARACTERS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
        return text.replace("\n", "\n    ")


class _LogFile(RotatingFileHandler):
    """The log file. A failure to write to it is reported once, and fails nothing else."""

    _is_reported = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - the standard library's name
        if not self._is_reported:
            self._is_reported = True
            error = sys.exc_info()[1]
            reason = error.strerror if isinstance(error, OSError) else type(error).__name__
            complain(f"The log file {self.baseFilename} cannot be written to: {reason}.")


def configure_logging(data_directory: Path, settings: LogSettings, secret: str, least_on_stderr: str) -> None:
    """Send every logger's events to the log file, and those of a level from `least_on_stderr` on to standard error too.

    `secret` is replaced wherever it appears. Raises `DataDirectoryNotWritable`.
    """
    file = data_directory / LOG_FILE
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        to_file: logging.Handler | None = _LogFile(
            file, maxBytes=settings.max_bytes, backupCount=settings.files, encoding="utf-8"
        )
    except OSError as error:
        if error.errno == errno.ENOSPC:  # what can be served without a log is
            to_file = None
        elif (exhausted := OutOfDescriptors.caused(error)) is not None:
            raise exhausted from error
        else:
            reason = error.strerror or type(error).__name__
            raise DataDirectoryNotWritable(f"The log file {file} cannot be written to: {reason}.") from error
    root = logging.getLogger()
    root.handlers.clear()
    to_stderr = logging.StreamHandler()
    to_stderr.setLevel(least_on_stderr)
    for handler in (to_stderr, to_file) if to_file is not None else (to_stderr,):
        handler.setFormatter(_OneLine(secret))
        root.addHandler(handler)
    root.setLevel(settings.level.upper())
