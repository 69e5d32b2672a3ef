"""`sidecar export` and `sidecar import`: the same for a store of a running sidecar and for one that is opened here."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar
from zipfile import ZipFile

from sidecar.clock import SYSTEM_CLOCK
from sidecar.models.adoption import AdoptionOverview, RowRestored, RowSetAsidePage
from sidecar.models.backups import Backup, Restored
from sidecar.models.histories import ConversationHistory
from sidecar.models.transfer import ArchiveManifest, ImportReport
from sidecar.progress import Progress
from sidecar.sentences import counted
from sidecar.storage.arguments import DEFAULT_LIMIT
from sidecar.storage.capabilities import StoreRows
from sidecar.storage.factory import BackendConfig
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.recovery.at_rest import restore_at_rest
from sidecar.storage.unified import UnifiedStorage
from sidecar.terminal import say
from sidecar.tools import local
from sidecar.tools.archive_members import MANIFEST
from sidecar.tools.destination import StorePlace, writing
from sidecar.tools.histories.batches import AddBatch
from sidecar.tools.progress import ProgressLine
from sidecar.tools.transcripts.reading import every_conversation, history_of, store_id_of

T = TypeVar("T")


class Store(Protocol):
    """Something that can be exported from and imported into, wherever it is open."""

    def export_to(self, file: IO[bytes], markdown: bool, progress: Progress) -> object:
        """Write an archive to `file`."""

    def import_from(self, file: IO[bytes], dry_run: bool, progress: Progress) -> ImportReport:
        """Import the archive in `file`."""

    def import_rows(
        self, rows: StoreRows, store_id: str, dry_run: bool, progress: Progress, release: Callable[[], None]
    ) -> ImportReport:
        """Import the rows of another store. `release` removes them; it may be called once they have all been read."""

    def adding_histories(self, *, dry_run: bool) -> AbstractContextManager[AddBatch]:
        """Open it for batches of whole conversations; with `dry_run` each is only tried."""

    def conversation_histories(self, ids: Sequence[int] | None) -> Iterator[ConversationHistory]:
        """Yield these conversations, or all that are not deleted, in the form in which they can be imported."""

    @property
    def place(self) -> StorePlace:
        """Where it lies, which nothing may be written over."""

    @property
    def backup_directory(self) -> BackupDirectory:
        """Where its backups lie."""

    def create_backup(self, progress: Progress) -> Backup:
        """A new backup."""

    def get_backups(self) -> list[Backup]:
        """Backups, the newest first."""

    def restore_backup(self, name: str, progress: Progress) -> Restored:
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
        rows: StoreRows,
        store_id: str,
        dry_run: bool,
        progress: Progress,
        release: Callable[[], None],  # noqa: ARG002 - they are read to the end of the import
    ) -> ImportReport:
        return self._with_storage(lambda storage: local.import_rows(storage, rows, store_id, dry_run, progress))

    @contextmanager
    def adding_histories(self, *, dry_run: bool) -> Iterator[AddBatch]:
        with self._opened() as (runner, storage):
            yield lambda batch: runner.run(storage.import_histories(batch, dry_run)).items

    def conversation_histories(self, ids: Sequence[int] | None) -> Iterator[ConversationHistory]:
        with self._opened() as (runner, storage):
            store_id = runner.run(store_id_of(storage))
            for conversation_id in ids if ids is not None else runner.run(every_conversation(storage)):
                yield runner.run(history_of(storage, conversation_id, store_id))

    def create_backup(self, progress: Progress) -> Backup:
        return self._with_storage(lambda storage: storage.create_backup(progress=progress))

    def get_backups(self) -> list[Backup]:
        return self.backup_directory.listed()

    def restore_backup(self, name: str, progress: Progress) -> Restored:
        # Without opening the store: it may be damaged, or a newer program's.
        return restore_at_rest(self.backup_directory, self._config.options["path"], name, progress)

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

    def _with_storage(self, do: Callable[[UnifiedStorage], Coroutine[Any, Any, T]]) -> T:
        with self._opened() as (runner, storage):
            return runner.run(do(storage))

    @contextmanager
    def _opened(self) -> Iterator[tuple[asyncio.Runner, UnifiedStorage]]:
        """Open the store, and run its methods in a loop of its own."""
        with asyncio.Runner() as runner:
            # What blocks is done one after the other: a tool needs no pool of threads.
            runner.get_loop().set_default_executor(ThreadPoolExecutor(1))
            storage = UnifiedStorage.create([self._config])
            runner.run(storage.initialize())
            try:
                yield runner, storage
            finally:
                runner.run(storage.close())


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
    if report.not_imported:
        verb = "Would leave out" if dry_run else "Left out"
        say(
            f"{verb} {_counted(report.not_imported)}: no loaded module declares them. Import the file again while the "
            "app runs with that module."
        )
    set_aside = report.kinds["set_aside"].added if "set_aside" in report.kinds else 0
    if set_aside:
        say(
            f"{_labelled('set_aside', set_aside)}: without a parent, or with values that do not fit. `sidecar adopted "
            f"--data-dir {data_directory}` lists the reasons, and restores rows."
        )


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
