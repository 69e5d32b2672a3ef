"""Loading the extensions at the start, with stages for the host: a module may import for long."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sidecar.extension.declaration import Extension
from sidecar.extension.loading import load
from sidecar.process.hosts import Host

STAGE_REPEAT_S = 4.0
"""A host takes a silent sidecar for stuck, so a long import is reported again."""


def load_extensions(modules: Sequence[str], python_path: Sequence[Path], host: Host) -> tuple[Extension, ...]:
    """Return the extensions of these modules. Raises `ExtensionRefused`."""
    with _reporting(host, f"Loading {', '.join(modules)}"):
        return load(modules, python_path)


@contextmanager
def _reporting(host: Host, detail: str) -> Iterator[None]:
    """Report the stage now, and again from a thread: modules are imported in this one, as they may expect."""
    is_done = threading.Event()

    def repeat() -> None:
        while not is_done.wait(STAGE_REPEAT_S):
            host.report("stage", stage="extensions", detail=detail)

    host.report("stage", stage="extensions", detail=detail)
    threading.Thread(target=repeat, name="extensions-stage", daemon=True).start()
    try:
        yield
    finally:
        is_done.set()
