"""A machine's clock that is ten years off, or jumps while a sidecar runs."""

import os
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.api.events import EventHub
from sidecar.clock import SYSTEM_CLOCK, Clock
from sidecar.config import BackupSettings, DatabaseSettings, UpkeepSettings
from sidecar.maintenance import doctor
from sidecar.maintenance.backups import back_up, drill, is_due, to_prove
from sidecar.maintenance.retention import expired_backups
from sidecar.maintenance.row_age import RetentionTime
from sidecar.maintenance.scheduler import MaintenanceScheduler
from sidecar.maintenance.steps import Steps
from sidecar.models import timestamps
from sidecar.models.backups import Backup, newest_first
from sidecar.models.doctor import Level
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.upkeep import UpkeepTaskName
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.recovery.ladder import Recovery
from sidecar.storage.unified import UnifiedStorage, document_backend
from tests.clocks import TEN_YEARS, SetClock
from tests.storage.damage import leaves, overwrite

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WRONG = pytest.mark.parametrize("wrong", [TEN_YEARS, -TEN_YEARS], ids=["ahead", "behind"])
KEEP = BackupSettings(keep_latest=2, keep_daily=0, keep_weekly=0)
START = datetime(2026, 1, 5, 12, tzinfo=UTC)


@asynccontextmanager
async def opened(directory: Path, clock: Clock) -> AsyncIterator[UnifiedStorage]:
    storage = UnifiedStorage.create([document_backend(DatabaseSettings(), directory)], clock=clock)
    async with storage:
        yield storage


async def do(storage: UnifiedStorage, settings: BackupSettings = KEEP) -> dict[str, int]:
    """Run the task that makes backups; return what it did."""
    steps = Steps(storage)
    await back_up(storage, settings)(steps)
    return dict(steps.did)


async def names(storage: UnifiedStorage) -> list[str]:
    return [backup.name for backup in (await storage.get_backups()).items]


def backup(sequence: int | None, moment: datetime, **fields: str | None) -> Backup:
    time = timestamps.render(moment)
    return Backup.model_validate(
        {
            "name": f"{sequence}-{time}",
            "sequence": sequence,
            "created_at": time,
            "reason": "test",
            "bytes": 1,
            "schema_version": 7,
            "verified_at": time,
            **fields,
        }
    )


