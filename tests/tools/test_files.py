"""Files of any kind given to `import` and `restore`: each works, or the answer says what to do."""

import gzip
import io
import os
import sqlite3
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sidecar.cli import main
from sidecar.clock import SYSTEM_CLOCK
from sidecar.errors import ArchiveRefused
from sidecar.exit_codes import ExitCode
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.schema.identity import APPLICATION_ID
from sidecar.tools.local import import_from

from .conftest import OpenStore, archive_of, content_of, fill
from .hostile import Forgery, Manifest
from .test_seeds import make, run_import, store

PYDANTIC = ("Input should", "Field required", "validation error", "pydantic", "Extra inputs")


def restore(tmp_path: Path, file: Path) -> int:
    (tmp_path / "data").mkdir(exist_ok=True)
    return main(["restore", str(file), "--data-dir", str(tmp_path / "data")])


def a_text(path: Path) -> Path:
    path.write_text("a shopping list, longer than a header")
    return path


def an_empty_file(path: Path) -> Path:
    path.touch()
    return path


def a_directory(path: Path) -> Path:
    path.mkdir()
    return path


def another_programs(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    return path


def a_document(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as zip_file:
        zip_file.writestr("word/document.xml", "<x/>")
    return path


def a_compressed_file(path: Path) -> Path:
    path.write_bytes(gzip.compress(b"a database"))
    return path


def a_newer_database(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 999")
        connection.execute("CREATE TABLE todo (id)")
    return path


def a_database_with_damaged_names(path: Path) -> Path:
    """SQLite still reads it, and quotes bytes that are no text."""
    make("minecontext", path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"start_time", b"start_t\xff\xfe\xff"))
    return path


@pytest.mark.parametrize("run", ["import", "restore"])
@pytest.mark.parametrize(
    ("made", "told"),
    [
        (a_text, "neither an export, which is a .zip, nor a database"),
        (an_empty_file, "is empty"),
        (a_directory, "is a directory"),
        (another_programs, "is the database of another program"),
        (a_document, "zip"),
        (a_compressed_file, "is compressed; unpack it"),
        (a_newer_database, "given was written by a newer version of this program; update this one"),
        (a_database_with_damaged_names, "cannot be read as a database"),
    ],
)
def test_another_kind_of_file_is_refused_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], run: str, made: Callable[[Path], Path], told: str
) -> None:
    file = made(tmp_path / "given")
    code = run_import(tmp_path, str(file)) if run == "import" else restore(tmp_path, file)
    error = capsys.readouterr().err.splitlines()[-1]
    assert code == ExitCode.BAD_CONFIGURATION
    assert told in error
    assert not any(word in error for word in PYDANTIC)
    assert not list((tmp_path / "data").glob("backups/*.db"))
    assert not list((tmp_path / "data").glob("scratch-*"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.parametrize("run", [run_import, restore])
def test_a_pipe_that_nobody_writes_to_is_refused_and_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], run: Callable[[Path, Any], int]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert run(tmp_path, str(tmp_path / "pipe")) == ExitCode.BAD_CONFIGURATION
    assert "is not a regular file" in capsys.readouterr().err


def test_the_user_version_of_another_tool_keeps_no_database_from_being_restored(tmp_path: Path) -> None:
    app = make("minecontext", tmp_path / "app.db")
    with closing(sqlite3.connect(app)) as connection:
        connection.execute("PRAGMA user_version = 42")
    assert restore(tmp_path, app) == ExitCode.CLEAN
    (backup,) = BackupDirectory(tmp_path / "data" / "backups", SYSTEM_CLOCK).listed()
    assert (backup.schema_version, backup.is_verified) == (0, True)


def test_where_nothing_was_stored_a_restore_keeps_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert restore(tmp_path, make("minecontext", tmp_path / "app.db")) == ExitCode.CLEAN
    assert "There was no database before." in capsys.readouterr().out
    assert len(list((tmp_path / "data" / "backups").glob("*.db"))) == 1


@pytest.mark.parametrize("shape", ["minecontext", "vmpilot-exchanges"])
def test_a_database_of_another_system_needs_no_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], shape: str
) -> None:
    assert run_import(tmp_path, str(make(shape, tmp_path / "app.db"))) == ExitCode.CLEAN
    assert f"is a database of {shape.partition('-')[0]}" in capsys.readouterr().out


def test_the_wrong_name_of_a_system_is_answered_with_the_right_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = make("minecontext", tmp_path / "app.db")
    assert run_import(tmp_path, "vmpilot", str(app)) == ExitCode.BAD_CONFIGURATION
    assert f"use `sidecar import --data-dir {tmp_path / 'data'} minecontext {app}`" in capsys.readouterr().err


def test_a_database_of_another_system_can_be_restored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert restore(tmp_path, make("minecontext", tmp_path / "app.db")) == ExitCode.CLEAN
    assert "It is a database of minecontext, and was adopted" in capsys.readouterr().out
    with store(tmp_path) as connection:
        assert connection.execute("SELECT count(*) FROM adopted_orphans").fetchone() == (8,)


