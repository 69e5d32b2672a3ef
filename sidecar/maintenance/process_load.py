"""How the sidecar's own process is doing, in numbers."""

from typing import NamedTuple

from sidecar import platform
from sidecar.clock import Clock
from sidecar.models.monitoring import ProcessLoad

SHORTEST_LOOK_S = 1.0
"""The share of a core, taken over less than this, is chance."""


class _Look(NamedTuple):
    at: float
    cpu_seconds: float


class ProcessWatch:
    """Samples of this process. Each one is compared with the previous one."""

    def __init__(self) -> None:
        self._last: _Look | None = None
        self._started: float | None = None
        """When the process began, by the monotonic clock. The wall clock is asked for that once: it may jump."""
        self._cpu_percent = 0.0

    def load(self, clock: Clock) -> ProcessLoad:
        """The numbers of this moment; the first share of a core is that since the process began."""
        import psutil  # 20 ms, and only those who look need it

        process = psutil.Process()
        with process.oneshot():
            now, cpu_seconds = clock.monotonic(), sum(process.cpu_times()[:2])
            if self._started is None:
                self._started = now - max(0.0, clock.now().timestamp() - process.create_time())
            return ProcessLoad(
                cpu_percent=self._share(_Look(now, cpu_seconds), self._started),
                cpu_seconds=round(cpu_seconds, 3),
                memory_bytes=process.memory_info().rss,
                threads=process.num_threads(),
                open_files=platform.open_files(process),
                uptime_s=round(now - self._started, 3),
            )

    def _share(self, look: _Look, started: float) -> float:
        last = self._last or _Look(started, 0.0)
        seconds = look.at - last.at
        if seconds >= SHORTEST_LOOK_S or self._last is None:
            self._cpu_percent = round(100 * (look.cpu_seconds - last.cpu_seconds) / max(seconds, SHORTEST_LOOK_S), 1)
            self._last = look
        return self._cpu_percent


PROCESS = ProcessWatch()
