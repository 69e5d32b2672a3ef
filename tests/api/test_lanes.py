"""Generated requests, right and wrong, to two equal stores with the same clock: both lanes give the same answers."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from schemathesis import Case

from sidecar.api.events import EventHub
from sidecar.config import DatabaseSettings, Settings
from sidecar.storage.unified import UnifiedStorage, configured_backends
from tests.api.test_fuzz import OPERATIONS, cases
from tests.clocks import SetClock
from tests.conftest import URL
from tests.contexts import context_over
from tests.lanes import Answer, Sent, answer_of, served

MEASURED = {
    *("/health/ready", "/monitoring/overview", "/doctor", "/upkeep", "/upkeep/run", "/transfer/export"),
    "/conversations/export",
}
"""Their answers hold what no clock of a test decides: times of the machine, sizes of files, and ids of stores."""

INDEXED = {"/search", "/search/hybrid"}
"""A large change is indexed in the background, so their answers depend on when they are asked for."""

JOBS = "/jobs"
"""Their progress and their outcome depend on when they are asked for."""

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"]
SEGMENTS = [
    "1",
    "0",
    "-1",
    "+1",
    "1.0",
    "1e0",
    "1.5",
    "%31",
    "1%2F1",
    "%2F",
    "%0A",
    "%FF",
    "%C3%A9",
    "batch",
    "x",
    "9" * 30,
]
PAIRS = [
    "limit=1",
    "limit=1.0",
    "limit=1.5",
    "limit=1e2",
    "offset=0",
    "with_total=1",
    "with_total=maybe",
    "cursor=x",
    "x",
    "=",
    "%FF=%FF",
]
CONTENT_TYPES = ["application/json", "Application/JSON; charset=utf-8", "application/problem+json", "text/plain", ""]
CONTENTS = [
    b"",
    b"{",
    b"{}",
    b"[]",
    b"null",
    b"1e400",
    b'{"content": 1.5}',
    b'{"content": "x", "urgency": 1.0}',
    b'"\xff"',
]


class Pair:
    """Two equal stores, each behind one of the lanes."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._storages, self._apps = [], []
        for lane in ("fast", "fastapi"):
            clock = SetClock()
            in_memory = Settings(database=DatabaseSettings(enabled=False))
            storage = UnifiedStorage.create(configured_backends(in_memory, Path()), clock=clock)
            runner.run(storage.initialize())
            events = EventHub("test-instance", clock)
            self._storages.append(storage)
            self._apps.append(served(context_over(storage, events), lane))
            runner.run(self._populate(storage))

    async def _populate(self, storage: UnifiedStorage) -> None:
        conversation = await storage.create_conversation("chat", "a talk")
        for number in range(3):
            text = f"text {number}"
            await storage.insert_vaults(text, is_folder=True)
            await storage.insert_todo(text)
            await storage.insert_tip(text)
            await storage.create_message(conversation.id, "user", text, is_complete=number == 0)
            await storage.save_conversation_state(f"1/{number}", [])

    def answers(self, sent: Sent) -> list[Answer]:
        return [self._runner.run(answer_of(app, sent)) for app in self._apps]

    def close(self) -> None:
        for storage in self._storages:
            self._runner.run(storage.close())


@contextmanager
def opened() -> Iterator[Pair]:
    with asyncio.Runner() as runner:
        pair = Pair(runner)
        yield pair
        pair.close()


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with opened() as made:
        yield made


def sent_by(case: Case[Any]) -> Sent:
    """The request of a case that the fuzzer has drawn."""
    options = case.as_transport_kwargs(base_url=URL)
    headers = [(name, str(value).encode("utf-8")) for name, value in options["headers"].items()]
    body = {name: options[name] for name in ("json", "data", "files") if options.get(name) is not None}
    if isinstance(body.get("data"), str | bytes):
        body["content"] = body.pop("data")
    try:
        request = httpx.Request(options["method"], options["url"], params=options["params"], headers=headers, **body)
    except httpx.InvalidURL:
        reject()
    pairs = tuple((name, value) for name, value in request.headers.items() if name not in ("host", "content-length"))
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    return Sent(request.method, path, query, pairs, request.read())


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    """A request to an operation, as it should be or with one or two things changed."""
    sent = sent_by(draw(cases(draw(st.sampled_from(sorted(OPERATIONS))))))
    for _ in range(draw(st.integers(0, 2))):
        sent = draw(st.sampled_from(CHANGES))(draw, sent)
    return sent


def other_method(draw: st.DrawFn, sent: Sent) -> Sent:
    return sent._replace(method=draw(st.sampled_from(METHODS)))


def other_segment(draw: st.DrawFn, sent: Sent) -> Sent:
    segments = sent.path.split("/")
    place = draw(st.integers(1, len(segments) - 1))
    drawn = st.sampled_from(SEGMENTS) | st.text(max_size=3).map(lambda text: quote(text, safe="", errors="replace"))
    return sent._replace(path="/".join([*segments[:place], draw(drawn), *segments[place + 1 :]]))


def other_slashes(draw: st.DrawFn, sent: Sent) -> Sent:
    change = draw(st.sampled_from([("", "/"), ("/", "//"), ("/", "%2F"), ("o", "%6F"), ("", "%0A")]))
    return sent._replace(path=sent.path + change[1] if not change[0] else f"/{sent.path[1:].replace(*change)}")


def other_query(draw: st.DrawFn, sent: Sent) -> Sent:
    pairs = [sent.query] if sent.query else []
    return sent._replace(query="&".join(pairs + draw(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=3))))


def other_key(draw: st.DrawFn, sent: Sent) -> Sent:
    key = draw(st.sampled_from(["", "k", "key-1", "k" * 201, "\xff"]))
    return sent._replace(headers=(*sent.headers, ("Idempotency-Key", key)))


def other_content(draw: st.DrawFn, sent: Sent) -> Sent:
    kept = tuple(pair for pair in sent.headers if pair[0] != "content-type")
    kind = draw(st.sampled_from(CONTENT_TYPES))
    return sent._replace(headers=(*kept, ("content-type", kind)), content=draw(st.sampled_from(CONTENTS)))


CHANGES = [other_method, other_segment, other_slashes, other_query, other_key, other_content]


def compare(pair: Pair, count: int) -> None:
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=count < 1000,
    )
    @given(sent=requests())
    def each(sent: Sent) -> None:
        fast, slow = pair.answers(sent)
        is_measured = sent.path in MEASURED | INDEXED or sent.path.startswith(JOBS)
        if is_measured and fast.status in (200, 503):
            assert fast.status == slow.status
            assert [name for name, _ in fast.headers] == [name for name, _ in slow.headers]
        else:
            assert fast == slow

    each()


def test_a_sample_of_requests_is_answered_alike(pair: Pair) -> None:
    compare(pair, 400)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_requests_are_answered_alike(pair: Pair) -> None:
    compare(pair, 20_000)
