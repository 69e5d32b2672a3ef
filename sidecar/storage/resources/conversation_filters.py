"""The filters of conversations, which the list and the count share."""

from collections.abc import Sequence

from sidecar.errors import InvalidInput
from sidecar.models.conversations import MAX_TAGS, ConversationStatus
from sidecar.models.timestamps import Moment
from sidecar.storage.resources.rows.pagination import Where
from sidecar.storage.resources.rows.validation import one_of

HAS_TAGS = "tags != ''"
"""SQL that must be true where the index of tags is asked: it may be out of date for a conversation without any."""


def matching(
    page_name: str | None,
    user_id: str | None,
    status: str | Sequence[str] | None,
    created_after: Moment | None,
    created_before: Moment | None,
    updated_after: Moment | None,
    updated_before: Moment | None,
    folder: str | None,
    tag: str | Sequence[str] | None,
    is_pinned: bool | None,
    source: str | None,
    external_id: str | None,
) -> Where:
    """Return the conditions, all of which have to hold. Raises `InvalidInput`."""
    where = Where().equals("page_name", page_name).equals("user_id", user_id).equals("is_pinned", is_pinned)
    where.equals("source", source).equals("external_id", external_id)
    _add_status(where, status)
    where.between("created_at", created_after, created_before, ("created_after", "created_before"))
    where.between("updated_at", updated_after, updated_before, ("updated_after", "updated_before"))
    if folder == "":
        where.that("coalesce(folder, '') = ''")  # another program may write either
    else:
        where.equals("folder", folder)
    for each in _list("tag", tag, MAX_TAGS) if tag is not None else ():
        where.that(f"{HAS_TAGS} AND id IN (SELECT conversation_id FROM conversation_tags WHERE tag = ?)", each)
    return where


def _add_status(where: Where, status: str | Sequence[str] | None) -> None:
    if status is None:
        where.differs("status", ConversationStatus.DELETED)
        return
    values = _list("status", status, len(ConversationStatus))
    where.one_of("status", [one_of(ConversationStatus, "status", each) for each in values])


def _list(field: str, value: str | Sequence[str], most: int) -> list[str]:
    """Return one or several values as a list, each once. Raises `InvalidInput` for none, and for too many."""
    values = [value] if isinstance(value, str) else list(dict.fromkeys(value))
    if not 1 <= len(values) <= most:
        raise InvalidInput.field(field, f"must be 1 to {most} values")
    return values
