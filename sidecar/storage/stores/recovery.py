"""The store of what happened to a damaged database, and its check."""

from abc import ABC, abstractmethod
from datetime import datetime
from pathlib import Path

from sidecar.models.doctor import Finding
from sidecar.models.recovery import IntegrityReport, RecoveryReports


class IRecoveryStore(ABC):
    """Damage: looked for, mended, told of until somebody has taken note."""

    @abstractmethod
    async def get_recoveries(self) -> RecoveryReports:
        """Every recovery of which a report is kept, the newest first."""

    @abstractmethod
    async def acknowledge_recoveries(self) -> RecoveryReports:
        """Take note of all of them: the health check no longer tells of them. Doing it again changes nothing."""

    @abstractmethod
    def integrity_check_is_due(self) -> bool:
        """Whether the whole file should be checked: it was left uncleanly, or changed, or was not for a week."""

    @abstractmethod
    def last_used_at(self) -> datetime | None:
        """Return the time of the last change before the store was opened; `None` for a new store and in memory."""

    @abstractmethod
    def database_file(self) -> Path | None:
        """Where the rows are kept; `None` in memory."""

    @abstractmethod
    async def examine_database(self) -> list[Finding]:
        """What `doctor` has to say about the content of the file: versions, damage, references."""

    @abstractmethod
    async def check_integrity(self) -> IntegrityReport:
        """Check every page of the file, while everything else goes on. Where damage is found, a recovery begins."""
