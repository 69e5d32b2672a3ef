"""A conversation of any format: its ids, times and metadata, which all of them have in common."""

from collections.abc import Sequence
from typing import Any

from pydantic import JsonValue

from sidecar.models.conversations import ConversationStatus
from sidecar.models.histories import ConversationHistory
from sidecar.models.messages import Role
from sidecar.tools.histories import values
from sidecar.tools.histories.formats import Item
from sidecar.tools.histories.notes import Note, Notes
from sidecar.tools.histories.tree import Node, forget_defaults, messages_of

_ROLES = {role.value: role for role in Role} | {"human": Role.USER, "model": Role.ASSISTANT, "bot": Role.ASSISTANT}


def role_of(name: Any, notes: Notes) -> tuple[Role, dict[str, JsonValue]]:
    """Return the role of that name, and the metadata that keep an unknown one."""
    role = _ROLES.get(name.lower()) if isinstance(name, str) else None
    if role is not None:
        return role, {}
    notes.add(Note.UNKNOWN_ROLE)
    return Role.ASSISTANT, {"role": values.kept(name, notes)}


def conversation_of(
    name: str,
    item: Item,
    notes: Notes,
    nodes: Sequence[Node],
    *,
    external_id: Any,
    title: Any,
    created_at: Any,
    updated_at: Any,
    imported: frozenset[str],
    status: ConversationStatus = ConversationStatus.ACTIVE,
    account: Any = None,
) -> ConversationHistory:
    """Return the conversation with these nodes; the fields of `item` besides the imported ones become metadata.

    One without an id is known again by its first message and the time of its beginning.
    """
    begun_at = values.moment(created_at, notes)
    messages = messages_of(nodes, begun_at, notes)
    known_as = values.identifier(external_id)
    if known_as is None:
        first = messages[0].content if messages else values.string(title)
        known_as = values.digest(f"{begun_at}\n{first}")
    whose = values.identifier(account)
    rest = values.original(item, imported, notes)
    times = [message.created_at for message in messages if isinstance(message.created_at, str)]
    history = ConversationHistory(
        page_name=name,
        source=f"{name}:{whose}"[:1000] if whose else name,
        external_id=known_as,
        title=values.text(title, notes) if isinstance(title, str) and title else None,
        status=status,
        metadata={name: rest} if rest else {},
        created_at=begun_at or min(times, default=None),
        updated_at=values.moment(updated_at, notes) or max(times, default=None),
        messages=messages,
    )
    forget_defaults(history)
    return history
