"""The records inside answers: each row once, and proof that it reads the same in whatever way it is read."""

import json
from typing import Any

from .everything import Answers
from .operations import records_in

KEYS = {
    "Vault": "id",
    "Todo": "id",
    "Activity": "id",
    "Tip": "id",
    "Conversation": "id",
    "Message": "id",
    "MessageThinking": "id",
    "ConversationThread": "thread_id",
    "ConversationState": "thread_id",
    "ThreadCost": "thread_id",
    "Exchange": "exchange_id",
    "ProcessedContext": "id",
    "SimilarTodo": "todo_id",
    "TokenUsage": "id",
    "StageTiming": "id",
    "DataStats": "id",
    "ProcessorRun": "id",
    "Job": "id",
    "Preference": "id",
}
"""The models that are rows, and the field that tells one from another."""

ONLY_WHERE_ASKED_FOR: dict[str, tuple[str, Any]] = {"Message": ("thinking", []), "ProcessedContext": ("vector", None)}
"""A field that may be left out of a record, and its value where it is."""

Records = dict[str, dict[Any, dict[str, Any]]]
"""By model and key."""


def records(answers: Answers) -> Records:
    """Every record in these answers. Raises `AssertionError` for one that reads differently in two of them."""
    found: Records = {}
    first_read: dict[tuple[str, Any], str] = {}
    for line, answer in answers.items():
        if answer.status != 200:
            continue
        for model, record in records_in(answer.operation.result, answer.body):
            if model not in KEYS:
                continue
            key = record[KEYS[model]]
            known = found.setdefault(model, {}).setdefault(key, record)
            first = first_read.setdefault((model, key), line)
            one, other = _filled(model, known, record), _filled(model, record, known)
            assert one == other, f"{model} {key} is\n{_shown(one)} in {first}, but\n{_shown(other)} in {line}"
            found[model][key] = one
    return found


def _filled(model: str, record: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The record with what was asked for only where the other comes from."""
    if model in ONLY_WHERE_ASKED_FOR:
        field, absent = ONLY_WHERE_ASKED_FOR[model]
        if record[field] == absent:
            return {**record, field: other[field]}
    return record


def _shown(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False)


def contents(found: Records) -> dict[str, list[str]]:
    """The records without what depends on the store that they are in: ids, and the places among others."""
    return {
        model: sorted(json.dumps(_content(model, record), sort_keys=True) for record in rows.values())
        for model, rows in found.items()
    }


OF_THE_STORE = frozenset({"id", "exchange_id", "conversation_id", "message_id", "parent_id", "parent_message_id"})


def _content(model: str, record: dict[str, Any]) -> dict[str, Any]:
    content = {name: value for name, value in record.items() if name not in OF_THE_STORE}
    if model == "Message":
        content["thinking"] = [_content("MessageThinking", step) for step in record["thinking"]]
    return content
