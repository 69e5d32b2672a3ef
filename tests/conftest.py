"""Real things to test with: an open storage, on disk and in memory, and a client of the whole HTTP side over it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from sidecar.api.events import EventHub
from sidecar.api.security import SecurityGate
from sidecar.clock import SYSTEM_CLOCK
from sidecar.config import DatabaseSettings, Settings
from sidecar.storage.unified import UnifiedStorage, configured_backends
from tests import rehearsal
from tests.contexts import context_over
from tests.lanes import served

from .disk.fixtures import disk, library, stage
from .disk.totals import pytest_terminal_summary

__all__ = ["disk", "library", "pytest_terminal_summary", "stage"]

TOKEN = "0123456789abcdef" * 4
PORT = 47110
URL = f"http://127.0.0.1:{PORT}"
MAX_BODY_BYTES = 64 * 1024


@pytest.fixture(autouse=rehearsal.ENABLED)
def units_twice(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every unit of work runs twice, the first time in vain, but in tests that count the runs."""
    if request.node.get_closest_marker("counts_runs") is None:
        rehearsal.rehearse(monkeypatch)


@pytest.fixture(params=["disk", "memory"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[UnifiedStorage]:
    """An open storage; every test that takes it runs over a file and over memory."""
    settings = DatabaseSettings(enabled=request.param == "disk")
    opened = UnifiedStorage.create(configured_backends(Settings(database=settings), tmp_path))
    await opened.initialize()
    yield opened
    await opened.close()


@pytest.fixture
async def client(storage: UnifiedStorage) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the token, of the app behind its gate."""
    events = EventHub("test-instance", SYSTEM_CLOCK)
    app = served(context_over(storage, events))
    gate = SecurityGate(app, token=TOKEN, port=PORT, allowed_origins=(), max_body_bytes=MAX_BODY_BYTES)
    transport = httpx.ASGITransport(gate, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url=URL, headers=headers) as opened:
        yield opened
