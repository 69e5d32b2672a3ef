"""What is damaged, foreign or made to do harm is refused as a whole, and the store stays as it was."""

import contextlib
import io
import json
import stat
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from functools import cache, partial
from tempfile import TemporaryFile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.errors import ArchiveRefused
from sidecar.storage.resources.lines import LINES
from sidecar.storage.unified import UnifiedStorage
from sidecar.tools.archive import LARGEST_MANIFEST, Archive
from sidecar.tools.archive_limits import LIMITS, ArchiveLimits
from sidecar.tools.archive_members import MANIFEST
from sidecar.tools.export import write_archive
from sidecar.tools.local import import_from

from .conftest import OpenStore, archive_of, content_of, fill
from .hostile import Forgery


@pytest.fixture
async def sound(open_store: OpenStore) -> io.BytesIO:
    """An archive with rows of every kind, and Markdown."""
    source = await open_store("source")
    await fill(source)
    return await archive_of(source, markdown=True)


@pytest.fixture
async def target(open_store: OpenStore) -> UnifiedStorage:
    return await open_store("target")


async def refused(target: UnifiedStorage, file: io.BytesIO, **limits: int) -> str:
    """Why the archive is refused; the store must be as it was."""
    before = await content_of(target)
    with pytest.raises(ArchiveRefused) as error:
        await import_from(target, file, limits=ArchiveLimits(**limits))
    assert await content_of(target) == before
    return error.value.message


async def test_a_forgery_that_changes_nothing_is_imported(target: UnifiedStorage, sound: io.BytesIO) -> None:
    assert (await import_from(target, Forgery(sound).file())).added > 0


@pytest.mark.parametrize(
    "name",
    [
        "../todos.jsonl",
        "/etc/passwd",
        "C:\\x.md",
        "markdown/../../x.md",
        "markdown//x.md",
        "markdown/./x.md",
        "/markdown/x.md",
        "markdown\\..\\x.md",
        "markdown/c:x.md",
        "markdown/x.exe",
        "markdown/x\0.md",
        "more.jsonl",
        "todos.jsonl/x.md",
        "Todos.jsonl",
        "MANIFEST.JSON",
        "Markdown/x.md",
    ],
)
async def test_members_that_no_export_has(target: UnifiedStorage, sound: io.BytesIO, name: str) -> None:
    # Renamed in the finished file, for `zipfile` itself corrects some names when it writes them.
    placeholder = "q" * len(name)
    forged = Forgery(sound).file((placeholder, b"")).getvalue().replace(placeholder.encode(), name.encode())
    assert repr(name) in await refused(target, io.BytesIO(forged))


async def test_a_member_that_is_there_twice(target: UnifiedStorage, sound: io.BytesIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Forgery(sound).file(("todos.jsonl", b""))
    assert "twice" in await refused(target, file)


async def test_two_markdown_files_that_are_one_on_other_systems(target: UnifiedStorage, sound: io.BytesIO) -> None:
    file = Forgery(sound).file(("markdown/same.md", b""), ("markdown/SAME.md", b""))
    assert "twice" in await refused(target, file)


@pytest.mark.parametrize("name", ["manifest.json", "todos.jsonl", "states.jsonl"])
async def test_a_member_that_is_missing(target: UnifiedStorage, sound: io.BytesIO, name: str) -> None:
    forgery = Forgery(sound)
    del forgery.members[name]
    assert name in await refused(target, forgery.file())


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:100],
        lambda content: b"",
        lambda content: b"SQLite format 3\0" + bytes(1000),
        lambda content: bytes(1000) + b"PK\x05\x06" + bytes(18),
        lambda content: content.replace(b"PK\x01\x02", b"PK\x01\x09"),
        lambda content: content[:200] + bytes([content[200] ^ 0xFF]) + content[201:],
    ],
    ids=["half", "head", "empty", "a database", "zeros", "no list", "one bit"],
)
async def test_a_file_that_is_damaged(
    target: UnifiedStorage, sound: io.BytesIO, damage: Callable[[bytes], bytes]
) -> None:
    assert await refused(target, io.BytesIO(damage(sound.getvalue())))


async def test_a_zip_of_another_program(target: UnifiedStorage) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zip_file:
        zip_file.writestr("word/document.xml", "<x/>")
    assert "no export has" in await refused(target, file)


