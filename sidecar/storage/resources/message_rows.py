"""Messages as rows: the check of a parent, the replacement of a stored message, and many messages made together."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from operator import attrgetter
from typing import Any, NamedTuple

from sidecar.errors import Conflict, InvalidInput, NotFound, RequestRefused
from sidecar.models.messages import BatchMessage, Message, MessageCreate, MessageStatus
from sidecar.storage.interfaces import Connection, Work
from sidecar.storage.resources import chunks, conversations, message_columns, message_parents
from sidecar.storage.resources.message_columns import Given
from sidecar.storage.resources.message_parents import Names, Parent
from sidecar.storage.resources.message_table import MESSAGES
from sidecar.storage.resources.rows.columns import safe_value
from sidecar.storage.resources.rows.validation import required_time

ROWS_AT_ONCE = 1_000
"""Rows whose columns are in memory at a time."""


class Stored(NamedTuple):
    """The messages of a batch in the store."""

    ids: list[int]
    known: frozenset[int]
    """The positions of those that were stored before, found by their external ids."""
    replaced: frozenset[int]
    """The positions of those that were different."""


@contextmanager
def located(place: str) -> Iterator[None]:
    """Prefix the fields of what is refused inside."""
    try:
        yield
    except RequestRefused as error:
        error.locate(place)
        raise


def state(connection: Connection, message_id: int) -> tuple[int, MessageStatus]:
    """The conversation and the status of a message, without reading its text. Raises `NotFound`."""
    row = connection.execute("SELECT conversation_id, status FROM messages WHERE id = ?", (message_id,)).fetchone()
    if row is None:
        raise NotFound.row(MESSAGES.kind, message_id)
    return row["conversation_id"], safe_value(MESSAGES.columns["status"], row["status"])


def require_parent(connection: Connection, conversation_id: int, parent_id: int | None) -> None:
    """Raises `NotFound`, and `Conflict` for a parent in another conversation."""
    if parent_id is None:
        return
    of_parent, _ = state(connection, parent_id)
    if of_parent != conversation_id:
        raise Conflict(f"The parent message {parent_id} belongs to another conversation.")


def create(work: Work, given: Given, parent_id: int | None, parent_external_id: str | None) -> Message:
    """Store one message; return it. It replaces the one of its conversation that has its external id.

    Raises `NotFound`, `Conflict` and `InvalidInput`.
    """
    connection, conversation_id = work.connection, given.columns["conversation_id"]
    row = dict(given.row(work.now))
    if given.has_times:
        conversations.touch_as_of(work, conversation_id, row["updated_at"])
    else:
        conversations.touch_present(work, conversation_id, row["created_at"])
    if parent_external_id is not None:
        if parent_id is not None:
            raise InvalidInput.field("parent_external_id", "cannot be given together with parent_message_id")
        parent_id = message_parents.stored_id(connection, conversation_id, parent_external_id)
        if parent_id is None:
            raise InvalidInput.field("parent_external_id", "names no message of the conversation")
    require_parent(connection, conversation_id, parent_id)
    external_id = row.get("external_id")
    if external_id is not None:
        message_id = message_parents.stored_id(connection, conversation_id, external_id)
        if message_id is not None:
            if replace(work, message_id, given, parent_id):
                _require_no_descendant(connection, conversation_id, message_id, parent_id, parent_external_id)
            return MESSAGES.get(connection, message_id)
    row["parent_message_id"] = None if parent_id is None else str(parent_id)
    return MESSAGES.insert(work, row)


def create_many(work: Work, conversation_id: int, messages: Sequence[MessageCreate]) -> list[int]:
    """Store messages in their order; return their ids. Raises what `create` raises, with the place of the message."""
    require = cache(partial(require_parent, work.connection, conversation_id))
    if not all(map(_is_plain, messages)):
        return _create_with_details(work, conversation_id, messages, require)

    def row(message: MessageCreate) -> dict[str, Any]:
        parent_id = message.parent_message_id
        require(parent_id)
        columns = message_columns.new_columns(
            work.now,
            conversation_id,
            message.role,
            message_columns.text_of(message.content, message.parts),
            MessageStatus.COMPLETED if message.is_complete else MessageStatus.PENDING,
            message.token_count,
            message.metadata,
        )
        columns["parent_message_id"] = None if parent_id is None else str(parent_id)
        return columns

    conversations.touch_present(work, conversation_id, work.now)
    return MESSAGES.insert_many(work, map(row, messages))


_DETAILS_OF = attrgetter(
    *("external_id", "parent_external_id", "parts", "model", "prompt_tokens", "completion_tokens", "cost"),
    *("created_at", "updated_at", "completed_at"),
)
_NO_DETAILS: tuple[Any, ...] = (None, None, [], *(None,) * 7)


def _is_plain(message: MessageCreate) -> bool:
    """Return whether the message has none of the details that most lack."""
    if isinstance(message, BatchMessage) and message.parent_index is not None:
        return False
    return bool(_DETAILS_OF(message) == _NO_DETAILS)


def _create_with_details(
    work: Work, conversation_id: int, messages: Sequence[MessageCreate], require: Callable[[int | None], None]
) -> list[int]:
    def given(place: int) -> Given:
        message = messages[place]
        return message_columns.given(
            work.now,
            conversation_id,
            message.role,
            message_columns.text_of(message.content, message.parts),
            MessageStatus.COMPLETED if message.is_complete else MessageStatus.PENDING,
            message.token_count,
            message.metadata,
            (
                message.parts,
                message.external_id,
                message.model,
                message.prompt_tokens,
                message.completion_tokens,
                message.cost,
            ),
            (message.created_at, message.updated_at, message.completed_at),
        )

    for place, message in enumerate(messages):
        if message.parent_message_id is not None:
            with located(f"messages.{place}"):
                require(message.parent_message_id)
    times = [*map(_latest, messages)]
    if None in times:
        conversations.touch_present(work, conversation_id, work.now)
    else:
        conversations.touch_as_of(work, conversation_id, max(filter(None, times)))
    return store(work, conversation_id, [*map(_names, messages)], given).ids


def _latest(message: MessageCreate) -> str | None:
    """Return the latest of the times that are given, if any is."""
    moments = (message.created_at, message.updated_at, message.completed_at)
    return max((required_time("created_at", moment) for moment in moments if moment is not None), default=None)


def _require_no_descendant(
    connection: Connection, conversation_id: int, message_id: int, parent_id: int | None, parent_external_id: str | None
) -> None:
    """Raise `InvalidInput` if the new parent of a replaced message is its own descendant."""
    if parent_id is not None and message_parents.own_ancestor(connection, conversation_id, [message_id]) is not None:
        field = "parent_message_id" if parent_external_id is None else "parent_external_id"
        raise InvalidInput.field(field, "makes the message its own ancestor")


def _names(message: MessageCreate) -> Names:
    index = message.parent_index if isinstance(message, BatchMessage) else None
    return Names(message.external_id, index, message.parent_external_id, message.parent_message_id)


def replace(work: Work, message_id: int, given: Given, parent_id: int | None) -> bool:
    """Bring a stored message to what is given; return whether it was different. Times that are not given stay.

    Raises `InvalidInput`.
    """
    parent = None if parent_id is None else str(parent_id)
    columns = {**message_columns.DETAILS, **given.columns, "parent_message_id": parent}
    columns |= dict.fromkeys(("latency_ms", *message_columns.TIMES))
    sql = f"SELECT {', '.join(columns)} FROM messages WHERE id = ?"
    stored = dict(work.connection.execute(sql, (message_id,)).fetchone())
    known = {name: safe_value(MESSAGES.columns[name], stored[name]) for name in message_columns.TIMES}
    columns |= message_columns.times(
        work.now,
        given.status,
        given.created_at or known["created_at"],
        given.updated_at or known["updated_at"],
        given.completed_at or (None if given.status.is_open else known["completed_at"]),
    )
    if stored == columns:
        return False
    if given.updated_at is None:
        columns["updated_at"] = work.now
    chunks.remove(work.connection, message_id)
    MESSAGES.update(work, message_id, columns)
    return True


def store(
    work: Work,
    conversation_id: int,
    names: Sequence[Names],
    given: Callable[[int], Given],
    *,
    is_new: bool = False,
) -> Stored:
    """Store messages in their order; `given` makes the one at a position.

    One whose external id is stored in the conversation replaces that message. In a conversation that `is_new`, none is.
    Raises `InvalidInput`, which names the position.
    """
    parents = message_parents.find(work.connection, None if is_new else conversation_id, names)
    known = {} if is_new else _known(work.connection, conversation_id, names)
    added = [place for place in range(len(names)) if place not in known]
    all_ids = {**known, **dict(zip(added, work.next_ids(MESSAGES.name, len(added)), strict=True))}
    ids = [all_ids[place] for place in range(len(names))]
    parent_ids = [None if parent is None else _parent_id(parent, ids) for parent in parents]
    _insert(work, added, ids, parent_ids, given)
    replaced = set()
    for place, message_id in known.items():
        with located(f"messages.{place}"):
            if replace(work, message_id, given(place), parent_ids[place]):
                replaced.add(place)
    if replaced:
        message_parents.require_tree(work.connection, conversation_id, ids, names)
    return Stored(ids, frozenset(known), frozenset(replaced))


def _known(connection: Connection, conversation_id: int, names: Sequence[Names]) -> dict[int, int]:
    """Return the ids of those messages that are stored already, by position."""
    known = {}
    for place, name in enumerate(names):
        if name.external_id is not None:
            found = message_parents.stored_id(connection, conversation_id, name.external_id)
            if found is not None:
                known[place] = found
    return known


def _insert(
    work: Work,
    places: Sequence[int],
    ids: Sequence[int],
    parent_ids: Sequence[int | None],
    given: Callable[[int], Given],
) -> None:
    """Insert the messages at these positions, with their ids."""

    def row(place: int) -> dict[str, Any]:
        try:  # a context manager would take longer than the row
            columns = given(place).row(work.now)
        except RequestRefused as error:
            error.locate(f"messages.{place}")
            raise
        parent_id = parent_ids[place]
        return {"id": ids[place], **columns, "parent_message_id": None if parent_id is None else str(parent_id)}

    for start in range(0, len(places), ROWS_AT_ONCE):
        MESSAGES.insert_many(work, _alike([*map(row, places[start : start + ROWS_AT_ONCE])]))


def _alike(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with the same columns in all; most have the fewest, and so do most batches."""
    columns = rows[0].keys()
    if all(row.keys() == columns for row in rows):
        return rows
    return [{**message_columns.DETAILS, **row} for row in rows]


def _parent_id(parent: Parent, ids: Sequence[int]) -> int:
    return ids[parent.number] if parent.is_position else parent.number
