"""Batches of conversations: bounded groups, each of which a store adds as a whole or not at all."""

from collections.abc import Callable, Iterator, Sequence

from sidecar.models.histories import MAX_HISTORIES, ConversationHistory, HistoryImported

MOST_MESSAGES = 4_000
"""Messages of a batch: a request of so many has fewer members than the sidecar counts to."""

MOST_CHARACTERS = 4_000_000
"""Characters of a batch's texts: a request of so many is smaller than the smallest limit that is usual, 16 MiB."""

AddBatch = Callable[[list[ConversationHistory]], Sequence[HistoryImported]]
"""Adds the conversations to a store, all or none. Raises `RequestRefused`."""


def batches(
    histories: Iterator[ConversationHistory],
    *,
    most: int = MAX_HISTORIES,
    most_messages: int = MOST_MESSAGES,
    most_characters: int = MOST_CHARACTERS,
) -> Iterator[list[ConversationHistory]]:
    """Yield bounded groups of the conversations; a larger conversation is a group of its own.

    One that comes a second time begins a new group, so that it adds to what the first has become.
    """
    batch: list[ConversationHistory] = []
    names: set[tuple[str | None, str | None]] = set()
    messages = characters = 0
    for history in histories:
        name, length = (history.source, history.external_id), size_of(history)
        is_full = (
            len(batch) == most
            or messages + len(history.messages) > most_messages
            or characters + length > most_characters
            or (name in names and history.external_id is not None)
        )
        if batch and is_full:
            yield batch
            batch, names, messages, characters = [], set(), 0, 0
        batch.append(history)
        names.add(name)
        messages += len(history.messages)
        characters += length
    if batch:
        yield batch


def size_of(history: ConversationHistory) -> int:
    """Return the number of characters of a conversation's JSON, roughly."""
    texts = 0
    for message in history.messages:
        texts += len(message.content) + 300 + sum(len(step.content) + 200 for step in message.thinking)
        if message.parts:
            texts += sum(len(str(part)) for part in message.parts)
        if message.metadata:
            texts += len(str(message.metadata))
    return texts + len(history.title or "") + len(str(history.metadata))
