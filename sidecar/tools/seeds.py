"""Import of a database rather than an archive: a copy of it is brought up to date, and its rows are imported.

A database of one of the seeds' systems is adopted by that; one of this program is migrated. The file itself is only
read, so it may be in use, and nothing is written beside it. What the adoption sets aside, and its report, become rows
of the store like any others.

Its rows go straight into a store that this process has open. A running sidecar gets an archive of them, for which the
copy makes room once it is written.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import tzinfo
from pathlib import Path
from typing import Any, NamedTuple

from sidecar.clock import SYSTEM_CLOCK
from sidecar.errors import ArchiveRefused, DiskFull, StartRefused, StorageError
from sidecar.models.transfer import ImportReport, Row
from sidecar.storage.capabilities import StoreRows
from sidecar.storage.sqlite.adoption.upgrade import adopt_or_upgrade
from sidecar.storage.sqlite.backup import snapshot
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.storage.sqlite.engine import pragmas
from sidecar.storage.sqlite.files import foreign as others_files
from sidecar.storage.sqlite.recovery.damaged_reader import READ_ERRORS
from sidecar.storage.sqlite.schema import makers as seed_makers
from sidecar.storage.sqlite.schema import upgrade
from sidecar.storage.sqlite.schema.identity import version_of
from sidecar.storage.sqlite.transfer import sources as seed_sources
from sidecar.storage.sqlite.transfer import store as transfer
from sidecar.terminal import say
from sidecar.tools.commands import Store, say_report
from sidecar.tools.progress import ProgressLine

COPY = "copy.db"


class _Adopted(NamedTuple):
    """The part of an adoption's report that a person is shown."""

    time_zone: str
    report: Mapping[str, Any]


class _Copy(NamedTuple):
    """The up-to-date copy of a database."""

    rows: StoreRows
    store_id: str
    adopted: _Adopted | None


def maker(path: Path, scratch: Path) -> str | None:
    """Return the name of the system that made the database; `None` for this program.

    Raises `ArchiveRefused` for another program's, for a newer one's, and for what cannot be read as a database.
    """
    try:
        with others_files.reading(path, scratch) as source:
            found = seed_makers.maker(source)
            if found is None and not upgrade.is_known(source):
                raise ArchiveRefused(
                    f"{path} is the database of another program; give one of this program, of minecontext or of "
                    "vmpilot."
                )
            if version_of(source) > upgrade.latest_version():
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
    with others_files.scratch_in(data_directory) as scratch, ExitStack() as opened:
        found = maker(path, scratch)
        if system is not None and found != system:
            whose = "this program" if found is None else found
            command = f"sidecar import --data-dir {data_directory} {'' if found is None else f'{found} '}{path}"
            raise ArchiveRefused(f"{path} is a database of {whose} and not of {system}; use `{command}`.")
        if found is not None and system is None:
            say(f"{path} is a database of {found}.")
        copy = opened.enter_context(_up_to_date_copy(path, found, scratch, zone))
        with ProgressLine() as progress:
            report = store.import_rows(copy.rows, copy.store_id, dry_run, progress, opened.close)
        say_report(report, data_directory)
    if copy.adopted is not None:
        _say_zone(copy.adopted, report)


@contextmanager
def _up_to_date_copy(path: Path, system: str | None, scratch: Path, zone: tzinfo | None) -> Iterator[_Copy]:
    """Make a copy in `scratch` and adopt or migrate it; it is removed at the end of the block."""
    file = scratch / COPY
    with ExitStack() as opened:
        with _refusing(path), ProgressLine() as progress:
            progress(0, None, f"copying {path}")
            with others_files.reading(path, scratch) as source:
                snapshot.make_snapshot(source, file)
            # An import reads it in the thread of the store's writer.
            connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
            opened.enter_context(closing(connection))
            connection.row_factory = sqlite3.Row
            pragmas.prepare_writer(connection)
            connection.execute("PRAGMA synchronous = OFF")  # it is thrown away
            upgrade.check_version(file, BackupDirectory(scratch, SYSTEM_CLOCK).usable_file)
            # An import takes the columns of this program only.
            adopt_or_upgrade(
                connection,
                None,
                lambda _, detail: progress(0, None, detail),
                clock=SYSTEM_CLOCK,
                zone=zone,
                keeps_columns=False,
            )
            adopted = None if system is None else _adopted(connection, path)
            store_id = transfer.store_id(connection) if system is None else seed_sources.store_id(system)
        yield _Copy(_rows_of(connection, path), store_id, adopted)
    for left in scratch.glob(f"{COPY}*"):
        left.unlink()


def _rows_of(connection: sqlite3.Connection, path: Path) -> StoreRows:
    """The rows of the copy of the database at `path`."""
    rows = transfer.rows_of(connection)

    def rows_of(kind: str) -> Iterator[Row]:
        with _refusing(path):
            yield from rows(kind)

    def count() -> int:
        with _refusing(path):
            return rows.count()

    return StoreRows(rows_of, rows.own, count)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Raise errors of the database at `path`, or of its copy, as `ArchiveRefused`."""
    try:
        yield
    except READ_ERRORS as error:
        raise _unreadable(path, error) from error
    except DiskFull:
        raise
    except (StartRefused, StorageError) as error:
        raise ArchiveRefused(f"{path} cannot be imported: {error.message}") from error


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
        f"{repeated} in a repeated hour, {skipped} in a skipped hour. `--time-zone` names another zone."
    )


def _unreadable(path: Path, error: Exception) -> ArchiveRefused:
    return ArchiveRefused(f"{path} cannot be read as a database: {error}. Take an undamaged copy of it.")