class TestOneStartWithAWrongClock:
    """The first start has the right clock, the second a wrong one, the third the right one again."""

    @WRONG
    async def test_backups_go_on(self, tmp_path: Path, wrong: timedelta) -> None:
        clock = SetClock()
        made = []
        for step in (timedelta(), wrong, -wrong):
            clock.jump(step)
            async with opened(tmp_path, clock) as storage:
                await storage.insert_tip("something new")
                made.append(await do(storage))
                clock.wait(HOUR)
                await storage.insert_tip("a little more")
                assert await do(storage) == {}
                clock.wait(DAY)
        assert [one["made"] for one in made] == [1, 1, 1]

    @WRONG
    async def test_the_list_has_the_last_one_first(self, tmp_path: Path, wrong: timedelta) -> None:
        clock = SetClock()
        expected: list[str] = []
        for step in (timedelta(), wrong, -wrong):
            clock.jump(step)
            async with opened(tmp_path, clock) as storage:
                expected.insert(0, (await storage.create_backup()).name)
                assert await names(storage) == expected

    @WRONG
    async def test_new_backups_are_not_thinned_away_as_the_oldest(self, tmp_path: Path, wrong: timedelta) -> None:
        clock = SetClock()
        made = []
        for step in (wrong, timedelta(), -wrong, timedelta(), timedelta()):
            clock.jump(step)
            clock.wait(DAY)
            async with opened(tmp_path, clock) as storage:
                await storage.insert_tip("something new")
                await do(storage)
                made += [name for name in await names(storage) if name not in made]
        async with opened(tmp_path, clock) as storage:
            assert await names(storage) == [made[-1], made[-2]]

    @WRONG
    async def test_a_recovery_takes_the_last_backup(self, tmp_path: Path, wrong: timedelta) -> None:
        clock = SetClock()
        for step, content in ((timedelta(), "one"), (wrong, "two"), (-wrong, "three")):
            clock.jump(step)
            async with opened(tmp_path, clock) as storage:
                for _ in range(30):
                    await storage.insert_tip(content * 200)
                last = await storage.create_backup()
        file = tmp_path / "sidecar.db"
        overwrite(file, leaves(file, "tips")[-1], b"\xff" * 4096)
        async with opened(tmp_path, clock) as storage:
            (report,) = (await storage.get_recoveries()).items
            assert report.backup == last.name
            assert len((await storage.get_tips(limit=100)).items) == 90

    @WRONG
    async def test_the_weekly_checks_go_on(self, tmp_path: Path, wrong: timedelta) -> None:
        clock = SetClock()
        async with opened(tmp_path, clock) as storage:
            await storage.create_backup()
        clock.jump(wrong)
        async with opened(tmp_path, clock) as storage:
            await storage.check_integrity()
            await drill(storage)(Steps(storage))
        clock.jump(-wrong)
        clock.wait(8 * DAY)
        async with opened(tmp_path, clock) as storage:
            for _ in range(2):
                assert storage.integrity_check_is_due()
                steps = Steps(storage)
                await drill(storage)(steps)
                assert steps.did == {"proved": 1}
                await storage.check_integrity()
                for _ in range(2):
                    assert not storage.integrity_check_is_due()
                    steps = Steps(storage)
                    await drill(storage)(steps)
                    assert steps.did == {}
                    clock.wait(3 * DAY)
                clock.wait(2 * DAY)

    async def test_no_key_and_no_report_is_removed_that_is_young(self, tmp_path: Path) -> None:
        async def removed() -> list[int]:
            upkeep = MaintenanceScheduler(storage, UpkeepSettings(), lambda *_: None)
            runs = [await upkeep.run(name) for name in (UpkeepTaskName.IDEMPOTENCY_KEYS, UpkeepTaskName.MONITORING)]
            return [run.did.get("removed", 0) for run in runs]

        clock = SetClock(timestamps.now(SYSTEM_CLOCK))  # files have the times of the system
        async with opened(tmp_path, clock) as storage:
            await storage.insert_tip("one", key=IdempotencyKey("a key", b"1"))
            await storage.save_monitoring_token_usage("m", 1, 1)
        clock.jump(TEN_YEARS)
        async with opened(tmp_path, clock) as storage:
            assert await removed() == [0, 0]
            first = await storage.get_tips()
            await storage.insert_tip("one", key=IdempotencyKey("a key", b"1"))
            assert await storage.get_tips() == first
        clock.jump(-TEN_YEARS)
        clock.wait(400 * DAY)
        async with opened(tmp_path, clock) as storage:
            upkeep = MaintenanceScheduler(storage, UpkeepSettings(), lambda *_: None)
            clock.wait(400 * DAY)
            run = await upkeep.run(UpkeepTaskName.IDEMPOTENCY_KEYS)
            assert run.did == {"removed": 1}

    @WRONG
    async def test_the_doctor_does_not_take_a_backup_from_the_future_for_a_new_one(
        self, tmp_path: Path, wrong: timedelta
    ) -> None:
        clock = SetClock()
        async with opened(tmp_path, clock) as storage:
            await storage.create_backup()
        clock.jump(wrong)
        async with opened(tmp_path, clock) as storage:
            report = await doctor.examine(storage)
        (finding,) = [finding for finding in report.findings if finding.subject == "backups"]
        assert finding.level is Level.WARNING
        assert ("days old" if wrong > timedelta() else "check the date of this computer") in finding.message