async def test_a_manifest_of_another_format(target: UnifiedStorage, sound: io.BytesIO) -> None:
    forgery = Forgery(sound).manifest(lambda manifest: manifest.update(format="something else"))
    assert "something else" in await refused(target, forgery.file())


async def test_an_archive_of_a_newer_version(target: UnifiedStorage, sound: io.BytesIO) -> None:
    forgery = Forgery(sound).manifest(lambda manifest: manifest.update(format_version=2))
    assert "newer" in await refused(target, forgery.file())


@pytest.mark.parametrize("field", ["count", "bytes", "sha256"])
async def test_a_file_that_is_not_what_the_manifest_says(target: UnifiedStorage, sound: io.BytesIO, field: str) -> None:
    wrong = {"count": 7, "bytes": 7, "sha256": "0" * 64}[field]
    forgery = Forgery(sound).manifest(lambda manifest: manifest["files"]["tips"].update({field: wrong}))
    assert "tips.jsonl is not what" in await refused(target, forgery.file())


async def test_markdown_that_is_not_what_the_manifest_says(target: UnifiedStorage, sound: io.BytesIO) -> None:
    assert "Markdown" in await refused(target, Forgery(sound).file(("markdown/more.md", b"x")))


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"[]\n",
        b'{"id":1}\n',
        b'{"id":0.5,"content":"x","created_at":"2026-01-31T09:30:00.000Z"}\n',
        b'{"id":1,"content":7,"created_at":"2026-01-31T09:30:00.000Z"}\n',
        b'{"id":1,"content":"x","created_at":"yesterday"}\n',
        b'{"id":1,"content":"\\ud800","created_at":"2026-01-31T09:30:00.000Z"}\n',
        b'{"id":1,"content":"\xff","created_at":"2026-01-31T09:30:00.000Z"}\n',
        b'{"id":1,"content":"x","created_at":"2026-01-31T09:30:00.000Z","more":1}\n',
        b'{"id":9223372036854775808,"content":"x","created_at":"2026-01-31T09:30:00.000Z"}\n',
        b'{"id":1,"content":"x","created_at":"2026-01-31T09:30:00.000Z"}',
        b'{"id":1,"content":"x","created_at":"2026-01-31T09:30:00.000Z"}\n' * 2,
        b"[" * 100_000 + b"\n",
    ],
)
async def test_a_line_that_is_not_a_row(target: UnifiedStorage, sound: io.BytesIO, line: bytes) -> None:
    assert "tips.jsonl, line" in await refused(target, Forgery(sound).lines("tips", line).file())


async def test_json_that_cannot_be_stored(target: UnifiedStorage, sound: io.BytesIO) -> None:
    nested = json.dumps({"chat_id": "thread/1", "cache_info": {}, "updated_at": "2026-01-31T09:30:00.000Z"})
    line = nested[:-1] + ',"messages":' + "[" * 100_000 + "]" * 100_000 + "}\n"
    assert "states.jsonl, line 1" in await refused(target, Forgery(sound).lines("states", line.encode()).file())


@pytest.mark.parametrize(
    ("kind", "column", "value"),
    [
        ("vaults", "parent_id", 999),
        ("messages", "conversation_id", 999),
        ("thinking", "message_id", 999),
        ("states", "chat_id", "nobody"),
        ("exchanges", "chat_id", "nobody"),
    ],
)
async def test_a_row_that_refers_to_what_is_not_there_is_set_aside_and_takes_no_other_with_it(
    target: UnifiedStorage, sound: io.BytesIO, kind: str, column: str, value: object
) -> None:
    forgery = Forgery(sound).rows(kind, lambda rows: rows[-1].update({column: value}))
    report = await import_from(target, forgery.file())
    rows = (await target.get_rows_set_aside(origin="import")).items
    assert rows[0].reason.partition(":")[0] == column
    assert rows[0].row[column] == value
    is_lifted = kind == "vaults"
    assert (rows[0].is_carried, report.kinds[kind].set_aside) == (is_lifted, 0 if is_lifted else 1)


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e999", '{"deep":[NaN]}', "[" * 195 + "]" * 195])
@pytest.mark.parametrize(
    ("kind", "column"), [("activities", "resources"), ("states", "messages"), ("threads", "metadata")]
)
async def test_json_that_is_none_or_nests_too_deeply_is_found_before_anything_is_written(
    sound: io.BytesIO, kind: str, column: str, value: str
) -> None:
    wrapped = {"resources": value, "messages": f"[{value}]", "metadata": f'{{"x":{value}}}'}[column]
    forgery = Forgery(sound).rows(kind, lambda rows: rows[0].update({column: "here"}))
    forgery.lines(kind, forgery.members[f"{kind}.jsonl"].replace(b'"here"', wrapped.encode()))
    with pytest.raises(ArchiveRefused, match=rf"{kind}.jsonl, line 1 is not a row"):
        Archive.verify(forgery.file())


