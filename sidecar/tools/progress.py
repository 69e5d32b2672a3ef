"""Progress of a command, for the person at the terminal."""

import sys

from sidecar.clock import SYSTEM_CLOCK
from sidecar.progress import Progress
from sidecar.terminal import write


class ProgressLine:
    """Shows progress on standard error: on a terminal in one changing line, elsewhere in a line for each activity."""

    EVERY_S = 0.1

    def __init__(self) -> None:
        self._activity = ""
        self._shown_at = 0.0
        self._changes = sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> Progress:
        return self._show

    def __exit__(self, *_: object) -> None:
        if self._changes and self._activity:
            self._write("\r\x1b[K")

    def _show(self, done: int, total: int | None, activity: str) -> None:
        activity = activity.replace("set_aside", "rows set aside")
        is_new, self._activity = activity != self._activity, activity
        if not self._changes:
            if is_new:
                self._write(f"{activity} …\n")
        elif is_new or SYSTEM_CLOCK.monotonic() - self._shown_at > self.EVERY_S:
            self._shown_at = SYSTEM_CLOCK.monotonic()
            self._write(f"\r\x1b[K{_share(done, total)}{activity}")

    def _write(self, text: str) -> None:
        write(sys.stderr, text)


def _share(done: int, total: int | None) -> str:
    """Return the beginning of the line: the per cent that are done, or how much is where the total is unknown."""
    if total:
        return f"{min(100 * done // total, 100):3d} %  "
    return f"{done:,}  " if done else ""
