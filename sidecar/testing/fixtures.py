"""The fixtures of the pytest plugin."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sidecar.extension import Extension
from sidecar.extension.loading import load
from sidecar.hosting import Client, RunningSidecar
from sidecar.storage.unified import UnifiedStorage
from sidecar.testing.clock import SetClock
from sidecar.testing.storage import open_storage


@dataclass(frozen=True)
class SidecarOptions:
    """The app's own part of every sidecar and storage of a test."""

    extensions: Sequence[str] = ()
    """Names of the extension modules."""
    python_path: Sequence[str | Path] = ()
    """Directories in which they are looked for first."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of a running sidecar, by section."""


@pytest.fixture(scope="session")
def sidecar_options() -> SidecarOptions:
    """The app's own part; a `conftest.py` replaces it."""
    return SidecarOptions()


@pytest.fixture
def clock() -> SetClock:
    """The clock of `storage`: 31 January 2026, 09:30 UTC, until the test moves it."""
    return SetClock()


@pytest.fixture
def extensions(sidecar_options: SidecarOptions) -> Sequence[Extension]:
    """The extensions of the modules, loaded into the test's process."""
    return load(sidecar_options.extensions, [Path(path).absolute() for path in sidecar_options.python_path])


@pytest_asyncio.fixture
async def storage(extensions: Sequence[Extension], clock: SetClock) -> AsyncIterator[UnifiedStorage]:
    """A storage in memory, with the tables of the extensions."""
    async with open_storage(extensions, clock=clock) as opened:
        yield opened


@pytest.fixture
def sidecar(sidecar_options: SidecarOptions, tmp_path: Path) -> Iterator[RunningSidecar]:
    """A running sidecar with the extensions, over a data directory of the test's own."""
    options = sidecar_options
    with RunningSidecar(tmp_path / "data", options.extensions, options.python_path, options.settings) as running:
        yield running


@pytest.fixture
def client(sidecar: RunningSidecar) -> Client:
    """A client of the running sidecar."""
    return sidecar.client