@pytest.mark.parametrize(
    ("kind", "column", "value"),
    [
        ("states", "messages", {}),
        ("states", "cache_info", []),
        ("exchanges", "cost", 1),
    ],
)
async def test_a_row_that_could_never_be_read_again(
    target: UnifiedStorage, sound: io.BytesIO, kind: str, column: str, value: object
) -> None:
    forgery = Forgery(sound).rows(kind, lambda rows: rows[0].update({column: value}))
    assert f"{kind}.jsonl, line 1 is not a row" in await refused(target, forgery.file())


async def test_the_largest_id_does_not_use_up_the_ids_of_later_rows(open_store: OpenStore, sound: io.BytesIO) -> None:
    target = await open_store("target")
    forgery = Forgery(sound).rows("todos", lambda rows: rows[-1].update(id=2**63 - 1))
    for _ in range(2):
        await import_from(target, forgery.file())
    assert (await target.insert_todo("after")).id == 2


@pytest.mark.parametrize("number", ["NaN", "1e999", "-1", "0", "0.5", "9" * 5000, '"1"x'])
async def test_a_manifest_with_numbers_that_are_none(target: UnifiedStorage, sound: io.BytesIO, number: str) -> None:
    forgery = Forgery(sound).manifest(lambda manifest: manifest.update(format_version="here"))
    forgery.members["manifest.json"] = forgery.members["manifest.json"].replace(b'"here"', number.encode())
    assert "manifest.json is not one" in await refused(target, forgery.file())


@pytest.mark.parametrize("field", ["count", "bytes"])
async def test_a_manifest_that_counts_without_end(target: UnifiedStorage, sound: io.BytesIO, field: str) -> None:
    forgery = Forgery(sound).manifest(lambda manifest: manifest["files"]["tips"].update({field: 10**4000}))
    assert "tips.jsonl is not what" in await refused(target, forgery.file())


async def test_a_manifest_that_is_too_large(target: UnifiedStorage, sound: io.BytesIO) -> None:
    forgery = Forgery(sound)
    forgery.members["manifest.json"] += b" " * LARGEST_MANIFEST
    assert "larger than" in await refused(target, forgery.file())


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFDIR])
async def test_a_member_that_is_no_plain_file(target: UnifiedStorage, sound: io.BytesIO, mode: int) -> None:
    link = zipfile.ZipInfo("markdown/link.md")
    link.external_attr = (mode | 0o777) << 16
    assert "link" in await refused(target, Forgery(sound).file((link, b"/etc/passwd")))


