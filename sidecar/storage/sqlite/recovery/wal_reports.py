"""Write-ahead logs that are not what the last run left: how they are noticed and reported.

The evidence is judged in `files/wal.py`. Nothing here changes the database or its log.
"""

import shutil
from pathlib import Path

from sidecar.clock import Clock
from sidecar.models import timestamps
from sidecar.models.recovery import RecoveryReport
from sidecar.storage.sqlite.files import atomic, companions, open_mark, wal, wal_index
from sidecar.storage.sqlite.files.wal import MissingLog, UnreadableEnd
from sidecar.storage.sqlite.files.wal_index import LogIndex
from sidecar.storage.sqlite.recovery.report_files import ReportFiles

MOST_FRAMES_CHECKED = 4000
"""Of one commit, whose checksums are computed here: 0.1 ms for each."""


class LogReports:
    """Of one start. Its methods want the database closed, unless they say otherwise."""

    def __init__(self, path: Path, reports: ReportFiles, clock: Clock) -> None:
        self._path = path
        self._reports = reports
        self._clock = clock
        self.index: LogIndex | None = None
        """The log's index as it was before anybody opened the database."""
        self._noted_end: UnreadableEnd | None = None
        self._has_looked_for_log = False
        self._missing: MissingLog | None = None
        """Findings that are not reported yet."""

    def read_index(self) -> None:
        """Keep what the log's index knows: whoever opens the database has SQLite write another one."""
        self.index = wal_index.read(self._path)

    def note_damage(self, end: UnreadableEnd | None) -> None:
        """Keep a log that could not be read to its end, before anything is written over it, and report it, once.

        What is likely to be a commit that a power cut interrupted is no reason to alarm anybody, but is kept, too. The
        database may be open.
        """
        if end is None or end == self._noted_end:
            return
        report_id = self._reports.new_id()
        copy = companions.beside(self._path, f".damaged-{report_id}-wal")
        now = timestamps.now(self._clock)
        report = RecoveryReport(
            id=report_id,
            finished_at=now,
            cause="The write-ahead log could not be read to its end.",
            outcome="log_cut_off" if end.is_certain else "commit_unfinished",
            log=end.damage.model_copy(update={"kept_as": copy.name}),
            acknowledged_at=None if end.is_certain else now,
        )
        try:
            shutil.copyfile(wal.wal_path(self._path), copy)
            atomic.sync(copy)
            self._reports.keep(report)
        except BaseException:
            copy.unlink(missing_ok=True)  # no report names it, and each attempt would leave one
            raise
        self._noted_end = end

    def note_any_damage(self) -> None:
        """Read the whole log, and report what of it cannot be read."""
        extent = wal.extent(self._path, self.index)
        if extent is not None:
            self.note_damage(extent.unreadable_after(wal.readable_frames(self._path), self.index))

    def note_lost_commit(self) -> None:
        """Report a last commit that the log's index knows of, and the log no longer has.

        Once SQLite has opened the database, the index knows of no more than the log has.
        """
        extent = wal.extent(self._path, self.index)
        if extent is None or self.index is None:
            return
        before, last = extent.last_commit()
        if last - before <= MOST_FRAMES_CHECKED:
            self.note_damage(extent.unreadable_known(wal.readable_frames(self._path, before), self.index))

    def missing(self) -> MissingLog | None:
        """Return what is known of a log that the last run left and that is not there, until it is reported.

        Looks for it once: an attempt to open the database, and a swap, remove the log themselves.
        """
        if not self._has_looked_for_log:
            self._missing = wal.missing(self._path, self.index)
            self._has_looked_for_log = True
        return self._missing

    def note_missing(self, missing: MissingLog) -> None:
        """Report it, and remove the evidence."""
        self._reports.keep(
            RecoveryReport(
                id=self._reports.new_id(),
                finished_at=timestamps.now(self._clock),
                cause="The last run did not close the database, and its write-ahead log is missing.",
                outcome="log_missing",
                log=missing.damage,
            )
        )
        self._missing = None
        open_mark.remove(self._path)
        companions.beside(self._path, "-shm").unlink(missing_ok=True)
