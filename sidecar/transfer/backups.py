"""`sidecar backup` and `sidecar restore`: the same for a sidecar that runs and for a store that nobody has open."""

import os
import shutil
from pathlib import Path

from sidecar.errors import NotFound
from sidecar.models.backups import Backup
from sidecar.storage.sqlite import files
from sidecar.transfer.commands import ProgressLine, Store, owner_only, say

FROM_FILE = "from-file"


def make_backup(store: Store, to: Path | None) -> None:
    """Make a backup, and with `to` a copy of it there, which appears only when it is complete."""
    with ProgressLine() as progress:
        progress("copying and verifying the database", 0)
        backup = store.create_backup()
        if to is not None:
            progress(f"copying to {to}", 0)
            _copy(store.backup_directory.path_of(backup), to)
    say(f"Backed up everything ({_size(backup)}) as {to or backup.name}; it was opened and verified.")


def list_backups(store: Store) -> None:
    """Say which backups there are, the newest first."""
    backups = store.get_backups()
    for backup in backups:
        say(f"{backup.name}  {_size(backup)}  {_state(backup)}")
    if not backups:
        say("There is no backup yet; `sidecar backup` makes one.")


def restore_backup(store: Store, name_or_file: str) -> None:
    """Replace everything by a backup of that name, or by the one in that file."""
    with ProgressLine() as progress:
        name = name_or_file
        if name not in {backup.name for backup in store.get_backups()}:
            file = Path(name_or_file)
            if not file.is_file():
                raise NotFound(f"There is neither a backup nor a file {name_or_file}; see the list by --list.")
            progress(f"copying and verifying {file}", 0)
            name = store.backup_directory.adopt(file, FROM_FILE).name
        progress(f"restoring {name}", 0)
        done = store.restore_backup(name)
    former = "There was nothing before." if done.kept is None else f"What was there before is kept as {done.kept.name}."
    say(f"Restored everything from {name_or_file}. {former}")


def _copy(backup: Path, to: Path) -> None:
    partial = files.partial_of(to)
    partial.unlink(missing_ok=True)
    try:
        with backup.open("rb") as source, owner_only(partial) as target:
            shutil.copyfileobj(source, target, 1024 * 1024)
            target.flush()
            os.fsync(target.fileno())
        partial.replace(to)
    finally:
        partial.unlink(missing_ok=True)


def _size(backup: Backup) -> str:
    return f"{backup.bytes / 1_000_000:,.1f} MB"


def _state(backup: Backup) -> str:
    if backup.damage:
        return f"DAMAGED: {backup.damage}"
    return f"verified {backup.verified_at}" if backup.is_verified else "not verified"