def _name_all(column: str, name: str, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        row[column] = name


@pytest.mark.parametrize("thread_id", ["x" * 501, ""])
async def test_a_thread_that_nobody_could_ask_for_is_set_aside_with_all_that_belongs_to_it(
    target: UnifiedStorage, sound: io.BytesIO, thread_id: str
) -> None:
    forgery = Forgery(sound)
    for kind, column in (("threads", "id"), ("states", "chat_id"), ("exchanges", "chat_id")):
        forgery.rows(kind, partial(_name_all, column, thread_id))
    report = await import_from(target, forgery.file())
    assert (await target.get_threads()).items == []
    assert report.kinds["threads"].set_aside == 1


async def test_a_folder_in_itself_lies_at_the_top(target: UnifiedStorage, sound: io.BytesIO) -> None:
    forgery = Forgery(sound).rows("vaults", lambda rows: rows[1].update(parent_id=rows[1]["id"]))
    await import_from(target, forgery.file())
    (row,) = (await target.get_rows_set_aside(origin="import")).items
    assert (row.is_carried, row.reason) == (True, "parent_id: it names the row itself")
    assert (await target.get_vault(int(str(row.row["id"])))).parent_id is None


async def test_folders_in_a_circle_are_taken_apart(target: UnifiedStorage, sound: io.BytesIO) -> None:
    def lie_in_one_another(rows: list[dict[str, Any]]) -> None:
        rows += [{**rows[-1], "id": 100, "parent_id": 101}, {**rows[-1], "id": 101, "parent_id": 100}]

    await import_from(target, Forgery(sound).rows("vaults", lie_in_one_another).file())
    (row,) = (await target.get_rows_set_aside(origin="import")).items
    assert (row.is_carried, row.reason) == (True, "parent_id: it lies, through others, in itself")
    assert (await target.get_vault(int(str(row.row["id"])))).parent_id is None


async def test_a_message_that_answers_one_of_another_conversation_answers_none(
    target: UnifiedStorage, sound: io.BytesIO
) -> None:
    forgery = Forgery(sound).rows("conversations", lambda rows: rows.append({**rows[0], "id": rows[0]["id"] + 1}))
    forgery.rows("messages", lambda rows: rows[1].update(conversation_id=rows[1]["conversation_id"] + 1))
    await import_from(target, forgery.file())
    (row,) = (await target.get_rows_set_aside(origin="import")).items
    assert (row.is_carried, row.reason) == (True, "parent_message_id: it names a message of another conversation")


async def test_a_bomb(target: UnifiedStorage, sound: io.BytesIO) -> None:
    file = Forgery(sound).lines("tips", bytes(10_000_000)).file()
    assert "unpack" in await refused(target, file, unsuspicious=1000)


async def test_a_line_without_end(target: UnifiedStorage, sound: io.BytesIO) -> None:
    file = Forgery(sound).lines("tips", b" " * 200_000 + b"\n").file()
    assert "too long" in await refused(target, file, unsuspicious_line=100_000, most_compressed=1)


@pytest.mark.parametrize("content", ["a line of 1 GB", "a bomb", "a member larger than it says"])
@pytest.mark.slow
def test_what_is_too_large_is_refused_in_constant_memory(content: str) -> None:
    kilobyte, gigabyte = 2**10, 2**30
    with TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zip_file:
            with zipfile.ZipFile(io.BytesIO(archive_of_nothing())) as nothing:
                for name in set(nothing.namelist()) - {"tips.jsonl", MANIFEST}:
                    zip_file.writestr(name, nothing.read(name))
                manifest = json.loads(nothing.read(MANIFEST))
            manifest["files"]["tips"]["bytes"] = kilobyte if content == "a member larger than it says" else gigabyte
            zip_file.writestr(MANIFEST, json.dumps(manifest))
            with zip_file.open("tips.jsonl", "w", force_zip64=True) as member:
                block = bytes(1024 * kilobyte)
                for _ in range((2 * gigabyte if content == "a bomb" else gigabyte) // len(block)):
                    member.write(block)
            if content == "a member larger than it says":
                zip_file.getinfo("tips.jsonl").file_size = kilobyte
        # Compressed to a thousandth.
        assert file.tell() < 4 * 1024 * kilobyte
        tracemalloc.start()
        try:
            with pytest.raises(ArchiveRefused):
                Archive.verify(file)
            assert tracemalloc.get_traced_memory()[1] < 1.5 * LIMITS.unsuspicious_line
        finally:
            tracemalloc.stop()


async def test_a_list_of_members_without_end(target: UnifiedStorage, sound: io.BytesIO) -> None:
    assert "lists more files" in await refused(target, sound, member_list=100)


@cache
def archive_of_nothing() -> bytes:
    file = io.BytesIO()
    rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in LINES}
    write_archive(file, lambda kind: rows[kind], "a store", "2026-01-31T09:30:00.000Z")
    return file.getvalue()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_bytes_are_changed_an_archive_is_sound_or_refused(data: st.DataObject) -> None:
    content = bytearray(archive_of_nothing())
    for place in data.draw(st.lists(st.integers(1, len(content)), min_size=1, max_size=4)):
        content[-place] = data.draw(st.integers(0, 255))
    with TemporaryFile() as damaged:
        damaged.write(content)
        with contextlib.suppress(ArchiveRefused):
            archive = Archive.verify(damaged)
            assert archive.manifest.format == "electron-sidecar archive"


async def test_an_encrypted_member(target: UnifiedStorage, sound: io.BytesIO) -> None:
    content = bytearray(sound.getvalue())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in await refused(target, io.BytesIO(bytes(content)))
