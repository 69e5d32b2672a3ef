"""What extensions do besides answering requests, in a real sidecar: lifespans, tasks, preferences, a blocked loop."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from .conftest import Hosts
from .host import Host, wait_until

MODULE = """
import asyncio, time
from pathlib import Path

from fastapi import Request
from pydantic import BaseModel, Field
from sidecar.extension import Changes, Extension, Storage

notes = Extension("notes")

@notes.preferences
class NotesPreferences(BaseModel):
    cards_a_day: int = Field(default=20, ge=1)

@notes.lifespan
async def model(storage: Storage):
    await storage.insert_tip("opened")
    yield {"model": "a model"}
    await storage.insert_tip("closed")

@notes.on_start
async def begin(storage: Storage):
    await storage.insert_tip("began")

@notes.on_change("todos")
async def count(storage: Storage, changes: Changes):
    await storage.insert_tip(f"changed {changes.ids}")

@notes.on_stop
async def finish(storage: Storage):
    await storage.insert_tip("finished")

@notes.router.get("/model")
async def get_model(request: Request, storage: Storage) -> dict[str, str]:
    '''Return the model.'''
    preferences = await storage.read_preferences(NotesPreferences)
    return {"model": request.state.model, "cards_a_day": f"{preferences.cards_a_day}"}

@notes.router.get("/block")
async def block() -> None:
    '''Block.'''
    time.sleep(1.2)
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes the module `notes`; returns its file."""

    def writing(code: str) -> Path:
        file = tmp_path / "backend" / "notes.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(dedent(code), encoding="utf-8")
        return file

    return writing


def begin(hosts: Hosts, file: Path) -> Host:
    host = hosts.spawn()
    host.bootstrap(extensions=["notes"], python_path=[str(file.parent)])
    return host


def tips(host: Host) -> list[str]:
    return [tip["content"] for tip in reversed(host.client.get("/tips").json()["items"])]


def test_lifespan_tasks_and_preferences_work_together(hosts: Hosts, write: Callable[[str], Path]) -> None:
    host = begin(hosts, write(MODULE))
    host.event("ready")
    assert host.client.get("/x/notes/model").json() == {"model": "a model", "cards_a_day": "20"}
    assert host.client.put("/preferences/notes/cards_a_day", json={"value": 0}).status_code == 422
    assert host.client.put("/preferences/notes/cards_a_day", json={"value": 7}).json()["value"] == 7
    assert host.client.get("/x/notes/model").json()["cards_a_day"] == "7"
    host.client.post("/todos", json={"content": "one"})
    wait_until(lambda: tips(host) == ["opened", "began", "changed [1]"], "the functions run")
    names = [item["name"] for item in host.client.get("/upkeep").json()["items"]]
    assert names[-3:] == ["notes.begin", "notes.count", "notes.finish"]
    assert host.client.post("/upkeep/run", json={"task": "notes.begin"}).json()["error"] is None
    assert host.client.post("/upkeep/run", json={"task": "notes.nothing"}).status_code == 404
    hosts.stop(host)
    again = begin(hosts, write("from sidecar.extension import Extension\nnotes = Extension('notes')\n"))
    again.event("ready")
    assert tips(again)[-2:] == ["finished", "closed"]


def test_a_route_that_blocks_the_loop_is_named_in_the_log_and_by_health(
    hosts: Hosts, write: Callable[[str], Path]
) -> None:
    host = begin(hosts, write(MODULE))
    host.event("ready")
    assert "blocked" not in host.client.get("/health/ready").text
    assert host.client.get("/x/notes/block").status_code == 200
    component = host.client.get("/health/ready").json()["components"]["extensions"]
    assert component["detail"].startswith("notes.py, line 42, in block blocked the event loop for 1.")
    assert component["ok"] is False
    assert "notes.py, line 42, in block has blocked the event loop" in host.stderr


def test_a_lifespan_that_fails_ends_the_start_for_good(hosts: Hosts, write: Callable[[str], Path]) -> None:
    code = """
    from sidecar.extension import Extension
    notes = Extension("notes")

    @notes.lifespan
    async def model():
        raise OSError("no model")
        yield
    """
    file = write(code)
    failed = begin(hosts, file).refusal()
    assert (failed["code"], failed["exit_code"]) == ("extension_refused", 8)
    assert failed["message"] == (f"The lifespan of the extension 'notes' failed: OSError: no model ({file}, line 7).")


def test_an_included_router_has_its_lifespan(hosts: Hosts, write: Callable[[str], Path]) -> None:
    code = """
    from contextlib import asynccontextmanager
    from fastapi import APIRouter, Request
    from sidecar.extension import Extension

    @asynccontextmanager
    async def model(app):
        yield {"model": 7}

    inner = APIRouter(lifespan=model)

    @inner.get("/model")
    async def get_model(request: Request) -> int:
        '''Return the model.'''
        return request.state.model

    notes = Extension("notes")
    notes.router.include_router(inner)
    """
    host = begin(hosts, write(code))
    host.event("ready")
    assert host.client.get("/x/notes/model").json() == 7


@pytest.mark.parametrize(
    ("code", "line", "said"),
    [
        ("@notes.every(seconds=0)\nasync def f(): pass\n", 3, "ValueError: an interval of 0 s is not from 1 s"),
        ("\n@notes.on_change('todoz')\nasync def f(): pass\n", 4, "no rows have the topic 'todoz'; did you mean"),
        ("@notes.on_start\nasync def f(x: int): pass\n", 3, "the parameter 'x' of f ("),
        ("@notes.lifespan\ndef f(): yield\n", 3, "the lifespan f must be an `async def` that yields once"),
        ("@notes.preferences\nclass P(BaseModel):\n    x: int\n", 3, "the field 'x' of P has no default"),
    ],
)
def test_a_wrong_declaration_is_refused_with_its_line(
    hosts: Hosts, write: Callable[[str], Path], code: str, line: int, said: str
) -> None:
    file = write(
        f"from pydantic import BaseModel; from sidecar.extension import Extension\nnotes = Extension('notes')\n{code}"
    )
    failed = begin(hosts, file).refusal()
    assert failed["exit_code"] == 8
    assert said in failed["message"]
    assert f"{file}, line {line}" in failed["message"]
