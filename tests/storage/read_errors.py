"""Run with `read_errors.c` preloaded: what a store does when the disk fails to read. Prints one JSON object a line."""

import asyncio
import ctypes
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sidecar.clock import SYSTEM_CLOCK
from sidecar.errors import SidecarError
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from tests.storage.damage import storage_at

MOST_IN_A_ROW = 12
STEP = 25
"""Most reads are those of SQLite's check, one for each page."""

IS_LONG = float(os.environ.get("CHAOS_MINUTES") or 0) > 0

shim = ctypes.CDLL(None)


def main(template: Path, killed: Path, scratch: Path) -> None:
    each_read("open", template, scratch, open_and_count)
    each_read("open after a kill", killed, scratch, open_and_count)
    each_read("prove", template, scratch, prove)
    directory = copy(template, scratch)
    shim.fail_read(3, 1)
    report("open a disk that stays broken", 3, open_and_count(directory))
    shim.fail_read(0, 0)
    report("open it when it is whole again", 0, open_and_count(directory))


def each_read(name: str, template: Path, scratch: Path, act: Callable[[Path], dict[str, Any]]) -> None:
    """Have the first read fail, then the second in a new copy, until no read is left; of many, some."""
    number = 1
    while True:
        directory = copy(template, scratch)
        shim.fail_read(number, 0)
        outcome = act(directory)
        has_failed = shim.count_failures() > 0
        shim.fail_read(0, 0)
        if not has_failed:
            return
        if act is open_and_count:
            outcome["after"] = open_and_count(directory)
        report(name, number, outcome)
        number += 1 if number < MOST_IN_A_ROW or IS_LONG else STEP


def copy(template: Path, scratch: Path) -> Path:
    shutil.rmtree(scratch, ignore_errors=True)
    return Path(shutil.copytree(template, scratch))


def open_and_count(directory: Path) -> dict[str, Any]:
    try:
        return asyncio.run(_open_and_count(directory))
    except SidecarError as error:
        return {"error": error.code, "exit_code": error.exit_code}


async def _open_and_count(directory: Path) -> dict[str, Any]:
    storage = storage_at(directory)
    await storage.initialize()
    shim.stop_failing()
    try:
        return {
            "tips": (await storage.get_tips(with_total=True, limit=1)).total,
            "outcomes": [report.outcome for report in (await storage.get_recoveries()).items],
            "set_aside": [path.name for path in directory.iterdir() if "damaged" in path.name],
        }
    finally:
        await storage.close()


def prove(directory: Path) -> dict[str, Any]:
    backups = BackupDirectory(directory / "backups", SYSTEM_CLOCK)
    (backup,) = backups.listed()
    try:
        backups.prove(backup.name)
    except SidecarError as error:
        return {"error": error.code}
    return {"damage": backups.find(backup.name).damage}


def report(name: str, number: int, outcome: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"name": name, "read": number, **outcome}) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
