"""Writing the file that a person names: where it may lie, and that it has its name only when it is complete."""

import os
import socket
import sys
import tempfile
from errno import ENOSPC
from pathlib import Path

import pytest

from sidecar.errors import InvalidInput
from sidecar.process.data_directory import OWN_NAMES
from sidecar.storage.sqlite.files import atomic
from sidecar.tools.destination import StorePlace, writing


@pytest.fixture
def place(tmp_path: Path) -> StorePlace:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sidecar.db").write_bytes(b"the database")
    return StorePlace(tmp_path / "data", OWN_NAMES, tmp_path / "data" / "sidecar.db")


def require_refusal(path: Path, place: StorePlace) -> None:
    def write() -> None:
        with writing(path, place, force=True):
            pass

    with pytest.raises(InvalidInput):
        write()
    assert place.database is None or place.database.read_bytes() == b"the database"


@pytest.mark.parametrize(
    "name",
    [
        "sidecar.db",
        "sidecar.db-wal",
        "sidecar.db-journal",
        "sidecar.db.closed",
        "sidecar.db.lock",
        "sidecar.db.recovering",
        "SIDECAR.DB-SHM",
        "sidecar.lock",
        "run.json",
        "run.json.partial",
        "authorization.header",
        "sidecar.toml",
        "logs/sidecar.log",
        "recovery-20260101T000000.000Z.json",
        "backups",
        "backups/x.db",
    ],
)
class TestNamesThatTheStoreUses:
    def test_are_refused_even_where_there_is_no_such_file(self, place: StorePlace, name: str) -> None:
        path = place.data_directory / name
        path.parent.mkdir(exist_ok=True)
        require_refusal(path, place)

    def test_are_refused_by_another_path_to_the_directory(self, place: StorePlace, tmp_path: Path, name: str) -> None:
        (place.data_directory / name).parent.mkdir(exist_ok=True)
        (tmp_path / "way").symlink_to(place.data_directory)
        require_refusal(tmp_path / "way" / name, place)

    def test_are_refused_as_the_target_of_a_link(self, place: StorePlace, tmp_path: Path, name: str) -> None:
        (place.data_directory / name).parent.mkdir(exist_ok=True)
        (tmp_path / "copy").symlink_to(place.data_directory / name)
        require_refusal(tmp_path / "copy", place)


def test_another_new_name_in_the_data_directory_may_be_written(place: StorePlace) -> None:
    with writing(place.data_directory / "mine", place, force=False):
        pass
    require_refusal(place.data_directory / "mine", place)


def test_another_name_of_a_file_of_the_store_is_refused(place: StorePlace, tmp_path: Path) -> None:
    (tmp_path / "copy").hardlink_to(place.data_directory / "sidecar.db")
    require_refusal(tmp_path / "copy", place)


