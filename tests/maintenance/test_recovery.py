"""The ladder: a damaged database opens with everything that can be had, and says what became of the rest."""

import asyncio
import json
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TypeVar

import pytest

from sidecar.clock import SYSTEM_CLOCK
from sidecar.errors import DatabaseBeyondRepair, DatabaseDamaged, DiskFailed, StartRefused
from sidecar.models.health import Component
from sidecar.models.recovery import RecoveryReport
from sidecar.storage.sqlite.backup import snapshot
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.files import disk_reads, integrity
from sidecar.storage.sqlite.recovery import ladder as recovery
from sidecar.storage.sqlite.schema import upgrade
from sidecar.storage.unified import UnifiedStorage

from ..storage.damage import (
    Content,
    as_newer,
    content,
    damage_somehow,
    leaves,
    overwrite,
    populate,
    roots,
    schema_pages,
    storage_at,
)
from ..support import backend_of

T = TypeVar("T")


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[UnifiedStorage]:
    storage = storage_at(directory)
    await storage.initialize()
    try:
        yield storage
    finally:
        await storage.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a closed database and no backup; never written to."""
    directory = tmp_path_factory.mktemp("template")

    async def make() -> None:
        async with opened(directory) as storage:
            await populate(storage, "first", rows=200)

    asyncio.run(make())
    return directory


@pytest.fixture(scope="module")
def template_with_backup(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with a backup, after which rows were added."""
    directory = tmp_path_factory.mktemp("template-with-backup")
    shutil.copytree(template, directory, dirs_exist_ok=True)
    back_up(directory)

    async def add() -> None:
        async with opened(directory) as storage:
            await populate(storage, "second", rows=40)

    asyncio.run(add())
    return directory


@pytest.fixture
def directory(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "data"))


@pytest.fixture
def directory_with_backup(template_with_backup: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template_with_backup, tmp_path / "data"))


def back_up(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "sidecar.db", isolation_level=None)) as connection:
        snapshot.make_snapshot(connection, directory / "backups" / "20260101T000000.000Z-schema-1-test.db")


def newer_backup(directory: Path) -> Path:
    """Another backup, of the store as it is now and with its manifest."""
    backups = BackupDirectory(directory / "backups", SYSTEM_CLOCK)
    path = backups.next_path(upgrade.latest_version(), "newer")
    with closing(sqlite3.connect(directory / "sidecar.db", isolation_level=None)) as connection:
        backups.record(snapshot.make_snapshot(connection, path))
    return path


def recover(file: Path) -> None:
    recovery.Recovery(file, file.parent / "backups", lambda *_: None, SYSTEM_CLOCK).run("the test says so")


def database(directory: Path) -> Path:
    return directory / "sidecar.db"


async def reports(storage: UnifiedStorage) -> list[RecoveryReport]:
    return (await storage.get_recoveries()).items


async def component(storage: UnifiedStorage) -> Component:
    return (await storage.health())["recovery"]


async def wait_for_recovery(storage: UnifiedStorage, count: int = 1) -> RecoveryReport:
    deadline = asyncio.get_running_loop().time() + 20
    while len(found := await reports(storage)) < count:
        assert asyncio.get_running_loop().time() < deadline, "no recovery within 20 s"
        await asyncio.sleep(0.01)
    return found[0]


