"""`sidecar export` and `sidecar import`: the same for a store of a running sidecar and for one that is opened here."""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar
from zipfile import ZipFile

from sidecar.models.backups import Backup, Restored
from sidecar.models.transfer import ImportReport, Manifest
from sidecar.storage.factory import BackendConfig
from sidecar.storage.sqlite.backup_directory import BackupDirectory
from sidecar.storage.sqlite.restoring import restore_at_rest
from sidecar.storage.unified import UnifiedStorage
from sidecar.transfer import local
from sidecar.transfer.archive import MANIFEST, Progress

T = TypeVar("T")


class Store(Protocol):
    """Something that can be exported from and imported into, wherever it is open."""

    def export_to(self, file: IO[bytes], markdown: bool, progress: Progress) -> object:
        """Write an archive to `file`."""

    def import_from(self, file: IO[bytes], dry_run: bool, progress: Progress) -> ImportReport:
        """Import the archive in `file`."""

    @property
    def backup_directory(self) -> BackupDirectory:
        """Where its backups lie."""

    def create_backup(self) -> Backup:
        """A new backup."""

    def get_backups(self) -> list[Backup]:
        """All backups, the newest first."""

    def restore_backup(self, name: str) -> Restored:
        """Replace the whole store by that backup."""


class OwnStore:
    """A store that nobody has open; this process opens it for each call."""

    def __init__(self, config: BackendConfig) -> None:
        self._config = config

    def export_to(self, file: IO[bytes], markdown: bool, progress: Progress) -> object:
        return self._with_storage(lambda storage: local.export_to(storage, file, markdown, progress))

    def import_from(self, file: IO[bytes], dry_run: bool, progress: Progress) -> ImportReport:
        return self._with_storage(lambda storage: local.import_from(storage, file, dry_run, progress))

    def create_backup(self) -> Backup:
        return self._with_storage(lambda storage: storage.create_backup())

    def get_backups(self) -> list[Backup]:
        return self.backup_directory.listed()

    def restore_backup(self, name: str) -> Restored:
        # Without opening the store: it may be damaged, or a newer program's.
        return restore_at_rest(self.backup_directory, self._config.options["path"], name)

    @property
    def backup_directory(self) -> BackupDirectory:
        return BackupDirectory.beside(self._config.options["path"])

    def _with_storage(self, do: Callable[[UnifiedStorage], Awaitable[T]]) -> T:
        async def run() -> T:
            storage = UnifiedStorage.create([self._config])
            await storage.initialize()
            try:
                return await do(storage)
            finally:
                await storage.close()

        return asyncio.run(run())


def export_archive(store: Store, path: Path, markdown: bool) -> None:
    """Export into the file at `path`, which is there only when it is complete; an older one is replaced."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        with ProgressLine() as progress, owner_only(partial) as file:
            store.export_to(file, markdown, progress)
            file.flush()
            os.fsync(file.fileno())
        with ZipFile(partial) as zip_file:
            manifest = Manifest.model_validate_json(zip_file.read(MANIFEST))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    say(f"Exported {_counted({kind: file.count for kind, file in manifest.files.items()})} to {path}.")


def import_archive(store: Store, path: Path, dry_run: bool) -> None:
    """Import the archive at `path`, or with `dry_run` only say what would be imported."""
    with path.open("rb") as file, ProgressLine() as progress:
        report = store.import_from(file, dry_run, progress)
    added = _counted({kind: rows.added for kind, rows in report.kinds.items()})
    skipped = _counted({kind: rows.skipped for kind, rows in report.kinds.items()})
    say(f"{'Would add' if dry_run else 'Added'} {added}.")
    if report.skipped:
        say(f"{'Would skip' if dry_run else 'Skipped'} {skipped}: already there.")


class ProgressLine:
    """Tells on standard error what is being done: on a terminal one changing line, elsewhere a line for each part."""

    EVERY_S = 0.1

    def __init__(self) -> None:
        self._activity = ""
        self._shown_at = 0.0
        self._changes = sys.stderr.isatty()

    def __enter__(self) -> Progress:
        return self._show

    def __exit__(self, *_: object) -> None:
        if self._changes and self._activity:
            self._write("\r\x1b[K")

    def _show(self, activity: str, done: int) -> None:
        is_new, self._activity = activity != self._activity, activity
        if not self._changes:
            if is_new:
                self._write(f"{activity} …\n")
        elif is_new or time.monotonic() - self._shown_at > self.EVERY_S:
            self._shown_at = time.monotonic()
            self._write(f"\r\x1b[K{activity}: {done:,}")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def owner_only(path: Path) -> IO[Any]:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "w+b")


def _counted(counts: dict[str, int]) -> str:
    parts = [f"{count:,} {kind}" for kind, count in counts.items() if count]
    return ", ".join(parts) or "nothing"


def say(sentence: str) -> None:
    """Tell the person at the terminal what was done."""
    print(sentence, flush=True)  # noqa: T201 - a terminal is for printing
