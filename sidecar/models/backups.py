"""Backups as they are listed, and what the manifest beside each one says."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, StringConstraints

from sidecar.models.base import ApiModel, Record
from sidecar.models.timestamps import Timestamp

ON_REQUEST = "on-request"

Reason = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=40)]
"""Part of the backup's file name."""


FileStates = dict[str, tuple[int, int]]
"""The size of each file of a database, and when it was last changed, in nanoseconds; by the file's name."""


class BackupManifest(Record):
    """The manifest of a verified backup, stored in the file beside it."""

    sequence: int | None = None
    created_at: Timestamp
    reason: str
    schema_version: int
    program_version: str
    bytes: int
    rows: dict[str, int]
    own_versions: dict[str, int] | None = None
    broken_references: int = 0
    blake2b: str
    verified_at: Timestamp
    proved_at: Timestamp | None = None
    damage: str | None = None
    source: FileStates | None = None
    replaced: bool = False


class Backup(Record):
    """One copy of the whole database."""

    name: str
    sequence: int | None = Field(
        default=None,
        description="Number by which backups are ordered, independent of the clock. Null for a backup of an "
        "early version without numbers: it is older than every numbered one.",
    )
    created_at: Timestamp
    reason: str
    bytes: int
    schema_version: int | None = Field(
        description="Schema version of the database. Null if neither the name nor a manifest states it."
    )
    program_version: str | None = Field(default=None, description="Version of the program that made the backup.")
    rows: dict[str, int] | None = Field(default=None, description="Number of rows in each table.")
    broken_references: int | None = Field(
        default=None,
        description="Number of dangling foreign keys, which another program must have caused. They are "
        "reported but do not fail verification.",
    )
    verified_at: Timestamp | None = Field(
        default=None,
        description="Time when the backup was opened and verified. Null if it never was, or was found damaged later.",
    )
    proved_at: Timestamp | None = Field(
        default=None, description="Time when the backup was last opened again and matched its manifest."
    )
    damage: str | None = Field(default=None, description="Damage that was found in the backup.")
    replaced: bool = Field(
        default=False,
        description="True if a later restore replaced these rows. A recovery prefers other backups.",
    )

    @property
    def is_verified(self) -> bool:
        return self.verified_at is not None

    @property
    def opened_at(self) -> Timestamp | None:
        """When it was last found sound."""
        return self.proved_at or self.verified_at


def newest_first(backups: Iterable[Backup]) -> list[Backup]:
    """Return the backups in order. Times decide only between those without a number."""
    return sorted(backups, key=lambda backup: (backup.sequence or 0, backup.created_at, backup.name), reverse=True)


class BackupList(Record):
    """Backups, the newest first."""

    items: list[Backup]


class BackupCreate(ApiModel):
    reason: Reason = Field(default=ON_REQUEST, description="Words joined by hyphens, which become part of the name.")


class Restored(Record):
    """The result of a restore."""

    restored: Backup = Field(description="Backup that was restored.")
    kept: Backup | None = Field(description="Backup of the replaced database. Null if there was none.")
