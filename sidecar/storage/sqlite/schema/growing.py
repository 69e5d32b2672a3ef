"""The columns of messages that grow by chunks, as SQL for a message with its chunks."""

_CHUNKS = "FROM message_chunks WHERE message_id = messages.id"

CONTENT_OF_CHUNKS = (
    # The chunks are the rows of one key prefix of a WITHOUT ROWID table: they are read in key order, their sequence.
    f"coalesce((SELECT group_concat(part, '') FROM (SELECT content AS part {_CHUNKS} ORDER BY sequence)), '')"
)
TOKENS_OF_CHUNKS = f"coalesce((SELECT sum(token_count) {_CHUNKS}), 0)"
NEXT_SEQUENCE = f"coalesce((SELECT max(sequence) + 1 {_CHUNKS}), 0)"

GROWING = {
    "messages": {
        "content": f"content || {CONTENT_OF_CHUNKS}",
        "token_count": f"token_count + {TOKENS_OF_CHUNKS}",
    }
}
"""For each table whose rows grow: SQL for the columns as they are with the chunks."""
