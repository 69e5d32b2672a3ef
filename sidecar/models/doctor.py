"""What `sidecar doctor` finds."""

from enum import StrEnum

from pydantic import Field

from sidecar.models.base import Record


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Finding(Record):
    level: Level
    subject: str = Field(description="What was looked at, in a word or two.")
    message: str = Field(description="What was found and, unless all is well, what to do about it.")


class DoctorReport(Record):
    findings: list[Finding]

    @property
    def is_well(self) -> bool:
        """Whether there is nothing that has to be done."""
        return all(finding.level is not Level.PROBLEM for finding in self.findings)
