"""Conversations that are exported as JSON and imported again, and the other formats from a store."""

import json
from pathlib import Path
from typing import Any

import pytest

from sidecar.cli import main
from sidecar.errors import InvalidInput, NotFound
from sidecar.exit_codes import ExitCode
from sidecar.models.histories import HistoryBatch
from sidecar.models.transcripts import TranscriptFormat
from sidecar.storage.unified import UnifiedStorage
from sidecar.tools.transcripts.reading import every_conversation, histories_of
from sidecar.tools.transcripts.writing import format_of, transcript

from ..conftest import OpenStore
from .support import BRANCHED, TIME, history, message

LARGEST = 10_000_000


async def exported(store: UnifiedStorage) -> str:
    """All conversations of the store as JSON."""
    histories = await histories_of(store, await every_conversation(store), LARGEST)
    return transcript(histories, TranscriptFormat.JSON).content


async def carried(source: UnifiedStorage, target: UnifiedStorage) -> str:
    """The JSON of all conversations of one store, after it was imported into another."""
    content = await exported(source)
    await target.import_histories(HistoryBatch.model_validate_json(content).conversations)
    return content


def full() -> list[dict[str, Any]]:
    """Messages with everything that they can have."""
    parts = [
        {"type": "text", "text": "look"},
        {"type": "image", "reference": "cat.png", "media_type": "image/png"},
        {"type": "tool_call", "name": "add", "call_id": "1", "arguments": {"a": [1, None]}},
        {"type": "tool_result", "content": {"b": 2}, "call_id": "1", "is_error": True},
    ]
    thinking = [
        {"content": "hm", "stage": "plan", "progress": 0.5, "created_at": TIME, "metadata": {"k": 1}},
        {"content": "well", "created_at": "2024-06-01T12:00:09.000Z"},
    ]
    usage = {"model": "large", "prompt_tokens": 1, "completion_tokens": 2, "cost": 0.25, "token_count": 3}
    return [
        message("q", metadata={"nested": {"list": [1, 2.5]}}),
        message(
            "a", "q", "assistant", parts=parts, thinking=thinking, completed_at="2024-06-01T12:00:10.000Z", **usage
        ),
        message("b", "q", "assistant", status="failed", error_message="no", updated_at="2024-06-01T12:00:11.000Z"),
        message("c", "b", "developer"),
    ]


