"""What a watched program notes between its disk operations: what it is about to do, and what it was answered."""

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from sidecar.errors import SidecarError
from sidecar.models.idempotency import IdempotencyKey

from . import recording
from .recording import Mark

T = TypeVar("T")

FAILURES = (SidecarError, sqlite3.Error, OSError)
"""What a call may raise when the disk fails."""

ATTEMPTS = 2


class Diary:
    """Notes marks in a log. What is tried has a number, under which its answer is noted."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._prefix = log.stem
        self._tried = 0

    def note(self, **mark: Any) -> None:
        recording.note(self._log, mark)

    def begin(self, what: str, **details: Any) -> str:
        """Note that something is going to be tried; return its number."""
        self._tried += 1
        number = f"{self._prefix}-{self._tried}"
        self.note(tried=number, what=what, **details)
        return number

    def answer(self, number: str, **details: Any) -> None:
        self.note(answered=number, **details)

    async def attempt(
        self,
        what: str,
        call: Callable[[IdempotencyKey], Awaitable[T]],
        answer: Callable[[T], Mark] = lambda _: {},
        **details: Any,
    ) -> T | None:
        """Make the call, which is repeated once with its key when it fails, and note its answer; `None` without one."""
        number = self.begin(what, **details)
        for _ in range(ATTEMPTS):
            try:
                answered = await call(IdempotencyKey(number))
            except FAILURES as failure:
                self.note(failed=number, error=f"{type(failure).__name__}: {failure}")
            else:
                self.answer(number, **answer(answered))
                return answered
        return None

    def attempt_now(self, what: str, call: Callable[[], object], **details: Any) -> None:
        """Make a call that blocks and has no key, once, and note that it was answered."""
        number = self.begin(what, **details)
        try:
            call()
        except FAILURES as failure:
            self.note(failed=number, error=f"{type(failure).__name__}: {failure}")
        else:
            self.answer(number)
