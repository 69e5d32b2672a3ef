"""The app's own part of every test: its extension."""

from pathlib import Path

import pytest

from sidecar.testing import SidecarOptions


@pytest.fixture(scope="session")
def sidecar_options() -> SidecarOptions:
    return SidecarOptions(extensions=["notes"], python_path=[Path(__file__).parent])
