"""Logs: to standard error and to a rotating file, one line an event, never with the token.

A line is UTC time, level, logger and message. Control characters are escaped, so that text from a request cannot
forge a line of its own.
"""

import logging
import re
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from sidecar.config import LogSettings
from sidecar.errors import DataDirectoryNotWritable
from sidecar.models import timestamps

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
        """The event; a traceback follows on indented lines."""
        text = super().format(record).replace(self._secret, REDACTED)
        text = _CONTROL_CHARACTERS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
        return text.replace("\n", "\n    ")


def configure_logging(data_directory: Path, settings: LogSettings, secret: str, least_on_stderr: str) -> None:
    """Send every logger's events to the log file, and those of a level from `least_on_stderr` on to standard error too.

    `secret` is replaced wherever it appears. Raises `DataDirectoryNotWritable`.
    """
    file = data_directory / LOG_FILE
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        to_file = RotatingFileHandler(file, maxBytes=settings.max_bytes, backupCount=settings.files, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataDirectoryNotWritable(f"The log file {file} cannot be written to: {reason}.") from error
    root = logging.getLogger()
    root.handlers.clear()
    to_stderr = logging.StreamHandler()
    to_stderr.setLevel(least_on_stderr)
    for handler in (to_stderr, to_file):
        handler.setFormatter(_OneLine(secret))
        root.addHandler(handler)
    root.setLevel(settings.level.upper())
