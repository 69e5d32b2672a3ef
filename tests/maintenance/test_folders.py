"""What the doctor and each start say about the folder of a database."""

import threading
from pathlib import Path

import pytest

from sidecar.maintenance.folders import MOUNTS, PlaceCheck, place
from sidecar.models.doctor import Finding, Level


def looked_at(directory: Path) -> tuple[PlaceCheck, list[Finding]]:
    """A check that has ended, and what it warned of."""
    warnings: list[Finding] = []
    check = PlaceCheck(directory)
    check.begin(warnings.append)
    for thread in threading.enumerate():
        if thread.name == "place":
            thread.join()
    return check, warnings


def test_a_folder_that_is_well_is_not_warned_of(tmp_path: Path) -> None:
    check, warnings = looked_at(tmp_path)
    assert warnings == []
    assert check.health()["data_directory"].detail is None


def test_a_synced_folder_is_warned_of_and_health_keeps_saying_so(tmp_path: Path) -> None:
    check, (warning,) = looked_at(tmp_path / "Dropbox" / "app")
    assert (warning.level, warning.subject) == (Level.WARNING, "synced folder")
    component = check.health()["data_directory"]
    assert component.ok
    assert component.detail == warning.message


@pytest.mark.skipif(not MOUNTS.exists(), reason="the table of mounts is Linux's")
def test_a_network_file_system_is_found_by_the_mount_that_the_folder_is_below(tmp_path: Path) -> None:
    disk = str(tmp_path / "a disk").replace(" ", "\\040")
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/root / ext4 rw 0 0\nserver:/x {disk} nfs4 rw 0 0\n/dev/y {disk}/local ext4 rw 0 0\n")
    levels = {
        name: place(tmp_path / name, mounts)[0].level for name in (".", "a disk", "a disk/app", "a disk/local/app")
    }
    assert levels == {".": Level.OK, "a disk": Level.PROBLEM, "a disk/app": Level.PROBLEM, "a disk/local/app": Level.OK}


def test_in_memory_there_is_no_folder() -> None:
    check = PlaceCheck(None)
    check.begin(lambda finding: pytest.fail(finding.message))
    assert check.health()["data_directory"].ok


def test_nothing_is_said_where_no_mounts_are_known(tmp_path: Path) -> None:
    assert place(tmp_path, tmp_path / "missing")[0].level is Level.OK
