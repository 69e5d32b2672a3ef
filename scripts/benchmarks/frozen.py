"""A row about a frozen sidecar: its size, and its start against that of Python."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import toolbox

from benchmarks.processes import sidecar
from benchmarks.table import Result, Scale, compare, limit


def frozen(scale: Scale) -> Iterator[Result]:
    """The size without extras; starts over empty directories, in turns with `python -m sidecar`."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "sidecar"
        python = toolbox.venv_program("python")
        toolbox.run_quietly([python, "-m", "sidecar", "freeze", "--without", "vectors", "--out", folder])
        files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
        yield limit("size of a frozen sidecar", "MB", 45, [sum(path.stat().st_size for path in files) / 1e6])
        program = folder / ("sidecar.exe" if toolbox.WINDOWS else "sidecar")
        bound, ready = [], []
        for _ in range(scale.starts):
            with tempfile.TemporaryDirectory() as directory:
                with sidecar(Path(directory) / "plain") as running:
                    plain = running
                with sidecar(Path(directory) / "frozen", command=[program]) as running:
                    bound.append((running.bound_ms, plain.bound_ms))
                    ready.append((running.ready_ms, plain.ready_ms))
        yield compare("start to bound, frozen", "python -m sidecar", "ms", 2, bound)
        yield compare("start to ready, frozen", "python -m sidecar", "ms", 1.15, ready)
