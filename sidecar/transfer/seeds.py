"""Import of a database rather than an archive: a copy of it is brought up to date, and its rows are imported.

A database of one of the seeds' systems is adopted by that; one of this program is migrated. The file itself is only
read, so it may be in use, and nothing is written beside it. What the adoption sets aside, and its report, become rows
of the store like any others.

At most two copies of the content lie in the scratch directory at a time: the database and, once that is written, the
archive of it.
"""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import tzinfo
from pathlib import Path
from typing import Any, NamedTuple

from sidecar.clock import SYSTEM_CLOCK
from sidecar.errors import ArchiveRefused, DiskFull, StartRefused, StorageError
from sidecar.models import timestamps
from sidecar.models.transfer import ImportReport
from sidecar.storage.sqlite import others_files, pragmas, schema, seed_makers, seed_sources, snapshot, transfer
from sidecar.storage.sqlite.damaged import READ_ERRORS
from sidecar.storage.sqlite.identity import version_of
from sidecar.terminal import say
from sidecar.transfer.commands import ProgressLine, Store, import_archive
from sidecar.transfer.export import write_archive

COPY, ARCHIVE = "copy.db", "copy.zip"


class _Adopted(NamedTuple):
    """The part of an adoption's report that a person is shown."""

    time_zone: str
    report: Mapping[str, Any]


def maker(path: Path, scratch: Path) -> str | None:
    """Return the name of the system that made the database; `None` for this program.

    Raises `ArchiveRefused` for another program's, for a newer one's, and for what cannot be read as a database.
    """
    try:
        with others_files.reading(path, scratch) as source:
            found = seed_makers.maker(source)
            if found is None and not schema.is_known(source):
                raise ArchiveRefused(
                    f"{path} is the database of another program; give one of this program, of minecontext or of "
                    "vmpilot."
                )
            if version_of(source) > schema.latest_version():
                raise ArchiveRefused(
                    f"{path} was written by a newer version of this program; update this one, or give an older backup."
                )
            return found
    except READ_ERRORS as error:
        raise _unreadable(path, error) from error


def import_database(
    store: Store, path: Path, dry_run: bool, data_directory: Path, zone: tzinfo | None = None, system: str | None = None
) -> None:
    """Add to `store` what the database at `path` holds; with `dry_run` only say what would be added.

    `zone` is that of a seed's local times; without it, this computer's. Raises `ArchiveRefused` for another program's
    database, and for one that another system than `system` made.
    """
    with others_files.scratch_in(data_directory) as scratch:
        found = maker(path, scratch)
        if system is not None and found != system:
            whose = "this program" if found is None else found
            command = f"sidecar import --data-dir {data_directory} {'' if found is None else f'{found} '}{path}"
            raise ArchiveRefused(f"{path} is a database of {whose} and not of {system}; use `{command}`.")
        if found is not None and system is None:
            say(f"{path} is a database of {found}.")
        adopted = _write_archive(path, found, scratch, zone)
        report = import_archive(store, scratch / ARCHIVE, dry_run, data_directory)
    if adopted is not None:
        _say_zone(adopted, report)


def _write_archive(path: Path, system: str | None, scratch: Path, zone: tzinfo | None) -> _Adopted | None:
    """Write the archive of an up-to-date copy; return a summary of its adoption, if it was adopted."""
    copy = scratch / COPY
    try:
        with ProgressLine() as progress:
            progress(f"copying {path}", 0)
            with others_files.reading(path, scratch) as source:
                snapshot.make_snapshot(source, copy)
            with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
                connection.row_factory = sqlite3.Row
                pragmas.prepare_writer(connection)
                connection.execute("PRAGMA synchronous = OFF")  # it is thrown away
                schema.check_version(copy, scratch, SYSTEM_CLOCK)
                # An archive holds the columns of this program only.
                schema.bring_up_to_date(
                    connection,
                    None,
                    lambda _, detail: progress(detail, 0),
                    clock=SYSTEM_CLOCK,
                    zone=zone,
                    keeps_columns=False,
                )
                adopted = None if system is None else _adopted(connection, path)
                store_id = transfer.store_id(connection) if system is None else seed_sources.store_id(system)
                with (scratch / ARCHIVE).open("w+b") as file:
                    now = timestamps.now(SYSTEM_CLOCK)
                    write_archive(file, transfer.rows_of(connection), store_id, now, progress=progress)
    except READ_ERRORS as error:
        raise _unreadable(path, error) from error
    except DiskFull:
        raise
    except (StartRefused, StorageError) as error:
        raise ArchiveRefused(f"{path} cannot be imported: {error.message}") from error
    for left in scratch.glob(f"{COPY}*"):
        left.unlink()
    return adopted


def _adopted(connection: sqlite3.Connection, path: Path) -> _Adopted | None:
    """Return a summary of the copy's adoption, in which the copied file is noted as the source."""
    connection.execute("UPDATE adoptions SET source = ?", (str(path.absolute()),))
    row = connection.execute("SELECT time_zone, report FROM adoptions ORDER BY id DESC LIMIT 1").fetchone()
    return None if row is None else _Adopted(row["time_zone"], json.loads(row["report"]))


def _say_zone(adopted: _Adopted, report: ImportReport) -> None:
    repeated, skipped = (adopted.report.get(name, 0) for name in ("repeated_times", "skipped_times"))
    verb = "would be read" if report.dry_run else "were read"
    say(
        f"Times without an offset {verb} as those of {adopted.time_zone} in the columns that hold local times: "
        f"{repeated} of them fall into a repeated hour, {skipped} into a skipped one. `--time-zone` names another zone."
    )


def _unreadable(path: Path, error: Exception) -> ArchiveRefused:
    return ArchiveRefused(f"{path} cannot be read as a database: {error}. Take an undamaged copy of it.")
