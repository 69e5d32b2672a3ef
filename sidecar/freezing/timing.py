"""The start of a frozen sidecar beside that of `python -m sidecar`, in turns, so that both meet the same machine."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from sidecar.hosting import RunningSidecar

ROUNDS = 5


class Start(NamedTuple):
    """Seconds from the start of the process, and how many times those of the plain start."""

    bound_s: float
    ready_s: float
    bound_ratio: float
    ready_ratio: float


def measure_start(program: Path, extensions: Sequence[str], python_path: Sequence[str], rounds: int = ROUNDS) -> Start:
    """Return the medians of some starts over empty data directories, after one of each that warms the caches.

    Raises `SidecarFailed`.
    """
    frozen: list[tuple[float, float]] = []
    plain: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        with (
            TemporaryDirectory(prefix="sidecar-freeze-") as place,
            RunningSidecar(Path(place) / "plain", extensions, python_path) as one,
            RunningSidecar(Path(place) / "frozen", extensions, command=[program]) as other,
        ):
            if number > 0:
                plain.append((one.reached["bound"], one.reached["ready"]))
                frozen.append((other.reached["bound"], other.reached["ready"]))
    bound_s, ready_s = (median(times) for times in zip(*frozen, strict=True))
    plain_bound_s, plain_ready_s = (median(times) for times in zip(*plain, strict=True))
    return Start(bound_s, ready_s, bound_s / plain_bound_s, ready_s / plain_ready_s)
