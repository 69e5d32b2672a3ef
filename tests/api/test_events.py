"""The event hub: what a subscriber gets, in which order, and what it is told when it cannot get it."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, NamedTuple

import httpx
import pytest
from starlette.types import Message

from sidecar.api import events
from sidecar.api.events import EventHub
from sidecar.api.routes.events import EventStream
from sidecar.clock import SYSTEM_CLOCK
from sidecar.errors import TooManyStreams
from sidecar.storage.interfaces import STORE_REPLACED, Change
from sidecar.storage.unified import UnifiedStorage

SOON_S = 5.0


class Received(NamedTuple):
    event: str
    id: str
    data: dict[str, Any]


class Subscriber:
    """Reads a stream as a client does."""

    def __init__(self, stream: AsyncGenerator[bytes, None]) -> None:
        self._stream = stream
        self.pieces = 0

    async def piece(self) -> list[Received]:
        """The events of the next piece."""
        async with asyncio.timeout(SOON_S):
            piece = await anext(self._stream)
        self.pieces += 1
        return [_parsed(block) for block in piece.decode().split("\n\n") if "data: " in block]

    async def take(self, count: int) -> list[Received]:
        received: list[Received] = []
        while len(received) < count:
            received += await self.piece()
        return received


def _parsed(block: str) -> Received:
    fields = dict(line.split(": ", 1) for line in block.splitlines())
    return Received(fields["event"], fields["id"], json.loads(fields["data"]))


@asynccontextmanager
async def subscribed(hub: EventHub, last_event_id: str | None = None, *topics: str) -> AsyncIterator[Subscriber]:
    async with aclosing(hub.stream(last_event_id, topics or None)) as stream:
        yield Subscriber(stream)


def publish(hub: EventHub, count: int, topic: str = "todos") -> None:
    for _ in range(count):
        hub.publish(topic, {"number": hub.position + 1})


def numbers(received: list[Received]) -> list[int]:
    return [event.data["number"] for event in received]


async def test_a_stream_begins_with_a_hello_that_names_the_instance_and_the_position() -> None:
    hub = EventHub("one", SYSTEM_CLOCK)
    publish(hub, 3)
    async with subscribed(hub) as subscriber:
        assert await subscriber.piece() == [("hello", "one-3", {"instance": "one", "start": "new"})]


async def test_events_have_their_topic_their_data_and_increasing_ids() -> None:
    hub = EventHub("one", SYSTEM_CLOCK)
    async with subscribed(hub) as subscriber:
        await subscriber.piece()
        hub.publish("upkeep", {"what": "日本"})
        hub.publish("todos", {"id": 7})
        assert await subscriber.take(2) == [
            ("upkeep", "one-1", {"topic": "upkeep", "what": "日本"}),
            ("todos", "one-2", {"topic": "todos", "id": 7}),
        ]


async def test_every_store_s_changes_come_once_they_are_committed(storage: UnifiedStorage) -> None:
    hub = EventHub("one", SYSTEM_CLOCK)
    storage.subscribe(hub.on_changes)
    async with subscribed(hub) as subscriber:
        await subscriber.piece()
        todo = await storage.insert_todo("x")
        tip = await storage.insert_tip("x")
        received = await subscriber.take(2)
    assert [event.data for event in received] == [
        {"topic": "todos", "id": todo.id},
        {"topic": "tips", "id": tip.id},
    ]


async def test_a_growing_message_tells_each_chunk(storage: UnifiedStorage) -> None:
    hub = EventHub("one", SYSTEM_CLOCK)
    conversation = await storage.create_conversation("page")
    message = await storage.create_streaming_message(conversation.id, "assistant")
    storage.subscribe(hub.on_changes)
    async with subscribed(hub, None, "messages.delta") as subscriber:
        await subscriber.piece()
        for chunk in ("a\n", "\n日"):
            await storage.append_message_content(message.id, chunk)
        received = await subscriber.take(2)
    common = {"topic": "messages.delta", "id": message.id, "conversation_id": conversation.id}
    assert [event.data for event in received] == [
        {**common, "sequence": 0, "text": "a\n"},
        {**common, "sequence": 1, "text": "\n日"},
    ]


async def test_what_is_pending_comes_in_one_piece() -> None:
    hub = EventHub("one", SYSTEM_CLOCK)
    async with subscribed(hub) as subscriber:
        await subscriber.piece()
        publish(hub, 50)
        assert numbers(await subscriber.piece()) == list(range(1, 51))


async def test_a_large_backlog_comes_in_pieces_of_bounded_size() -> None:
    hub = EventHub("one", SYSTEM_CLOCK)
    for _ in range(100):
        hub.publish("messages.delta", {"text": "x" * 10_000})
    async with aclosing(hub.stream("one-0")) as stream:
        await anext(stream)
        assert len(await anext(stream)) < 2 * events.LARGEST_SEND


async def test_only_the_topics_that_were_asked_for_come() -> None:
    hub = EventHub("one", SYSTEM_CLOCK)
    async with subscribed(hub, None, "tips", "no_such_topic") as subscriber:
        await subscriber.piece()
        publish(hub, 3, "todos")
        publish(hub, 1, "tips")
        assert [event.id for event in await subscriber.piece()] == ["one-4"]


async def test_a_namespace_stands_for_all_of_its_topics() -> None:
    hub = EventHub("one", SYSTEM_CLOCK)
    async with subscribed(hub, None, "notes.*") as subscriber:
        await subscriber.piece()
        publish(hub, 1, "todos")
        publish(hub, 1, "notesbook.cards")
        publish(hub, 1, "notes.cards")
        publish(hub, 1, "notes.cards.moved")
        assert [event.id for event in await subscriber.take(2)] == ["one-3", "one-4"]


async def test_a_stream_goes_on_after_the_last_id() -> None:
    hub = EventHub("one", SYSTEM_CLOCK)
    publish(hub, 5)
    async with subscribed(hub, "one-2") as subscriber:
        assert await subscriber.piece() == [("hello", "one-2", {"instance": "one", "start": "resumed"})]
        assert numbers(await subscriber.piece()) == [3, 4, 5]


async def test_a_machine_that_stood_still_while_subscribers_were_woken_delays_what_comes_next_by_a_moment() -> None:
    hub = EventHub("one", SYSTEM_CLOCK)

    async def hear_one_and_stand_still() -> None:
        async with subscribed(hub) as subscriber:
            await subscriber.piece()
            await subscriber.piece()
            stand_still()

    def stand_still() -> None:
        time.sleep(0.5)

    async with subscribed(hub) as subscriber:
        await subscriber.piece()
        standing = asyncio.create_task(hear_one_and_stand_still())
        for number in (1, 2):
            reading = asyncio.create_task(subscriber.piece())
            await asyncio.sleep(0)
            publish(hub, 1)
            assert numbers(await reading) == [number]
        await standing


async def test_resuming_while_writes_go_on_neither_loses_nor_repeats() -> None:
    hub = EventHub("one", SYSTEM_CLOCK)
    total = 2_000

    async def write() -> None:
        while hub.position < total:
            publish(hub, 7)
            await asyncio.sleep(0)

    writing = asyncio.create_task(write())
    seen: list[int] = []
    last = "one-0"
    while len(seen) < total:
        async with subscribed(hub, last) as subscriber:
            await subscriber.piece()
            received = await subscriber.piece()
        seen += numbers(received)
        last = received[-1].id
    await writing
    assert seen == list(range(1, len(seen) + 1))


@pytest.mark.parametrize(
    ("last_event_id", "reason"),
    [
        ("another-3", "another_instance"),
        ("one-1", "moved_on"),
        ("one-99", "malformed"),
        ("one", "malformed"),
        ("one-", "malformed"),
        ("-3", "malformed"),
        ("one-x", "malformed"),
        ("one-²", "malformed"),
        ("one-" + "9" * 5_000, "malformed"),
        ("", "malformed"),
    ],
)
async def test_what_cannot_be_resumed_is_reset_and_goes_on_from_now(last_event_id: str, reason: str) -> None:
    hub = EventHub("one", SYSTEM_CLOCK, max_events=4)
    publish(hub, 6)
    async with subscribed(hub, last_event_id) as subscriber:
        assert await subscriber.piece() == [
            ("hello", "one-6", {"instance": "one", "start": "reset"}),
            ("reset", "one-6", {"reason": reason}),
        ]
        publish(hub, 1)
        assert numbers(await subscriber.piece()) == [7]


async def test_a_subscriber_that_falls_behind_is_reset() -> None:
    hub = EventHub("one", SYSTEM_CLOCK, max_events=4)
    async with subscribed(hub) as subscriber:
        await subscriber.piece()
        publish(hub, 5)
        assert await subscriber.piece() == [("reset", "one-5", {"reason": "moved_on"})]
        publish(hub, 4)
        assert numbers(await subscriber.piece()) == [6, 7, 8, 9]


async def test_a_commit_with_more_changes_than_the_ring_holds_resets_everyone_and_is_not_remembered() -> None:
    hub = EventHub("one", SYSTEM_CLOCK, max_events=4)
    changes = [Change("todos", row_id) for row_id in range(1, 6)]
    async with subscribed(hub) as subscriber:
        await subscriber.piece()
        hub.on_changes(changes[:4])
        assert [event.data["id"] for event in await subscriber.piece()] == [1, 2, 3, 4]
        hub.on_changes(changes)
        assert hub.held_bytes == 0
        assert [(event.event, event.data) for event in await subscriber.piece()] == [("reset", {"reason": "moved_on"})]
        publish(hub, 1)
        assert [event.event for event in await subscriber.piece()] == ["todos"]
    async with subscribed(hub, "one-4") as late:
        assert [event.event for event in await late.piece()] == ["hello", "reset"]


async def test_when_the_store_was_replaced_everyone_is_reset_and_hears_what_comes_after() -> None:
    hub = EventHub("a", SYSTEM_CLOCK)
    publish(hub, 2)
    async with subscribed(hub) as up_to_date, subscribed(hub, "a-1") as behind:
        await up_to_date.take(1)
        await behind.take(2)
        publish(hub, 1)
        await up_to_date.take(1)
        hub.on_changes([STORE_REPLACED])
        for subscriber in (up_to_date, behind):
            (reset,) = await subscriber.take(1)
            assert (reset.event, reset.data) == ("reset", {"reason": "replaced"})
        publish(hub, 1)
        (event,), (other,) = await up_to_date.take(1), await behind.take(1)
        assert event == other
        assert event.event == "todos"
    async with subscribed(hub, "a-3") as late:
        _, reset = await late.take(2)
        assert reset.data == {"reason": "replaced"}
    async with subscribed(hub, event.id) as resumed:
        (hello,) = await resumed.take(1)
        assert hello.data["start"] == "resumed"


async def test_the_ring_is_bounded_by_bytes_too() -> None:
    hub = EventHub("one", SYSTEM_CLOCK, max_bytes=10_000)
    for _ in range(100):
        hub.publish("messages.delta", {"text": "x" * 1_000})
        assert hub.held_bytes <= 10_000
    hub.publish("messages.delta", {"text": "x" * 20_000})
    assert hub.held_bytes == 0
    async with subscribed(hub, "one-100") as subscriber:
        assert [event.event for event in await subscriber.piece()] == ["hello", "reset"]


async def test_an_idle_stream_has_heartbeats_that_carry_the_position() -> None:
    hub = EventHub("one", SYSTEM_CLOCK, heartbeat_s=0.02)
    async with aclosing(hub.stream(topics=["tips"])) as stream:
        await anext(stream)
        publish(hub, 3, "todos")
        async with asyncio.timeout(SOON_S):
            beats = [await anext(stream) for _ in range(2)]
    assert beats == [b": still here\nid: one-3\n\n"] * 2


async def test_many_subscribers_all_get_everything() -> None:
    hub = EventHub("one", SYSTEM_CLOCK)

    async def read() -> list[int]:
        async with subscribed(hub) as subscriber:
            await subscriber.piece()
            ready.release()
            return numbers(await subscriber.take(500))

    ready = asyncio.Semaphore(0)
    readers = [asyncio.create_task(read()) for _ in range(100)]
    for _ in readers:
        await ready.acquire()
    for _ in range(100):
        publish(hub, 5)
        await asyncio.sleep(0)
    assert all(seen == list(range(1, 501)) for seen in await asyncio.gather(*readers))


async def test_a_closed_hub_ends_its_streams() -> None:
    hub = EventHub("one", SYSTEM_CLOCK)
    async with subscribed(hub) as subscriber:
        await subscriber.piece()
        next_piece = asyncio.create_task(subscriber.piece())
        await asyncio.sleep(0)
        hub.close()
        with pytest.raises(StopAsyncIteration):
            await next_piece


async def test_a_stream_ends_when_its_client_has_gone_and_gives_its_place_back() -> None:
    hub = EventHub("one", SYSTEM_CLOCK, max_streams=1)
    sent: asyncio.Queue[Message] = asyncio.Queue()
    gone = asyncio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async with asyncio.timeout(SOON_S):
        hub.take_place()
        answering = asyncio.create_task(EventStream(hub.stream(), hub.give_place_back)({}, receive, sent.put))
        assert (await sent.get())["status"] == 200
        assert b"hello" in (await sent.get())["body"]
        assert hub.subscribers == 1
        with pytest.raises(TooManyStreams):
            hub.take_place()
        gone.set()
        await answering
    assert hub.subscribers == 0
    hub.take_place()


@pytest.mark.parametrize("topics", ["", ",", "todos,", "to dos", "TODOS", "x" * 1_001])
async def test_a_malformed_filter_is_refused(client: httpx.AsyncClient, topics: str) -> None:
    response = await client.get("/events", params={"topics": topics})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "query.topics"


@pytest.mark.parametrize(
    ("topics", "said"),
    [("todos,todo", "has no 'todo'; did you mean 'todos'?"), ("messages.delt", "did you mean 'messages.delta'?")],
)
async def test_a_misspelt_topic_is_refused_with_the_nearest_one(
    client: httpx.AsyncClient, topics: str, said: str
) -> None:
    answer = await client.get("/events", params={"topics": topics})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
