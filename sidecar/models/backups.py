"""Backups as they are listed, and what the manifest beside each one says."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, StringConstraints

from sidecar.models.base import Record, Wire
from sidecar.models.timestamps import Timestamp

ON_REQUEST = "on-request"

Reason = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=40)]
"""Part of the backup's file name."""


FileStates = dict[str, tuple[int, int]]
"""The size of each file of a database, and when it was last changed, in nanoseconds; by the file's name."""


class Manifest(Record):
    """What is known of a copy that was opened and found sound: the file beside it."""

    sequence: int | None = None
    created_at: Timestamp
    reason: str
    schema_version: int
    program_version: str
    bytes: int
    rows: dict[str, int]
    broken_references: int = 0
    blake2b: str
    verified_at: Timestamp
    proved_at: Timestamp | None = None
    damage: str | None = None
    source: FileStates | None = None
    replaced: bool = False


class Backup(Record):
    """One copy of the whole store."""

    name: str
    sequence: int | None = Field(
        default=None,
        description="The number by which backups are in order, whatever the clock said. Null for one of a program "
        "before there were numbers: it is older than all that have one.",
    )
    created_at: Timestamp
    reason: str
    bytes: int
    schema_version: int | None = Field(description="Null where neither its name nor a manifest tells.")
    program_version: str | None = Field(default=None, description="Of the program that made it.")
    rows: dict[str, int] | None = Field(default=None, description="How many each table holds.")
    broken_references: int | None = Field(
        default=None,
        description="How many rows refer to rows that are not there: another program has changed the database.",
    )
    verified_at: Timestamp | None = Field(
        default=None, description="When it was opened and found sound; null: never, or it was found damaged later."
    )
    proved_at: Timestamp | None = Field(
        default=None, description="When it was last opened again and found to be what it was when it was made."
    )
    damage: str | None = Field(default=None, description="What was found to be wrong with it.")
    replaced: bool = Field(
        default=False,
        description="Whether it holds rows that a restore has replaced since. A recovery prefers one that does not.",
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
    """All backups, the newest first."""

    items: list[Backup]


class BackupCreate(Wire):
    reason: Reason = Field(default=ON_REQUEST, description="Words joined by hyphens; becomes part of its name.")


class Restored(Record):
    """What a restore did."""

    restored: Backup = Field(description="What the store was replaced by.")
    kept: Backup | None = Field(
        description="The store as it was until then, a backup itself now; null where there was none."
    )
