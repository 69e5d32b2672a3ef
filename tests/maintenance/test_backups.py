"""When backups are made and proved, and which are kept."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.config import BackupSettings, DatabaseSettings, UpkeepSettings
from sidecar.maintenance.backups import back_up, drill, is_due, to_prove
from sidecar.maintenance.retention import expired_backups
from sidecar.maintenance.scheduler import MaintenanceScheduler
from sidecar.maintenance.steps import Steps
from sidecar.models import timestamps
from sidecar.models.backups import Backup
from sidecar.models.upkeep import UpkeepTaskName
from sidecar.storage.unified import UnifiedStorage, document_backend
from tests.clocks import SetClock

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""A Monday."""

KEEP = BackupSettings()


def backup(hours: float, *, verified: bool = True, version: int = 7, proved: float | None = None) -> Backup:
    """One that was made so many hours after the start."""
    moment = timestamps.render(START + timedelta(hours=hours))
    return Backup(
        name=f"{moment}-{version}-{verified}.db",
        created_at=moment,
        reason="test",
        bytes=1,
        schema_version=version,
        verified_at=moment if verified else None,
        proved_at=None if proved is None else timestamps.render(START + timedelta(hours=proved)),
    )


def kept(backups: list[Backup], keep: BackupSettings = KEEP) -> list[Backup]:
    gone = expired_backups(backups, keep)
    return [one for one in backups if one not in gone]


class TestSlots:
    def test_the_latest_are_kept_however_close_they_are(self) -> None:
        backups = [backup(number / 60) for number in range(10)]
        assert kept(backups) == backups[-3:]

    def test_the_last_of_each_day_is_kept_and_then_the_last_of_each_week(self) -> None:
        backups = [backup(24 * day + hour) for day in range(60) for hour in (0, 6)]
        days = {timestamps.parse(one.created_at).date() for one in kept(backups)}
        last = (START + timedelta(days=59)).date()
        daily = {last - timedelta(days=number) for number in range(7)}
        weekly = {last, *(last - timedelta(days=last.isoweekday() + 7 * number) for number in range(3))}
        assert days == daily | weekly
        assert len(kept(backups)) <= KEEP.keep_latest + KEEP.keep_daily + KEEP.keep_weekly

    def test_days_without_a_backup_use_up_no_slot(self) -> None:
        backups = [backup(24 * 30 * month) for month in range(7)]
        assert kept(backups) == backups

    def test_the_last_of_each_older_schema_version_is_kept(self) -> None:
        old = [backup(number, version=version) for version in (1, 2) for number in (version * 2, version * 2 + 1)]
        new = [backup(24 * 365 + 24 * day) for day in range(60)]
        assert [one for one in kept(old + new) if one in old] == [old[1], old[3]]

    def test_a_sound_one_is_not_given_up_for_one_that_is_not_verified(self) -> None:
        sound = backup(0)
        doubtful = [backup(24 * day, verified=False) for day in range(1, 30)]
        assert kept([sound, *doubtful]) == [sound, *doubtful]

    def test_without_a_verified_one_nothing_goes(self) -> None:
        backups = [backup(24 * day, verified=False) for day in range(100)]
        assert kept(backups) == backups

    def test_one_that_is_not_verified_goes_when_it_is_older_than_all_that_are_kept(self) -> None:
        doubtful = backup(-24 * 365, verified=False)
        assert expired_backups([doubtful, backup(0)], KEEP) == [doubtful]

    @given(
        st.lists(st.tuples(st.integers(0, 24 * 400), st.booleans(), st.integers(1, 4)), max_size=60, unique=True),
        st.integers(1, 4),
        st.integers(0, 8),
        st.integers(0, 5),
    )
    def test_thinning_keeps_the_newest_verified_one_is_bounded_and_done_twice_changes_nothing(
        self, made: list[tuple[int, bool, int]], latest: int, daily: int, weekly: int
    ) -> None:
        backups = [backup(hours, verified=verified, version=version) for hours, verified, version in made]
        keep = BackupSettings(keep_latest=latest, keep_daily=daily, keep_weekly=weekly)
        left = kept(backups, keep)
        sound = [one for one in backups if one.is_verified]
        if sound:
            assert max(sound, key=lambda one: (one.created_at, one.name)) in left
        assert len([one for one in left if one.is_verified]) <= latest + daily + weekly + 4
        assert expired_backups(left, keep) == []


