"""Fixtures and helpers for the tests of apps with extensions: `pytest_plugins = ["sidecar.testing"]`.

They come with the extra `testing`, which has pytest and pytest-asyncio; nothing of a sidecar imports them.
"""

from sidecar.hosting import Answer, Client, RunningSidecar, SidecarFailed
from sidecar.testing.clock import SetClock
from sidecar.testing.fixtures import SidecarOptions, client, clock, extensions, sidecar, sidecar_options, storage
from sidecar.testing.storage import open_storage

__all__ = [
    "Answer",
    "Client",
    "RunningSidecar",
    "SetClock",
    "SidecarFailed",
    "SidecarOptions",
    "client",
    "clock",
    "extensions",
    "open_storage",
    "sidecar",
    "sidecar_options",
    "storage",
]