class TestNumbers:
    def test_a_backup_of_an_older_program_comes_before_those_with_a_number(self) -> None:
        old = [backup(None, START + timedelta(days=days)) for days in (0, 1, 4000)]
        new = [backup(number, START - number * DAY) for number in (1, 2)]
        assert newest_first([*new, *old]) == [new[1], new[0], old[2], old[1], old[0]]

    @given(st.lists(st.integers(-4_000, 4_000), min_size=1, max_size=40), st.integers(1, 4), st.integers(0, 5))
    def test_thinning_never_gives_up_the_last_ones(self, days: list[int], latest: int, daily: int) -> None:
        backups = [backup(number, START + day * DAY) for number, day in enumerate(days, 1)]
        keep = BackupSettings(keep_latest=latest, keep_daily=daily, keep_weekly=0)
        gone = expired_backups(backups, keep)
        assert not {one.name for one in gone} & {one.name for one in backups[-latest:]}
        assert len(backups) - len(gone) <= latest + daily + 1

    async def test_a_backup_of_the_same_moment_replaces_none(self, tmp_path: Path) -> None:
        async with opened(tmp_path, SetClock()) as storage:
            made = [await storage.create_backup() for _ in range(3)]
            assert [one.sequence for one in made] == [1, 2, 3]
            assert await names(storage) == [one.name for one in reversed(made)]

    async def test_the_number_survives_a_lost_manifest(self, tmp_path: Path) -> None:
        async with opened(tmp_path, SetClock()) as storage:
            first, second = await storage.create_backup(), await storage.create_backup()
            (tmp_path / "backups" / second.name).with_suffix(".json").unlink()
            assert await names(storage) == [second.name, first.name]
            assert (await storage.verify_backup(second.name)).sequence == 2

    async def test_what_a_restore_replaces_has_the_next_number(self, tmp_path: Path) -> None:
        clock = SetClock()
        async with opened(tmp_path, clock) as storage:
            made = await storage.create_backup()
            clock.jump(-TEN_YEARS)
            restored = await storage.restore_backup(made.name)
            assert restored.kept is not None
            assert restored.kept.sequence == 2
            assert await names(storage) == [restored.kept.name, made.name]

    def test_reports_of_recoveries_are_in_order_and_none_replaces_another(self, tmp_path: Path) -> None:
        clock = SetClock()
        recovery = Recovery(tmp_path / "sidecar.db", tmp_path / "backups", lambda *_: None, clock)
        ids = []
        for step in (timedelta(), timedelta(), TEN_YEARS, -TEN_YEARS, -TEN_YEARS, timedelta()):
            clock.jump(step)
            ids.append(recovery.reports.new_id())
            (tmp_path / f"recovery-{ids[-1]}.json").touch()
        assert ids == sorted(set(ids))

    @pytest.mark.parametrize("name", ["recovery-99991231T235959.999Z.json", "recovery-99999999T999999.999Z.json"])
    def test_a_name_that_somebody_made_up_stops_no_report(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).touch()
        recovery = Recovery(tmp_path / "sidecar.db", tmp_path / "backups", lambda *_: None, SetClock())
        assert recovery.reports.new_id() == "20260131T093000.000Z"


class TestChanges:
    """Whether something was changed since the last backup does not depend on any time."""

    async def test_what_is_unchanged_is_not_backed_up_again(self, tmp_path: Path) -> None:
        clock = SetClock()
        async with opened(tmp_path, clock) as storage:
            await storage.insert_tip("one")
            await storage.checkpoint()
            assert await do(storage) == {"made": 1}
        for _ in range(3):
            clock.wait(2 * DAY)
            async with opened(tmp_path, clock) as storage:
                assert not await storage.has_changed_since_backup()
                assert await do(storage) == {}

    async def test_a_change_is_noticed_although_the_file_got_an_earlier_time(self, tmp_path: Path) -> None:
        async with opened(tmp_path, SetClock()) as storage:
            await storage.create_backup()
        with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection, connection:
            connection.execute("INSERT INTO tips (content) VALUES ('by another program')")
        os.utime(tmp_path / "sidecar.db", (0, 0))
        async with opened(tmp_path, SetClock()) as storage:
            assert await storage.has_changed_since_backup()


