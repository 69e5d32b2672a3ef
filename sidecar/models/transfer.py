"""The content of an archive: a line for each row and the manifest; and the result of an import.

The fields of a row are the columns of its table, those included that the API does not show: see
`sidecar.storage.resources.lines`.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, JsonValue

from sidecar.models.adoption import RowOrigin
from sidecar.models.base import ApiModel, Identifier, Record
from sidecar.models.timestamps import Timestamp, TimestampInput

FORMAT = "electron-sidecar archive"
FORMAT_VERSION = 1

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def _storable(value: str) -> str:
    value.encode()  # a lone surrogate raises a ValueError
    return value


String = Annotated[str, AfterValidator(_storable)]


class ArchiveRow(ApiModel):
    """One row, as it is in an archive."""

    invalid: dict[str, JsonValue] | None = None
    """The stored values of the columns that cannot be read; the columns themselves hold safe values."""


class AdoptionRow(ArchiveRow):
    id: Identifier
    system: String
    source: String
    time_zone: String
    adopted_at: TimestampInput
    report: dict[str, JsonValue]


class SetAsideRow(ArchiveRow):
    id: Identifier
    table_name: String
    row: dict[str, JsonValue]
    reason: String
    is_carried: bool
    created_at: TimestampInput
    origin: RowOrigin
    acknowledged_at: TimestampInput | None
    adoption_id: Identifier | None


class ManifestFile(Record):
    """One file of JSON Lines."""

    count: int = Field(ge=0, description="How many lines it has.")
    bytes: int = Field(ge=0)
    sha256: Sha256


class ArchiveManifest(Record):
    """`manifest.json`: what else the archive holds."""

    format: str
    format_version: int = Field(ge=1)
    program_version: str
    created_at: Timestamp
    store_id: str = Field(min_length=1, max_length=100, description="Identity of the database. Its copies share it.")
    files: dict[str, ManifestFile] = Field(description="By kind. Those of extensions are `<namespace>.<table>`.")
    extensions: dict[str, int] = Field(
        default_factory=dict, description="For each extension, the number of the newest migration of its tables."
    )
    markdown: ManifestFile | None = Field(description="All Markdown files together, as if they were one.")


class KindReport(Record):
    """The result for the rows of one kind."""

    added: int
    set_aside: int = Field(
        default=0, description="Number of rows set aside, because they belong to rows that the archive does not hold."
    )
    skipped: int = Field(
        description="Number of rows that already exist, from an earlier import or because the archive was made here."
    )


class ImportReport(Record):
    """The result of an import, or with `dry_run` the expected result."""

    dry_run: bool
    kinds: dict[str, KindReport]
    not_imported: dict[str, int] = Field(
        default_factory=dict,
        description="For each kind of an extension that stays out, the number of its rows: no loaded module declares "
        "it, or only an older one. An import with the right module adds them.",
    )

    @property
    def added(self) -> int:
        return sum(kind.added for kind in self.kinds.values())

    @property
    def skipped(self) -> int:
        return sum(kind.skipped for kind in self.kinds.values())


class Exported(Record):
    """The result of an export job."""

    bytes: int = Field(description="Size of the archive.")
    rows: dict[str, int] = Field(description="Number of exported rows by kind.")


class ExportQuery(ApiModel):
    markdown: bool = Field(default=False, description="Also include the vaults as a tree of Markdown files.")


class ImportQuery(ApiModel):
    dry_run: bool = Field(default=False, description="Only report what would be added; nothing is changed.")


Row = dict[str, Any]
"""The fields of a line, by name."""
