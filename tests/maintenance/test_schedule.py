"""When a task is due, and how much it does at a time: pure rules, with the time handed in."""

from math import inf

import pytest

from sidecar.maintenance.batch_size import AIM_MS, AdaptiveBatchSize
from sidecar.maintenance.schedule import FIRST_RETRY_S, GO_ON_S, LONGEST_RETRY_S, Outcome, Schedule, Timing


def test_a_task_is_due_some_time_after_the_start_and_then_in_intervals() -> None:
    schedule = Schedule({"a": Timing(first_s=60, every_s=3_600)}, now=100)
    assert schedule.due(159) is None
    assert (schedule.due(160), schedule.next_due()) == ("a", 160)
    schedule.begins("a")
    schedule.ran("a", 165, Outcome.DONE)
    assert (schedule.due(165), schedule.next_due()) == (None, 165 + 3_600)


def test_of_several_the_one_that_has_been_due_for_longest_comes_first() -> None:
    schedule = Schedule({"a": Timing(first_s=20), "b": Timing(first_s=10)}, now=0)
    assert schedule.due(30) == "b"
    schedule.begins("b")
    schedule.ran("b", 30, Outcome.DONE)
    assert schedule.due(30) == "a"


def test_a_task_that_waits_for_changes_is_never_due_without_one() -> None:
    schedule = Schedule({"a": Timing(after_change_s=30)}, now=0)
    assert (schedule.due(1e9), schedule.next_due()) == (None, inf)


def test_after_a_change_it_is_due_once_however_many_follow() -> None:
    schedule = Schedule({"a": Timing(after_change_s=30)}, now=0)
    for moment in (10, 20, 39):
        schedule.changed(moment)
    assert schedule.due(40) == "a"
    schedule.begins("a")
    schedule.ran("a", 41, Outcome.DONE)
    assert schedule.next_due() == inf


def test_a_change_during_a_run_is_a_reason_for_another_one() -> None:
    schedule = Schedule({"a": Timing(after_change_s=30)}, now=0)
    schedule.changed(0)
    schedule.begins("a")
    schedule.changed(35)
    schedule.ran("a", 36, Outcome.DONE)
    assert schedule.next_due() == 65


def test_what_a_task_changes_is_a_reason_for_others_only() -> None:
    schedule = Schedule({"a": Timing(after_change_s=30), "b": Timing(after_change_s=40)}, now=0)
    schedule.changed(0, by="a")
    assert (schedule.due(39), schedule.due(40), schedule.due_in("a", 0)) == (None, "b", inf)


def test_one_that_gave_way_goes_on_soon() -> None:
    schedule = Schedule({"a": Timing(first_s=0, every_s=3_600)}, now=0)
    schedule.begins("a")
    schedule.ran("a", 5, Outcome.PREEMPTED)
    assert (schedule.next_due(), schedule.failures("a")) == (5 + GO_ON_S, 0)


def test_one_that_fails_is_tried_less_and_less_often_and_holds_up_no_other() -> None:
    schedule = Schedule({"bad": Timing(first_s=0, every_s=10), "good": Timing(first_s=1)}, now=0)
    waits = []
    for _ in range(20):
        schedule.begins("bad")
        schedule.ran("bad", 0, Outcome.FAILED)
        waits.append(schedule.due_in("bad", 0))
    assert waits[:3] == [FIRST_RETRY_S, 2 * FIRST_RETRY_S, 4 * FIRST_RETRY_S]
    assert max(waits) == waits[-1] == LONGEST_RETRY_S
    assert (schedule.failures("bad"), schedule.due(1)) == (20, "good")


def test_changes_do_not_bring_a_failing_task_forward() -> None:
    schedule = Schedule({"a": Timing(after_change_s=1)}, now=0)
    schedule.begins("a")
    schedule.ran("a", 0, Outcome.FAILED)
    schedule.changed(0)
    assert schedule.next_due() == FIRST_RETRY_S


def test_a_success_forgets_the_failures() -> None:
    schedule = Schedule({"a": Timing(first_s=0, every_s=10)}, now=0)
    for outcome in (Outcome.FAILED, Outcome.FAILED, Outcome.DONE):
        schedule.begins("a")
        schedule.ran("a", 0, outcome)
    assert (schedule.failures("a"), schedule.next_due()) == (0, 10)


def test_without_tasks_nothing_is_ever_due() -> None:
    schedule = Schedule({}, now=0)
    assert (schedule.due(1e9), schedule.next_due()) == (None, inf)


@pytest.mark.parametrize("ms_each", [0.001, 0.1, 1.0])
def test_steps_find_the_size_that_takes_as_long_as_it_may(ms_each: float) -> None:
    batch_size = AdaptiveBatchSize(first=1, least=1, most=1_000_000)
    for _ in range(60):
        batch_size.took(batch_size.size * ms_each)
    assert AIM_MS / 4 <= batch_size.size * ms_each <= AIM_MS


def test_a_step_that_took_far_too_long_is_followed_by_one_that_does_not() -> None:
    batch_size = AdaptiveBatchSize(first=1_000, least=1, most=1_000)
    batch_size.took(1_000.0)
    assert batch_size.size * 1.0 <= AIM_MS


def test_sizes_stay_within_their_bounds() -> None:
    batch_size = AdaptiveBatchSize(first=10, least=8, most=20)
    batch_size.took(1e6)
    assert batch_size.size == 8
    for _ in range(10):
        batch_size.took(0.0)
    assert batch_size.size == 20
