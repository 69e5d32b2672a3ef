"""`sidecar import`: an export, a database of this program, one of another system, or a chat history."""

from datetime import tzinfo
from pathlib import Path

from sidecar.errors import ArchiveRefused
from sidecar.tools.commands import Store, import_archive
from sidecar.tools.histories.importing import Owner, import_history
from sidecar.tools.histories.source import FORMATS, holds_history
from sidecar.tools.kinds_of_file import FileKind, kind_of
from sidecar.tools.seeds import import_database

SEEDS = ("minecontext", "vmpilot")
"""Systems whose databases are imported as a whole."""

SYSTEMS = (*SEEDS, *FORMATS)
"""Names that `sidecar import` takes before the file."""


def import_file(
    store: Store,
    path: Path,
    system: str | None,
    dry_run: bool,
    data_directory: Path,
    zone: tzinfo | None,
    owner: Owner = Owner(),  # noqa: B008 - it does not change
) -> None:
    """Add what the file holds; with `dry_run` only say what would be added. `system` is whose file it has to be.

    Raises `ArchiveRefused`, which says what to do, for any other file.
    """
    if system in FORMATS or (system is None and holds_history(path, data_directory)):
        import_history(store, path, system, dry_run, data_directory, owner)
    elif owner != Owner():
        raise ArchiveRefused(f"{path} is no chat history, and --page-name and --user-id are only for one; omit them.")
    elif kind_of(path) is FileKind.DATABASE:
        import_database(store, path, dry_run, data_directory, zone, system)
    elif system is None:
        import_archive(store, path, dry_run, data_directory)
    else:
        command = f"sidecar import --data-dir {data_directory} {path}"
        kind = "a .zip" if kind_of(path) is FileKind.ARCHIVE else "JSON"
        raise ArchiveRefused(f"{path} is {kind} and no database of {system}; use `{command}` if it is an export.")
