"""The findings of `sidecar doctor`."""

from enum import StrEnum

from pydantic import Field

from sidecar.models.base import Record


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Finding(Record):
    level: Level
    subject: str = Field(description="Subject of the check, in a word or two.")
    message: str = Field(description="Result of the check and, unless all is well, what to do.")


class DoctorReport(Record):
    findings: list[Finding]

    @property
    def is_well(self) -> bool:
        """Return whether there is nothing to do."""
        return all(finding.level is not Level.PROBLEM for finding in self.findings)
