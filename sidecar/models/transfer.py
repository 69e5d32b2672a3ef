"""What an archive holds: a line for each row, the manifest, and what became of it when it was imported.

The fields of a line are the columns of its table, those included that the API does not show.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, JsonValue

from sidecar.models.adoption import RowOrigin
from sidecar.models.base import Identifier, Integer, Record, Wire
from sidecar.models.conversations import ConversationStatus
from sidecar.models.messages import Count, MessageStatus, Progress, Role
from sidecar.models.timestamps import Timestamp, TimestampInput
from sidecar.models.todos import TodoStatus

FORMAT = "electron-sidecar archive"
FORMAT_VERSION = 1

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def _storable(value: str) -> str:
    value.encode()  # a lone surrogate raises a ValueError
    return value


String = Annotated[str, AfterValidator(_storable)]


class Line(Wire):
    """One row, as it is in an archive."""

    invalid: dict[str, JsonValue] | None = None
    """The stored values of the columns that cannot be read; the columns themselves hold safe values."""


class VaultLine(Line):
    id: Identifier
    title: String
    summary: String | None
    content: String
    tags: String
    parent_id: Identifier | None
    is_folder: bool
    is_deleted: bool
    created_at: TimestampInput
    updated_at: TimestampInput
    document_type: String
    sort_order: Integer
    deleted_with: Identifier | None


class TodoLine(Line):
    id: Identifier
    content: String
    created_at: TimestampInput
    start_time: TimestampInput | None
    end_time: TimestampInput | None
    status: TodoStatus
    urgency: Integer
    assignee: String | None
    reason: String | None


class ActivityLine(Line):
    id: Identifier
    title: String
    content: String
    resources: JsonValue
    metadata: dict[str, JsonValue] | None
    start_time: TimestampInput
    end_time: TimestampInput


class TipLine(Line):
    id: Identifier
    content: String
    created_at: TimestampInput


class ConversationLine(Line):
    id: Identifier
    title: String | None
    user_id: String | None
    page_name: String
    status: ConversationStatus
    metadata: dict[str, JsonValue] | None
    created_at: TimestampInput
    updated_at: TimestampInput
    restored_status: ConversationStatus | None


class MessageLine(Line):
    id: Identifier
    conversation_id: Identifier
    parent_message_id: Identifier | None
    role: Role
    content: String
    status: MessageStatus
    token_count: Count
    metadata: dict[str, JsonValue] | None
    latency_ms: Integer | None
    error_message: String | None
    completed_at: TimestampInput | None
    created_at: TimestampInput
    updated_at: TimestampInput


class ThinkingLine(Line):
    id: Identifier
    message_id: Identifier
    content: String
    stage: String | None
    progress: Progress
    sequence: Count
    metadata: dict[str, JsonValue] | None
    created_at: TimestampInput


class ThreadLine(Line):
    id: String
    initial_request: String | None
    project_root: String | None
    current_issue: String | None
    metadata: dict[str, JsonValue] | None
    created_at: TimestampInput
    updated_at: TimestampInput


class StateLine(Line):
    chat_id: String
    messages: list[JsonValue]
    cache_info: dict[str, JsonValue]
    updated_at: TimestampInput


class ExchangeLine(Line):
    exchange_id: Identifier
    chat_id: String
    model: String
    request: String
    cost: dict[str, JsonValue]
    start: TimestampInput
    end: TimestampInput | None


class AdoptionLine(Line):
    id: Identifier
    system: String
    source: String
    time_zone: String
    adopted_at: TimestampInput
    report: dict[str, JsonValue]


class SetAsideLine(Line):
    id: Identifier
    table_name: String
    row: dict[str, JsonValue]
    reason: String
    is_carried: bool
    created_at: TimestampInput
    origin: RowOrigin
    acknowledged_at: TimestampInput | None
    adoption_id: Identifier | None


LINES: dict[str, type[Line]] = {
    "vaults": VaultLine,
    "todos": TodoLine,
    "activities": ActivityLine,
    "tips": TipLine,
    "conversations": ConversationLine,
    "messages": MessageLine,
    "thinking": ThinkingLine,
    "threads": ThreadLine,
    "states": StateLine,
    "exchanges": ExchangeLine,
    "adoptions": AdoptionLine,
    "set_aside": SetAsideLine,
}
"""Every kind, in the order in which an archive holds them: a kind comes after those that it refers to."""

OPTIONAL = frozenset({"adoptions", "set_aside"})
"""Kinds that an archive holds only when it has rows of them. The others are required, as they were when version 1 of
the format had no more: archives of that time are still imported, and programs of that time import ours."""


class ManifestFile(Record):
    """One file of JSON Lines."""

    count: int = Field(ge=0, description="How many lines it has.")
    bytes: int = Field(ge=0)
    sha256: Sha256


class Manifest(Record):
    """`manifest.json`: what else the archive holds."""

    format: str
    format_version: int = Field(ge=1)
    program_version: str
    created_at: Timestamp
    store_id: str = Field(min_length=1, max_length=100, description="Tells stores apart; copies of one share it.")
    files: dict[str, ManifestFile] = Field(description="By kind.")
    markdown: ManifestFile | None = Field(description="All Markdown files together, as if they were one.")


class KindReport(Record):
    """What became of the rows of one kind."""

    added: int
    set_aside: int = Field(default=0, description="Set aside: they belong to rows that the archive does not hold.")
    skipped: int = Field(description="Already there: from an earlier import, or because the archive comes from here.")


class ImportReport(Record):
    """What an import did, or with `dry_run` would have done."""

    dry_run: bool
    kinds: dict[str, KindReport]

    @property
    def added(self) -> int:
        return sum(kind.added for kind in self.kinds.values())

    @property
    def skipped(self) -> int:
        return sum(kind.skipped for kind in self.kinds.values())


class ExportQuery(Wire):
    markdown: bool = Field(default=False, description="Also hold the vaults as a tree of Markdown files.")


class ImportQuery(Wire):
    dry_run: bool = Field(default=False, description="Only report what would be added; nothing is changed.")


Row = dict[str, Any]
"""The fields of a line, by name."""
