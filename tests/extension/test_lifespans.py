"""Lifespans of extensions: begun and ended in order, bounded, and named when they fail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI

from sidecar.api.events import EventHub
from sidecar.clock import SYSTEM_CLOCK
from sidecar.errors import ExtensionRefused
from sidecar.extension import Extension, Storage
from sidecar.extension.lifespans import Lifespans
from sidecar.extension.places import OwnFiles
from sidecar.storage.unified import UnifiedStorage
from tests.contexts import surroundings_over


def around(
    storage: UnifiedStorage, *extensions: Extension, **limits: float
) -> AbstractAsyncContextManager[dict[str, Any]]:
    """Begin the lifespans of some extensions, and end them."""

    @asynccontextmanager
    async def running() -> AsyncIterator[dict[str, Any]]:
        lifespans = Lifespans(extensions, OwnFiles([__name__]), **limits)
        try:
            yield await lifespans.begin(FastAPI(), surroundings_over(storage, EventHub("test", SYSTEM_CLOCK)))
        finally:
            await lifespans.end()

    return running()


async def test_they_begin_in_order_end_in_reverse_and_give_requests_their_state(storage: UnifiedStorage) -> None:
    told: list[str] = []
    notes, others = Extension("notes"), Extension("others")

    @notes.lifespan
    async def first(storage: Storage) -> AsyncIterator[dict[str, object]]:
        told.append("notes begin")
        yield {"notes": storage}
        told.append("notes end")

    @others.lifespan
    async def second() -> AsyncIterator[None]:
        told.append("others begin")
        yield
        told.append("others end")

    async with around(storage, notes, others) as state:
        assert state == {"notes": storage}
        assert told == ["notes begin", "others begin"]
    assert told[2:] == ["others end", "notes end"]


async def test_one_that_fails_ends_those_that_have_begun(storage: UnifiedStorage) -> None:
    told: list[str] = []
    notes, others = Extension("notes"), Extension("others")

    @notes.lifespan
    async def first() -> AsyncIterator[None]:
        yield
        told.append("notes end")

    @others.lifespan
    async def second() -> AsyncIterator[None]:
        if not told:
            raise SystemExit("no key")
        yield

    with pytest.raises(ExtensionRefused) as refused:
        async with around(storage, notes, others):
            pass
    line = second.__code__.co_firstlineno + 3
    assert refused.value.message == (
        f"The lifespan of the extension 'others' failed: SystemExit: no key ({__file__}, line {line})."
    )
    assert told == ["notes end"]


async def test_two_that_give_one_name_are_refused(storage: UnifiedStorage) -> None:
    notes, others = Extension("notes"), Extension("others")
    for extension in (notes, others):

        @extension.lifespan
        async def model() -> AsyncIterator[dict[str, int]]:
            yield {"model": 1}

    with pytest.raises(ExtensionRefused, match="'others' gives the state 'model', which another one gives already"):
        async with around(storage, notes, others):
            pass


async def test_one_that_does_not_begin_is_refused_and_one_that_does_not_end_is_left(
    storage: UnifiedStorage, caplog: pytest.LogCaptureFixture
) -> None:
    slow, endless = Extension("slow"), Extension("endless")

    @slow.lifespan
    async def begin() -> AsyncIterator[None]:
        await asyncio.Event().wait()
        yield

    @endless.lifespan
    async def end() -> AsyncIterator[None]:
        yield
        await asyncio.Event().wait()

    with pytest.raises(ExtensionRefused, match=r"'slow' did not begin within 0\.05 s"):
        async with around(storage, slow, start_s=0.05):
            pass
    async with around(storage, endless, end_s=0.05):
        pass
    assert "did not end within 0.05 s" in caplog.text


async def test_an_error_at_the_end_is_logged(storage: UnifiedStorage, caplog: pytest.LogCaptureFixture) -> None:
    notes = Extension("notes")

    @notes.lifespan
    async def model() -> AsyncIterator[None]:
        yield
        raise ConnectionError("lost")

    async with around(storage, notes):
        pass
    assert "ConnectionError: lost" in caplog.text


def test_a_second_one_and_another_kind_of_function_are_refused() -> None:
    notes = Extension("notes")

    async def returns() -> None:
        """Do nothing."""

    async def yields(card: int) -> AsyncIterator[None]:
        yield

    with pytest.raises(ValueError, match="the lifespan returns must be an `async def` that yields once"):
        notes.lifespan(returns)
    notes.lifespan(yields)
    with pytest.raises(ValueError, match="there are two lifespans"):
        notes.lifespan(yields)
    with pytest.raises(ValueError, match="parameter 'card' of yields"):
        notes.require_callable()
