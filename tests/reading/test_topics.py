"""The topics of the read operations: every answer that a write changes depends on a topic that the write reports."""

from collections.abc import AsyncIterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx
import pytest

from sidecar.models.events import known_topics
from sidecar.storage.interfaces import Change

from ..sampling import STEP
from .everything import Answers, read_by_default
from .operations import VECTOR, changes_something, document
from .stores import opened_with_storage

WITHOUT_TOPICS = {
    "backups.list": "Backups are files, and nothing is reported when they come and go.",
    "contexts.collections": "It lists names that are always the same.",
    "contexts.types": "It lists names that are always the same.",
    "doctor.report": "It measures.",
    "events.stream": "It is the topics' own stream.",
    "health.live": "It names the instance, and a new one resets every subscriber.",
    "transfer.export": "Its answer is a file.",
    "transfer.download": "The archive of an export never changes.",
}
"""Read operations that cannot be live, and why."""

NOT_WRITTEN = {
    "adoption.acknowledge": "It acknowledges what an adoption has set aside, which this store has none of.",
    "adoption.restore": "It restores a row that an adoption has set aside, which this store has none of.",
    "backups.create": "It changes no row.",
    "backups.delete": "It changes no row.",
    "backups.restore": "It resets every subscriber.",
    "backups.verify": "It changes no row.",
    "invalid_rows.repair": "It repairs what only other programs can write; it reports the topics of the tables.",
    "monitoring.cleanup": "It removes rows that are older than any of this store.",
    "monitoring.reset_session": "The counters of a session are those of the present one.",
    "recovery.acknowledge": "It acknowledges what a recovery has reported, which this store has none of.",
    "search.rebuild": "It changes no row.",
    "upkeep.run": "It changes no row.",
    "jobs.cancel": "No operation makes a job that is still to run.",
}
"""Operations that are not among the writes of this test, and why."""

TIME = "2026-01-31T09:30:00.000Z"
ACTIVITY = {"title": "word", "content": "x", "start_time": TIME, "end_time": TIME}

STREAM = {"role": "assistant", "metadata": {"a": 1}}
THOUGHT = {"content": "hm", "stage": "word"}
CONTEXT = {"id": "c1", "extracted_data": {"context_type": "entity", "title": "word"}, "vector": VECTOR}
RUN = {"processor_name": "indexer", "start_time": TIME, "status": "success"}
HISTORY = {
    "page_name": "home",
    "source": "elsewhere",
    "external_id": "h",
    "messages": [{"role": "user", "content": "x"}],
}


NOTHING: Mapping[str, Any] = MappingProxyType({})


class Write(NamedTuple):
    operation_id: str
    parts: Mapping[str, Any] = NOTHING
    body: Any = None


