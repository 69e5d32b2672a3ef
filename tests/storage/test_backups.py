"""Backups of an open store: made, listed, verified, restored and removed while other work goes on."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.config import DatabaseSettings
from sidecar.errors import Conflict, DatabaseDamaged, DiskFull, NotFound, SidecarError, StorageBusy, StorageClosed
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.tips import TipCreate
from sidecar.storage.interfaces import STORE_REPLACED, Change
from sidecar.storage.sqlite.backup import snapshot
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.backup.restore import put_back, put_in_place
from sidecar.storage.sqlite.files import at_rest
from sidecar.storage.sqlite.recovery.at_rest import restore_at_rest
from sidecar.storage.sqlite.recovery.ladder import Recovery
from sidecar.storage.sqlite.schema import upgrade
from sidecar.storage.unified import UnifiedStorage, document_backend

from ..sampling import STEP
from ..support import backend_of
from . import damage


async def opened(directory: Path, *, enabled: bool = True) -> UnifiedStorage:
    storage = UnifiedStorage.create([document_backend(DatabaseSettings(enabled=enabled), directory)])
    await storage.initialize()
    return storage


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[UnifiedStorage]:
    """An open store on disk, which holds the tip 'one'."""
    store = await opened(tmp_path)
    await store.insert_tip("one")
    yield store
    await store.close()


async def tips(storage: UnifiedStorage) -> list[str]:
    return [tip.content for tip in reversed((await storage.get_tips()).items)]


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "backups").iterdir())


async def test_a_backup_is_verified_and_says_what_it_holds(storage: UnifiedStorage, tmp_path: Path) -> None:
    backup = await storage.create_backup("by-hand")
    assert backup.is_verified
    assert (backup.reason, backup.schema_version) == ("by-hand", upgrade.latest_version())
    assert backup.rows is not None
    assert backup.rows["tips"] == 1
    assert backup.bytes == (tmp_path / "backups" / backup.name).stat().st_size
    assert (await storage.get_backups()).items == [backup]
    assert files(tmp_path) == [backup.name, backup.name.replace(".db", ".json")]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
async def test_only_the_owner_can_read_a_backup(storage: UnifiedStorage, tmp_path: Path) -> None:
    backup = await storage.create_backup()
    assert (tmp_path / "backups" / backup.name).stat().st_mode & 0o077 == 0


async def test_writers_go_on_while_it_is_made(storage: UnifiedStorage) -> None:
    await storage.insert_tip("x" * 8_000_000)
    making = asyncio.create_task(storage.create_backup())
    written = 0
    while not making.done():
        await storage.insert_tip(f"meanwhile {written}")
        written += 1
    assert written > 1
    assert (await making).is_verified


async def test_a_request_that_is_sent_again_makes_no_second_one(storage: UnifiedStorage) -> None:
    key = IdempotencyKey("key-1")
    assert await storage.create_backup(key=key) == await storage.create_backup(key=key)
    assert len((await storage.get_backups()).items) == 1


async def test_too_little_room_is_found_out_before_anything_is_written(
    storage: UnifiedStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = await storage.create_backup()
    before = files(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10**9, used=10**9, free=1000))
    with pytest.raises(DiskFull, match="1,000 are free"):
        await storage.create_backup()
    with pytest.raises(DiskFull):
        await storage.restore_backup(backup.name)
    assert files(tmp_path) == before
    assert not (tmp_path / "sidecar.db.restoring").exists()


async def test_a_copy_that_is_not_sound_never_gets_a_name(
    storage: UnifiedStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = await storage.create_backup()

    def damage(source: sqlite3.Connection, partial: Path, *steps: Any) -> dict[str, int]:
        rows = copy(source, partial, *steps)
        content = bytearray(partial.read_bytes())
        content[4096 * 3 :] = b"\xff" * (len(content) - 4096 * 3)
        partial.write_bytes(content)
        return rows

    copy = snapshot.copy
    monkeypatch.setattr(snapshot, "copy", damage)
    with pytest.raises((SidecarError, sqlite3.DatabaseError)):
        await storage.create_backup()
    assert (await storage.get_backups()).items == [good]
    assert len(files(tmp_path)) == 2


async def test_closing_ends_a_backup_that_is_being_made_and_leaves_nothing_of_it(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await store.insert_tip("x" * 8_000_000)
    making = asyncio.create_task(store.create_backup())
    while not (tmp_path / "backups").is_dir() or not files(tmp_path):  # noqa: ASYNC110 - files tell nobody
        await asyncio.sleep(0)
    await asyncio.wait_for(store.close(), 5)
    with pytest.raises(SidecarError) as raised:
        await making
    assert raised.value.retryable
    assert files(tmp_path) == []


async def test_a_caller_that_is_cancelled_ends_it_and_leaves_nothing_of_it(
    storage: UnifiedStorage, tmp_path: Path
) -> None:
    await storage.insert_tip("x" * 8_000_000)
    making = asyncio.create_task(storage.create_backup())
    while not (tmp_path / "backups").is_dir() or not files(tmp_path):  # noqa: ASYNC110 - files tell nobody
        await asyncio.sleep(0)
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(making, 5)
    assert files(tmp_path) == []
    assert (await storage.create_backup()).is_verified


async def test_in_memory_there_are_no_backups() -> None:
    store = await opened(Path("/nowhere"), enabled=False)
    with pytest.raises(Conflict, match="in memory"):
        await store.create_backup()
    with pytest.raises(Conflict, match="in memory"):
        await store.restore_backup("any")
    assert (await store.get_backups()).items == []
    assert not await store.has_changed_since_backup()
    await store.close()


async def test_a_restore_brings_back_what_the_backup_held_and_keeps_what_it_replaces(
    storage: UnifiedStorage, tmp_path: Path
) -> None:
    backup = await storage.create_backup()
    await storage.insert_tip("two")
    done = await storage.restore_backup(backup.name)
    assert await tips(storage) == ["one"]
    assert done.restored.name == backup.name
    assert done.kept is not None
    assert done.kept.is_verified
    assert (await storage.get_backups()).items[0] == done.kept
    await storage.insert_tip("three")
    assert await tips(storage) == ["one", "three"]
    await storage.restore_backup(done.kept.name)
    assert await tips(storage) == ["one", "two"]
    assert not [name for name in files(tmp_path) if name.endswith(".partial")]
    assert not (tmp_path / "sidecar.db.restoring").exists()


async def test_no_acknowledged_write_is_in_neither_the_store_nor_what_is_kept(
    storage: UnifiedStorage, tmp_path: Path
) -> None:
    backup = await storage.create_backup()
    acknowledged: list[str] = []

    async def write(name: int) -> None:
        number = 0
        while not restoring.done():
            await storage.insert_tip(f"{name} {number}")
            acknowledged.append(f"{name} {number}")
            number += 1

    restoring = asyncio.create_task(storage.restore_backup(backup.name))
    await asyncio.gather(*(write(name) for name in range(8)))
    kept = (await restoring).kept
    assert kept is not None
    with closing(at_rest.open_at_rest(tmp_path / "backups" / kept.name)) as former:
        before = {row[0] for row in former.execute("SELECT content FROM tips")}
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as present:
        after = {row[0] for row in present.execute("SELECT content FROM tips")}
    assert set(acknowledged) <= before | after
    assert set(acknowledged) & after
    assert set(acknowledged) & before


async def test_subscribers_are_told_to_reload(storage: UnifiedStorage) -> None:
    backup = await storage.create_backup()
    seen: list[Change] = []

    def listen(changes: Sequence[Change]) -> None:
        seen.extend(changes)

    storage.subscribe(listen)
    await storage.restore_backup(backup.name)
    assert STORE_REPLACED in seen


async def test_a_restore_that_is_asked_for_again_is_not_done_again(storage: UnifiedStorage) -> None:
    backup = await storage.create_backup()
    key = IdempotencyKey("key-1")
    first = await storage.restore_backup(backup.name, key=key)
    await storage.insert_tip("after")
    assert await storage.restore_backup(backup.name, key=key) == first
    assert await tips(storage) == ["one", "after"]


@pytest.mark.parametrize("name", ["nothing.db", "../sidecar.db", "/etc/passwd", "..", "", "a\0b.db", "backups/x.db"])
async def test_only_a_name_that_is_listed_names_a_backup(storage: UnifiedStorage, name: str) -> None:
    await storage.create_backup()
    for asked in (storage.verify_backup, storage.restore_backup, storage.delete_backup):
        with pytest.raises(NotFound):
            await asked(name)


async def test_a_link_is_not_a_backup(storage: UnifiedStorage, tmp_path: Path) -> None:
    backup = await storage.create_backup()
    link = tmp_path / "backups" / "20990101T000000.000Z-schema-1-linked.db"
    link.symlink_to(tmp_path / "sidecar.db")
    assert (await storage.get_backups()).items == [backup]


async def test_a_backup_of_a_newer_program_is_refused(storage: UnifiedStorage, tmp_path: Path) -> None:
    newer = tmp_path / "backups" / "20990101T000000.000Z-schema-99-on-request.db"
    backup = await storage.create_backup()
    shutil.copyfile(tmp_path / "backups" / backup.name, newer)
    with closing(sqlite3.connect(newer, isolation_level=None)) as connection:
        for statement in damage.as_newer(99):
            connection.execute(statement)
    with pytest.raises(Conflict, match="newer version"):
        await storage.restore_backup(newer.name)
    await storage.insert_tip("two")
    assert await tips(storage) == ["one", "two"]


async def test_another_programs_database_is_refused(storage: UnifiedStorage, tmp_path: Path) -> None:
    await storage.create_backup()
    foreign = tmp_path / "backups" / "20990101T000000.000Z.db"
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(Conflict, match="another program"):
        await storage.restore_backup(foreign.name)
    assert await tips(storage) == ["one"]


async def test_a_store_with_rows_that_refer_to_nothing_is_backed_up_all_the_same_and_restored(
    storage: UnifiedStorage, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as tool:
        tool.execute("INSERT INTO messages (conversation_id, role) VALUES (999, 'user')")
        tool.commit()
    backup = await storage.create_backup()
    assert backup.is_verified
    assert backup.broken_references == 1
    assert (await storage.verify_backup(backup.name)).broken_references == 1
    await storage.insert_tip("two")
    assert (await storage.restore_backup(backup.name)).restored.name == backup.name
    assert await tips(storage) == ["one"]


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)


async def test_a_single_changed_byte_is_found_and_the_backup_no_longer_counts(
    storage: UnifiedStorage, tmp_path: Path
) -> None:
    backup = await storage.create_backup()
    path = tmp_path / "backups" / backup.name
    flip(path, path.read_bytes().index(b"one"))
    with pytest.raises(Conflict, match="not the file that was made"):
        await storage.restore_backup(backup.name)
    (listed,) = (await storage.get_backups()).items
    assert not listed.is_verified
    assert listed.damage is not None
    assert await tips(storage) == ["one"]


async def test_a_cut_off_backup_is_not_listed_as_verified(storage: UnifiedStorage, tmp_path: Path) -> None:
    backup = await storage.create_backup()
    path = tmp_path / "backups" / backup.name
    path.write_bytes(path.read_bytes()[:8192])
    (listed,) = (await storage.get_backups()).items
    assert not listed.is_verified
    with pytest.raises(Conflict, match="damaged"):
        await storage.verify_backup(backup.name)


async def test_verifying_tells_when_it_was_proved_and_gives_an_older_one_its_manifest(
    storage: UnifiedStorage, tmp_path: Path
) -> None:
    backup = await storage.create_backup()
    assert backup.proved_at is None
    assert (await storage.verify_backup(backup.name)).proved_at is not None
    (tmp_path / "backups" / backup.name.replace(".db", ".json")).unlink()
    assert not (await storage.get_backups()).items[0].is_verified
    assert (await storage.verify_backup(backup.name)).is_verified


async def test_what_is_no_manifest_counts_as_none(storage: UnifiedStorage, tmp_path: Path) -> None:
    backup = await storage.create_backup()
    (tmp_path / "backups" / backup.name.replace(".db", ".json")).write_text('{"bytes": "no"')
    assert not (await storage.get_backups()).items[0].is_verified


async def test_the_only_verified_one_cannot_be_removed(storage: UnifiedStorage, tmp_path: Path) -> None:
    first = await storage.create_backup()
    with pytest.raises(Conflict, match="only verified"):
        await storage.delete_backup(first.name)
    second = await storage.create_backup()
    await storage.delete_backup(first.name)
    assert (await storage.get_backups()).items == [second]
    assert len(files(tmp_path)) == 2


async def test_what_a_killed_process_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await store.insert_tip("one")
    backup = await store.create_backup()
    await store.close()
    (tmp_path / "backups" / "x.db.partial").write_bytes(b"half")
    (tmp_path / "sidecar.db.restoring").write_bytes(b"half")
    os.link(tmp_path / "sidecar.db", tmp_path / "backups" / "20990101T000000.000Z-schema-1-before-restore.db")
    store = await opened(tmp_path)
    assert [item.name for item in (await store.get_backups()).items] == [backup.name]
    assert len(files(tmp_path)) == 2
    assert not (tmp_path / "sidecar.db.restoring").exists()
    assert await tips(store) == ["one"]
    await store.close()


async def test_where_files_have_but_one_name_what_is_replaced_is_copied(
    storage: UnifiedStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    backup = await storage.create_backup()
    await storage.insert_tip("two")
    kept = (await storage.restore_backup(backup.name)).kept
    assert kept is not None
    await storage.restore_backup(kept.name)
    assert await tips(storage) == ["one", "two"]


async def test_a_store_that_another_program_has_open_is_not_replaced(storage: UnifiedStorage, tmp_path: Path) -> None:
    backup = await storage.create_backup()
    await storage.insert_tip("two")
    with closing(sqlite3.connect(tmp_path / "sidecar.db", isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM tips").fetchone()
        with pytest.raises(SidecarError) as raised:
            await storage.restore_backup(backup.name)
    assert raised.value.retryable
    assert await tips(storage) == ["one", "two"]
    await storage.restore_backup(backup.name)
    assert await tips(storage) == ["one"]


async def test_after_closing_nothing_is_begun(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    backend = backend_of(store)
    await store.close()
    with pytest.raises(StorageClosed):
        await backend.backups.create_backup()


class Failing:
    """Fails the n-th call of any of the system's own functions that a restore rests on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 0
        self.calls = 0
        for module, name in (
            (os, "open"),
            (os, "fsync"),
            (os, "link"),
            (os, "replace"),
            (os, "unlink"),
            (sqlite3, "connect"),
        ):
            monkeypatch.setattr(module, name, self._wrapped(getattr(module, name)))

    def _wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            self.calls += 1
            if self.calls == self.at:
                raise OSError(5, "Input/output error")
            return function(*arguments, **options)

        return wrapped