async def test_a_backup_is_imported_as_an_export_would_be(
    open_store: OpenStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = await open_store("source")
    await fill(source)
    content = await content_of(source)
    backup = await source.create_backup()
    file = tmp_path / "source" / "backups" / backup.name
    before = file.read_bytes()
    for _ in range(2):
        assert run_import_in_thread(tmp_path, file) == ExitCode.CLEAN
    assert file.read_bytes() == before
    assert "Added nothing." in capsys.readouterr().out
    assert await content_of(await open_store("data")) == content


def run_import_in_thread(tmp_path: Path, file: Path) -> int:
    """The command has an event loop of its own, which one thread has only one of."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run_import, tmp_path, str(file)).result()


def packed(forgery: Forgery, folder: str = "", *more: str, backwards: bool = False) -> io.BytesIO:
    """The archive as a person packs it again."""
    file = io.BytesIO()
    members = list(forgery.members.items())
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zip_file:
        for name in more:
            zip_file.writestr(name, b"" if name.endswith("/") else b"clutter")
        for name, content in reversed(members) if backwards else members:
            zip_file.writestr(folder + name, content)
    return file


@pytest.fixture
async def forgery(open_store: OpenStore) -> Forgery:
    source = await open_store("source")
    await fill(source)
    return Forgery(await archive_of(source, markdown=True))


class TestPackedAgain:
    @pytest.mark.parametrize(
        ("folder", "more", "backwards"),
        [
            ("", ("markdown/", "markdown/Folder/", "empty/"), False),
            ("", (".DS_Store", "markdown/.DS_Store", "__MACOSX/", "__MACOSX/._todos.jsonl", "Thumbs.db"), False),
            ("", ("markdown/desktop.ini", "._manifest.json"), True),
            ("my export/", ("my export/", "my export/markdown/"), True),
            ("my export/", ("__MACOSX/my export/._manifest.json", "my export/.DS_Store"), False),
            ("Documents/my export/", ("Documents/", "Documents/my export/"), False),
            ("./", ("./", "./markdown/"), False),
            ("./my export/", ("./", "./my export/", "./my export/.DS_Store"), True),
        ],
    )
    async def test_it_is_imported(
        self, open_store: OpenStore, forgery: Forgery, folder: str, more: tuple[str, ...], backwards: bool
    ) -> None:
        target = await open_store("target")
        report = await import_from(target, packed(forgery, folder, *more, backwards=backwards))
        assert report.kinds["todos"].added == 1

    @pytest.mark.parametrize(
        "name",
        [
            "__MACOSX/../../x",
            "../.DS_Store",
            "/.DS_Store",
            "markdown/../",
            "export/x.exe",
            "././x",
            "./../x",
            "./todos.jsonl",
            "markdown//",
        ],
    )
    async def test_what_climbs_out_or_is_no_clutter_is_refused(
        self, open_store: OpenStore, forgery: Forgery, name: str
    ) -> None:
        target = await open_store("target")
        with pytest.raises(ArchiveRefused):
            await import_from(target, packed(forgery, "", name))

    async def test_markdown_that_is_missing_is_noticed_all_the_same(
        self, open_store: OpenStore, forgery: Forgery
    ) -> None:
        name = next(name for name in forgery.members if name.endswith(".md"))
        del forgery.members[name]
        with pytest.raises(ArchiveRefused, match="Markdown"):
            await import_from(await open_store("target"), packed(forgery, backwards=True))


def leave_out(kind: str, manifest: Manifest) -> None:
    del manifest["files"][kind]


class TestOlderArchives:
    async def test_without_the_newer_kinds_it_is_imported(self, open_store: OpenStore, forgery: Forgery) -> None:
        for kind in ("adoptions", "set_aside"):
            del forgery.members[f"{kind}.jsonl"]
            forgery.manifest(partial(leave_out, kind))
        report = await import_from(await open_store("target"), forgery.file())
        assert (report.kinds["todos"].added, report.kinds["set_aside"].added) == (1, 0)

    async def test_an_export_without_such_rows_has_the_members_that_it_always_had(self, open_store: OpenStore) -> None:
        store = await open_store("source")
        with zipfile.ZipFile(await archive_of(store)) as zip_file:
            assert not {"adoptions.jsonl", "set_aside.jsonl"} & set(zip_file.namelist())
            assert len(zip_file.namelist()) == 11

    async def test_a_kind_that_the_manifest_leaves_out_is_refused(
        self, open_store: OpenStore, forgery: Forgery
    ) -> None:
        forgery.manifest(partial(leave_out, "set_aside"))
        with pytest.raises(ArchiveRefused, match=r"set_aside\.jsonl"):
            await import_from(await open_store("target"), forgery.file())
