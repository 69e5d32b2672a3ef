"""The whole API under a fuzzer that knows its OpenAPI document: what fits it, and what does not.

Nothing breaks inside, no answer has a status that the document does not name, every answer has the shape that it says.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sidecar.api.app import openapi_document
from sidecar.api.events import EventHub
from sidecar.clock import SYSTEM_CLOCK
from sidecar.config import DatabaseSettings, Settings
from sidecar.storage.unified import UnifiedStorage, configured_backends
from tests.conftest import URL
from tests.contexts import context_over
from tests.lanes import served

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


WITHIN_REASON = {501}
"""Nothing makes vectors of texts here, and some operations then say so."""


AnyCase = Case[Any]


def document() -> dict[str, Any]:
    """The document without the answer that stands for all that it does not name."""
    described = openapi_document()
    for item in described["paths"].values():
        for operation in item.values():
            del operation["responses"]["default"]
    return described


@schemathesis.serializer("application/zip")
def as_it_is(_: schemathesis.SerializationContext, value: Any) -> bytes:
    return value if isinstance(value, bytes) else repr(value).encode()


SCHEMA = schemathesis.openapi.from_dict(document())
OPERATIONS = {
    operation["operationId"]: SCHEMA[path][method.upper()]
    for path, item in openapi_document()["paths"].items()
    for method, operation in item.items()
}


class Fuzzed:
    """An app over a store with a few rows of each kind, called one request after the other."""

    def __init__(self, runner: asyncio.Runner, directory: Path, *, on_disk: bool = True) -> None:
        self._runner = runner
        database = DatabaseSettings(enabled=on_disk)
        self.storage = UnifiedStorage.create(configured_backends(Settings(database=database), directory))
        runner.run(self.storage.initialize())
        events = EventHub("test-instance", SYSTEM_CLOCK)
        context = context_over(self.storage, events)
        transport = httpx.ASGITransport(hanging_up(served(context)), raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url=URL)
        runner.run(self._populate())

    async def _populate(self) -> None:
        conversation = await self.storage.create_conversation("chat", "a talk")
        for number in range(3):
            text = f"text {number}"
            await self.storage.insert_vaults(text, is_folder=True)
            await self.storage.insert_todo(text)
            await self.storage.insert_tip(text)
            await self.storage.create_message(conversation.id, "user", text, is_complete=number == 0)

    def send(self, case: AnyCase) -> httpx.Response:
        options = case.as_transport_kwargs(base_url=URL)
        headers = [(name, str(value).encode("utf-8")) for name, value in options["headers"].items()]
        body = {name: options[name] for name in ("json", "data", "files") if options.get(name) is not None}
        if isinstance(body.get("data"), str | bytes):
            body["content"] = body.pop("data")
        request = self._client.request(
            options["method"], options["url"], params=options["params"], headers=headers, **body
        )
        return self._runner.run(request)

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.run(self.storage.close())


def hanging_up(app: ASGIApp) -> ASGIApp:
    """`app`, with a client that has heard enough of an endless answer after its first piece."""

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        is_endless, has_heard_enough = False, asyncio.Event()

        async def receive_or_leave() -> Message:
            if is_endless:
                await has_heard_enough.wait()
                return {"type": "http.disconnect"}
            return await receive()

        async def send_and_note(message: Message) -> None:
            nonlocal is_endless
            await send(message)
            if message["type"] == "http.response.body" and scope["path"] == "/events":
                has_heard_enough.set()

        is_endless = scope["path"] == "/events" and scope["method"] == "GET"
        await app(scope, receive_or_leave, send_and_note)
        if has_heard_enough.is_set():
            await send({"type": "http.response.body", "body": b""})

    return called


@contextmanager
def opened(*, on_disk: bool) -> Iterator[Fuzzed]:
    with asyncio.Runner() as runner, TemporaryDirectory() as directory:
        fuzzed = Fuzzed(runner, Path(directory), on_disk=on_disk)
        yield fuzzed
        fuzzed.close()


@pytest.fixture(scope="module")
def on_disk() -> Iterator[Fuzzed]:
    with opened(on_disk=True) as fuzzed:
        yield fuzzed


@pytest.fixture(scope="module")
def in_memory() -> Iterator[Fuzzed]:
    with opened(on_disk=False) as fuzzed:
        yield fuzzed


def cases(operation_id: str) -> st.SearchStrategy[AnyCase]:
    operation = OPERATIONS[operation_id]
    right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    return right | wrong | st.tuples(right, st.integers(1, 3)).map(lambda drawn: with_ids(*drawn))


def with_ids(case: AnyCase, row: int) -> AnyCase:
    """The same case, of a row that is there."""
    for name, value in (case.path_parameters or {}).items():
        if isinstance(value, int):
            case.path_parameters[name] = row
    return case


def fuzz(fuzzed: Fuzzed, operation_id: str, count: int) -> None:
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=count < 100,
    )
    @given(case=cases(operation_id))
    def each(case: AnyCase) -> None:
        try:
            response = fuzzed.send(case)
        except httpx.InvalidURL:
            reject()  # longer than this client sends; what the sidecar makes of a long head has its own tests
        assert response.status_code in WITHIN_REASON or response.status_code < 500, response.text
        is_stream = response.headers.get("content-type", "").startswith("text/event-stream")
        case.validate_response(response, checks=CHECKS[:1] if is_stream else CHECKS)

    each()


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_every_answer_is_one_that_the_document_names(on_disk: Fuzzed, operation_id: str) -> None:
    fuzz(on_disk, operation_id, 20)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_every_answer_of_many_is_one_that_the_document_names(
    on_disk: Fuzzed, in_memory: Fuzzed, operation_id: str
) -> None:
    fuzz(on_disk, operation_id, 100)
    fuzz(in_memory, operation_id, 100)
