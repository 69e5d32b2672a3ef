"""The self-test of a frozen folder: a sidecar is started from it and used, and each step is named if it fails."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sidecar import __version__
from sidecar.api.operation import OperationRoute
from sidecar.errors import FreezeFailed
from sidecar.extension import Extension
from sidecar.hosting import Client, RunningSidecar, SidecarFailed

PROBE = "freezing_probe"
PROBE_DIRECTORY = Path(__file__).parent / "probe"

LONGEST_COMMAND_S = 60

_FINISHED = ("done", "failed", "cancelled", "interrupted")


def run_self_test(program: Path, extensions: Sequence[Extension], modules: Sequence[str]) -> None:
    """Use the frozen sidecar once in each way, with a data directory that is deleted afterwards.

    `extensions` are what it must serve, and `modules` what a job in a process must be able to import. Raises
    `FreezeFailed` with the step and the reason.
    """
    names = [extension.module for extension in extensions if extension.module is not None]
    with TemporaryDirectory(prefix="sidecar-freeze-") as place:
        data = Path(place) / "data"
        with _step("version"):
            _command(program, "--version", expected=__version__)
        sidecar = RunningSidecar(data, [*names, PROBE], [PROBE_DIRECTORY], command=[program])
        try:
            with _step("start and migrate"):
                sidecar.start()
            with _step("write"):
                todo = {"content": "water the plants"}
                made = sidecar.client.post("/todos", todo).expect(201).json()
            with _step("search"):
                _require_found(sidecar.client, made["id"])
            with _step("extensions"):
                _require_served(sidecar.client, extensions)
            with _step("job in a process"):
                _require_imports(sidecar.client, modules)
            with _step("stop"):
                sidecar.stop()
        finally:
            sidecar.kill()
        with _step("commands"):
            _command(program, "backup", "--data-dir", str(data))


@contextmanager
def _step(name: str) -> Iterator[None]:
    try:
        yield
    except FreezeFailed as error:
        raise FreezeFailed(f"The self-test of the frozen sidecar failed at '{name}': {error.message}") from error
    except (SidecarFailed, AssertionError, OSError, subprocess.SubprocessError) as error:
        advice = "If a module or a file is missing, name its package with --include."
        raise FreezeFailed(f"The self-test of the frozen sidecar failed at '{name}': {error}\n{advice}") from error


def _command(program: Path, *arguments: str, expected: str = "") -> None:
    done = subprocess.run(
        [program, *arguments], capture_output=True, stdin=subprocess.DEVNULL, timeout=LONGEST_COMMAND_S, check=False
    )
    output = done.stdout.decode(errors="replace")
    if done.returncode != 0 or expected not in output:
        raise FreezeFailed(
            f"`sidecar {' '.join(arguments)}` ended with {done.returncode} and printed:\n{output}"
            f"{done.stderr.decode(errors='replace')}"
        )


def _require_found(client: Client, todo_id: int) -> None:
    found = [hit["id"] for hit in client.get("/search", q="plants").expect(200).json()["items"]]
    if found != [f"todo:{todo_id}"]:
        raise FreezeFailed(f"the todo that was written is not found, but {found}.")


def _require_served(client: Client, extensions: Sequence[Extension]) -> None:
    """Raise unless all operations of the extensions are served, and the health reports the extensions as sound."""
    paths = client.get("/openapi.json").expect(200).json()["paths"].values()
    served = {operation.get("operationId") for methods in paths for operation in methods.values()}
    for extension in extensions:
        declared = {route.operation_id for route in extension.router.routes if isinstance(route, OperationRoute)}
        if declared - served:
            raise FreezeFailed(f"{extension.module} does not serve {', '.join(sorted(declared - served))}.")
    component = client.get("/health/ready").expect(200).json()["components"].get("extensions")
    if component is None or not component["ok"]:
        raise FreezeFailed(f"the health says of the extensions: {component}.")


def _require_imports(client: Client, modules: Sequence[str]) -> None:
    """Raise unless a job in a process of its own imports the modules."""
    with client.events("jobs") as events:
        job = client.post(f"/x/{PROBE}/imports", list(modules)).expect(202).json()
        while job["status"] not in _FINISHED:
            next(events)
            job = client.get(f"/jobs/{job['id']}").expect(200).json()
    _require_done(job)


def _require_done(job: dict[str, Any]) -> None:
    if job["status"] != "done":
        raise FreezeFailed(f"the job {job['status']}: {job['error']}")
