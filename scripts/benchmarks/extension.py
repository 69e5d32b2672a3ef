"""Rows about an app's own Python: how much later a sidecar with it is ready, and how much longer its calls take."""

import statistics
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import toolbox

from benchmarks.processes import QUIET, client, sidecar
from benchmarks.table import Pair, Result, Scale, compare, rounds

EXAMPLE: Mapping[str, object] = {
    "extensions": ["flash_cards"],
    "python_path": [str(toolbox.BRIDGE / "example" / "backend")],
}
CALLS = 300

SAME_ROUTES = '''
from sidecar.extension import Extension, Storage, WriteKey
from sidecar.models.base import UrlIdentifier
from sidecar.models.tips import Tip, TipCreate

own = Extension("own")


@own.router.post("/tips", status_code=201)
async def create(storage: Storage, body: TipCreate, key: WriteKey) -> Tip:
    """Create a tip."""
    return await storage.insert_tip(**vars(body), key=key)


@own.router.get("/tips/{tip_id}")
async def get(storage: Storage, tip_id: UrlIdentifier) -> Tip:
    """Return a tip."""
    return await storage.get_tip(tip_id)
'''
"""Two routes of `routes/tips.py`, as an extension has them."""


def extension(scale: Scale) -> Iterator[Result]:
    """The start with the example's extension and without, in turns; the same routes built in and in an extension."""
    starts = rounds(scale.starts, _start)
    yield compare("start to ready with an extension", "the same without", "ms", 1.3, starts)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (directory / "own.py").write_text(SAME_ROUTES, encoding="utf-8")
        own = {"extensions": ["own"], "python_path": [str(directory)]}
        running = stack.enter_context(sidecar(directory / "data", QUIET, own))
        calling = stack.enter_context(client(running))
        calling.call("POST", "/tips", {"content": "the first"})

        def took(method: str, path: str, body: object) -> float:
            return statistics.median(calling.timed(method, path, body) for _ in range(CALLS))

        for name, method, path, body in (
            ("read by a route of an extension", "GET", "/tips/1", None),
            ("write by a route of an extension", "POST", "/tips", {"content": "water the plants"}),
        ):

            def measure(method: str = method, path: str = path, body: object = body) -> Pair:
                return took(method, f"/x/own{path}", body), took(method, path, body)

            yield compare(name, "the same route built in", "ms", 1.5, rounds(scale.rounds, measure))


def _start() -> Pair:
    """Milliseconds to ready, with the extension and without; the tables are there, as at every start but the first."""
    with tempfile.TemporaryDirectory() as directory:
        with sidecar(Path(directory), QUIET, EXAMPLE):
            pass
        with sidecar(Path(directory), QUIET, EXAMPLE) as running:
            extended = running.ready_ms
        with sidecar(Path(directory), QUIET) as running:
            return extended, running.ready_ms
