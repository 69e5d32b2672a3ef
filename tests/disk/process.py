"""A whole sidecar, recorded while a client uses it over HTTP and then stops it."""

from pathlib import Path
from typing import Any

import httpx

from ..process.host import Host
from . import shim
from .diary import Diary
from .load import DATA
from .running import Run
from .scenarios import SCENARIOS, Scenario

PROCESS = Scenario("process", SCENARIOS["creation"].prepare, lambda directory, diary: None)
"""Is not run by `runner.py`: a sidecar that is started over nothing, used and stopped."""


def record_process(directory: Path, library: Path) -> tuple[Path, Run]:
    """Return the directory with which the sidecar began, and what it did."""
    start, used, log = directory / "start", directory / "used", directory / "process.log"
    for place in (start, used):
        place.mkdir(parents=True)
        PROCESS.prepare(place, Diary(log))
    environment = {**shim.preloaded(library), **shim.configuration(used, log)}
    with Host(used / DATA, directory, environment=environment) as host:
        host.bootstrap()
        host.event("ready")
        _use(host.client, Diary(log))
        host.shutdown()
        status = host.wait()
    return start, Run(PROCESS, used, [], log, status)


def _use(client: httpx.Client, diary: Diary) -> None:
    for text in (f"todo {number}" for number in range(8)):
        _post(client, diary, "rows", "/todos", {"content": text}, rows={"todo": [text]})
    texts = [f"batch {number} {'x' * 50 * number}" for number in range(20)]
    todos = {"todos": [{"content": text} for text in texts]}
    _post(client, diary, "rows", "/todos/batch", todos, rows={"todo": texts})
    _post(
        client,
        diary,
        "rows",
        "/vaults",
        {"title": "document", "content": "long " * 2000},
        rows={"vaults": ["document"]},
    )
    number = diary.begin("backup")
    made = client.post("/backups", json={}).raise_for_status().json()
    diary.answer(number, name=made["name"])
    _post(client, diary, "rows", "/tips", {"content": "tip"}, rows={"tips": ["tip"]})


def _post(client: httpx.Client, diary: Diary, what: str, path: str, body: dict[str, Any], **details: Any) -> None:
    number = diary.begin(what, **details)
    client.post(path, json=body, headers={"Idempotency-Key": number}).raise_for_status()
    diary.answer(number)