async def test_an_exported_history_is_imported_as_it_was(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    given = history(*full(), metadata={"m": 1}, user_id="ada", created_at=TIME, updated_at="2024-07-01T00:00:00.000Z")
    await source.import_histories([given])
    content = await carried(source, target)
    assert await exported(target) == content
    (found,) = HistoryBatch.model_validate_json(content).conversations
    expected = given.model_dump(exclude_defaults=True)
    for each in expected["messages"]:
        each.setdefault("completed_at", each["created_at"])
        each.setdefault("updated_at", each["completed_at"])
    assert found.model_dump(exclude_defaults=True) == expected


async def test_branches_survive_the_way_out_and_in(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    await source.import_histories([history(*BRANCHED)])
    await carried(source, target)
    ids = await every_conversation(target)
    messages = (await target.get_conversation_messages(ids[0])).items
    names = {message.id: message.external_id for message in messages}
    assert {message.external_id: names.get(message.parent_message_id or 0) for message in messages} == {
        "a": None,
        "b": "a",
        "c": "a",
        "d": "b",
        "e": "c",
        "f": "c",
    }


async def test_conversations_of_this_store_get_its_ids_and_are_imported_once(open_store: OpenStore) -> None:
    source, target = await open_store("source"), await open_store("target")
    conversation = await source.create_conversation("home", "ada", "Talk", {"project": "x"})
    question = await source.create_message(conversation.id, "user", "why?")
    answer = await source.create_message(conversation.id, "assistant", "because", parent_message_id=question.id)
    await source.add_message_thinking(answer.id, "hm")
    content = await carried(source, target)
    assert await carried(source, target) == content == await exported(target)
    assert len(await every_conversation(target)) == 1
    (found,) = json.loads(content)["conversations"]
    assert found["source"].startswith("sidecar:")
    assert found["external_id"] == str(conversation.id)
    assert found["messages"][1]["parent_external_id"] == found["messages"][0]["external_id"]


async def test_a_history_that_was_continued_here_becomes_a_conversation_of_this_store(storage: UnifiedStorage) -> None:
    imported = (await storage.import_histories([history(message("a"))])).items[0]
    await storage.create_message(imported.conversation_id, "user", "more")
    (found,) = await histories_of(storage, [imported.conversation_id], LARGEST)
    assert (found.source or "").startswith("sidecar:")
    assert found.metadata["came_from"] == {"source": "s", "external_id": "c"}
    assert found.messages[0].external_id == "a"


async def test_a_conversation_of_many_pages_is_exported_whole(storage: UnifiedStorage) -> None:
    messages = [message(str(number), str(number - 1) if number else None) for number in range(2_280)]
    imported = (await storage.import_histories([history(*messages)])).items[0]
    (found,) = await histories_of(storage, [imported.conversation_id], LARGEST)
    assert [message.external_id for message in found.messages] == [str(number) for number in range(2_280)]


async def test_a_message_that_still_streams_is_exported_as_cut_off(storage: UnifiedStorage) -> None:
    conversation = await storage.create_conversation("home")
    streaming = await storage.create_streaming_message(conversation.id, "assistant")
    await storage.append_message_content(streaming.id, "so far")
    (found,) = await histories_of(storage, [conversation.id], LARGEST)
    assert [(message.content, message.status) for message in found.messages] == [("so far", "cancelled")]


async def test_more_than_the_largest_document_is_refused(storage: UnifiedStorage) -> None:
    imported = (await storage.import_histories([history(message("a", content="x" * 1_000))])).items[0]
    with pytest.raises(InvalidInput, match=r"query\.ids: the conversations have more than"):
        await histories_of(storage, [imported.conversation_id], 500)


async def test_a_missing_conversation_is_not_found(storage: UnifiedStorage) -> None:
    with pytest.raises(NotFound, match="no conversation with the id 7"):
        await histories_of(storage, [7], LARGEST)


def test_the_name_of_a_file_asks_for_its_format() -> None:
    names = {
        "a.md": "markdown",
        "a.HTML": "html",
        "a.htm": "html",
        "a.json": "json",
        "a.txt": "markdown",
        "a": "markdown",
    }
    assert {name: format_of(Path(name)) for name in names} == names


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """A data directory with two conversations, one of which is deleted."""
    content = transcript(
        [history(*BRANCHED), history(external_id="d", status="deleted")], TranscriptFormat.JSON
    ).content
    (tmp_path / "talk.json").write_text(content, encoding="utf-8")
    assert main(["import", "--data-dir", str(tmp_path / "data"), str(tmp_path / "talk.json")]) == ExitCode.CLEAN
    return tmp_path


def export(folder: Path, *arguments: str) -> int:
    return main(["export", "--data-dir", str(folder / "data"), *arguments])


@pytest.mark.parametrize(
    ("name", "arguments", "beginning"),
    [
        ("talk.md", (), "# A talk\n"),
        ("talk.html", (), "<!doctype html>"),
        ("talk.txt", ("--format", "html"), "<!doctype html>"),
        ("out.json", (), '{"conversations":['),
    ],
)
def test_the_command_writes_conversations_to_a_file(
    talk: Path, name: str, arguments: tuple[str, ...], beginning: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(talk, "--conversations", "all", *arguments, str(talk / name)) == ExitCode.CLEAN
    assert (talk / name).read_text(encoding="utf-8").startswith(beginning)
    assert capsys.readouterr().out.endswith(f"Exported 1 conversation to {talk / name}.\n")


def test_the_command_exports_deleted_conversations_only_by_their_ids(talk: Path) -> None:
    assert export(talk, "--conversations", "1,2", str(talk / "both.json")) == ExitCode.CLEAN
    assert len(json.loads((talk / "both.json").read_text(encoding="utf-8"))["conversations"]) == 2


def test_the_command_leaves_an_existing_file_and_none_for_a_missing_conversation(
    talk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(talk, "--conversations", "9", str(talk / "none.md")) == ExitCode.BAD_CONFIGURATION
    assert "There is no conversation with the id 9." in capsys.readouterr().err
    assert not (talk / "none.md").exists()
    (talk / "there.md").write_text("mine")
    assert export(talk, "--conversations", "1", str(talk / "there.md")) == ExitCode.BAD_CONFIGURATION
    assert (talk / "there.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--format", "html"), "--format is for --conversations"),
        (("--conversations", "x"), "'x' is not a list of ids; write 12 or 12,15 or all"),
        (("--conversations", "1", "--markdown"), "not allowed with argument"),
    ],
)
def test_wrong_usage_of_the_command_is_explained(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        export(tmp_path, *arguments, "file")
    assert sentence in capsys.readouterr().err
