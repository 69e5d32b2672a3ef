"""Apps with extensions, over a store on disk."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from sidecar import testing
from sidecar.api.events import EventHub
from sidecar.clock import SYSTEM_CLOCK
from sidecar.extension import Extension
from sidecar.storage.unified import UnifiedStorage
from tests.contexts import context_over
from tests.lanes import served

Opening = Callable[..., AbstractAsyncContextManager[UnifiedStorage]]
Serving = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def open_storage(tmp_path: Path) -> Opening:
    """Opens the store of this test with the tables of some extensions."""

    @asynccontextmanager
    async def opening(*extensions: Extension) -> AsyncIterator[UnifiedStorage]:
        async with testing.open_storage(extensions, tmp_path) as storage:
            yield storage

    return opening


@pytest.fixture
def serve(open_storage: Opening) -> Serving:
    """Serves the store of this test with some extensions; gives a client."""

    @asynccontextmanager
    async def serving(*extensions: Extension) -> AsyncIterator[httpx.AsyncClient]:
        async with open_storage(*extensions) as storage:
            events = EventHub("test-instance", SYSTEM_CLOCK)
            context = context_over(storage, events, extensions=extensions)
            app = served(context, routers=[extension.router for extension in extensions])
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://sidecar") as client:
                yield client

    return serving


@pytest.fixture
async def memory() -> AsyncIterator[UnifiedStorage]:
    """A store in memory, without extensions."""
    async with testing.open_storage() as storage:
        yield storage