async def test_a_restore_that_fails_at_any_step_leaves_the_old_store_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = tmp_path / "origin"
    store = await opened(origin)
    await store.insert_tip("one")
    backup = await store.create_backup()
    await store.insert_tip("two")
    await store.close()
    failing = Failing(monkeypatch)
    outcomes: list[bool] = []
    number = 0
    while not outcomes or outcomes[-1] is False:
        number += STEP
        directory = tmp_path / str(number)
        shutil.copytree(origin, directory)
        store = await opened(directory)
        failing.calls, failing.at = 0, number
        try:
            await store.restore_backup(backup.name)
        except (OSError, SidecarError):
            outcomes.append(False)
        else:
            outcomes.append(failing.calls < number)
        failing.at = 0
        present = await tips(store)
        assert present in (["one"], ["one", "two"]), number
        await store.insert_tip("goes on")
        await store.close()
        store = await opened(directory)
        assert await tips(store) == [*present, "goes on"], number
        listed = (await store.get_backups()).items
        assert backup.name in {item.name for item in listed}
        if present == ["one"]:
            kept = next(item for item in listed if item.reason == "before-restore")
            await store.restore_backup(kept.name)
            assert await tips(store) == ["one", "two"], number
        await store.close()
    assert len(outcomes) > 20 // STEP


