"""`sidecar backup` and `sidecar restore`: the same for a sidecar that runs and for a store that nobody has open."""

import shutil
from contextlib import ExitStack
from pathlib import Path

from sidecar.errors import ArchiveRefused, NotFound
from sidecar.models.backups import Backup
from sidecar.storage.sqlite.files import foreign as others_files
from sidecar.terminal import say
from sidecar.tools.commands import Store
from sidecar.tools.destination import writing
from sidecar.tools.kinds_of_file import FileKind, kind_of
from sidecar.tools.progress import ProgressLine
from sidecar.tools.seeds import maker

FROM_FILE = "from-file"


def make_backup(store: Store, to: Path | None, force: bool) -> None:
    """Make a backup, and with `to` a copy of it there, which appears only when it is complete.

    The destination is checked first. With `force`, an older file is replaced.
    """
    with ProgressLine() as progress, ExitStack() as stack:
        copy = None if to is None else stack.enter_context(writing(to, store.place, force=force))
        backup = store.create_backup(progress)
        if copy is not None:
            progress(0, None, f"copying to {to}")
            with store.backup_directory.path_of(backup).open("rb") as source:
                shutil.copyfileobj(source, copy, 1024 * 1024)
    say(f"Made the backup {to or backup.name} ({_size(backup)}), and verified it by opening it.")


def list_backups(store: Store) -> None:
    """Print a line for each backup, the newest first."""
    backups = store.get_backups()
    for backup in backups:
        say(f"{backup.name}  {_size(backup)}  {_state(backup)}")
    if not backups:
        say("There is no backup yet. `sidecar backup` makes one.")


def restore_backup(store: Store, name_or_file: str) -> None:
    """Replace the database with the backup of that name, or with the one in that file."""
    system = None
    with ProgressLine() as progress:
        name = name_or_file
        if name not in {backup.name for backup in store.get_backups()}:
            file = Path(name_or_file)
            _require_database(file)
            system = _maker(store, file)
            progress(0, None, f"copying and verifying {file}")
            name = store.backup_directory.adopt(file, FROM_FILE).name
        done = store.restore_backup(name, progress)
    former = (
        "There was no database before."
        if done.kept is None
        else f"The replaced database is the backup {done.kept.name}."
    )
    say(f"Restored the database from {name_or_file}. {former}")
    if system is not None:
        say(f"It is a database of {system}, and was adopted. `sidecar adopted` lists the rows set aside.")


def _maker(store: Store, file: Path) -> str | None:
    """Return the name of the system that made the database; `None` for this program."""
    with others_files.scratch_in(store.backup_directory.path.parent) as scratch:
        return maker(file, scratch)


def _require_database(file: Path) -> None:
    """Raises `NotFound` when there is no such file, `ArchiveRefused`, saying what to do, when it is no database."""
    if not file.exists():
        raise NotFound(f"There is neither a backup nor a file {file}; --list lists the backups.")
    kind = kind_of(file)
    if kind is not FileKind.DATABASE:
        found = "a .zip" if kind is FileKind.ARCHIVE else "JSON"
        raise ArchiveRefused(
            f"{file} is {found} and not a backup. If it is an export, `sidecar import` adds what it holds to the store."
        )


def _size(backup: Backup) -> str:
    return f"{backup.bytes / 1_000_000:,.1f} MB"


def _state(backup: Backup) -> str:
    if backup.damage:
        return f"DAMAGED: {backup.damage}"
    return f"verified {backup.verified_at}" if backup.is_verified else "not verified"
