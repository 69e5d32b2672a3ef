"""`sidecar export` and `sidecar import`: the same for a store of a running sidecar and for one that is opened here."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar
from zipfile import ZipFile

from sidecar.clock import SYSTEM_CLOCK
from sidecar.models.adoption import AdoptionOverview, RowRestored, RowSetAsidePage
from sidecar.models.backups import Backup, Restored
from sidecar.models.transfer import ArchiveManifest, ImportReport
from sidecar.sentences import counted
from sidecar.storage.arguments import DEFAULT_LIMIT
from sidecar.storage.capabilities import RowsOf
from sidecar.storage.factory import BackendConfig
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.recovery.at_rest import restore_at_rest
from sidecar.storage.unified import UnifiedStorage
from sidecar.terminal import say, write
from sidecar.tools import local
from sidecar.tools.archive import Progress
from sidecar.tools.archive_members import MANIFEST
from sidecar.tools.destination import StorePlace, writing

T = TypeVar("T")


class Store(Protocol):
    """Something that can be exported from and imported into, wherever it is open."""

    def export_to(self, file: IO[bytes], markdown: bool, progress: Progress) -> object:
        """Write an archive to `file`."""

    def import_from(self, file: IO[bytes], dry_run: bool, progress: Progress) -> ImportReport:
        """Import the archive in `file`."""

    def import_rows(
        self, rows: RowsOf, store_id: str, dry_run: bool, progress: Progress, release: Callable[[], None]
    ) -> ImportReport:
        """Import the rows of another store. `release` removes them; it may be called once they have all been read."""

    @property
    def place(self) -> StorePlace:
        """Where it lies, which nothing may be written over."""

    @property
    def backup_directory(self) -> BackupDirectory:
        """Where its backups lie."""

    def create_backup(self) -> Backup:
        """A new backup."""

    def get_backups(self) -> list[Backup]:
        """Backups, the newest first."""

    def restore_backup(self, name: str) -> Restored:
        """Replace the whole store by that backup."""

    def get_adoptions(self) -> AdoptionOverview:
        """Every adoption, and how many rows are set aside."""

    def get_rows_set_aside(self, cursor: str | None) -> RowSetAsidePage:
        """A page of the rows that are set aside."""

    def restore_row_set_aside(self, row_id: int, values: Mapping[str, Any]) -> RowRestored:
        """Bring a row back into its table."""

    def acknowledge_rows_set_aside(self) -> AdoptionOverview:
        """Acknowledge all rows that are set aside."""


class OwnStore:
    """A store that nobody has open; this process opens it for each call."""

    def __init__(self, config: BackendConfig, place: StorePlace | None = None) -> None:
        self._config = config
        database: Path = config.options["path"]
        self.place = place or StorePlace(database.parent, (), database)

    def export_to(self, file: IO[bytes], markdown: bool, progress: Progress) -> object:
        return self._with_storage(lambda storage: local.export_to(storage, file, markdown, progress))

    def import_from(self, file: IO[bytes], dry_run: bool, progress: Progress) -> ImportReport:
        return self._with_storage(lambda storage: local.import_from(storage, file, dry_run, progress))

    def import_rows(
        self,
        rows: RowsOf,
        store_id: str,
        dry_run: bool,
        progress: Progress,
        release: Callable[[], None],  # noqa: ARG002 - they are read to the end of the import
    ) -> ImportReport:
        return self._with_storage(lambda storage: local.import_rows(storage, rows, store_id, dry_run, progress))

    def create_backup(self) -> Backup:
        return self._with_storage(lambda storage: storage.create_backup())

    def get_backups(self) -> list[Backup]:
        return self.backup_directory.listed()

    def restore_backup(self, name: str) -> Restored:
        # Without opening the store: it may be damaged, or a newer program's.
        return restore_at_rest(self.backup_directory, self._config.options["path"], name)

    def get_adoptions(self) -> AdoptionOverview:
        return self._with_storage(lambda storage: storage.get_adoptions())

    def get_rows_set_aside(self, cursor: str | None) -> RowSetAsidePage:
        return self._with_storage(lambda storage: storage.get_rows_set_aside(limit=DEFAULT_LIMIT, cursor=cursor))

    def restore_row_set_aside(self, row_id: int, values: Mapping[str, Any]) -> RowRestored:
        return self._with_storage(lambda storage: storage.restore_row_set_aside(row_id, values))

    def acknowledge_rows_set_aside(self) -> AdoptionOverview:
        return self._with_storage(lambda storage: storage.acknowledge_rows_set_aside())

    @property
    def backup_directory(self) -> BackupDirectory:
        return BackupDirectory.beside(self._config.options["path"], SYSTEM_CLOCK)

    def _with_storage(self, do: Callable[[UnifiedStorage], Awaitable[T]]) -> T:
        async def run() -> T:
            # What blocks is done one after the other: a tool needs no pool of threads.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
            storage = UnifiedStorage.create([self._config])
            await storage.initialize()
            try:
                return await do(storage)
            finally:
                await storage.close()

        return asyncio.run(run())


def export_archive(store: Store, path: Path, markdown: bool, force: bool) -> None:
    """Export to the file at `path`, which appears only when it is complete; `force` replaces an existing one."""
    with ProgressLine() as progress, writing(path, store.place, force=force) as file:
        store.export_to(file, markdown, progress)
        with ZipFile(file) as zip_file:
            manifest = ArchiveManifest.model_validate_json(zip_file.read(MANIFEST))
    say(f"Exported {_counted({kind: file.count for kind, file in manifest.files.items()})} to {path}.")


def import_archive(store: Store, path: Path, dry_run: bool, data_directory: Path) -> None:
    """Import the archive at `path`, or with `dry_run` only report what would be added."""
    with path.open("rb") as file, ProgressLine() as progress:
        report = store.import_from(file, dry_run, progress)
    say_report(report, data_directory)


def say_report(report: ImportReport, data_directory: Path) -> None:
    """Print the report of an import into the store of the data directory."""
    dry_run = report.dry_run
    added = _counted({kind: rows.added for kind, rows in report.kinds.items()})
    skipped = _counted({kind: rows.skipped for kind, rows in report.kinds.items()})
    say(f"{'Would add' if dry_run else 'Added'} {added}.")
    if report.skipped:
        say(f"{'Would skip' if dry_run else 'Skipped'} {skipped}: already stored.")
    set_aside = report.kinds["set_aside"].added if "set_aside" in report.kinds else 0
    if set_aside:
        say(
            f"{_labelled('set_aside', set_aside)}: without a parent, or with values that do not fit. `sidecar adopted "
            f"--data-dir {data_directory}` lists the reasons, and restores rows."
        )


class ProgressLine:
    """Shows progress on standard error: on a terminal in one changing line, elsewhere in a line for each part."""

    EVERY_S = 0.1

    def __init__(self) -> None:
        self._activity = ""
        self._shown_at = 0.0
        self._changes = sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> Progress:
        return self._show

    def __exit__(self, *_: object) -> None:
        if self._changes and self._activity:
            self._write("\r\x1b[K")

    def _show(self, activity: str, done: int) -> None:
        activity = activity.replace("set_aside", _NOUNS["set_aside"][1])
        is_new, self._activity = activity != self._activity, activity
        if not self._changes:
            if is_new:
                self._write(f"{activity} …\n")
        elif is_new or SYSTEM_CLOCK.monotonic() - self._shown_at > self.EVERY_S:
            self._shown_at = SYSTEM_CLOCK.monotonic()
            self._write(f"\r\x1b[K{activity}: {done:,}")

    def _write(self, text: str) -> None:
        write(sys.stderr, text)


def _counted(counts: dict[str, int]) -> str:
    parts = [_labelled(kind, count) for kind, count in counts.items() if count]
    return ", ".join(parts) or "nothing"


_NOUNS = {
    "vaults": ("vault", "vaults"),
    "todos": ("todo", "todos"),
    "activities": ("activity", "activities"),
    "tips": ("tip", "tips"),
    "conversations": ("conversation", "conversations"),
    "messages": ("message", "messages"),
    "thinking": ("step of thinking", "steps of thinking"),
    "threads": ("thread", "threads"),
    "states": ("conversation state", "conversation states"),
    "exchanges": ("exchange", "exchanges"),
    "adoptions": ("report of an adoption", "reports of an adoption"),
    "set_aside": ("row set aside", "rows set aside"),
}
"""One and several rows of each kind of an archive."""


def _labelled(kind: str, count: int) -> str:
    singular, plural = _NOUNS.get(kind, (kind, kind))
    return counted(count, singular, plural)
