"""`sidecar import` of a chat history: into a store, again, on trial, and of the wrong file."""

import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from sidecar.cli import IMPORTED_SYSTEMS, main
from sidecar.errors import BodyTooLarge, InvalidInput
from sidecar.exit_codes import ExitCode
from sidecar.models.histories import ConversationHistory, HistoryImported, HistoryMessage
from sidecar.models.messages import Role
from sidecar.tools.histories.batches import batches
from sidecar.tools.histories.importing import Owner, import_history
from sidecar.tools.imports import SYSTEMS

from .support import FILES, big_tree, conversation, entries


class Imports:
    """Runs `sidecar import` on files, and counts what the store then holds."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._capsys = capsys

    def file(self, content: Any, name: str = "export.json") -> Path:
        path = self._folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    def zip(self, name: str = "export.zip", **members: Any) -> Path:
        path = self._folder / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members.items():
                archive.writestr(member, json.dumps(content))
        return path

    def run(self, *arguments: str | Path) -> str:
        """Run it; return what it prints."""
        code = main(["import", "--data-dir", str(self._data), *map(str, arguments)])
        printed = self._capsys.readouterr()
        assert code == ExitCode.CLEAN, printed.err
        return printed.out

    def refused(self, *arguments: str | Path) -> str:
        """Run it, and have it refused; return the sentence."""
        before = self.rows("SELECT count(*) FROM conversations") if self._data.exists() else None
        code = main(["import", "--data-dir", str(self._data), *map(str, arguments)])
        printed = self._capsys.readouterr()
        assert code == ExitCode.BAD_CONFIGURATION
        if before is not None:
            assert self.rows("SELECT count(*) FROM conversations") == before
        return printed.err

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._data / "sidecar.db")) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def imports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Imports:
    return Imports(tmp_path, capsys)


def test_the_command_line_names_every_system_that_can_be_imported() -> None:
    assert IMPORTED_SYSTEMS == SYSTEMS


@pytest.mark.parametrize(
    ("system", "name", "conversations", "messages", "steps"),
    [
        ("chatgpt", "chatgpt.json", 1, 6, 3),
        ("claude", "claude.json", 2, 6, 1),
        ("openwebui", "openwebui.json", 2, 7, 2),
        ("librechat", "librechat.json", 1, 4, 1),
        ("librechat", "librechat-recursive.json", 1, 4, 1),
    ],
)
def test_a_history_is_imported_once_however_often_its_file_is(
    imports: Imports, system: str, name: str, conversations: int, messages: int, steps: int
) -> None:
    added = imports.run(system, FILES / name)
    assert f"Added {conversations} conversation" in added
    everything = ("conversations", "messages", "message_thinking")
    once = [imports.rows(f"SELECT * FROM {table} ORDER BY id") for table in everything]
    assert list(map(len, once)) == [conversations, messages, steps]
    again = imports.run(FILES / name)
    assert f"Skipped {conversations} conversation" in again
    assert [imports.rows(f"SELECT * FROM {table} ORDER BY id") for table in everything] == once


def test_a_trial_reports_the_same_and_adds_nothing(imports: Imports) -> None:
    tried = imports.run("--dry-run", "claude", FILES / "claude.json")
    assert imports.rows("SELECT * FROM conversations") == []
    done = imports.run("claude", FILES / "claude.json")
    assert tried.replace("Would add", "Added") == done


def test_a_history_that_has_grown_adds_what_is_new(imports: Imports) -> None:
    imports.run(imports.file([conversation("a", "one"), conversation("b", "one")]))
    grown = imports.file([conversation("a", "one", "two"), conversation("b", "one"), conversation("c", "one")])
    report = imports.run(grown)
    assert "Added 1 conversation with 1 message." in report
    assert "Updated 1 conversation: 1 message added, 0 replaced." in report
    assert "Skipped 1 conversation: already stored." in report
    assert imports.rows("SELECT count(*) FROM messages") == [(4,)]


def test_conversations_appear_on_the_page_and_with_the_user_that_are_named(imports: Imports) -> None:
    imports.run(imports.file([conversation("a", "one")]))
    imports.run("--page-name", "assistant", "--user-id", "ada", imports.file([conversation("b", "one")]))
    assert imports.rows("SELECT page_name, user_id FROM conversations ORDER BY id") == [
        ("claude", None),
        ("assistant", "ada"),
    ]


def test_a_page_and_a_user_are_only_for_a_history(imports: Imports, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert main(["export", "--data-dir", str(tmp_path / "other"), str(tmp_path / "rows.zip")]) == ExitCode.CLEAN
    assert "is no chat history" in imports.refused("--page-name", "assistant", tmp_path / "rows.zip")


def test_a_zip_is_read_with_all_of_its_parts(imports: Imports) -> None:
    members = {
        "export/conversations-000.json": entries("chatgpt.json"),
        "export/conversations-001.json": [big_tree(3)],
        "export/user.json": {"id": "ada"},
        "__MACOSX/export/._conversations-000.json": "clutter",
    }
    report = imports.run(imports.zip(**members))
    assert "is an export of ChatGPT." in report
    assert "Added 2 conversations with 9 messages." in report
    assert "Left out 2 other files of the .zip: they hold no conversations." in report


def test_a_zip_of_another_program_may_have_a_manifest(imports: Imports) -> None:
    members = {"manifest.json": {"user": "ada"}, "conversations.json": entries("claude.json")}
    assert "is an export of Claude." in imports.run(imports.zip(**members))


def test_json_after_white_space_is_recognised(imports: Imports) -> None:
    content = "\n" * 100 + json.dumps(entries("claude.json"))
    assert "is an export of Claude." in imports.run(imports.file(content))


def test_a_tree_of_2280_messages_is_imported_whole(imports: Imports) -> None:
    assert "with 2,280 messages." in imports.run(imports.file([big_tree(2_280)]))
    wrong = """
        SELECT count(*) FROM messages JOIN messages AS parent ON parent.id = messages.parent_message_id
        WHERE parent.conversation_id != messages.conversation_id OR parent.created_at > messages.created_at
    """
    assert imports.rows(wrong) == [(0,)]
    expected = {name: node["parent"] for name, node in big_tree(2_280)["mapping"].items()}
    stored = imports.rows(
        "SELECT messages.external_id, parent.external_id FROM messages "
        "LEFT JOIN messages AS parent ON parent.id = messages.parent_message_id"
    )
    assert dict(stored) == {
        name: None if parent == "root" else parent for name, parent in expected.items() if name != "root"
    }


def test_a_chat_whose_messages_lie_thousands_deep_is_imported(imports: Imports) -> None:
    content, end = '{"conversationId": "c", "recursive": true, "messages": [', "]}"
    for number in range(3_000):
        content += f'{{"messageId": "m{number}", "text": "text {number}", "isCreatedByUser": true, "children": ['
        end = "]}" + end
    report = imports.run("librechat", imports.file(content + end))
    assert "Added 1 conversation with 3,000 messages." in report


def test_one_conversation_that_cannot_be_stored_does_not_keep_the_others_away(imports: Imports) -> None:
    one, two = ({"page_name": "p", "source": "s", "external_id": name, "messages": []} for name in "ab")
    wrong = {**one, "external_id": "c", "messages": [{"role": "user", "external_id": "m", "parent_external_id": "m"}]}
    report = imports.run(imports.file({"conversations": [one, wrong, {**two, "status": "lost"}, two]}))
    assert "Added 2 conversations" in report
    assert "Left out the conversation 'c': conversations.0.messages.0" in report
    assert "Left out the conversation 'number 3': status must be one of" in report


def test_entries_that_are_no_conversations_are_counted(imports: Imports) -> None:
    report = imports.run("claude", imports.file([None, conversation("a", "one"), {"uuid": "x"}, 7]))
    assert "Added 1 conversation with 1 message." in report
    assert "Left out 3 entries: they are not conversations." in report


def test_the_same_conversation_twice_in_a_file_is_one(imports: Imports) -> None:
    report = imports.run(imports.file([conversation("a", "one"), conversation("a", "one", "two")]))
    assert "Added 1 conversation with 1 message." in report
    assert "Updated 1 conversation: 1 message added, 0 replaced." in report


def test_an_export_without_conversations_adds_nothing(imports: Imports) -> None:
    assert "Added 0 conversations with 0 messages." in imports.run("claude", imports.file([]))


def test_the_file_of_another_program_is_refused_with_the_command_for_it(imports: Imports) -> None:
    path = FILES / "claude.json"
    refused = imports.refused("chatgpt", path)
    assert "looks like an export of Claude, not of ChatGPT" in refused
    assert f"claude {path}`" in refused


def test_a_database_of_another_program_is_refused(imports: Imports, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE stamps (id)")
    assert "is the database of another program; give logs.db" in imports.refused("llm", tmp_path / "other.db")


def test_a_database_of_another_format_is_refused_with_the_command_for_it(imports: Imports, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "webui.db")) as connection:
        connection.executescript("CREATE TABLE user (id); CREATE TABLE chat (id, title, chat)")
    assert "looks like an export of Open WebUI, not of llm; use" in imports.refused("llm", tmp_path / "webui.db")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"hello": 1}, "holds no conversation of a known format; give an export of ChatGPT, Claude"),
        ([], "holds no conversation; give"),
        ("[{", "was cut off in it"),
        ("<html>", "is neither an export, which is a .zip, nor a database, nor a chat history"),
        ("", "is empty; take another copy"),
    ],
)
def test_a_file_that_is_no_history_is_refused(imports: Imports, content: Any, sentence: str) -> None:
    assert sentence in imports.refused(imports.file(content))


def test_a_zip_without_conversations_is_refused(imports: Imports) -> None:
    assert "holds no conversations.json" in imports.refused("chatgpt", imports.zip(**{"chat.html": ""}))


def test_a_zip_that_is_a_bomb_is_refused(imports: Imports, tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("conversations.json", "w") as member:
        for _ in range(1100):
            member.write(bytes(1024 * 1024))
    assert "far more than its size explains" in imports.refused("chatgpt", path)


def test_a_damaged_zip_is_refused(imports: Imports) -> None:
    path = imports.zip(**{"conversations.json": entries("chatgpt.json")})
    content = bytearray(path.read_bytes())
    content[100:200] = bytes(100)
    path.write_bytes(content)
    assert "damaged or not a .zip" in imports.refused("chatgpt", path)


def test_json_is_no_backup(imports: Imports, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imports.run(FILES / "claude.json")
    arguments = ["restore", "--data-dir", str(tmp_path / "data"), str(FILES / "claude.json")]
    assert main(arguments) == ExitCode.BAD_CONFIGURATION
    assert "is JSON and not a backup" in capsys.readouterr().err


def test_json_is_no_database_of_a_seed(imports: Imports) -> None:
    assert "is JSON and no database of vmpilot" in imports.refused("vmpilot", FILES / "claude.json")


def history(name: str, messages: int = 1, length: int = 1) -> ConversationHistory:
    said = [HistoryMessage(role=Role.USER, content="x" * length, external_id=str(number)) for number in range(messages)]
    return ConversationHistory(page_name="p", source="s", external_id=name, messages=said)


def test_batches_are_bounded_by_conversations_messages_and_characters() -> None:
    given = [history("a"), history("b"), history("c", 5), history("d"), history("e", 1, 5_000), history("f")]
    found = batches(iter(given), most=3, most_messages=6, most_characters=5_000)
    assert [[each.external_id for each in batch] for batch in found] == [["a", "b"], ["c", "d"], ["e"], ["f"]]


def test_a_conversation_that_comes_again_begins_a_batch() -> None:
    found = batches(iter([history("a"), history("b"), history("a")]))
    assert [[each.external_id for each in batch] for batch in found] == [["a", "b"], ["a"]]


class PickyStore:
    """Takes only batches of so many messages, none longer than that, and no conversation of a name."""

    def __init__(self, most: int, refused: str = "", longest: int = 100) -> None:
        self._most = most
        self._refused = refused
        self._longest = longest
        self.taken: list[ConversationHistory] = []

    @contextmanager
    def adding_histories(self, *, dry_run: bool) -> Iterator[Any]:
        yield self._add

    def _add(self, batch: list[ConversationHistory]) -> list[HistoryImported]:
        if any(each.external_id == self._refused for each in batch):
            raise InvalidInput.field("status", "is odd")
        messages = [message for each in batch for message in each.messages]
        if len(messages) > self._most or any(len(message.content) > self._longest for message in messages):
            raise BodyTooLarge("too large")
        known = {each.external_id for each in self.taken}
        self.taken += batch
        return [
            HistoryImported(
                conversation_id=1,
                created=each.external_id not in known,
                messages_added=len(each.messages),
                messages_replaced=0,
                messages_unchanged=0,
                messages_removed=0,
            )
            for each in batch
        ]


def test_a_conversation_too_large_for_a_request_is_added_in_pieces(
    imports: Imports, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = PickyStore(4)
    path = imports.file([conversation("a", *"1234567890"), conversation("b", "1")])
    import_history(store, path, "claude", False, tmp_path, Owner())
    assert [(history.external_id, len(history.messages)) for history in store.taken] == [
        ("a", 2),
        ("a", 3),
        ("a", 2),
        ("a", 3),
        ("b", 1),
    ]
    assert capsys.readouterr().out == "Added 2 conversations with 11 messages.\n"


def test_a_message_too_large_for_a_request_is_left_out_and_the_others_stay_a_row(
    imports: Imports, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = PickyStore(100, longest=10)
    path = imports.file([conversation("a", "1", "2", "three" * 10, "4", "5")])
    import_history(store, path, "claude", False, tmp_path, Owner())
    taken = [message for history in store.taken for message in history.messages]
    assert [message.content for message in taken] == ["1", "2", "4", "5"]
    assert [message.parent_external_id for message in taken] == [None, "a-0", "a-1", "a-3"]
    printed = capsys.readouterr().out
    assert "Added 1 conversation with 4 messages." in printed
    assert "Left out 1 message: larger than the running sidecar takes in a request" in printed


def test_a_refused_conversation_is_left_out_of_its_batch(
    imports: Imports, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = PickyStore(100, refused="c")
    path = imports.file([conversation(name, "1") for name in "abcde"])
    import_history(store, path, "claude", False, tmp_path, Owner())
    assert [each.external_id for each in store.taken] == ["a", "b", "d", "e"]
    assert "Left out the conversation 'c': status: is odd" in capsys.readouterr().out
