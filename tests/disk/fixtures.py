"""Fixtures for the tests of power cuts and disk faults. Both need Linux, and a C compiler."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .running import Stage

MEMORY = Path("/dev/shm")

Count = Callable[[str, object], None]
"""The fixture `record_property`, which tells how many were tried; `totals.py` sums the numbers up."""


@pytest.fixture(scope="session")
def disk() -> Iterator[Path]:
    """A directory in memory: what is written there is only ever read again by a test."""
    directory = Path(mkdtemp(prefix="sidecar-disk-", dir=MEMORY if MEMORY.is_dir() else None))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def library(disk: Path) -> Path:
    """The library that sees disk operations."""
    if sys.platform != "linux":
        pytest.skip("disk operations are only seen on Linux")
    from . import shim

    return shim.compiled(disk)


@pytest.fixture(scope="session")
def stage(disk: Path, library: Path) -> "Iterator[Stage]":
    """Where scenarios are run."""
    from .running import Stage  # which imports much that other tests need not have

    with Stage(disk, library) as ready:
        yield ready
