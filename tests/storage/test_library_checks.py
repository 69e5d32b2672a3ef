"""The library refuses what HTTP refuses: the same limits on both ways in, with an error that names the field."""

from collections.abc import Awaitable, Callable
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import ConfigDict, TypeAdapter, ValidationError

from sidecar.config import ServerSettings
from sidecar.errors import InvalidInput
from sidecar.models.activities import ActivityCreate
from sidecar.models.base import MAX_TEXT_BYTES, LongText
from sidecar.models.contexts import TodoEmbedding
from sidecar.models.conversations import ConversationCreate, ConversationUpdate
from sidecar.models.messages import (
    MessageAppend,
    MessageCreate,
    MessageFinish,
    MessageMetadataUpdate,
    MessageUpdate,
    StreamingMessageCreate,
    ThinkingCreate,
)
from sidecar.models.monitoring import DataStatsReport, StageTimingReport, TokenUsageReport
from sidecar.models.states import CacheInfoUpdate, ExchangeCreate, StateSave
from sidecar.models.tips import TipCreate
from sidecar.models.todos import TodoCreate, TodoStatusChange, TodoUpdate
from sidecar.models.vaults import VaultCreate, VaultMove, VaultUpdate
from sidecar.storage.arguments import Unset
from sidecar.storage.unified import UnifiedStorage

HALF = "half of a character: \ud83d"
TOO_LARGE_NUMBER = 2**70

Call = Callable[[UnifiedStorage], Awaitable[object]]

