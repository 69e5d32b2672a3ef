"""The library that sees disk operations: it misses none, and a fault comes where it was asked for."""

import mmap
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from . import recording, shim
from .recording import Kind, Operation
from .shim import Fault

ROOT = Path(__file__).parents[2]

SHM_PAGES = 8
"""Of the memory that the processes of one database share: 32 KiB."""


def run(
    library: Path, directory: Path, *program: str | Path, **configuration: object
) -> subprocess.CompletedProcess[str]:
    """Run Python under the library, which watches the directory."""
    configured = shim.configuration(directory, **configuration)  # type: ignore[arg-type]
    environment = {**os.environ, **shim.preloaded(library), **configured}
    command = [sys.executable, *program]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def recorded(library: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Operation]]:
    """The directory that `calls.py` worked in, and what was recorded of it."""
    directory = tmp_path_factory.mktemp("calls").resolve() / "watched"
    directory.mkdir()
    log = directory.with_name("log")
    done = run(library, directory, "-m", "tests.disk.calls", directory, log=log)
    assert done.returncode == 0, done.stderr
    return directory, list(recording.operations(log))


def seen(recorded: tuple[Path, list[Operation]], name: str) -> list[tuple[Kind, int, bytes]]:
    directory, operations = recorded
    return [(one.kind, one.offset, one.data) for one in operations if one.path == f"{directory}/{name}"]


def test_each_way_to_write_to_a_file_is_recorded(recorded: tuple[Path, list[Operation]]) -> None:
    operations = [one for one in seen(recorded, "file") if one[0] not in (Kind.SYNC_BEGINS, Kind.SYNCED)]
    assert operations == [
        (Kind.CREATE, 0, b""),
        (Kind.WRITE, 0, b"written"),
        (Kind.WRITE, 10, b"placed"),
        (Kind.WRITE, 0, b"gathered"),
        (Kind.WRITE, 20, b"both"),
        (Kind.TRUNCATE, 30, b""),
        (Kind.WRITE, 30, b"appended"),
        (Kind.TRUNCATE, 5, b""),
        (Kind.TRUNCATE, 0, b""),
    ]
    assert seen(recorded, "created") == [(Kind.CREATE, 0, b"")]


def test_both_syncs_are_recorded_with_their_beginning(recorded: tuple[Path, list[Operation]]) -> None:
    syncs = [(kind, number) for kind, number, _ in seen(recorded, "file") if kind in (Kind.SYNC_BEGINS, Kind.SYNCED)]
    (first, second) = [number for kind, number in syncs if kind is Kind.SYNC_BEGINS]
    assert syncs == [(Kind.SYNC_BEGINS, first), (Kind.SYNCED, first), (Kind.SYNC_BEGINS, second), (Kind.SYNCED, second)]


def test_each_change_of_a_name_is_recorded_by_its_full_path(recorded: tuple[Path, list[Operation]]) -> None:
    directory, operations = recorded
    names = ("folder", "other", "relative", "folder/renamed", "moved", "linked", "linked too", "")
    paths = {f"{directory}/{name}".removesuffix("/") for name in names}
    of_names = [one for one in operations if one.path in paths]
    shown = [(one.kind, *(path.removeprefix(f"{directory}/") for path in (one.path, one.to))) for one in of_names]
    assert shown[:13] == [
        (Kind.MAKE_DIRECTORY, "folder", ""),
        (Kind.MAKE_DIRECTORY, "other", ""),
        (Kind.CREATE, "relative", ""),
        (Kind.RENAME, "relative", "folder/renamed"),
        (Kind.RENAME, "folder/renamed", "moved"),
        (Kind.LINK, "moved", "linked"),
        (Kind.LINK, "moved", "linked too"),
        (Kind.UNLINK, "linked", ""),
        (Kind.UNLINK, "linked too", ""),
        (Kind.REMOVE_DIRECTORY, "folder", ""),
        (Kind.REMOVE_DIRECTORY, "other", ""),
        (Kind.SYNC_BEGINS, str(directory), ""),
        (Kind.SYNCED, str(directory), ""),
    ]


def test_a_copy_inside_the_kernel_is_refused_and_then_seen_as_writes(recorded: tuple[Path, list[Operation]]) -> None:
    assert (Kind.WRITE, 0, b"content") in seen(recorded, "copied")


