"""Importing a database of one of the seeds' systems: a copy of it is adopted, and what it then holds is imported.

The file itself is only read, through SQLite, so it may be in use. The copy is made known by where the file lies, so
that importing it again adds only what came to it since.
"""

import json
import os
import sqlite3
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory

from sidecar.config import DatabaseSettings
from sidecar.errors import ArchiveRefused
from sidecar.storage.sqlite import adoption, orphans, schema, snapshot
from sidecar.storage.unified import document_backend
from sidecar.transfer.commands import OwnStore, ProgressLine, Store, import_archive, say

COPY = "adopted.db"


def import_seed(store: Store, system: str, path: Path, dry_run: bool, data_directory: Path) -> None:
    """Add to `store` what the database at `path`, made by `system`, holds; with `dry_run` only say what would be added.

    Rows that cannot be adopted are written, with the reasons, to a file in `data_directory`, a file for each such
    database. Raises `ArchiveRefused` for another program's database.
    """
    with TemporaryDirectory(prefix="sidecar-import-") as scratch:
        folder = Path(scratch)
        store_id = blake2b(f"{system} {path.resolve()}".encode(), digest_size=16).hexdigest()
        orphans = _adopt_copy(system, path, folder / COPY, store_id)
        archive = folder / "adopted.zip"
        with ProgressLine() as progress, archive.open("w+b") as file:
            OwnStore(document_backend(DatabaseSettings(path=folder / COPY), folder)).export_to(file, False, progress)
        import_archive(store, archive, dry_run)
    if orphans:
        _report(orphans, data_directory / f"{system}-{store_id[:8]}-orphans.jsonl", dry_run)


def _adopt_copy(system: str, path: Path, copy: Path, store_id: str) -> list[str]:
    """Make an adopted copy; returns, as lines of JSON, what could not be adopted."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as source:
            if adoption.maker(source) != system:
                raise ArchiveRefused(f"{path} is not a database that {system} made.")
            snapshot.make_snapshot(source, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            schema.bring_up_to_date(connection, None, lambda *_: None)
            return _prepare(connection, store_id)
    except sqlite3.DatabaseError as error:
        raise ArchiveRefused(f"{path} cannot be read as a database: {error}.") from error


def _prepare(connection: sqlite3.Connection, store_id: str) -> list[str]:
    """Name the store, as the source of an import; returns what was set aside, as lines of JSON."""
    connection.execute("UPDATE store_identity SET id = ?", (store_id,))
    # As if it had held a vault before: it shall not get the document of a new store.
    connection.execute(
        "INSERT INTO sqlite_sequence SELECT 'vaults', 0 WHERE 'vaults' NOT IN (SELECT name FROM sqlite_sequence)"
    )
    found = connection.execute(f"SELECT table_name, reason, is_carried, row FROM {orphans.ORPHANS} ORDER BY id")
    return [
        json.dumps(
            {"table": table, "reason": reason, "is_carried": bool(carried), "row": json.loads(row)}, ensure_ascii=False
        )
        for table, reason, carried, row in found
    ]


def _report(orphans: list[str], path: Path, dry_run: bool) -> None:
    counted = f"{len(orphans)} row{'s' * (len(orphans) > 1)} of it had no parent or values that do not fit"
    if dry_run:
        say(f"{counted}; an import would write them to {path}.")
        return
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in orphans)
    say(f"{counted}; they are in {path}.")
