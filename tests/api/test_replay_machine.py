"""Changes that are sent again, against a model: a key stands for one request and for its first answer."""

import asyncio
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sidecar.api.events import EventHub
from sidecar.clock import SYSTEM_CLOCK
from sidecar.config import DatabaseSettings, Settings
from sidecar.storage.unified import UnifiedStorage, configured_backends
from tests.conftest import URL
from tests.contexts import context_over
from tests.lanes import served

KEYS = st.sampled_from(["a", "b", "c", "é'\"", "k" * 200])
CONTENT = st.sampled_from(["one", "two", "three"]).map(lambda content: {"content": content})
TODO = st.integers(1, 4)
MAKING = ("/todos", "/todos/batch")


class Request(NamedTuple):
    method: str
    path: str
    body: dict[str, Any] | None


class Answer(NamedTuple):
    status: int
    body: bytes


def requests() -> st.SearchStrategy[Request]:
    """Changes of four todos, of which some are not there."""
    return st.one_of(
        CONTENT.map(lambda todo: Request("POST", "/todos", todo)),
        st.lists(CONTENT, min_size=1, max_size=3).map(lambda todos: Request("POST", "/todos/batch", {"todos": todos})),
        st.tuples(TODO, CONTENT).map(lambda drawn: Request("PATCH", f"/todos/{drawn[0]}", drawn[1])),
        TODO.map(lambda todo: Request("POST", f"/todos/{todo}/toggle", None)),
        TODO.map(lambda todo: Request("DELETE", f"/todos/{todo}", None)),
    )


class Replays(RuleBasedStateMachine):
    """Random changes with few keys; the model knows what each key was first used for, and what the rows then are."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.first: dict[str, tuple[Request, Answer]] = {}
        self.todos: dict[int, tuple[str, int]] = {}
        self.latest = 0

    @initialize()
    def open(self) -> None:
        in_memory = Settings(database=DatabaseSettings(enabled=False))
        self.storage = UnifiedStorage.create(configured_backends(in_memory, Path()))
        self.runner.run(self.storage.initialize())
        events = EventHub("test-instance", SYSTEM_CLOCK)
        app = served(context_over(self.storage, events, "i"))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL)

    def teardown(self) -> None:
        self.runner.run(self.client.aclose())
        self.runner.run(self.storage.close())
        self.runner.close()

    def send(self, key: str, request: Request) -> Answer:
        options: dict[str, Any] = {} if request.body is None else {"json": request.body}
        headers = {b"Idempotency-Key": key.encode()}
        answer = self.runner.run(self.client.request(request.method, request.path, headers=headers, **options))
        return Answer(answer.status_code, answer.content)

    @rule(key=KEYS, request=requests())
    def change(self, key: str, request: Request) -> None:
        answer = self.send(key, request)
        if key in self.first:
            was, its_answer = self.first[key]
            assert answer == its_answer if request == was else answer.status == 409
        elif self.is_possible(request):
            assert answer.status in (200, 201, 204)
            self.first[key] = (request, answer)
            self.apply(request)
        else:
            assert answer.status == 404

    @precondition(lambda self: self.first)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.first)))
        request, answer = self.first[key]
        assert self.send(key, request) == answer

    def is_possible(self, request: Request) -> bool:
        return request.path in MAKING or self.todo_of(request) in self.todos

    def todo_of(self, request: Request) -> int:
        return int(request.path.split("/")[2])

    def apply(self, request: Request) -> None:
        body = request.body or {}
        if request.path in MAKING:
            for made in body.get("todos", [body]):
                self.latest += 1
                self.todos[self.latest] = (made["content"], 0)
            return
        todo = self.todo_of(request)
        content, status = self.todos[todo]
        if request.method == "DELETE":
            del self.todos[todo]
        elif request.method == "PATCH":
            self.todos[todo] = (body["content"], status)
        else:
            self.todos[todo] = (content, 1 - status)

    @invariant()
    def store_and_model_agree(self) -> None:
        if not self.latest:
            return
        items = self.runner.run(self.client.get("/todos", params={"limit": 1000})).json()["items"]
        assert {item["id"]: (item["content"], item["status"]) for item in items} == self.todos


async def test_another_query_is_another_request(client: httpx.AsyncClient) -> None:
    context = {"id": "a", "extracted_data": {"context_type": "knowledge"}, "vector": [1, 0]}
    assert (await client.post("/contexts", json=context)).status_code == 201
    headers = {"Idempotency-Key": "k"}
    for kind, status in (("knowledge", 204), ("knowledge", 204), ("state", 409)):
        answer = await client.delete("/contexts/a", params={"context_type": kind}, headers=headers)
        assert answer.status_code == status


TestReplays = Replays.TestCase
TestReplays.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
