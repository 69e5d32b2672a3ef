"""This program's own format: what `sidecar export --conversations` writes with `--format json`."""

from sidecar.models.histories import ConversationHistory
from sidecar.tools.histories.formats import Format, Item
from sidecar.tools.histories.notes import Notes


def is_conversation(item: Item) -> bool:
    return isinstance(item.get("page_name"), str) and isinstance(item.get("messages", []), list)


def read(item: Item, notes: Notes) -> ConversationHistory:  # noqa: ARG001 - nothing of it is changed
    """Return the conversation. Raises `ValidationError`."""
    return ConversationHistory.model_validate(item)


OWN = Format("conversations", "this program", "the .json of `sidecar export --conversations`", is_conversation, read)