@pytest.mark.parametrize("source", ["schemas/schema-1.sql", "schemas/schema-3.sql", "seeds/minecontext.sql"])
async def test_a_backup_of_an_older_version_is_brought_up_to_date_before_it_replaces_anything(
    storage: UnifiedStorage, tmp_path: Path, source: str
) -> None:
    await storage.create_backup()
    older = tmp_path / "backups" / "20250101T000000.000Z-schema-0-before-migration.db"
    with closing(sqlite3.connect(older)) as connection:
        connection.executescript((Path(__file__).parent / source).read_text(encoding="utf-8"))
        connection.commit()
        expected = {row[0] for row in connection.execute("SELECT content FROM tips")}
    before = older.read_bytes()
    done = await storage.restore_backup(older.name)
    assert set(await tips(storage)) == expected
    assert older.read_bytes() == before
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (upgrade.latest_version(),)
    assert done.kept is not None
    await storage.restore_backup(done.kept.name)
    assert await tips(storage) == ["one"]


class TestHistoryOfARestore:
    """A backup that was made after the restored one holds rows that are not the store's any more."""

    async def test_what_was_replaced_is_marked(self, storage: UnifiedStorage) -> None:
        restored = await storage.create_backup()
        replaced = await storage.create_backup()
        kept = (await storage.restore_backup(restored.name)).kept
        assert kept is not None
        newer = await storage.create_backup()
        marks = {backup.name: backup.replaced for backup in (await storage.get_backups()).items}
        assert marks == {restored.name: False, replaced.name: True, kept.name: True, newer.name: False}

    async def test_restoring_the_former_store_makes_it_the_one_that_belongs(self, storage: UnifiedStorage) -> None:
        restored = await storage.create_backup()
        kept = (await storage.restore_backup(restored.name)).kept
        assert kept is not None
        await storage.restore_backup(kept.name)
        marks = {backup.name: backup.replaced for backup in (await storage.get_backups()).items}
        assert marks.pop(kept.name) is False
        assert set(marks.values()) == {True}

    async def test_what_was_replaced_is_marked_although_it_had_no_manifest(
        self, storage: UnifiedStorage, tmp_path: Path
    ) -> None:
        restored = await storage.create_backup()
        replaced = await storage.create_backup()
        (tmp_path / "backups" / replaced.name).with_suffix(".json").unlink()
        await storage.restore_backup(restored.name)
        marks = {backup.name: backup.replaced for backup in (await storage.get_backups()).items}
        assert (marks[restored.name], marks[replaced.name]) == (False, True)

    async def test_a_restore_that_fails_marks_nothing(
        self, storage: UnifiedStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        restored = await storage.create_backup()
        await storage.create_backup()

        def fail(*_: Path) -> None:
            raise StorageBusy("another program has it open")

        monkeypatch.setattr("sidecar.storage.sqlite.backup.restore.put_in_place", fail)
        with pytest.raises(StorageBusy):
            await storage.restore_backup(restored.name)
        assert {backup.replaced for backup in (await storage.get_backups()).items} == {False}

    @pytest.mark.parametrize("is_done", [False, True])
    async def test_a_restore_that_was_killed_marks_only_what_it_replaced(
        self, storage: UnifiedStorage, tmp_path: Path, is_done: bool
    ) -> None:
        restored = await storage.create_backup()
        newer = await storage.create_backup()
        await storage.close()
        database, copy = tmp_path / "sidecar.db", tmp_path / "copy.db"
        directory = BackupDirectory.beside(database, SYSTEM_CLOCK)
        shutil.copy(tmp_path / "backups" / restored.name, copy)
        under_way = directory.noting_restore(restored.name, copy)
        under_way.__enter__()
        if is_done:
            copy.replace(database)
        BackupDirectory.beside(database, SYSTEM_CLOCK).clear_leftovers(database)
        marks = {backup.name: backup.replaced for backup in directory.listed()}
        assert marks == {restored.name: False, newer.name: is_done}
        assert not list((tmp_path / "backups").glob("restore*"))

    async def test_a_file_belongs_to_it_once_it_is_restored(self, storage: UnifiedStorage, tmp_path: Path) -> None:
        own = await storage.create_backup()
        await storage.close()
        file, directory = tmp_path / "sidecar.db", BackupDirectory.beside(tmp_path / "sidecar.db", SYSTEM_CLOCK)
        others = Path(shutil.copy(file, tmp_path / "others.db"))
        adopted = directory.adopt(others, "from-file")
        proven = directory.newest_proven(upgrade.latest_version())
        assert proven is not None
        assert proven.name == own.name
        restore_at_rest(directory, file, adopted.name)
        marks = {backup.name: backup.replaced for backup in directory.listed()}
        assert (marks[adopted.name], marks[own.name]) == (False, True)

    async def test_a_recovery_does_not_bring_it_back(self, storage: UnifiedStorage, tmp_path: Path) -> None:
        restored = await storage.create_backup()
        await storage.batch_insert_tips([TipCreate("replaced " + "x" * 900) for _ in range(20)])
        await storage.restore_backup(restored.name)
        await storage.batch_insert_tips([TipCreate("since " + "x" * 900) for _ in range(20)])
        await storage.close()
        file = tmp_path / "sidecar.db"
        damage.overwrite(file, damage.leaves(file, "tips")[-1])
        again = await opened(tmp_path)
        found = await tips(again)
        (report, *_) = (await again.get_recoveries()).items
        await again.close()
        assert not [tip for tip in found if tip.startswith("replaced")]
        assert 21 - len(found) <= (report.tables["tips"].lost or 0)


def test_a_damaged_store_that_is_put_back_has_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> None:
        raise DatabaseDamaged("It is damaged.")

    monkeypatch.setattr("sidecar.storage.sqlite.backup.restore._settle", fail)
    database, log = tmp_path / "sidecar.db", tmp_path / "sidecar.db-wal"
    kept, copy = tmp_path / "backups" / "kept.db", tmp_path / "copy"
    database.write_bytes(b"damaged" * 1000)
    log.write_bytes(b"log")
    copy.write_bytes(b"copy")
    put_in_place(copy, database, kept)
    assert (database.read_bytes(), log.exists()) == (b"copy", False)
    put_back(database, kept)
    assert (database.read_bytes(), log.read_bytes()) == (b"damaged" * 1000, b"log")


class Killed(BaseException):
    """The end of a process at some step."""


@pytest.mark.parametrize("step", ["sidecar.db", "sidecar.db.recovered-"])
async def test_a_restore_at_rest_lasts_although_a_recovery_was_cut_off_before_it(tmp_path: Path, step: str) -> None:
    storage = await opened(tmp_path)
    await storage.insert_tip("restored")
    backup = await storage.create_backup()
    await storage.batch_insert_tips([TipCreate("since " + "x" * 900) for _ in range(20)])
    await storage.close()
    file, directory = tmp_path / "sidecar.db", BackupDirectory.beside(tmp_path / "sidecar.db", SYSTEM_CLOCK)
    damage.overwrite(file, damage.leaves(file, "tips")[-1])
    with pytest.MonkeyPatch.context() as patch:
        replace = Path.replace

        def kill_at_step(path: Path, to: Path) -> Path:
            if path.name == step or (step.endswith("-") and path.name.startswith(step)):
                raise Killed
            return replace(path, to)

        patch.setattr(Path, "replace", kill_at_step)
        with pytest.raises(Killed):
            Recovery(file, directory.path, lambda *_: None, SYSTEM_CLOCK).run("damaged")
    restore_at_rest(directory, file, backup.name)
    again = await opened(tmp_path)
    assert await tips(again) == ["restored"]
    assert [report.outcome for report in (await again.get_recoveries()).items] == ["backup_restored"]
    await again.close()