class TestJumps:
    @given(st.lists(st.sampled_from([0, 0, 0, 0, 1, -1, 3653, -3653, 40, -40]), min_size=48, max_size=200))
    def test_no_jump_holds_up_backups_and_each_costs_one_at_most(self, jumps: list[int]) -> None:
        """Hour by hour: the store changes, the clock may jump, and the task runs."""
        clock, backups, last = SetClock(), [backup(1, SetClock().now())], 0.0
        for jump in jumps:
            clock.wait(HOUR)
            clock.jump(timedelta(days=jump))
            if is_due(backups, clock.now(), DAY):
                backups.append(backup(len(backups) + 1, clock.now()))
                last = clock.monotonic()
            assert clock.monotonic() - last <= (DAY + HOUR).total_seconds()
        hours, jumped = len(jumps), sum(jump != 0 for jump in jumps)
        assert len(backups) - 1 <= hours / 24 + jumped

    def test_a_clock_that_goes_back_makes_the_proof_due_once(self) -> None:
        proved = timestamps.render(START)
        backups = [backup(1, START, proved_at=proved), backup(2, START, proved_at=None)]
        before = START - TEN_YEARS
        assert to_prove(backups, before) == [backups[1]]
        backups[1] = backup(2, START, proved_at=timestamps.render(before))
        assert to_prove(backups, before + HOUR) == []

    def test_rows_grow_old_only_as_fast_as_time_passes(self) -> None:
        clock = SetClock()
        retention = RetentionTime(clock, clock.now())
        began = clock.now()
        clock.jump(TEN_YEARS)
        clock.wait(HOUR)
        assert began <= retention.now() <= began + 4 * HOUR
        clock.jump(-2 * TEN_YEARS)
        assert retention.now() == clock.now()

    def test_a_clock_that_was_years_behind_for_a_moment_is_believed_again(self) -> None:
        clock = SetClock()
        retention = RetentionTime(clock, clock.now())
        clock.jump(-TEN_YEARS)
        assert retention.now() == clock.now()
        clock.jump(TEN_YEARS)
        assert retention.now() == clock.now()

    def test_the_nights_of_a_computer_are_caught_up_with(self) -> None:
        clock = SetClock()
        retention = RetentionTime(clock, clock.now())
        for _ in range(30):
            clock.jump(16 * HOUR)  # asleep: the monotonic clock stands still
            for _ in range(8):
                clock.wait(HOUR)
                now = retention.now()
        assert now == clock.now()

    async def test_what_is_written_while_the_clock_jumps_is_all_there(self, tmp_path: Path) -> None:
        clock, chance = SetClock(), random.Random(7)
        async with opened(tmp_path, clock) as storage:
            conversation = await storage.create_conversation("home")
            for number in range(60):
                clock.jump(chance.choice([TEN_YEARS, -TEN_YEARS, timedelta()]))
                message = await storage.create_streaming_message(conversation.id, "assistant")
                clock.jump(chance.choice([TEN_YEARS, -TEN_YEARS, timedelta()]))
                await storage.append_message_content(message.id, f"{number}")
                done = await storage.mark_message_finished(message.id)
                assert (done.latency_ms or 0) >= 0
                todo = await storage.insert_todo(f"{number}", start_time=clock.now())
                clock.jump(chance.choice([TEN_YEARS, -TEN_YEARS, timedelta()]))
                todo = await storage.update_todo_status(todo.id, 1)
                assert todo.end_time is not None
                activity = await storage.insert_activity("a", "b", start_time=clock.now())
                assert activity.end_time >= activity.start_time
            page = await storage.get_conversation_messages(conversation.id)
            assert [message.content for message in page.items] == [str(number) for number in range(60)]
            assert len((await storage.get_todos(limit=100)).items) == 60


async def test_nothing_that_is_stored_has_a_time_of_the_system(tmp_path: Path) -> None:
    clock = SetClock("2001-02-03T04:05:06.789Z")
    async with opened(tmp_path, clock) as storage:
        vault = await storage.insert_vaults(title="v", content="c")
        await storage.update_vault(vault.id, title="w")
        await storage.insert_todo("t")
        await storage.insert_activity("a", "b")
        await storage.insert_tip("tip", key=IdempotencyKey("k", b"1"))
        conversation = await storage.create_conversation("home")
        message = await storage.create_streaming_message(conversation.id, "assistant")
        await storage.append_message_content(message.id, "text")
        await storage.add_message_thinking(message.id, "hm")
        await storage.mark_message_finished(message.id)
        await storage.save_conversation_state("thread", [{"role": "user", "content": "x"}])
        await storage.add_exchange("thread", "m", "r")
        await storage.save_monitoring_token_usage("m", 1, 1)
        await storage.save_monitoring_stage_timing("s", 1)
        await storage.save_monitoring_data_stats("d")
        await storage.create_backup()
    year = timestamps.now(SYSTEM_CLOCK)[:4]
    with closing(sqlite3.connect(tmp_path / "sidecar.db")) as connection:
        found = [line for line in connection.iterdump() if line.startswith("INSERT") and f"'{year}-" in line]
    assert found == []
    (backup,) = BackupDirectory(tmp_path / "backups", clock).listed()
    assert {backup.created_at, backup.verified_at} == {"2001-02-03T04:05:06.789Z"}


async def test_the_pauses_between_events_follow_no_wall_clock() -> None:
    clock = SetClock()
    hub = EventHub("one", clock)
    stream = hub.stream()
    await anext(stream)
    for number in range(3):
        clock.jump(TEN_YEARS if number % 2 else -TEN_YEARS)
        hub.publish("tips", {"id": number})
        assert f'"id":{number}'.encode() in await anext(stream)
    await stream.aclose()
