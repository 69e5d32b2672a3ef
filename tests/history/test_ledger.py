"""The check of a ledger finds each kind of fault, and none where there is none."""

import pytest

from .ledger import Backup, Entry, Export, Import, Reading, Recovery, Restore, Write, faults


def wrote(key: str, *contents: str) -> Write:
    return Write(key, True, contents or (key,))


def sent(key: str, *contents: str) -> Write:
    """A write that was not answered."""
    return Write(key, False, contents or (key,))


def read(*contents: str) -> Reading:
    return Reading(contents)


BACKUP = Backup("backup", True)
RESTORE = Restore("restore", True, "backup")
LOST_RESTORE = Restore("restore", False, "backup")


@pytest.mark.parametrize(
    "ledger",
    [
        [],
        [wrote("a"), read("a"), wrote("a"), read("a")],
        [sent("a"), read()],
        [sent("a"), read("a"), wrote("a"), read("a")],
        [sent("a"), wrote("a"), read("a")],
        [wrote("a"), BACKUP, wrote("b"), RESTORE, read("a")],
        [wrote("a"), BACKUP, wrote("b"), RESTORE, wrote("b"), read("a", "b")],
        [BACKUP, wrote("a"), RESTORE, wrote("b"), RESTORE, read("b")],
        [BACKUP, wrote("a"), LOST_RESTORE, read(), wrote("b"), RESTORE, read("b")],
        [BACKUP, wrote("a"), LOST_RESTORE, read("a"), wrote("b"), RESTORE, read()],
        [BACKUP, wrote("a"), RESTORE, Backup("backup", True), read()],
        [wrote("a"), Export("x"), Import("i", True, "x"), read("a")],
        [BACKUP, wrote("a"), Export("x"), RESTORE, Import("i", True, "x"), read("a")],
        [BACKUP, wrote("a"), Export("x"), RESTORE, wrote("a"), Import("i", True, "x"), read("a", "a")],
        [wrote("a"), wrote("b"), Recovery(1), read("b"), wrote("c"), read("b", "c")],
    ],
)
def test_a_true_history_has_no_fault(ledger: list[Entry]) -> None:
    assert faults(ledger) == []


@pytest.mark.parametrize(
    ("ledger", "fault"),
    [
        ([wrote("a"), wrote("b"), read("a")], "b was answered and is lost"),
        ([wrote("a"), read("a", "a")], "a is there 2 times"),
        ([sent("a"), wrote("a"), read("a", "a")], "a is there 2 times"),
        ([read("a")], "never made"),
        ([wrote("w", "a", "b"), read("a")], "half of w"),
        ([sent("w", "a", "b"), read("a")], "half of w"),
        ([BACKUP, wrote("a"), RESTORE, read("a")], "replaced or never made"),
        ([BACKUP, wrote("a"), RESTORE, wrote("b"), RESTORE, read()], "b was answered and is lost"),
        ([BACKUP, LOST_RESTORE, wrote("b"), read("b"), wrote("c"), read("b")], "c was answered and is lost"),
        ([BACKUP, wrote("a"), LOST_RESTORE, read(), wrote("b"), RESTORE, read()], "b was answered and is lost"),
        ([wrote("a"), Export("x"), Import("i", True, "x"), read("a", "a")], "a is there 2 times"),
        ([BACKUP, wrote("a"), Export("x"), RESTORE, Import("i", True, "x"), read()], "a was answered and is lost"),
        ([wrote("a"), wrote("b"), Recovery(1), read()], "is lost"),
        ([wrote("a"), sent("b"), read("a"), read("a", "b")], "never made"),
    ],
)
def test_a_fault_is_found_and_named(ledger: list[Entry], fault: str) -> None:
    assert any(fault in found for found in faults(ledger)), faults(ledger)