class TestDue:
    def test_a_first_one_is_due_at_once(self) -> None:
        assert is_due([], START, timedelta(hours=24))

    def test_the_next_is_due_when_the_newest_verified_one_is_old_enough(self) -> None:
        backups = [backup(23, verified=False), backup(0)]
        assert not is_due(backups, START + timedelta(hours=23.9), timedelta(hours=24))
        assert is_due(backups, START + timedelta(hours=24), timedelta(hours=24))

    def test_the_newest_is_proved_once_a_week(self) -> None:
        first, second = backup(0, proved=1), backup(24)
        assert to_prove([second, first], START + timedelta(hours=48)) == []
        assert to_prove([second, first], START + timedelta(days=8)) == [second]

    def test_one_that_was_never_verified_is_opened_soon(self) -> None:
        doubtful, sound = backup(24, verified=False), backup(0, proved=1)
        assert to_prove([doubtful, sound], START + timedelta(hours=48)) == [doubtful]


async def test_a_backup_is_made_by_itself_and_only_once(file_storage: UnifiedStorage) -> None:
    task = back_up(file_storage, KEEP)
    await file_storage.insert_tip("one")
    steps = Steps(file_storage)
    await task(steps)
    await task(steps)
    assert steps.did == {"made": 1}
    later = Steps(file_storage)
    await file_storage.insert_tip("two")
    file_storage.clock = SetClock(timestamps.render(datetime.now(UTC) + timedelta(hours=25)))
    await back_up(file_storage, KEEP)(later)
    assert later.did == {"made": 1}
    assert [one.reason for one in (await file_storage.get_backups()).items] == ["scheduled"] * 2


async def test_what_no_slot_needs_is_removed(file_storage: UnifiedStorage) -> None:
    for _ in range(5):
        await file_storage.create_backup()
    steps = Steps(file_storage)
    await back_up(file_storage, BackupSettings(keep_latest=2, keep_daily=0, keep_weekly=0))(steps)
    assert steps.did == {"removed": 3}
    assert len((await file_storage.get_backups()).items) == 2


async def test_switched_off_it_makes_none(file_storage: UnifiedStorage) -> None:
    steps = Steps(file_storage)
    await back_up(file_storage, BackupSettings(enabled=False))(steps)
    assert steps.did == {}
    assert (await file_storage.get_backups()).items == []


async def test_switched_off_it_thins_what_was_made_on_request(file_storage: UnifiedStorage) -> None:
    for _ in range(3):
        await file_storage.create_backup()
    steps = Steps(file_storage)
    await back_up(file_storage, BackupSettings(enabled=False, keep_latest=1, keep_daily=0, keep_weekly=0))(steps)
    assert steps.did == {"removed": 2}


async def test_a_store_in_memory_is_left_alone() -> None:
    storage = UnifiedStorage.create([document_backend(DatabaseSettings(enabled=False), Path("/nowhere"))])
    await storage.initialize()
    steps = Steps(storage)
    await back_up(storage, KEEP)(steps)
    await drill(storage)(steps)
    assert steps.did == {}
    await storage.close()


async def test_a_drill_that_meets_a_damaged_backup_fails_and_health_names_it(
    file_storage: UnifiedStorage, tmp_path: Path
) -> None:
    made = await file_storage.create_backup()
    upkeep = MaintenanceScheduler(file_storage, UpkeepSettings(), lambda topic, data: None)
    run = await upkeep.run(UpkeepTaskName.BACKUP_DRILL)
    assert (run.did, run.error) == ({"proved": 1}, None)
    path = tmp_path / "backups" / made.name
    path.write_bytes(path.read_bytes()[:-4096] + b"\0" * 4096)
    file_storage.clock = SetClock(timestamps.render(datetime.now(UTC) + timedelta(days=8)))
    with pytest.raises(Exception, match="not the file that was made"):
        await drill(file_storage)(Steps(file_storage))
    component = (await file_storage.health())["backups"]
    assert not component.ok
    assert made.name in (component.detail or "")