def test_what_is_recorded_of_a_database_are_its_files(recorded: tuple[Path, list[Operation]]) -> None:
    directory, operations = recorded
    content = bytearray()
    for one in operations:
        if one.path == f"{directory}/sqlite.db" and one.kind is Kind.WRITE:
            content.extend(bytes(max(0, one.offset + len(one.data) - len(content))))
            content[one.offset : one.offset + len(one.data)] = one.data
    assert content == (directory / "sqlite.db").read_bytes()
    log = Counter(kind for kind, _, _ in seen(recorded, "sqlite.db-wal"))
    assert log[Kind.CREATE] == log[Kind.UNLINK] == 1
    assert log[Kind.WRITE] > 2
    assert log[Kind.SYNCED] >= 2


def test_the_index_of_a_database_is_recorded_as_what_it_held(recorded: tuple[Path, list[Operation]]) -> None:
    kinds = [kind for kind, _, _ in seen(recorded, "sqlite.db-shm")]
    assert kinds[0] is Kind.CREATE
    assert kinds[1 : kinds.index(Kind.UNLINK)].count(Kind.WRITE) >= 2
    assert {len(data) for kind, _, data in seen(recorded, "sqlite.db-shm") if kind is Kind.WRITE} == {32 * 1024}


def test_files_elsewhere_and_logs_are_left_out(recorded: tuple[Path, list[Operation]]) -> None:
    _, operations = recorded
    names = {Path(path).name for one in operations for path in (one.path, one.to)}
    assert not names & {"outside", "log"}


def test_every_system_call_that_changes_the_disk_is_among_the_records(library: Path, tmp_path: Path) -> None:
    """The kernel's own account of a database at work, where it can be had: bytes written to files."""
    account = Path("/proc/self/io")
    if not account.exists():
        pytest.skip("this kernel keeps no account")
    program = (
        "import sys; from pathlib import Path; from tests.disk import calls; import os\n"
        "def written(): return next(int(l.split()[1]) for l in open('/proc/self/io') if l.startswith('wchar'))\n"
        "os.chdir(sys.argv[1]); before = written(); calls.use_a_database(); print(written() - before)"
    )
    log = tmp_path / "log"
    watched = tmp_path / "watched"
    watched.mkdir()
    done = run(library, watched, "-c", program, watched, log=log)
    assert done.returncode == 0, done.stderr
    operations = [one for one in recording.operations(log) if not one.path.endswith("-shm")]
    recorded = sum(len(one.data) for one in operations if one.kind is Kind.WRITE)
    # The records themselves are written by the same process, and SQLite writes a byte to each page of its -shm file.
    assert int(done.stdout) - log.stat().st_size - SHM_PAGES == recorded > 0


def test_a_way_of_writing_that_cannot_be_recorded_is_noticed(library: Path, tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    watched.mkdir()
    (watched / "file").write_bytes(bytes(mmap.PAGESIZE))
    program = "import mmap, sys; file = open(sys.argv[1], 'r+b'); mmap.mmap(file.fileno(), 0)[0] = 1"
    assert run(library, watched, "-c", program, watched / "file", log=tmp_path / "log").returncode == 0
    with pytest.raises(AssertionError, match="not recorded"):
        list(recording.operations(tmp_path / "log"))


@pytest.mark.parametrize("fault", [Fault.IO_ERROR, Fault.DISK_FULL])
def test_the_operation_with_the_number_fails_once(library: Path, tmp_path: Path, fault: Fault) -> None:
    program = (
        "import sys\nfor n in '123':\n try: open(sys.argv[1] + n, 'x').close()\n except OSError as e: print(n, e.errno)"
    )
    done = run(library, tmp_path, "-c", program, tmp_path / "file", fault=fault, at=2)
    assert done.stdout.split() == ["2", {"EIO": "5", "ENOSPC": "28"}[fault]]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file1", "file3"]


def test_a_read_fails_and_changes_are_not_counted(library: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    program = "import os, sys; f = os.open(sys.argv[1], os.O_RDWR); os.write(f, b'x'); os.read(f, 1); os.read(f, 1)"
    done = run(library, tmp_path, "-c", program, tmp_path / "file", fault=Fault.READ_ERROR, at=2)
    assert "Input/output error" in done.stderr
    assert (tmp_path / "file").read_text() == "xontent"


def test_the_process_is_killed_before_the_operation(library: Path, tmp_path: Path) -> None:
    program = "import sys\nfor n in '123': open(sys.argv[1] + n, 'x').close()"
    done = run(library, tmp_path, "-c", program, tmp_path / "file", fault=Fault.KILL, at=2)
    assert done.returncode == -signal.SIGKILL
    assert [file.name for file in tmp_path.iterdir()] == ["file1"]