WRITES: tuple[Write, ...] = (
    Write("vaults.create", body={"title": "Folder", "is_folder": True}),
    Write("vaults.create", body={"title": "word", "content": "plan", "parent_id": 2, "tags": "a"}),
    Write("vaults.create_batch", body={"vaults": [{"title": "word"}, {"title": "other", "document_type": "Daily"}]}),
    Write("vaults.update", {"vault_id": 3}, {"content": "word plan"}),
    Write("vaults.move", {"vault_id": 4}, {"parent_id": 2}),
    Write("vaults.delete", {"vault_id": 2}),
    Write("vaults.restore", {"vault_id": 2}),
    Write("todos.create", body={"content": "word"}),
    Write("todos.create_batch", body={"todos": [{"content": "plan"}, {"content": "word"}]}),
    Write("todos.update", {"todo_id": 1}, {"content": "note plan"}),
    Write("todos.set_status", {"todo_id": 1}, {"status": 1}),
    Write("todos.toggle", {"todo_id": 2}),
    Write("todos.set_embedding", {"todo_id": 1}, {"embedding": VECTOR}),
    Write("activities.create", body=ACTIVITY),
    Write("activities.create_batch", body={"activities": [ACTIVITY]}),
    Write("activities.update", {"activity_id": 1}, {"content": "word plan"}),
    Write("tips.create", body={"content": "word"}),
    Write("tips.create_batch", body={"tips": [{"content": "plan"}]}),
    Write("tips.update", {"tip_id": 1}, {"content": "note plan"}),
    Write("conversations.create", body={"page_name": "home", "title": "word"}),
    Write("conversations.create_batch", body={"conversations": [{"page_name": "home"}]}),
    Write("conversations.update", {"conversation_id": 1}, {"title": "plan"}),
    Write("conversations.organize", body={"ids": [1], "folder": "work", "add_tags": ["a"], "is_pinned": True}),
    Write("conversations.import_histories", body={"conversations": [HISTORY]}),
    Write("messages.create", {"conversation_id": 1}, {"role": "user", "content": "word", "model": "m", "cost": 0.5}),
    Write("messages.create_batch", {"conversation_id": 1}, {"messages": [{"role": "user", "content": "plan"}]}),
    Write("messages.update", {"message_id": 2}, {"new_content": "word plan"}),
    Write("messages.update_metadata", {"message_id": 2}, {"metadata": {"a": 1}}),
    Write("messages.create_streaming", {"conversation_id": 1}, STREAM),
    Write("messages.append", {"message_id": 4}, {"content_chunk": "word", "token_count": 2}),
    Write("messages.add_thinking", {"message_id": 4}, THOUGHT),
    Write("messages.add_thinking_batch", {"message_id": 4}, {"thinking": [THOUGHT]}),
    Write("messages.finish", {"message_id": 4}, {"status": "completed"}),
    Write("messages.create_streaming", {"conversation_id": 1}, STREAM),
    Write("messages.interrupt", {"message_id": 5}),
    Write("messages.clear_thinking", {"message_id": 4}),
    Write("states.save", {"thread_id": "t"}, {"messages": [{"role": "user", "content": "x"}], "metadata": {"a": 1}}),
    Write("states.update_cache_info", {"thread_id": "t"}, {"cache_info": {"a": 1}}),
    Write("states.add_exchange", {"thread_id": "t"}, {"model": "m", "request": "word", "cost": {"usd": 0.5}}),
    Write("contexts.upsert", body=CONTEXT),
    Write("contexts.upsert_batch", body={"contexts": [{**CONTEXT, "id": "c2"}]}),
    Write("monitoring.save_token_usage", body={"model": "m", "prompt_tokens": 3, "completion_tokens": 4}),
    Write("monitoring.save_stage_timing", body={"stage_name": "s", "duration_ms": 7, "status": "error"}),
    Write("monitoring.save_data_stats", body={"data_type": "d", "count": 5}),
    Write("monitoring.save_run", body=RUN),
    Write("monitoring.save_error", body={"stage_name": "s", "message": "no word"}),
    Write("preferences.set", {"namespace": "app", "name": "theme"}, {"value": "dark"}),
    Write("preferences.delete", {"namespace": "app", "name": "theme"}),
    Write("transfer.import"),
    Write("documents.delete", {"document_id": "tip:2"}),
    Write("todos.delete_embedding", {"todo_id": 1}),
    Write("todos.delete", {"todo_id": 1}),
    Write("activities.delete", {"activity_id": 1}),
    Write("tips.delete", {"tip_id": 1}),
    Write("vaults.delete_permanently", {"vault_id": 2}),
    Write("messages.delete", {"message_id": 2}),
    Write("conversations.delete", {"conversation_id": 1}),
    Write("conversations.restore", {"conversation_id": 1}),
    Write("conversations.delete_permanently", {"conversation_id": 1}),
    Write("states.clear", {"thread_id": "t"}),
    Write("states.delete_permanently", {"thread_id": "t"}),
    Write("contexts.delete", {"context_id": "c1"}),
    Write("contexts.delete_batch", body={"ids": ["c2"]}),
)
"""One write of every operation, in an order in which each has its rows: what is read before and after it differs."""


def operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation, by its id."""
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }


TOPICS = {name: operation.get("x-topics", []) for name, (_, _, operation) in operations().items()}
READING = [
    name
    for name, (method, _, _) in operations().items()
    if not changes_something(method, name) and name != "events.publish"
]


class Heard:
    """The topics that commits report."""

    def __init__(self) -> None:
        self.topics: set[str] = set()

    def note(self, changes: Sequence[Change]) -> None:
        self.topics.update(change.topic for change in changes)


@pytest.fixture
async def store() -> AsyncIterator[tuple[httpx.AsyncClient, Heard]]:
    """A client of an empty store, and what its commits report."""
    async with opened_with_storage(None) as (client, storage):
        heard = Heard()
        storage.subscribe(heard.note)
        yield client, heard


@pytest.mark.parametrize("operation_id", READING)
def test_a_read_operation_names_its_topics_or_has_a_reason(operation_id: str) -> None:
    said = "declare depends_on(...), or add the reason to WITHOUT_TOPICS"
    assert bool(TOPICS[operation_id]) is (operation_id not in WITHOUT_TOPICS), said


def test_only_read_operations_have_topics_and_all_of_them_exist() -> None:
    assert {name for name, topics in TOPICS.items() if topics} <= {*READING}
    assert {topic for topics in TOPICS.values() for topic in topics} <= known_topics()
    assert WITHOUT_TOPICS.keys() <= {*READING}


def test_every_write_operation_is_written_or_has_a_reason() -> None:
    writing = {name for name, (method, _, _) in operations().items() if changes_something(method, name)}
    assert writing - {write.operation_id for write in WRITES} == NOT_WRITTEN.keys()


@pytest.mark.timeout(300)
async def test_an_answer_that_a_write_changes_depends_on_a_topic_that_the_write_reports(
    store: tuple[httpx.AsyncClient, Heard],
) -> None:
    client, heard = store
    missed: list[str] = []
    changed_at_all: set[str] = set()
    before = await read_by_default(client)
    for number in range(0, len(WRITES), STEP):
        writes = WRITES[number : number + STEP]
        heard.topics.clear()
        for write in writes:
            await _written(client, write)
        after = await read_by_default(client)
        changed = _changed(before, after)
        changed_at_all |= changed
        names = ", ".join(write.operation_id for write in writes)
        missed += [
            f"{names} changes {name}, and reports {sorted(heard.topics)}"
            for name in sorted(changed)
            if heard.topics.isdisjoint(TOPICS[name])
        ]
        before = after
    assert missed == []
    assert changed_at_all >= {"todos.list", "search.query", "messages.get", "states.cost", "daily_counts.list"}


async def _written(client: httpx.AsyncClient, write: Write) -> None:
    method, path, _ = operations()[write.operation_id]
    url = path.format(**write.parts)
    if write.operation_id == "transfer.import":
        archive = await _archive()
        answer = await client.request(method, url, content=archive, headers={"Content-Type": "application/zip"})
    else:
        answer = await client.request(method, url, json=write.body)
    assert answer.is_success, f"{write}: {answer.status_code} {answer.text}"


async def _archive() -> bytes:
    """The export of another store, with one row of some kinds."""
    async with opened_with_storage(None) as (client, _):
        await client.post("/todos", json={"content": "word of another store"})
        await client.post("/vaults", json={"title": "word of another store"})
        conversation = await client.post("/conversations", json={"page_name": "other"})
        path = f"/conversations/{conversation.json()['id']}/messages"
        await client.post(path, json={"role": "user", "content": "word of another store"})
        await client.put("/states/other", json={"messages": [1]})
        return (await client.get("/transfer/export")).raise_for_status().content


def _changed(before: Answers, after: Answers) -> set[str]:
    """The operations of which a request is answered in another way than before, or was not made for lack of a row."""
    return {
        answer.operation.operation_id
        for answers, others in ((before, after), (after, before))
        for request, answer in answers.items()
        if others.get(request) != answer
    }
