"""The report of a recovery: damage, actions and losses."""

from typing import Literal

from pydantic import Field

from sidecar.models.base import Record
from sidecar.models.timestamps import Timestamp


class SalvagedTable(Record):
    """The result for the rows of one table."""

    saved: int = Field(default=0, description="Number of rows that were read from the damaged file.")
    from_backup: int = Field(
        default=0, description="Number of rows that came from the backup alone and are as old as it."
    )
    lost: int | None = Field(
        default=0,
        description="Largest possible number of lost rows: those that the damaged file indicates and neither "
        "source had. Null if it is unknown, and rows may be lost.",
    )
    doubtful: int = Field(
        default=0,
        description="Number of saved rows that an index or another page contradicts. Some of their values may "
        "be wrong.",
    )
    set_aside: int = Field(
        default=0, description="Number of rows set aside because they no longer fit; `adoption.rows` lists them."
    )

    @property
    def is_complete(self) -> bool:
        """True if every row is there, and no saved row is contradicted."""
        return self.lost == 0 and not self.doubtful


class LogDamage(Record):
    """A write-ahead log that could be read up to some point only."""

    unreadable_frames: int = Field(description="Number of changed pages after that point.")
    unreadable_commits: int = Field(description="Largest possible number of commits after that point.")
    kept_as: str | None = Field(description="File that keeps the damaged log.")


RecoveryOutcome = Literal[
    "nothing_found",
    "indexes_rebuilt",
    "header_restored",
    "backup_restored",
    "rebuilt",
    "log_cut_off",
    "log_missing",
    "commit_unfinished",
    "file_lost",
]


class RecoveryReport(Record):
    """One recovery."""

    id: str = Field(description="Time of the recovery, as in the names of its files.")
    finished_at: Timestamp
    cause: str = Field(description="Error that started the recovery.")
    outcome: RecoveryOutcome
    problems: list[str] = Field(default=[], description="First findings of SQLite's integrity check.")
    set_aside: str | None = Field(default=None, description="File that keeps the damaged database.")
    backup: str | None = Field(default=None, description="The backup that was restored.")
    log: LogDamage | None = None
    rescued: str | None = Field(
        default=None, description="The file to which the content of a lost database file was saved."
    )
    tables: dict[str, SalvagedTable] = Field(default={})
    acknowledged_at: Timestamp | None = None

    @property
    def is_complete(self) -> bool:
        """Return whether no row is lost, as far as that can be known."""
        is_saved = self.outcome != "log_missing" and (self.outcome != "file_lost" or self.rescued is not None)
        return (
            is_saved
            and self.log is None
            and all(table.lost == 0 and not table.doubtful for table in self.tables.values())
        )

    def sentence(self) -> str:
        """For a person."""
        saved = sum(table.saved for table in self.tables.values())
        restored = sum(table.from_backup for table in self.tables.values())
        lost = sum(table.lost or 0 for table in self.tables.values())
        doubtful = sum(table.doubtful for table in self.tables.values())
        unknown = sorted(name for name, table in self.tables.items() if table.lost is None)
        match self.outcome:
            case "nothing_found":
                return "SQLite reported damage, but the whole file was checked and is sound."
            case "indexes_rebuilt":
                return "Damaged indexes were rebuilt; no row was lost."
            case "header_restored":
                return "The header of the database was damaged and has been restored; no row was lost."
            case "log_missing" if self.log:
                return (
                    "The write-ahead log was removed after a run that did not end cleanly; up to "
                    f"{self.log.unreadable_commits} of the last commits are lost."
                )
            case "log_missing":
                return (
                    "The last run did not end cleanly, and its write-ahead log was removed since. The last commits are "
                    "lost, unless another program opened the database and closed it properly."
                )
            case "commit_unfinished":
                return (
                    "The last commit in the write-ahead log is incomplete. A power cut leaves such a commit, which was "
                    "not answered yet; if there was none, the last commit is lost."
                )
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
                parts.append(f"at most {lost} are lost" if lost else "no other is known to be lost")
                if unknown:
                    parts.append(f"rows of {', '.join(unknown)} may be lost, how many is not known")
                if doubtful:
                    parts.append(f"{doubtful} of the saved rows may have wrong values")
                return f"{'; '.join(parts)}. The damaged file is kept as {self.set_aside}."


class IntegrityReport(Record):
    """The result of a check of the whole file."""

    is_sound: bool
    problems: list[str]
    took_ms: float


class RecoveryReports(Record):
    """Every recovery of which a report is kept, the newest first."""

    items: list[RecoveryReport]