REFUSED: dict[str, tuple[Call, str]] = {
    "a long title": (lambda it: it.insert_vaults("x" * 10_000), "title"),
    "half of a character": (lambda it: it.insert_vaults("x", content=HALF), "content"),
    "a title of None": (lambda it: it.update_vault(1, title=None), "title"),  # type: ignore[arg-type]
    "a long tag": (lambda it: it.update_vault(1, tags="x" * 1_001), "tags"),
    "true as a parent": (lambda it: it.insert_vaults("x", parent_id=True), "parent_id"),
    "text as an id": (lambda it: it.get_vault("1"), "vault_id"),  # type: ignore[arg-type]
    "a huge id": (lambda it: it.get_todo(TOO_LARGE_NUMBER), "todo_id"),
    "a huge place": (lambda it: it.move_vault(1, None, TOO_LARGE_NUMBER), "sort_order"),
    "an empty todo": (lambda it: it.insert_todo(""), "content"),
    "an urgency of 71 bits": (lambda it: it.insert_todo("x", urgency=TOO_LARGE_NUMBER), "urgency"),
    "an urgency of None": (lambda it: it.update_todo(1, urgency=None), "urgency"),  # type: ignore[arg-type]
    "a status that there is not": (lambda it: it.insert_todo("x", status=2), "status"),
    "a filter by a status that there is not": (lambda it: it.get_todos(2), "status"),
    "a long assignee": (lambda it: it.update_todo(1, assignee="x" * 1_001), "assignee"),
    "bytes as text": (lambda it: it.insert_tip(b"stretch"), "content"),  # type: ignore[arg-type]
    "an empty tip": (lambda it: it.insert_tip(""), "content"),
    "metadata that is a list": (lambda it: it.insert_activity("x", "", metadata=[1]), "metadata"),  # type: ignore[arg-type]
    "metadata that is text": (lambda it: it.create_conversation("x", metadata="x"), "metadata"),  # type: ignore[arg-type]
    "metadata with a name that is no text": (lambda it: it.create_conversation("x", metadata={1: 2}), "metadata"),  # type: ignore[dict-item]
    "a page that is no text": (lambda it: it.create_conversation(5), "page_name"),  # type: ignore[arg-type]
    "metadata of None": (lambda it: it.update_conversation(1, metadata=None), "metadata"),  # type: ignore[arg-type]
    "a role that there is not": (lambda it: it.create_message(1, "narrator", "x"), "role"),
    "fewer than no tokens": (lambda it: it.create_message(1, "user", "x", token_count=-1), "token_count"),
    "an empty chunk": (lambda it: it.append_message_content(1, ""), "content_chunk"),
    "a chunk before the first": (lambda it: it.append_message_content(1, "x", sequence=-1), "sequence"),
    "a text that is a number": (lambda it: it.update_message(1, 5), "new_content"),  # type: ignore[arg-type]
    "an end in half": (lambda it: it.mark_message_finished(1, "failed", HALF), "error_message"),
    "progress beyond the end": (lambda it: it.add_message_thinking(1, "x", progress=1.5), "progress"),
    "progress that is no number": (lambda it: it.add_message_thinking(1, "x", progress=float("nan")), "progress"),
    "messages that are an object": (lambda it: it.save_conversation_state("x", {}), "messages"),  # type: ignore[arg-type]
    "a thread without a name": (lambda it: it.save_conversation_state("", []), "thread_id"),
    "a model with a long name": (lambda it: it.add_exchange("x", "x" * 1_001, ""), "model"),
    "a cost that is no number": (lambda it: it.add_exchange("x", "x", "", {"total": float("inf")}), "cost.total"),
    "half of a token": (lambda it: it.save_monitoring_token_usage("x", 1.5, 1), "prompt_tokens"),  # type: ignore[arg-type]
    "a stage without a name": (lambda it: it.save_monitoring_stage_timing("", 1), "stage_name"),
    "true as an amount": (lambda it: it.save_monitoring_data_stats("x", True), "count"),
    "a todo that is none": (lambda it: it.batch_insert_todos([{"content": ""}]), "todos.0.content"),  # type: ignore[list-item]
    "an embedding of nothing": (lambda it: it.upsert_todo_embedding(1, "", [1.0]), "content"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_http_refuses_is_refused_with_its_field(storage: UnifiedStorage, name: str) -> None:
    call, field = REFUSED[name]
    with pytest.raises(InvalidInput) as refused:
        await call(storage)
    assert [error.field for error in refused.value.errors] == [field]
    assert refused.value.message.startswith(field)


PAIRS = {
    "insert_vaults": VaultCreate,
    "update_vault": VaultUpdate,
    "move_vault": VaultMove,
    "insert_todo": TodoCreate,
    "update_todo": TodoUpdate,
    "update_todo_status": TodoStatusChange,
    "insert_activity": ActivityCreate,
    "insert_tip": TipCreate,
    "create_conversation": ConversationCreate,
    "update_conversation": ConversationUpdate,
    "create_message": MessageCreate,
    "create_streaming_message": StreamingMessageCreate,
    "update_message": MessageUpdate,
    "append_message_content": MessageAppend,
    "update_message_metadata": MessageMetadataUpdate,
    "mark_message_finished": MessageFinish,
    "add_message_thinking": ThinkingCreate,
    "save_conversation_state": StateSave,
    "update_cache_info": CacheInfoUpdate,
    "add_exchange": ExchangeCreate,
    "save_monitoring_token_usage": TokenUsageReport,
    "save_monitoring_stage_timing": StageTimingReport,
    "save_monitoring_data_stats": DataStatsReport,
    "upsert_todo_embedding": TodoEmbedding,
}
"""The methods that write, each with the model of its body over HTTP."""

PROBES: tuple[Any, ...] = (
    None,
    "",
    "x",
    "x" * 201,
    "x" * 1_001,
    HALF,
    -1,
    0,
    2**63,
    TOO_LARGE_NUMBER,
    True,
    1.5,
    float("nan"),
    [],
    {},
)
CHECKED_INSIDE = {"status", "role", "vector", "embedding"}
"""Parameters that the methods check themselves, with the names of an enumeration or the numbers of a vector."""
OPTIONAL_OBJECTS = {"metadata", "cost", "start_time", "end_time", "token_count"}
"""What may be `None` in the library where HTTP has it left out."""


@pytest.mark.parametrize("name", PAIRS)
def test_each_parameter_takes_what_the_field_takes(name: str) -> None:
    hints = get_type_hints(getattr(UnifiedStorage, name).__wrapped__, include_extras=True)
    for field in fields_of(PAIRS[name]).keys() - CHECKED_INSIDE:
        assert field in hints, field
        for probe in PROBES:
            if probe is None and field in OPTIONAL_OBJECTS:
                continue
            assert takes(hints[field], probe) == field_takes(PAIRS[name], field, probe), (field, str(probe)[:30])


def fields_of(model: type[Any]) -> dict[str, Any]:
    fields: dict[str, Any] = getattr(model, "model_fields", None) or model.__pydantic_fields__
    return fields


def field_takes(model: type[Any], field: str, probe: Any) -> bool:
    """Whether the probe is refused for this field; others may be missing."""
    try:
        TypeAdapter(model).validate_python({field: probe})
    except ValidationError as error:
        return all(detail["loc"][0] != field for detail in error.errors())
    return True


def takes(hint: Any, probe: Any) -> bool:
    without_unset = [choice for choice in get_args(hint) if choice is not Unset]
    if len(without_unset) < len(get_args(hint)):
        hint = without_unset[0] if len(without_unset) == 1 else without_unset[0] | without_unset[1]
    try:
        TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True)).validate_python(probe)
    except ValidationError:
        return False
    return True


