"""The programs that are watched: each is prepared once, then run over a copy of that, with a diary."""

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sidecar.config import DatabaseSettings
from sidecar.models.tips import TipCreate
from sidecar.models.todos import TodoCreate
from sidecar.storage.unified import UnifiedStorage, document_backend
from sidecar.tools.backups import make_backup
from sidecar.tools.commands import OwnStore, export_archive, import_archive

from ..reading import versions
from ..storage import damage
from .contents import TEXTS, rows_of
from .diary import FAILURES, Diary
from .load import DATA, OUT, add_everything, add_rows, database_in, store_in

Program = Callable[[Path, Diary], None]

IMPORTED = "imported.zip"
IMPORTED_ROWS = {"todo": [f"imported todo {number}" for number in range(60)], "tips": ["imported tip"]}


@dataclass(frozen=True)
class Scenario:
    """What is done to a disk while power, a process or the disk itself may fail."""

    name: str
    prepare: Program
    run: Program
    is_damaged: bool = False
    """Whether the file is damaged beforehand, so that a recovery must be reported."""

    version: int | None = None
    """The version of the program before this one, of which there must be a backup afterwards."""


def opened(work: Callable[[UnifiedStorage, Diary], Awaitable[None]]) -> Program:
    """A program that opens the store, does the work and closes the store."""

    async def run(directory: Path, diary: Diary) -> None:
        storage = store_in(directory)
        try:
            await storage.initialize()
        except FAILURES as failure:
            diary.note(failed="start", error=f"{type(failure).__name__}: {failure}")
            return
        diary.note(started=True)
        try:
            await work(storage, diary)
        finally:
            try:
                await storage.close()
            except FAILURES as failure:
                diary.note(failed="stop", error=f"{type(failure).__name__}: {failure}")
        diary.note(stopped=True)

    return lambda directory, diary: asyncio.run(run(directory, diary))


# What is there before.


def nothing(directory: Path, diary: Diary) -> None:
    """There is not even a data directory."""


async def _fill(storage: UnifiedStorage, diary: Diary) -> None:
    await add_everything(storage, diary, "old")


async def _fill_and_back_up(storage: UnifiedStorage, diary: Diary) -> None:
    await _fill(storage, diary)
    await _back_up(storage, diary)
    await add_rows(storage, diary, "since")


stopped = opened(_fill)
"""A store that was stopped."""

backed_up = opened(_fill_and_back_up)
"""A store that was stopped and has a backup, and rows since."""


def killed(directory: Path, diary: Diary) -> None:
    """A store that was killed, with everything in its write-ahead log."""
    running = directory / "running"

    async def copy(storage: UnifiedStorage, diary: Diary) -> None:
        await _fill(storage, diary)
        shutil.copytree(running / DATA, directory / DATA)

    opened(copy)(running, diary)
    shutil.rmtree(running)


def damaged(directory: Path, diary: Diary) -> None:
    """A backed-up store of which a page of rows that the backup has is damaged."""
    backed_up(directory, diary)
    path = database_in(directory)
    damage.overwrite(path, damage.leaves(path, "todo")[0])


def of_version(version: int) -> Program:
    """A store that an earlier version of the program has made and stopped."""

    def prepare(directory: Path, diary: Diary) -> None:
        path = versions.make(directory / DATA, version)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            rows = {table: rows_of(connection, table) for table in TEXTS}
        diary.answer(diary.begin("held", rows=rows))

    return prepare


def with_an_older_export(directory: Path, diary: Diary) -> None:
    """A store, and an archive of it beside it."""
    stopped(directory, diary)
    (directory / OUT).mkdir()
    export_archive(_own_store(directory), directory / OUT / "replaced.zip", markdown=False, force=False)


def with_an_archive_to_import(directory: Path, diary: Diary) -> None:
    """A store, and beside it an archive of another one."""
    stopped(directory, diary)
    (directory / OUT).mkdir()
    other = directory / "other"
    asyncio.run(_make_other_store(other))
    export_archive(_own_store(other), directory / OUT / IMPORTED, markdown=False, force=False)
    shutil.rmtree(other)


async def _make_other_store(directory: Path) -> None:
    async with store_in(directory) as storage:
        await storage.batch_insert_todos([TodoCreate(text) for text in IMPORTED_ROWS["todo"]])
        await storage.batch_insert_tips([TipCreate(text) for text in IMPORTED_ROWS["tips"]])


# What is done.


async def _nothing(storage: UnifiedStorage, diary: Diary) -> None:
    """A start and a stop alone."""


async def _commit(storage: UnifiedStorage, diary: Diary) -> None:
    await add_everything(storage, diary, "new")


async def _checkpoint(storage: UnifiedStorage, diary: Diary) -> None:
    for name in ("first", "second", "third"):
        await add_rows(storage, diary, name)
        await diary.attempt("checkpoint", lambda _: storage.checkpoint())


async def _back_up(storage: UnifiedStorage, diary: Diary) -> None:
    await diary.attempt("backup", lambda key: storage.create_backup(key=key), lambda made: {"name": made.name})


async def _back_up_twice(storage: UnifiedStorage, diary: Diary) -> None:
    for name in ("first", "second"):
        await add_rows(storage, diary, name)
        await _back_up(storage, diary)


async def _restore(storage: UnifiedStorage, diary: Diary) -> None:
    await add_rows(storage, diary, "replaced")
    name = (await storage.get_backups()).items[0].name
    await diary.attempt(
        "restore",
        lambda key: storage.restore_backup(name, key=key),
        lambda done: {"kept": done.kept and done.kept.name},
        name=name,
    )
    await add_rows(storage, diary, "after")


def _export(directory: Path, diary: Diary) -> None:
    store = _own_store(directory)
    _to_file(directory, diary, "new.zip", lambda path: export_archive(store, path, markdown=True, force=False))
    _to_file(directory, diary, "replaced.zip", lambda path: export_archive(store, path, markdown=True, force=True))


def _copy(directory: Path, diary: Diary) -> None:
    _to_file(directory, diary, "copy.db", lambda path: make_backup(_own_store(directory), path, force=False))


def _to_file(directory: Path, diary: Diary, name: str, write: Callable[[Path], None]) -> None:
    path = directory / OUT / name
    diary.attempt_now("file", lambda: write(path), name=name, replaces=path.exists())


def _import(directory: Path, diary: Diary) -> None:
    archive = directory / OUT / IMPORTED
    diary.attempt_now(
        "rows",
        lambda: import_archive(_own_store(directory), archive, dry_run=False, data_directory=directory / DATA),
        rows=IMPORTED_ROWS,
    )


def _own_store(directory: Path) -> OwnStore:
    return OwnStore(document_backend(DatabaseSettings(), directory / DATA))


SCENARIOS = {
    scenario.name: scenario
    for scenario in [
        Scenario("creation", nothing, opened(_commit)),
        Scenario("start", stopped, opened(_nothing)),
        Scenario("start-after-kill", killed, opened(_nothing)),
        Scenario("commit", stopped, opened(_commit)),
        Scenario("checkpoint", stopped, opened(_checkpoint)),
        Scenario("backup", stopped, opened(_back_up_twice)),
        Scenario("restore", backed_up, opened(_restore)),
        Scenario("recovery", damaged, opened(_checkpoint), is_damaged=True),
        Scenario("export", with_an_older_export, _export),
        Scenario("copy", with_an_older_export, _copy),
        Scenario("import", with_an_archive_to_import, _import),
        *(
            Scenario(f"migration-{version}", of_version(version), opened(_nothing), version=version)
            for version in versions.VERSIONS[:-1]
        ),
    ]
}
