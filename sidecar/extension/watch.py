"""The watch over the event loop: code of an extension that blocks it is named, with its stack.

A thread looks at the loop's thread ten times a second. Only while that is inside an extension's code, it asks the loop
to answer; without an answer, that code is what holds up every request. An idle loop is never woken.
"""

import asyncio
import logging
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from types import FrameType

from sidecar.clock import Clock
from sidecar.extension.places import OwnFiles, Place
from sidecar.models.health import Component

log = logging.getLogger(__name__)

TICK_S = 0.1
LIMIT_S = 0.25
"""A loop that is blocked for longer than this makes a page stutter; see `event_loop` of the health check."""

SERIOUS_S = 1.0
RECENT_S = 300.0
"""Health is not ok for this long after a serious block."""

HELD_S = 1.0
"""Seconds that this thread itself has to be late for code that holds the interpreter to be blamed."""

STOPPED_S = 10.0
"""A thread that is later than this was stopped with the whole process or machine."""

LOG_AGAIN_S = 60.0
"""Between two reports of one place."""

_DEBUGGERS = ("debugpy", "pydevd", "pdb", "bdb")


class LoopWatch:
    """Watches the loop of the thread that calls `start`, until `stop`."""

    def __init__(self, files: OwnFiles, clock: Clock, *, limit_s: float = LIMIT_S, held_s: float = HELD_S) -> None:
        self._files = files
        self._limit_s = limit_s
        self._held_s = held_s
        self._monotonic = clock.monotonic
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._asked_at: float | None = None
        self._suspect: Place | None = None
        self._is_reported = False
        self._logged: dict[tuple[str, str], float] = {}
        self._count = 0
        self._longest: tuple[float, Place] | None = None
        self._latest: tuple[float, Place] | None = None
        self._serious_at: float | None = None

    def start(self) -> None:
        """Begin to watch; called on the loop."""
        self._loop = asyncio.get_running_loop()
        self._watched = threading.get_ident()
        threading.Thread(target=self._run, name="loop-watch", daemon=True).start()

    def stop(self) -> None:
        """End the watch."""
        self._stopped.set()

    def health(self) -> Mapping[str, Component]:
        """Return the component `extensions`: which code blocked the loop last, and for longest."""
        if self._longest is None or self._latest is None:
            return {"extensions": Component(ok=True, measures={"blocks": 0.0})}
        now = self._monotonic()
        is_recent = self._serious_at is not None and now - self._serious_at < RECENT_S
        details = [_sentence(*self._latest)]
        if self._longest != self._latest:
            details.append(f"before, {_sentence(*self._longest)}")
        measures = {"blocks": float(self._count), "longest_ms": round(self._longest[0] * 1000, 1)}
        return {"extensions": Component(ok=not is_recent, detail="; ".join(details), measures=measures)}

    def _run(self) -> None:
        last = self._monotonic()
        while not self._stopped.wait(TICK_S):
            now = self._monotonic()
            late = now - last - TICK_S
            last = now
            with suppress(RuntimeError):  # the loop has ended
                self._look(now, late)

    def _look(self, now: float, late: float) -> None:
        frame = sys._current_frames().get(self._watched)  # noqa: SLF001 - documented, and the only way
        with self._lock:
            asked_at = self._asked_at
            if asked_at is not None and late < STOPPED_S:
                if now - asked_at >= self._limit_s:
                    self._suspect_blocking(frame, now - asked_at)
                return
            place = self._files.innermost(frame)
            if place is None or late >= STOPPED_S:
                self._asked_at = None
                return
            self._suspect = place
            self._is_reported = False
            if late >= self._held_s:
                self._report(place, frame, late)
            else:
                self._asked_at = now
        self._loop.call_soon_threadsafe(self._answer, now)

    def _suspect_blocking(self, frame: FrameType | None, blocked_s: float) -> None:
        """Report the code that runs now if it is the extension that ran when the loop was asked."""
        place = self._files.innermost(frame)
        if self._is_reported or place is None or self._suspect is None:
            return
        if (place.file, place.function) == (self._suspect.file, self._suspect.function):
            self._report(place, frame, blocked_s)

    def _report(self, place: Place, frame: FrameType | None, blocked_s: float) -> None:
        if _is_debugged(frame):
            return
        self._is_reported = True
        self._suspect = place
        self._count += 1
        self._note(place, blocked_s)
        now = self._monotonic()
        if now - self._logged.get(place[::2], -LOG_AGAIN_S) >= LOG_AGAIN_S:
            self._logged[place[::2]] = now
            stack = "".join(traceback.format_stack(frame))
            log.warning(
                "%s has blocked the event loop for %.1f s, and with it every request; use an async library, a plain "
                "`def`, or a job:\n%s",
                place,
                blocked_s,
                stack,
            )

    def _answer(self, asked_at: float) -> None:
        """Called on the loop when it turns again."""
        with self._lock:
            if self._asked_at == asked_at:
                self._asked_at = None
                if self._is_reported and self._suspect is not None:
                    self._note(self._suspect, self._monotonic() - asked_at)

    def _note(self, place: Place, blocked_s: float) -> None:
        self._latest = (blocked_s, place)
        if self._longest is None or blocked_s >= self._longest[0]:
            self._longest = self._latest
        if blocked_s >= SERIOUS_S:
            self._serious_at = self._monotonic()


def _sentence(blocked_s: float, place: Place) -> str:
    return f"{place} blocked the event loop for {blocked_s:.1f} s"


def _is_debugged(frame: FrameType | None) -> bool:
    """Return whether a debugger may have stopped the code: one is loaded, or is on the stack."""
    if not sys.modules.keys().isdisjoint(_DEBUGGERS[:2]):
        return True
    while frame is not None:
        if frame.f_globals.get("__name__") in _DEBUGGERS:
            return True
        frame = frame.f_back
    return False
