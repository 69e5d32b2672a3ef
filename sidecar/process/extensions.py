"""Loading the extensions at the start, with stages for the host: a module may import for long."""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sidecar.errors.warnings import OperationsOutOfDate
from sidecar.extension.declaration import Extension
from sidecar.extension.fingerprints import difference, fingerprints
from sidecar.extension.loading import load
from sidecar.process.hosts import Host

log = logging.getLogger(__name__)

STAGE_REPEAT_S = 4.0
"""A host takes a silent sidecar for stuck, so a long import is reported again."""


def load_extensions(modules: Sequence[str], python_path: Sequence[Path], host: Host) -> tuple[Extension, ...]:
    """Return the extensions of these modules. Raises `ExtensionRefused`."""
    detail = f"Loading {', '.join(modules)}"
    host.report("stage", stage="extensions", detail=detail)
    with reporting_again(host, detail):
        return load(modules, python_path)


def report_outdated_table(extensions: Sequence[Extension], known: Mapping[str, str], host: Host) -> None:
    """Warn the host if the operations that it knows, by their fingerprints, are not those of the extensions."""
    served = fingerprints(route for extension in extensions for route in extension.router.routes)
    message = difference(known, served)
    if message is not None:
        log.warning("%s", message)
        host.report("warning", code=OperationsOutOfDate.code, message=message)


@contextmanager
def reporting_again(host: Host, detail: str) -> Iterator[None]:
    """Report the stage again and again, from a thread: the code of extensions runs in this one, as it may expect."""
    is_done = threading.Event()

    def repeat() -> None:
        while not is_done.wait(STAGE_REPEAT_S):
            host.report("stage", stage="extensions", detail=detail)

    threading.Thread(target=repeat, name="extensions-stage", daemon=True).start()
    try:
        yield
    finally:
        is_done.set()
