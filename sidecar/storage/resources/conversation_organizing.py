"""Order among conversations: folders, tags, pins and the archive, for many at once.

Organising changes nothing in a conversation, so its `updated_at` and its place in the list stay as they are.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sidecar.errors import InvalidInput, RequestRefused
from sidecar.models.base import Identifier
from sidecar.models.conversations import (
    MAX_ORGANIZED,
    MAX_TAGS,
    Conversation,
    ConversationFolder,
    ConversationFolders,
    ConversationsOrganized,
    ConversationStatus,
    ConversationTag,
    ConversationTags,
    FolderName,
    Tag,
)
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage.arguments import DEFAULT_LIMIT, MAX_LIMIT, UNSET, Unset, without_unset
from sidecar.storage.interfaces import Connection, Row, Work
from sidecar.storage.resources.conversation_filters import HAS_TAGS
from sidecar.storage.resources.conversations import CONVERSATIONS, joined_tags, require_present
from sidecar.storage.resources.rows.columns import safe_value, text
from sidecar.storage.resources.rows.pagination import MAX_OFFSET, require_range
from sidecar.storage.resources.rows.table import Resource


class ConversationOrganizing(Resource):
    """Folders, tags, pins and the archive of conversations."""

    async def organize_conversations(
        self,
        ids: Sequence[Identifier],
        folder: FolderName | Unset | None = UNSET,
        add_tags: Sequence[Tag] = (),
        remove_tags: Sequence[Tag] = (),
        is_pinned: bool | Unset = UNSET,
        is_archived: bool | Unset = UNSET,
        *,
        key: IdempotencyKey | None = None,
    ) -> ConversationsOrganized:
        """Change all of them or none; `None` takes them out of their folders.

        Raises `NotFound`, `Conflict` for one that is deleted, and `InvalidInput` for more than 32 tags.
        """
        require_range("ids", len(ids), 1, MAX_ORGANIZED)
        twice = sorted({*add_tags} & {*remove_tags})
        if twice:
            raise InvalidInput.field("remove_tags", f"'{twice[0]}' is among add_tags, too")
        columns: dict[str, Any] = without_unset(folder=folder, is_pinned=is_pinned)
        status = None if isinstance(is_archived, Unset) else _STATUS[is_archived]

        def wanted(conversation: Conversation) -> dict[str, Any]:
            tags = _tags(conversation, add_tags, remove_tags)
            return {**columns, "tags": tags, "status": status or conversation.status}

        def organize(work: Work) -> ConversationsOrganized:
            changed: list[int] = []
            unchanged: list[int] = []
            for place, row_id in enumerate(dict.fromkeys(ids)):
                try:
                    is_changed = _organize(work, row_id, wanted)
                except RequestRefused as error:
                    error.locate(f"ids.{place}")
                    raise
                (changed if is_changed else unchanged).append(row_id)
            return ConversationsOrganized(changed=changed, unchanged=unchanged)

        return await self._database.write(organize, key, ConversationsOrganized)

    async def get_conversation_folders(self, limit: int = DEFAULT_LIMIT, offset: int = 0) -> ConversationFolders:
        """Folders that hold conversations which are not deleted, by name, with their number."""
        _require_part(limit, offset)

        def query(connection: Connection) -> ConversationFolders:
            rows = connection.execute(
                """
                SELECT folder AS name, count(*) AS number FROM conversations
                WHERE folder != '' AND status != 'deleted' GROUP BY folder ORDER BY folder LIMIT ? OFFSET ?
                """,
                (limit, offset),
            )
            items = [ConversationFolder(folder=_name(row), count=row["number"]) for row in rows]
            sql = "SELECT count(DISTINCT folder) FROM conversations WHERE folder != '' AND status != 'deleted'"
            return ConversationFolders(items=items, total=connection.execute(sql).fetchone()[0])

        return await self._database.read(query)

    async def get_conversation_tags(self, limit: int = DEFAULT_LIMIT, offset: int = 0) -> ConversationTags:
        """Tags of conversations which are not deleted, by name, with the number of these."""
        _require_part(limit, offset)

        def query(connection: Connection) -> ConversationTags:
            tagged = f"""
                FROM conversation_tags JOIN conversations ON id = conversation_id
                WHERE {HAS_TAGS} AND status != 'deleted'
            """
            rows = connection.execute(
                f"SELECT tag AS name, count(*) AS number {tagged} GROUP BY tag ORDER BY tag LIMIT ? OFFSET ?",
                (limit, offset),
            )
            items = [ConversationTag(tag=_name(row), count=row["number"]) for row in rows]
            total = connection.execute(f"SELECT count(DISTINCT tag) {tagged}").fetchone()[0]
            return ConversationTags(items=items, total=total)

        return await self._database.read(query)


_STATUS = {True: ConversationStatus.ARCHIVED, False: ConversationStatus.ACTIVE}


def _organize(work: Work, row_id: int, wanted: Callable[[Conversation], dict[str, Any]]) -> bool:
    """Change one conversation; return whether it was different before. Raises `RequestRefused`."""
    conversation = require_present(work, row_id)
    columns = wanted(conversation)
    changed = {name: value for name, value in columns.items() if value != getattr(conversation, name)}
    if not changed:
        return False
    if "tags" in changed:
        changed["tags"] = joined_tags(changed["tags"])
    CONVERSATIONS.update(work, row_id, changed)
    return True


def _tags(conversation: Conversation, add: Sequence[str], remove: Sequence[str]) -> list[str]:
    """Return the tags of a conversation after the change. Raises `InvalidInput`."""
    if not add and not remove:
        return conversation.tags
    tags = [tag for tag in dict.fromkeys([*conversation.tags, *add]) if tag not in remove]
    if len(tags) > max(MAX_TAGS, len(conversation.tags)):
        raise InvalidInput.field("add_tags", f"would give the conversation {len(tags)} tags; at most {MAX_TAGS} fit")
    return tags


def _name(row: Row) -> str:
    """Return a name, which another program may have stored as anything."""
    return str(safe_value(text(), row["name"]))


def _require_part(limit: int, offset: int) -> None:
    require_range("limit", limit, 1, MAX_LIMIT)
    require_range("offset", offset, 0, MAX_OFFSET)
