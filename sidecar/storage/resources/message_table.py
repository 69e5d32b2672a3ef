"""The table `messages`."""

from sidecar.models.messages import MAX_COST, MAX_TOKENS, Message, MessageStatus, Role
from sidecar.storage.resources.rows.columns import (
    added,
    choice,
    integer,
    json_list,
    json_object,
    real,
    reference,
    text,
    time,
)
from sidecar.storage.resources.rows.declaration import Exported, Lift, Reference, Searched
from sidecar.storage.resources.rows.table import Table

MESSAGES = Table(
    "messages",
    Message,
    {
        "conversation_id": integer(),
        "parent_message_id": reference(),
        "role": choice(Role, Role.ASSISTANT),
        "content": text(),
        "status": choice(MessageStatus, MessageStatus.COMPLETED),
        "token_count": integer(0),
        "metadata": json_object(optional=True),
        "latency_ms": integer(optional=True),
        "error_message": text(optional=True),
        "completed_at": time(optional=True),
        "created_at": time(),
        "updated_at": time(),
        "external_id": added(text(optional=True)),
        "parts": added(json_list(optional=True)),
        "model": added(text(optional=True)),
        "prompt_tokens": added(integer(0, MAX_TOKENS, optional=True)),
        "completion_tokens": added(integer(0, MAX_TOKENS, optional=True)),
        "cost": added(real(0, MAX_COST, optional=True)),
    },
    kind="message",
    topic="messages",
    computed=("next_sequence", "thinking"),
    # A deleted conversation hides its messages; writing each of them into the index again would take long.
    searched=Searched(
        "message",
        5,
        "created_at",
        ("conversation_id", "role", "status", "metadata", "created_at"),
        present="(SELECT status FROM conversations WHERE conversations.id = conversation_id) != 'deleted'",
        is_indexed_present=False,
    ),
    exported=Exported(
        "messages",
        birth=("role", "created_at"),
        evidence=("role", "content", "created_at"),
        same=("conversation_id", "external_id"),
        references=(
            Reference("conversation_id", "conversations"),
            Reference("parent_message_id", "messages", required=False),
        ),
        lift=Lift(
            "parent_message_id",
            """
            SELECT min(messages.id) FROM import_ids JOIN messages ON messages.id = import_ids.row_id
            JOIN messages AS parent ON parent.id = CAST(messages.parent_message_id AS INTEGER)
            WHERE kind = 'messages' AND is_added AND parent.conversation_id != messages.conversation_id
            """,
            "it names a message of another conversation",
        ),
        is_required=True,
    ),
    belonging=("message_thinking", "message_id"),
)
