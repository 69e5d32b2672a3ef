"""`sidecar import`: an export, a database of this program, or one of another system."""

from datetime import tzinfo
from pathlib import Path

from sidecar.errors import ArchiveRefused
from sidecar.tools.commands import Store, import_archive
from sidecar.tools.kinds_of_file import FileKind, kind_of
from sidecar.tools.seeds import import_database


def import_file(
    store: Store, path: Path, system: str | None, dry_run: bool, data_directory: Path, zone: tzinfo | None
) -> None:
    """Add what the file holds; with `dry_run` only say what would be added. `system` is whose database it has to be.

    Raises `ArchiveRefused`, which says what to do, for any other file.
    """
    if kind_of(path) is FileKind.DATABASE:
        import_database(store, path, dry_run, data_directory, zone, system)
    elif system is None:
        import_archive(store, path, dry_run, data_directory)
    else:
        command = f"sidecar import --data-dir {data_directory} {path}"
        raise ArchiveRefused(f"{path} is a .zip and no database of {system}; use `{command}` if it is an export.")
