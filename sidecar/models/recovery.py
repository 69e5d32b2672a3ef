"""What a recovery found, did, and could not save."""

from typing import Literal

from pydantic import Field

from sidecar.models.base import Record
from sidecar.models.timestamps import Timestamp


class SalvagedTable(Record):
    """What became of one table's rows."""

    saved: int = Field(default=0, description="Rows that could be read in the damaged file.")
    from_backup: int = Field(default=0, description="Rows that only the backup had; as old as that.")
    lost: int | None = Field(
        default=0, description="Rows that are known to have been there and are in neither; null: it cannot be known."
    )
    set_aside: int = Field(default=0, description="Rows that no longer fit; `adoption.rows` lists them.")


class LogDamage(Record):
    """A write-ahead log that could be read up to some point only."""

    unreadable_frames: int = Field(description="Changed pages behind that point.")
    unreadable_commits: int = Field(
        description="Commits behind that point. A single one may be one that a power cut interrupted: nobody was told "
        "that it was stored."
    )
    kept_as: str | None = Field(description="Where the log is kept as it was found.")


class RecoveryReport(Record):
    """One recovery."""

    id: str = Field(description="Its moment, as in the names of the files that it made.")
    finished_at: Timestamp
    cause: str = Field(description="What was noticed first.")
    outcome: Literal["nothing_found", "indexes_rebuilt", "backup_restored", "rebuilt", "log_cut_off", "file_lost"]
    problems: list[str] = Field(default=[], description="What SQLite's check said, the first few.")
    set_aside: str | None = Field(default=None, description="Where the damaged file is kept.")
    backup: str | None = Field(default=None, description="The backup that was restored.")
    log: LogDamage | None = None
    rescued: str | None = Field(
        default=None, description="The file to which the content of a lost database file was saved."
    )
    tables: dict[str, SalvagedTable] = Field(default={})
    acknowledged_at: Timestamp | None = None

    @property
    def is_complete(self) -> bool:
        """Whether nothing is known, or must be feared, to be lost."""
        is_saved = self.outcome != "file_lost" or self.rescued is not None
        return is_saved and self.log is None and all(table.lost == 0 for table in self.tables.values())

    def sentence(self) -> str:
        """For a person."""
        saved = sum(table.saved for table in self.tables.values())
        restored = sum(table.from_backup for table in self.tables.values())
        lost = sum(table.lost or 0 for table in self.tables.values())
        unknown = sorted(name for name, table in self.tables.items() if table.lost is None)
        match self.outcome:
            case "nothing_found":
                return "SQLite reported damage, but the whole file was checked and is sound."
            case "indexes_rebuilt":
                return "Damaged indexes were rebuilt; no row was lost."
            case "log_cut_off":
                commits = self.log.unreadable_commits if self.log else 0
                return f"The write-ahead log was damaged; up to {commits} of the last commits may be lost."
            case "file_lost" if self.rescued is None:
                return self.cause
            case "file_lost":
                return (
                    f"{self.cause} All that it held is saved as {self.rescued}. Stop the sidecar, restore that "
                    "file with `sidecar restore`, and start the sidecar again."
                )
            case _:
                parts = [f"The database was damaged. {saved} rows were saved from it"]
                if self.backup:
                    parts.append(f"{restored} came from the backup {self.backup}")
                parts.append(f"{lost} are known to be lost")
                if unknown:
                    parts.append(f"how many of {', '.join(unknown)} is not known")
                return f"{'; '.join(parts)}. The damaged file is kept as {self.set_aside}."


class IntegrityReport(Record):
    """What a check of the whole file said."""

    is_sound: bool
    problems: list[str]
    took_ms: float


class RecoveryReports(Record):
    """Every recovery of which a report is kept, the newest first."""

    items: list[RecoveryReport]
