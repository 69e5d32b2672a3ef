"""The watch over the event loop: extension code that blocks it is named, and nothing else is."""

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.extension.places import OwnFiles
from sidecar.extension.watch import LoopWatch

MODULE = """
import asyncio, time, threading

async def block(seconds):
    busy(seconds)

def busy(seconds):
    time.sleep(seconds)

async def wait(seconds):
    await asyncio.sleep(seconds)

async def hold(number):
    return sum(range(number))

async def in_thread(seconds):
    await asyncio.to_thread(time.sleep, seconds)
"""


@pytest.fixture
def blocking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module that is imported as an extension is."""
    (tmp_path / "own_blocking.py").write_text(dedent(MODULE), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module("own_blocking")
    del sys.modules["own_blocking"]


@contextmanager
def watching(**limits: float) -> Iterator[LoopWatch]:
    watch = LoopWatch(OwnFiles(["own_blocking"]), SYSTEM_CLOCK, **limits)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


async def test_code_that_blocks_is_named_with_its_stack(blocking: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    with watching() as watch, caplog.at_level(logging.WARNING):
        await blocking.block(1.5)
        await asyncio.sleep(0.01)
        component = watch.health()["extensions"]
    assert not component.ok
    assert component.detail is not None
    assert component.detail.startswith("own_blocking.py, line 8, in busy blocked the event loop for 1.")
    assert component.measures["blocks"] == 1
    assert 1_300 <= component.measures["longest_ms"] <= 3_000
    (record,) = caplog.records
    said = record.getMessage()
    assert "own_blocking.py, line 8, in busy has blocked the event loop" in said
    assert f'{blocking.__file__}", line 5, in block' in said


async def test_code_that_holds_the_interpreter_is_named_when_it_lets_go(blocking: ModuleType) -> None:
    with watching(held_s=0.3) as watch:
        await asyncio.sleep(0.15)
        for _ in range(5):  # the thread may happen to look a moment after the code has gone on
            await blocking.hold(20_000_000)
            if watch.health()["extensions"].detail is not None:
                break
        component = watch.health()["extensions"]
    assert component.detail is not None
    assert component.detail.startswith("own_blocking.py, line 14, in hold blocked the event loop for ")


async def test_a_place_is_logged_once_a_minute_and_a_short_block_keeps_health_ok(
    blocking: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    with watching() as watch, caplog.at_level(logging.WARNING):
        for _ in range(2):
            await blocking.block(0.6)
            await asyncio.sleep(0.25)
        component = watch.health()["extensions"]
    assert component.measures["blocks"] == 2
    assert component.ok
    assert len(caplog.records) == 1


async def test_code_that_waits_or_works_elsewhere_is_not_blamed(
    blocking: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    with watching() as watch, caplog.at_level(logging.WARNING):
        await blocking.wait(0.5)
        await blocking.in_thread(0.5)
        time.sleep(0.5)  # noqa: ASYNC251 - it blocks, and belongs to no extension
        component = watch.health()["extensions"]
    assert component.ok
    assert (component.detail, component.measures, caplog.records) == (None, {"blocks": 0.0}, [])


async def test_a_debugger_is_not_taken_for_a_block(
    blocking: ModuleType, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "debugpy", ModuleType("debugpy"))
    with watching() as watch, caplog.at_level(logging.WARNING):
        await blocking.block(0.6)
        assert watch.health()["extensions"].measures == {"blocks": 0.0}
    assert not caplog.records


@pytest.mark.usefixtures("blocking")
async def test_an_idle_loop_is_never_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[object] = []
    loop = asyncio.get_running_loop()
    call = loop.call_soon_threadsafe

    def note(callback: object, *arguments: object, **options: object) -> object:
        woken.append(callback)
        return call(callback, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "call_soon_threadsafe", note)
    with watching():
        await asyncio.sleep(0.6)
    assert not woken


@pytest.mark.usefixtures("blocking")
async def test_the_thread_ends_with_the_watch() -> None:
    before = set(threading.enumerate())
    with watching():
        (thread,) = set(threading.enumerate()) - before
    await asyncio.to_thread(thread.join, 5)
    assert not thread.is_alive()


def test_files_of_a_package_and_beside_a_module_are_its_own_but_not_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "own_package" / "inner"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    (package / "notes.py").touch()
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "own_single.py").touch()
    for path in (tmp_path, installed):
        monkeypatch.syspath_prepend(path)
    names = ["own_package.inner.notes", "own_single"]
    for name in names:
        import_module(name)
    files = OwnFiles(names)
    assert files.has(str(package.parent / "deep" / "other.py"))
    assert files.has(str(installed / "own_single.py"))
    assert not files.has(str(installed / "other.py"))
    assert not files.has(str(tmp_path / "other.py"))
    assert not files.has(str(package.parent / "site-packages" / "library.py"))
    for name in [name for name in sys.modules if name.startswith("own_")]:
        del sys.modules[name]
