"""Conversations in tests of documents."""

from typing import Any

from sidecar.models.histories import ConversationHistory

TIME = "2024-06-01T12:00:00.000Z"


def message(name: str, parent: str | None = None, role: str = "user", **fields: Any) -> dict[str, Any]:
    given = {"role": role, "content": f"text {name}", "external_id": name, "parent_external_id": parent}
    return {**given, "created_at": TIME, **fields}


def history(*messages: dict[str, Any], **fields: Any) -> ConversationHistory:
    given = {"page_name": "p", "source": "s", "external_id": "c", "title": "A talk", "messages": list(messages)}
    return ConversationHistory.model_validate({**given, **fields})


BRANCHED = (
    message("a"),
    message("b", "a", "assistant"),
    message("c", "a", "assistant"),
    message("d", "b"),
    message("e", "c"),
    message("f", "c"),
)
"""Two answers to `a`, and two questions after the second answer."""
