"""Text instead of vectors: an embedding endpoint makes one of the other."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sidecar.config import load_settings
from sidecar.errors import Conflict, EmbeddingRefused, EmbeddingUnavailable, InvalidInput, NotAvailable, SidecarError
from sidecar.storage.unified import UnifiedStorage, configured_backends
from tests.vectors.contexts import EmbeddingServer, context, embedding_of, embedding_server

SECRET = "sk-very-secret"


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    with embedding_server() as running:
        yield running


@asynccontextmanager
async def opened(path: Path, **embedding: Any) -> AsyncIterator[UnifiedStorage]:
    settings = load_settings(path, {"embedding": {"model": "m", "api_key": SECRET, **embedding}}, environment={})
    storage = UnifiedStorage.create(configured_backends(settings, path))
    await storage.initialize()
    try:
        yield storage
    finally:
        await storage.close()


async def test_text_becomes_the_vector_of_a_context_and_of_a_query(tmp_path: Path, server: EmbeddingServer) -> None:
    async with opened(tmp_path, url=server.url) as storage:
        texts = {"a": "bread", "b": "milk"}
        await storage.batch_upsert_processed_context([context(name, text=text) for name, text in texts.items()])
        assert (await storage.get_processed_context("b")).vector == pytest.approx(embedding_of("milk"))
        (hit, score), _ = await storage.search("milk")
        assert hit.id == "b"
        assert score == pytest.approx(1)


async def test_it_asks_as_the_protocol_has_it(tmp_path: Path, server: EmbeddingServer) -> None:
    async with opened(tmp_path, url=f"{server.url}/", dimensions=8) as storage:
        await storage.batch_upsert_processed_context([context("a", text="one"), context("b", text="two")])
    assert server.requests == [{"path": "/v1/embeddings", "model": "m", "input": ["one", "two"], "dimensions": 8}]
    assert server.authorizations == [f"Bearer {SECRET}"]


async def test_many_texts_are_asked_for_in_parts(tmp_path: Path, server: EmbeddingServer) -> None:
    async with opened(tmp_path, url=server.url) as storage:
        await storage.batch_upsert_processed_context([context(f"c{n}", text=f"text {n}") for n in range(300)])
        assert [len(request["input"]) for request in server.requests] == [256, 44]
        assert (await storage.get_processed_context("c299")).vector == pytest.approx(embedding_of("text 299"))


async def test_vectors_that_are_given_are_not_asked_for(tmp_path: Path, server: EmbeddingServer) -> None:
    async with opened(tmp_path, url=server.url) as storage:
        given = context("a", *embedding_of("x"), text="given")
        await storage.batch_upsert_processed_context([given, context("b", text="made")])
        assert [request["input"] for request in server.requests] == [["made"]]


async def test_another_model_does_not_fit_what_is_there(tmp_path: Path, server: EmbeddingServer) -> None:
    async with opened(tmp_path, url=server.url, model="small") as storage:
        await storage.upsert_processed_context(context("a", text="bread"))
    async with opened(tmp_path, url=server.url, model="large") as storage:
        with pytest.raises(Conflict, match=r"'small'.*'large'"):
            await storage.upsert_processed_context(context("b", text="bread"))
        with pytest.raises(Conflict, match=r"'small'.*'large'"):
            await storage.search("bread")


async def test_without_an_endpoint_text_is_not_enough(storage: UnifiedStorage) -> None:
    with pytest.raises(NotAvailable, match=r"\[embedding\]"):
        await storage.upsert_processed_context(context("a", text="bread"))
    with pytest.raises(NotAvailable, match=r"\[embedding\]"):
        await storage.search("bread")


async def test_neither_text_nor_vector_is_a_wrong_input(tmp_path: Path, server: EmbeddingServer) -> None:
    async with opened(tmp_path, url=server.url) as storage:
        with pytest.raises(InvalidInput, match="vector"):
            await storage.upsert_processed_context(context("a", text="  "))
    assert server.requests == []


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (500, b"", EmbeddingUnavailable),
        (503, b"", EmbeddingUnavailable),
        (429, b"", EmbeddingUnavailable),
        (401, SECRET.encode(), EmbeddingRefused),
        (307, b"", EmbeddingRefused),
        (200, b"not json", EmbeddingRefused),
        (200, b"[]", EmbeddingRefused),
        (200, b'{"data": [{"index": 0}]}', EmbeddingRefused),
        (200, b'{"data": [{"index": 0, "embedding": ["x"]}]}', EmbeddingRefused),
        (200, b'{"data": []}', EmbeddingRefused),
    ],
)
async def test_what_goes_wrong_there_is_told_without_the_key_and_changes_nothing(
    tmp_path: Path,
    server: EmbeddingServer,
    caplog: pytest.LogCaptureFixture,
    status: int,
    body: bytes,
    error: type[SidecarError],
) -> None:
    caplog.set_level(logging.DEBUG)
    server.status, server.body = status, body
    async with opened(tmp_path, url=server.url) as storage:
        with pytest.raises(error) as caught:
            await storage.upsert_processed_context(context("a", text="bread"))
        assert await storage.get_processed_context_count("knowledge") == 0
    assert SECRET not in caught.value.message + caplog.text
    assert caught.value.retryable == (error is EmbeddingUnavailable)


async def test_an_endpoint_that_is_down_may_be_asked_again(tmp_path: Path) -> None:
    with embedding_server() as server:
        url = server.url
    async with opened(tmp_path, url=url) as storage:
        with pytest.raises(EmbeddingUnavailable, match="does not answer"):
            await storage.search("bread")


async def test_an_endpoint_that_hangs_is_given_up(tmp_path: Path) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    hanging = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = hanging.sockets[0].getsockname()[1]
    async with opened(tmp_path, url=f"http://127.0.0.1:{port}", timeout_s=0.1) as storage:
        with pytest.raises(EmbeddingUnavailable, match="does not answer"):
            await storage.search("bread")
    hanging.close()
    await hanging.wait_closed()


def test_the_key_is_not_shown_with_the_settings(tmp_path: Path) -> None:
    environment = {"SIDECAR_EMBEDDING__API_KEY": SECRET, "SIDECAR_EMBEDDING__URL": "http://127.0.0.1"}
    settings = load_settings(tmp_path, environment=environment)
    assert settings.embedding.api_key.get_secret_value() == SECRET
    assert SECRET not in repr(settings) + settings.model_dump_json()