class TestIndexes:
    async def test_damaged_indexes_are_built_again_in_place(self, directory: Path) -> None:
        before = content(database(directory))
        overwrite(database(directory), roots(database(directory))["idx_todo_status"])
        async with opened(directory) as storage:
            (report,) = await reports(storage)
        with closing(sqlite3.connect(database(directory))) as connection:
            assert integrity.problems(connection) == []
        assert report.is_complete
        assert content(database(directory)) == before

    async def test_an_index_that_lacks_rows_is_built_again_and_nothing_is_set_aside(self, directory: Path) -> None:
        before = content(database(directory))
        index = leaves(database(directory), "idx_todo_created_at")[0]
        overwrite(database(directory), index, b"\x00\x00", at=3)  # the page says that it holds no entries
        async with opened(directory) as storage:
            (report,) = await reports(storage)
        assert (report.outcome, report.set_aside, report.tables) == ("indexes_rebuilt", None, {})
        assert report.problems
        assert content(database(directory)) == before

    async def test_a_search_index_that_sqlites_check_finds_damaged_is_no_damaged_database(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def check(connection: sqlite3.Connection, *, quick: bool = False) -> list[str]:
            """As since version 3.44, and only what is new in it."""
            try:
                connection.execute("INSERT INTO search_index (search_index) VALUES ('integrity-check')")
            except sqlite3.DatabaseError:
                return ["malformed inverted index for FTS5 table main.search_index"]
            return []

        before = content(database(directory))
        with closing(sqlite3.connect(database(directory))) as connection:
            connection.execute("UPDATE search_index_data SET block = x'00' WHERE id > 10")
            connection.commit()
        monkeypatch.setattr(integrity, "problems", check)
        report = recovery.Recovery(database(directory), directory / "backups", lambda *_: None, SYSTEM_CLOCK).run(
            "a check"
        )
        assert report.outcome == "indexes_rebuilt"
        assert content(database(directory)) == before


class TestBackups:
    async def test_a_newer_one_that_was_damaged_too_is_passed_over(self, directory_with_backup: Path) -> None:
        newer = newer_backup(directory_with_backup)
        overwrite(newer, leaves(newer, "tips")[0])
        before = content(database(directory_with_backup))
        overwrite(database(directory_with_backup), leaves(database(directory_with_backup), "tips")[1])
        async with opened(directory_with_backup) as storage:
            (report,) = await reports(storage)
        assert report.backup is not None
        assert report.backup.endswith("-test.db")
        assert content(database(directory_with_backup))["tips"] == before["tips"]

    async def test_one_of_a_newer_program_without_a_manifest_is_passed_over(self, directory: Path) -> None:
        newer = directory / "backups" / "20990101T000000.000Z.db"
        newer.parent.mkdir(exist_ok=True)
        shutil.copyfile(database(directory), newer)
        with closing(sqlite3.connect(newer, isolation_level=None)) as connection:
            for statement in as_newer(99):
                connection.execute(statement)
        overwrite(database(directory), leaves(database(directory), "tips")[1])
        async with opened(directory) as storage:
            (report,) = await reports(storage)
        assert (report.outcome, report.backup) == ("rebuilt", None)

    async def test_a_file_of_another_program_among_them_is_none(self, directory: Path) -> None:
        (directory / "backups").mkdir(exist_ok=True)
        with closing(sqlite3.connect(directory / "backups" / "20990101T000000.000Z.db")) as connection:
            connection.execute("CREATE TABLE bookmarks (url TEXT)")
        overwrite(database(directory), leaves(database(directory), "tips")[1])
        async with opened(directory) as storage:
            (report,) = await reports(storage)
        assert (report.outcome, report.backup) == ("rebuilt", None)


class TestTables:
    async def test_without_a_backup_a_new_database_has_what_could_be_read(self, directory: Path) -> None:
        file = database(directory)
        before = content(file)
        damaged_page = leaves(file, "tips")[1]
        overwrite(file, damaged_page)
        damaged = file.read_bytes()
        async with opened(directory) as storage:
            (report,) = await reports(storage)
        lost = before["tips"] - content(file)["tips"]
        assert (report.outcome, report.backup) == ("rebuilt", None)
        assert report.tables["tips"].lost == len(lost) > 0
        assert report.set_aside is not None
        assert (directory / report.set_aside).read_bytes() == damaged
        assert {**content(file), "tips": None} == {**before, "tips": None}

    async def test_a_backup_fills_the_gaps(self, directory_with_backup: Path) -> None:
        file = database(directory_with_backup)
        before = content(file)
        overwrite(file, leaves(file, "tips")[1])
        async with opened(directory_with_backup) as storage:
            (report,) = await reports(storage)
        assert (report.outcome, report.backup) == ("backup_restored", "20260101T000000.000Z-schema-1-test.db")
        assert report.is_complete
        assert content(file) == before

    async def test_of_a_file_without_its_list_of_tables_the_backup_is_restored(
        self, directory_with_backup: Path
    ) -> None:
        file = database(directory_with_backup)
        before = content(file)
        for page in schema_pages(file):
            overwrite(file, page)
        async with opened(directory_with_backup) as storage:
            (report,) = await reports(storage)
            assert (await component(storage)).detail == report.sentence()
        after = content(file)
        assert {row[0] for row in before["tips"] - after["tips"]} == set(range(201, 241))
        assert report.tables["tips"].from_backup == 200
        assert report.tables["tips"].lost is None
        assert not report.is_complete

    async def test_a_file_that_was_emptied_is_not_taken_for_a_new_one(self, directory_with_backup: Path) -> None:
        database(directory_with_backup).write_bytes(b"")
        async with opened(directory_with_backup) as storage:
            assert len(await reports(storage)) == 1
            assert (await storage.get_tips(with_total=True)).total == 200

    async def test_damaged_backups_are_passed_over(self, directory_with_backup: Path) -> None:
        (directory_with_backup / "backups" / "20260102T000000.000Z-schema-1-newer.db").write_bytes(b"damaged" * 1000)
        overwrite(database(directory_with_backup), 1)
        async with opened(directory_with_backup) as storage:
            (report,) = await reports(storage)
        assert report.backup == "20260101T000000.000Z-schema-1-test.db"

    async def test_when_nothing_can_be_read_and_there_is_no_backup_the_file_is_left_as_it_is(
        self, directory: Path
    ) -> None:
        for page in schema_pages(database(directory)):
            overwrite(database(directory), page)
        before = {path.name: path.read_bytes() for path in directory.iterdir()}
        with pytest.raises(DatabaseBeyondRepair, match="no backup"):
            async with opened(directory):
                raise AssertionError("it opened")
        assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


class TestWhileItIsOpen:
    async def test_a_read_that_meets_damage_starts_a_recovery_and_what_comes_later_waits_for_it(
        self, directory_with_backup: Path
    ) -> None:
        file = database(directory_with_backup)
        before = content(file)
        async with opened(directory_with_backup) as storage:
            told: list[str] = []
            storage.subscribe(lambda changes: told.extend(change.topic for change in changes))
            overwrite(file, leaves(file, "tips")[1])
            with pytest.raises(DatabaseDamaged) as met:
                await read_everything(storage)
            assert met.value.retryable
            async with asyncio.timeout(20):
                assert await until_mended(lambda: read_everything(storage)) == {row[1] for row in before["tips"]}
            report = await wait_for_recovery(storage)
            assert report.is_complete
            assert (await storage.insert_tip("written afterwards")).id == 241
            assert {"storage", "recovery"} <= set(told)
        assert len(content(file)["tips"]) == 241

    async def test_a_write_that_meets_damage_is_done_when_it_is_sent_again(self, directory_with_backup: Path) -> None:
        file = database(directory_with_backup)
        async with opened(directory_with_backup) as storage:
            overwrite(file, leaves(file, "todo")[0])
            await forget_pages(storage)
            with pytest.raises(DatabaseDamaged):
                await storage.update_todo(1, content="changed")
            async with asyncio.timeout(20):
                changed = await until_mended(lambda: storage.update_todo(1, content="changed"))
            assert changed.content == "changed"
            assert (await wait_for_recovery(storage)).is_complete

    async def test_an_error_of_the_disk_is_told_and_nothing_is_set_aside(
        self, directory_with_backup: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_: Path) -> None:
            raise DiskFailed("The disk reports an error.")

        file = database(directory_with_backup)
        async with opened(directory_with_backup) as storage:
            page = leaves(file, "tips")[1]
            sound = file.read_bytes()[(page - 1) * 4096 : page * 4096]
            overwrite(file, page)
            monkeypatch.setattr(disk_reads, "require_readable", refuse)
            with pytest.raises(DatabaseDamaged):
                await read_everything(storage)
            await backend_of(storage).recovery.until_recovered()
            assert await component(storage) == Component(ok=False, detail="The disk reports an error.")
            monkeypatch.undo()
            overwrite(file, page, sound)
            assert not (await storage.check_integrity()).problems
            assert await reports(storage) == []
        assert not list(directory_with_backup.glob("*.damaged-*"))

    async def test_the_background_check_finds_what_nobody_has_met(self, directory: Path) -> None:
        file = database(directory)
        async with opened(directory) as storage:
            assert not storage.integrity_check_is_due()
            assert (await storage.check_integrity()).is_sound
            index = leaves(file, "idx_todo_created_at")[0]
            overwrite(file, index, b"\x00\x00", at=3)
            assert not (await storage.check_integrity()).is_sound
            assert (await wait_for_recovery(storage)).outcome == "indexes_rebuilt"
            assert (await storage.check_integrity()).is_sound

    async def test_after_an_unclean_end_a_check_is_due(self, directory: Path) -> None:
        integrity.mark_path(database(directory)).unlink()
        async with opened(directory) as storage:
            assert storage.integrity_check_is_due()
            assert (await storage.check_integrity()).is_sound
            assert not storage.integrity_check_is_due()

    async def test_a_large_file_that_was_changed_from_outside_is_checked_in_the_background(
        self, directory: Path
    ) -> None:
        with closing(sqlite3.connect(database(directory))) as connection, connection:
            connection.execute("CREATE TABLE filler AS SELECT zeroblob(?)", (integrity.SMALL_BYTES,))
        overwrite(database(directory), leaves(database(directory), "idx_todo_created_at")[0], b"\x00\x00", at=3)
        async with opened(directory) as storage:
            assert await reports(storage) == []
            assert storage.integrity_check_is_due()
            assert not (await storage.check_integrity()).is_sound
            assert (await wait_for_recovery(storage)).outcome == "indexes_rebuilt"


class TestTheLog:
    async def test_a_log_that_is_damaged_in_its_middle_is_kept_and_reported(self, directory: Path) -> None:
        cut_off = directory.with_name("cut-off")
        async with opened(directory) as storage:
            for number in range(20):
                await storage.insert_tip(f"in the log {number}")
            shutil.copytree(directory, cut_off)
        log = cut_off / "sidecar.db-wal"
        data = bytearray(log.read_bytes())
        middle = 32 + (len(data) - 32) // 4120 // 2 * 4120
        data[middle + 100] ^= 1
        log.write_bytes(data)
        async with opened(cut_off) as storage:
            (report,) = await reports(storage)
            kept = {tip.content for tip in (await storage.get_tips(limit=1000)).items}
        lost = sum(f"in the log {number}" not in kept for number in range(20))
        assert report.outcome == "log_cut_off"
        assert report.log is not None
        assert 0 < lost <= report.log.unreadable_commits
        assert report.log.kept_as is not None
        assert (cut_off / report.log.kept_as).read_bytes() == bytes(data)

    async def test_a_log_whose_last_commit_was_not_finished_is_no_damage(self, directory: Path) -> None:
        cut_off = directory.with_name("cut-off")
        async with opened(directory) as storage:
            await storage.insert_tip("kept")
            shutil.copytree(directory, cut_off)
        log = cut_off / "sidecar.db-wal"
        with log.open("ab") as file:
            file.write(log.read_bytes()[32 : 32 + 2000])  # the beginning of a frame
        async with opened(cut_off) as storage:
            assert await reports(storage) == []
            assert "kept" in {tip.content for tip in (await storage.get_tips()).items}


class TestInterrupted:
    @pytest.mark.parametrize("step", range(1, 8))
    async def test_killed_before_any_rename_the_next_start_goes_on_and_reports_it(
        self, directory_with_backup: Path, monkeypatch: pytest.MonkeyPatch, step: int
    ) -> None:
        file = database(directory_with_backup)
        before = content(file)
        overwrite(file, leaves(file, "tips")[1])
        damaged = file.read_bytes()
        steps = 0
        replace = Path.replace

        class Killed(BaseException):
            pass

        def replace_or_die(path: Path, to: Path) -> Path:
            nonlocal steps
            steps += 1
            if steps == step:
                raise Killed
            return replace(path, to)

        # Not through the storage: as after a kill, nothing may tidy up behind it.
        ladder = recovery.Recovery(file, directory_with_backup / "backups", lambda *_: None, SYSTEM_CLOCK)
        monkeypatch.setattr(Path, "replace", replace_or_die)
        with pytest.raises(Killed):
            ladder.run("the test says so")
        monkeypatch.undo()
        async with opened(directory_with_backup) as storage:
            (report,) = await reports(storage)
        assert content(file) == before
        assert report.set_aside is not None
        assert (directory_with_backup / report.set_aside).read_bytes() == damaged
        names = {path.name for path in directory_with_backup.iterdir()}
        assert not any(".reco" in name or name.endswith(".pending") for name in names), names

    async def test_there_are_no_further_renames(
        self, directory_with_backup: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The seven are killed before, one by one, in the test above."""
        file, renamed, replace = database(directory_with_backup), list[str](), Path.replace

        def count(path: Path, to: Path) -> Path:
            renamed.append(path.name)
            return replace(path, to)

        overwrite(file, leaves(file, "tips")[1])
        monkeypatch.setattr(Path, "replace", count)
        recover(file)
        assert len(renamed) == 7, renamed
        assert renamed.index(next(name for name in renamed if name.endswith(".pending"))) < renamed.index(file.name)

    async def test_a_report_that_a_finished_swap_left_pending_is_not_lost(self, directory_with_backup: Path) -> None:
        """As by a version that renamed it last."""
        file = database(directory_with_backup)
        overwrite(file, leaves(file, "tips")[1])
        recover(file)
        (report,) = directory_with_backup.glob("recovery-*.json")
        report.rename(report.with_name(f"{report.name}.pending"))
        async with opened(directory_with_backup) as storage:
            assert len(await reports(storage)) == 1

    async def test_killed_while_the_new_file_is_made_the_next_start_begins_again(
        self, directory_with_backup: Path
    ) -> None:
        file = database(directory_with_backup)
        before = content(file)
        overwrite(file, leaves(file, "tips")[1])
        file.with_name("sidecar.db.recovering").write_bytes(b"half of a database")
        file.with_name("sidecar.db.recovering-journal").write_bytes(b"its journal")
        async with opened(directory_with_backup) as storage:
            assert len(await reports(storage)) == 1
        assert content(file) == before


class TestReports:
    async def test_it_is_told_until_somebody_takes_note(self, directory_with_backup: Path) -> None:
        overwrite(database(directory_with_backup), 1)
        async with opened(directory_with_backup) as storage:
            assert (await component(storage)).measures == {"not_acknowledged": 1}
        async with opened(directory_with_backup) as storage:
            assert (await component(storage)).detail is not None
            await storage.acknowledge_recoveries()
            state = await component(storage)
            assert (state.ok, state.detail) == (True, None)
        async with opened(directory_with_backup) as storage:
            (report,) = await reports(storage)
            assert report.acknowledged_at is not None
            assert (await component(storage)).detail is None

    async def test_it_is_kept_beside_the_database(self, directory_with_backup: Path) -> None:
        overwrite(database(directory_with_backup), 1)
        async with opened(directory_with_backup) as storage:
            (report,) = await reports(storage)
        file = directory_with_backup / f"recovery-{report.id}.json"
        assert json.loads(file.read_text())["set_aside"] == report.set_aside

    async def test_a_report_that_cannot_be_read_keeps_nobody_from_starting(self, directory: Path) -> None:
        (directory / "recovery-20260101T000000.000Z.json").write_text("{")
        async with opened(directory) as storage:
            assert await reports(storage) == []


class TestChaos:
    """Random damage to a populated file, or to its log: never a crash, never silently empty, and each is reported or
    has cost no row.

    SQLite keeps no checksums: a byte that was changed inside a value is read as the value. So without a report it is
    the rows that must all be there, not every byte of them. Nor does a log say how long it is: one that was cut off
    looks like one whose last commits were never made.
    """

    @pytest.mark.parametrize("seed", range(12))
    async def test_some(self, template: Path, template_with_backup: Path, tmp_path: Path, seed: int) -> None:
        await self.damage_and_open(template, template_with_backup, tmp_path, seed)

    @pytest.mark.slow
    @pytest.mark.parametrize("seed", range(100, 200))
    async def test_many(self, template: Path, template_with_backup: Path, tmp_path: Path, seed: int) -> None:
        await self.damage_and_open(template, template_with_backup, tmp_path, seed)

    async def damage_and_open(self, template: Path, template_with_backup: Path, tmp_path: Path, seed: int) -> None:
        dice = random.Random(seed)
        has_backup = dice.random() < 0.5
        directory = tmp_path / "data"
        shutil.copytree(template_with_backup if has_backup else template, directory)
        if dice.random() < 0.5:
            directory = await self.as_after_a_kill(directory)
        file = database(directory)
        before = content(file)
        in_the_log = difference(before, content(database(template_with_backup if has_backup else template)))
        backup = content(next((directory / "backups").glob("*.db"))) if has_backup else {}
        how = damage_somehow(file, dice)
        refusal: StartRefused | None = None
        try:
            async with opened(directory) as storage:
                if storage.integrity_check_is_due() and not (await storage.check_integrity()).is_sound:
                    await wait_for_recovery(storage)
                found = await reports(storage)
                health = await component(storage)
        except StartRefused as refused:
            refusal = refused
        if refusal is not None:
            assert not (has_backup and isinstance(refusal, DatabaseBeyondRepair)), how
            assert file.exists(), how
            return
        after = content(file)
        assert any(after.values()), how
        assert (health.detail is not None) == any(report.acknowledged_at is None for report in found), how
        for table, rows in keys(before).items():
            missing = rows - keys(after).get(table, set())
            if f"{file.name}-wal cut" in how:
                assert missing <= in_the_log.get(table, set()), (how, table)
            elif missing:
                assert self.admits(found, table, len(missing)), (how, table, len(missing), found)
                assert not missing & keys(backup).get(table, set()), (how, table)

    @staticmethod
    async def as_after_a_kill(directory: Path) -> Path:
        """The same directory, with some commits in the log and no mark of a clean stop."""
        cut_off = directory.with_name("cut-off")
        async with opened(directory) as storage:
            for number in range(10):
                await storage.insert_tip(f"in the log {number}")
            shutil.copytree(directory, cut_off)
        return cut_off

    @staticmethod
    def admits(found: list[RecoveryReport], table: str, missing: int) -> bool:
        """Whether the reports say that so many rows may be lost."""
        for report in found:
            if report.log is not None and report.log.unreadable_commits:
                return True
            told = report.tables.get(table)
            if told is not None and (told.lost is None or told.lost + told.set_aside >= missing):
                return True
        return False


async def until_mended(call: Callable[[], Awaitable[T]]) -> T:
    """What `call` returns when it no longer meets damage, sent again as a host does with what is retryable."""
    while True:
        try:
            return await call()
        except DatabaseDamaged:
            await asyncio.sleep(0.01)


async def forget_pages(storage: UnifiedStorage) -> None:
    """Have the writer read from the file again."""
    await backend_of(storage).database.run_when_idle(
        lambda connection: connection.execute("PRAGMA shrink_memory").fetchall()
    )


def keys(rows: Content) -> dict[str, set[object]]:
    return {table: {row[0] for row in found} for table, found in rows.items()}


def difference(rows: Content, others: Content) -> dict[str, set[object]]:
    return {table: found - keys(others).get(table, set()) for table, found in keys(rows).items()}


async def read_everything(storage: UnifiedStorage) -> set[str]:
    return {tip.content for tip in (await storage.get_tips(limit=1000)).items}