def test_the_largest_body_brings_no_text_that_is_too_large() -> None:
    assert ServerSettings(max_body_bytes=MAX_TEXT_BYTES).max_body_bytes == MAX_TEXT_BYTES
    with pytest.raises(ValidationError):
        ServerSettings(max_body_bytes=MAX_TEXT_BYTES + 1)


def test_a_text_has_no_more_bytes_than_the_largest() -> None:
    largest = "é" * (MAX_TEXT_BYTES // 2)
    assert takes(LongText, largest)
    assert not takes(LongText, f"{largest}x")


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"knds": ["todo"]}, "filters.knds: is not known; did you mean kinds?"),
        ({"colour": "red"}, "filters.colour: is not known; there are before, content_type"),
        ({"kinds": ["fish"]}, "filters.kinds.0: Input should be"),
        ({"tags": [5]}, "filters.tags"),
        (["kinds"], "filters: must be an object"),
    ],
)
async def test_filters_that_are_not_known_are_refused(storage: UnifiedStorage, filters: Any, message: str) -> None:
    for search in (storage.query_documents, storage.query, storage.search_documents):
        with pytest.raises(InvalidInput) as refused:
            await search("walrus", filters=filters)
        assert refused.value.message.startswith(message)


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        ({"tags": "finance"}, {"budget"}),
        ({"tags": ["Finance", "sea"]}, {"budget", "walrus"}),
        ({"tags": []}, {"budget", "walrus", "plain"}),
        ({"content_type": "DailyReport"}, {"walrus"}),
        ({"data_type": "vault", "tags": ["sea"]}, {"walrus"}),
        ({"data_type": "todo"}, set()),
        ({"data_type": "todo", "kinds": ["vault"]}, set()),
        ({"tags": None, "kinds": None}, {"budget", "walrus", "plain"}),
    ],
)
async def test_the_seeds_filters_mean_what_they_mean_there(
    storage: UnifiedStorage, filters: dict[str, Any], titles: set[str]
) -> None:
    await storage.insert_vaults("budget", content="text", tags="finance,money")
    await storage.insert_vaults("walrus", content="text", tags="sea", document_type="DailyReport")
    await storage.insert_vaults("plain", content="text")
    found = await storage.query_documents("text", filters=filters)
    assert {document.metadata["title"] for document in found.documents} == titles


async def test_the_filter_of_contexts_names_what_was_meant(storage: UnifiedStorage) -> None:
    with pytest.raises(InvalidInput, match=r"filters\.souce: is not known; did you mean source\?"):
        await storage.search([1.0], filters={"souce": "x"})
    with pytest.raises(InvalidInput, match=r"filter\.colour: is not known; there are"):
        await storage.get_all_processed_contexts(filter={"colour": "x"})
