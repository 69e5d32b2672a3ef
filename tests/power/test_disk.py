"""The disk of which the power is cut: what a sync makes certain, and what may be there without one."""

from pathlib import Path
from random import Random

import pytest

from ..disk.recording import Kind, Operation
from .disk import BY_SECTOR, NEW, OLD, SECTOR, WAYS, Change, Disk, File, Model

ROOT = Path("/root")


def operation(kind: Kind, name: str, *, to: str = "", inode: int = 1, offset: int = 0, data: bytes = b"") -> Operation:
    return Operation(kind, inode, offset, 0, str(ROOT / name), str(ROOT / to) if to else "", data)


@pytest.fixture(params=list(Model))
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Disk:
    (tmp_path / "folder").mkdir()
    (tmp_path / "old").write_bytes(b"content")
    return Disk(tmp_path, ROOT, request.param)


def sync(disk: Disk, name: str, number: int = 1, *meanwhile: Operation) -> None:
    disk.do(operation(Kind.SYNC_BEGINS, name, offset=number))
    for one in meanwhile:
        disk.do(one)
    disk.do(operation(Kind.SYNCED, name, offset=number))


def contents(disk: Disk, name: str, way: str) -> set[bytes]:
    """What the file may hold after a cut, over many throws of the dice."""
    file = disk.names[str(ROOT / name)]
    assert file is not None
    return {file.after_cut(way, Random(seed)) for seed in range(200)}


def possible_names(disk: Disk) -> set[frozenset[str]]:
    found = (disk.names_after_cut(Random(seed))[0] for seed in range(500))
    return {frozenset(name.removeprefix(f"{ROOT}/") for name in names) - {"folder"} for names in found}


def test_what_was_synced_is_there_whatever_else_is(disk: Disk) -> None:
    disk.do(operation(Kind.WRITE, "old", data=b"CON"))
    sync(disk, "old")
    assert all(contents(disk, "old", way) == {b"CONtent"} for way in WAYS)


def test_what_is_written_during_a_sync_is_not_certain(disk: Disk) -> None:
    sync(disk, "old", 1, operation(Kind.WRITE, "old", data=b"CON"))
    assert contents(disk, "old", OLD) == {b"content"}
    assert contents(disk, "old", NEW) == {b"CONtent"}


def test_two_syncs_that_overlap_make_certain_what_was_written_before_each(disk: Disk) -> None:
    disk.do(operation(Kind.WRITE, "old", data=b"1"))
    disk.do(operation(Kind.SYNC_BEGINS, "old", offset=1))
    disk.do(operation(Kind.WRITE, "old", data=b"2"))
    disk.do(operation(Kind.SYNC_BEGINS, "old", offset=2))
    disk.do(operation(Kind.WRITE, "old", data=b"3"))
    disk.do(operation(Kind.SYNCED, "old", offset=1))
    disk.do(operation(Kind.SYNCED, "old", offset=2))
    assert contents(disk, "old", OLD) == {b"2ontent"}


def test_sectors_that_were_not_synced_are_old_or_new_each_for_itself() -> None:
    file = File(bytearray(b"a" * 2 * SECTOR), changes=[Change(0, b"b" * 2 * SECTOR, 0)])
    found = {file.after_cut(BY_SECTOR, Random(seed)) for seed in range(200)}
    assert found == {first * SECTOR + second * SECTOR for first in (b"a", b"b") for second in (b"a", b"b")}


def test_a_file_that_was_cut_and_grows_again_has_zeros_or_what_was_there(disk: Disk) -> None:
    disk.do(operation(Kind.TRUNCATE, "old", offset=3))
    disk.do(operation(Kind.WRITE, "old", offset=6, data=b"!"))
    assert contents(disk, "old", NEW) == {b"con\0\0\0!"}
    assert contents(disk, "old", OLD) == {b"content"}


def test_a_new_name_may_be_missing_until_its_directory_is_synced(disk: Disk) -> None:
    disk.do(operation(Kind.CREATE, "new", inode=2))
    assert possible_names(disk) == {frozenset({"old"}), frozenset({"old", "new"})}
    sync(disk, "")
    assert possible_names(disk) == {frozenset({"old", "new"})}


def test_a_sync_of_the_file_makes_its_name_certain_only_where_names_have_an_order(disk: Disk) -> None:
    disk.do(operation(Kind.CREATE, "new", inode=2))
    sync(disk, "old")
    certain = {frozenset({"old", "new"})}
    assert possible_names(disk) == (certain if disk.model is Model.ORDERED else {frozenset({"old"}), *certain})


def test_names_change_in_their_order_or_each_for_itself(disk: Disk) -> None:
    disk.do(operation(Kind.CREATE, "first", inode=2))
    disk.do(operation(Kind.CREATE, "second", inode=3))
    in_order = {frozenset({"old"}), frozenset({"old", "first"}), frozenset({"old", "first", "second"})}
    assert possible_names(disk) == (
        in_order if disk.model is Model.ORDERED else {*in_order, frozenset({"old", "second"})}
    )


def test_a_rename_leaves_the_old_name_or_the_new_one(disk: Disk) -> None:
    disk.do(operation(Kind.RENAME, "old", to="folder/new"))
    assert possible_names(disk) == {frozenset({"old"}), frozenset({"folder/new"})}


def test_a_removed_name_may_be_there_still(disk: Disk) -> None:
    disk.do(operation(Kind.UNLINK, "old"))
    assert possible_names(disk) == {frozenset({"old"}), frozenset()}
    sync(disk, "")
    assert possible_names(disk) == {frozenset()}
