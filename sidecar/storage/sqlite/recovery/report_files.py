"""The reports of recoveries and of losses: one file each, beside the database."""

import logging
from pathlib import Path

from sidecar.clock import Clock
from sidecar.models import timestamps
from sidecar.models.recovery import RecoveryReport
from sidecar.storage.sqlite.files import atomic

log = logging.getLogger(__name__)

REPORT_PREFIX = "recovery-"
_ENDING = ".json"
_PENDING = ".json.pending"


class ReportFiles:
    """Those of one database. A report is pending while what it says is not done yet."""

    def __init__(self, database: Path, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def new_id(self) -> str:
        """Return the id of a report that is to be made, which is also in the names of the files that belong to it.

        It is the time, or where the clock has gone back, the millisecond after the latest id: ids are never used twice,
        and their order is that of the reports.
        """
        names = [path.name for path in self._database.parent.glob("*")]
        own = [name for name in names if name.startswith((REPORT_PREFIX, f"{self._database.name}."))]
        return timestamps.next_for_file_names(self._clock, own)

    def all(self) -> list[RecoveryReport]:
        """Every report that is kept, the newest first."""
        found = sorted(self._database.parent.glob(f"{REPORT_PREFIX}*{_ENDING}"), reverse=True)
        return [report for file in found if (report := _read(file)) is not None]

    def acknowledge(self) -> list[RecoveryReport]:
        """Note in every report that somebody has read it, and return the reports."""
        now = timestamps.now(self._clock)
        for report in self.all():
            if report.acknowledged_at is None:
                _write(self._path(report.id, _ENDING), report.model_copy(update={"acknowledged_at": now}))
        return self.all()

    def keep(self, report: RecoveryReport) -> RecoveryReport:
        """Log and store the report, in a directory that may have been lost, and return it. Raises `OSError`."""
        log.error("%s", report.sentence())
        atomic.make_directory(self._database.parent)
        _write(self._path(report.id, _ENDING), report)
        return report

    def keep_pending(self, report: RecoveryReport) -> None:
        """Store a report that does not count before `publish`. Raises `OSError`."""
        _write(self._path(report.id, _PENDING), report)

    def publish(self, report_id: str) -> None:
        """Have a pending report count. Does nothing where that was done before."""
        pending = self._path(report_id, _PENDING)
        if pending.exists():
            pending.replace(self._path(report_id, _ENDING))

    def pending(self) -> list[str]:
        """Return the ids of the reports that are pending."""
        found = self._database.parent.glob(f"{REPORT_PREFIX}*{_PENDING}")
        return [path.name.removeprefix(REPORT_PREFIX).removesuffix(_PENDING) for path in found]

    def forget_pending(self, report_id: str) -> None:
        """Remove the report of what was not done."""
        self._path(report_id, _PENDING).unlink(missing_ok=True)

    def remove_half_written(self) -> None:
        """Remove what a process that was killed while it wrote a report has left."""
        for partial in self._database.parent.glob(f"{REPORT_PREFIX}*.partial"):
            partial.unlink()

    def _path(self, report_id: str, ending: str) -> Path:
        return self._database.parent / f"{REPORT_PREFIX}{report_id}{ending}"


def _read(file: Path) -> RecoveryReport | None:
    try:
        return RecoveryReport.model_validate_json(file.read_bytes())
    except (OSError, ValueError):
        log.warning("the recovery report %s cannot be read", file.name)
        return None


def _write(file: Path, report: RecoveryReport) -> None:
    atomic.write_whole(file, report.model_dump_json(indent=1))