def test_a_directory_is_refused(place: StorePlace, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    require_refusal(tmp_path / "copy", place)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
class TestWhatIsNoFile:
    def test_a_pipe_is_refused(self, place: StorePlace, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "copy")
        require_refusal(tmp_path / "copy", place)

    def test_a_socket_is_refused(self, place: StorePlace) -> None:
        with (
            tempfile.TemporaryDirectory(prefix="s-") as short,  # a socket's path may be no longer than 107 bytes
            socket.socket(socket.AF_UNIX) as listener,
        ):
            listener.bind(str(Path(short, "copy")))
            require_refusal(Path(short, "copy"), place)

    def test_a_link_to_a_device_is_refused(self, place: StorePlace, tmp_path: Path) -> None:
        (tmp_path / "copy").symlink_to(os.devnull)
        require_refusal(tmp_path / "copy", place)

    def test_a_link_to_itself_is_refused(self, place: StorePlace, tmp_path: Path) -> None:
        (tmp_path / "copy").symlink_to(tmp_path / "copy")
        require_refusal(tmp_path / "copy", place)


def test_the_file_has_its_name_only_at_the_end(place: StorePlace, tmp_path: Path) -> None:
    with writing(tmp_path / "copy", place, force=False) as file:
        file.write(b"new")
        assert not (tmp_path / "copy").exists()
    assert (tmp_path / "copy").read_bytes() == b"new"


def test_a_failure_leaves_what_was_there(place: StorePlace, tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(b"old")

    def fail_in_the_middle() -> None:
        with writing(tmp_path / "copy", place, force=True) as file:
            file.write(b"new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_in_the_middle()
    assert (tmp_path / "copy").read_bytes() == b"old"
    assert not list(tmp_path.glob("*.partial"))


def test_the_file_and_then_its_name_are_synced(
    place: StorePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, sync = os.fsync, atomic.sync

    def note_file(descriptor: int) -> None:
        done.append("file" if not (tmp_path / "copy").exists() else "other")
        fsync(descriptor)

    def note_names(path: Path) -> None:
        assert (path, (tmp_path / "copy").exists()) == (tmp_path, True)
        done.append("names")
        monkeypatch.setattr(os, "fsync", fsync)
        sync(path)

    monkeypatch.setattr(os, "fsync", note_file)
    monkeypatch.setattr(atomic, "sync", note_names)
    with writing(tmp_path / "copy", place, force=False):
        pass
    assert done == ["file", "names"]


def test_what_appeared_under_the_name_meanwhile_is_not_replaced(place: StorePlace, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="already exists"), writing(tmp_path / "copy", place, force=False):
        (tmp_path / "copy").write_bytes(b"another's")
    assert (tmp_path / "copy").read_bytes() == b"another's"


def test_what_a_killed_writing_left_is_replaced(place: StorePlace, tmp_path: Path) -> None:
    (tmp_path / "copy.partial").write_bytes(b"half")
    with writing(tmp_path / "copy", place, force=False) as file:
        file.write(b"new")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["copy"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes in directories")
def test_what_is_in_the_way_of_the_unfinished_file_is_refused(place: StorePlace, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "copy.partial")
    with pytest.raises(InvalidInput, match="in the way"), writing(tmp_path / "copy", place, force=False):
        pass
    assert (tmp_path / "copy.partial").is_fifo()


def test_a_database_whose_name_is_that_of_the_unfinished_file_is_safe(tmp_path: Path) -> None:
    database = tmp_path / "copy.partial"
    database.write_bytes(b"the database")
    place = StorePlace(tmp_path / "data", (), database)
    with pytest.raises(InvalidInput), writing(tmp_path / "copy", place, force=False):
        pass
    assert database.read_bytes() == b"the database"


def test_a_store_in_memory_has_only_its_data_directory(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    place = StorePlace(tmp_path / "data", ("run.json",), None)
    with pytest.raises(InvalidInput), writing(tmp_path / "data" / "run.json", place, force=False):
        pass
    with writing(tmp_path / "data" / "mine", place, force=False):
        pass


@pytest.mark.parametrize("ending", ["-wal", "-journal"])
def test_a_name_beside_which_the_log_of_a_database_lies_is_refused(
    place: StorePlace, tmp_path: Path, ending: str
) -> None:
    """SQLite would take it for the log of a copy of that name."""
    (tmp_path / f"copy.db{ending}").touch()
    require_refusal(tmp_path / "copy.db", place)


def test_a_name_that_the_file_system_refuses_is_the_one_that_was_given(place: StorePlace, tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)

    def write() -> None:
        with writing(path, place, force=False):
            pass

    with pytest.raises(InvalidInput) as error:
        write()
    assert error.value.message.startswith(f"{path} cannot be written to: ")


def test_a_disk_that_fills_up_names_the_path_and_leaves_nothing(place: StorePlace, tmp_path: Path) -> None:
    def write() -> None:
        with writing(tmp_path / "copy", place, force=False):
            raise OSError(ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left") as error:
        write()
    assert error.value.filename == str(tmp_path / "copy")
    assert [file.name for file in tmp_path.iterdir()] == ["data"]
