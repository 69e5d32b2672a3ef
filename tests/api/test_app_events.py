"""Events of the app's own: published by anybody with the token, delivered live, not stored."""

import json
from contextlib import aclosing

import httpx
import pytest

from sidecar.api.events import EventHub
from sidecar.clock import SYSTEM_CLOCK
from sidecar.models.events import MAX_EVENT_BYTES
from sidecar.storage.unified import UnifiedStorage
from tests.contexts import context_over
from tests.lanes import served


async def test_a_published_event_reaches_the_subscribers_of_its_topic(storage: UnifiedStorage) -> None:
    events = EventHub("one", SYSTEM_CLOCK)
    app = served(context_over(storage, events, "one"))
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sidecar") as client,
        aclosing(events.stream(topics=["app.theme"])) as stream,
    ):
        await anext(stream)
        await client.post("/events", json={"topic": "app.other"})
        answer = await client.post("/events", json={"topic": "app.theme", "data": {"dark": True, "topic": "todos"}})
        assert answer.status_code == 204
        lines = (await anext(stream)).decode().splitlines()
    assert "event: app.theme" in lines
    (data,) = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    assert json.loads(data) == {"dark": True, "topic": "app.theme"}


@pytest.mark.parametrize("topic", ["todos", "app", "app.", "application.x", "app.Theme", "app.a b", "notes.cards"])
async def test_a_topic_that_is_not_the_apps_is_refused(client: httpx.AsyncClient, topic: str) -> None:
    answer = await client.post("/events", json={"topic": topic})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.topic")


async def test_data_that_is_too_large_is_refused(client: httpx.AsyncClient) -> None:
    data = {"text": "x" * MAX_EVENT_BYTES}
    answer = await client.post("/events", json={"topic": "app.theme", "data": data})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "data")
