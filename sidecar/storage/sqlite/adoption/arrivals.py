"""Another system's database under its own name in the data directory: the first start copies and adopts it.

The original is only read, and stays as it is.
"""

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from sidecar.clock import Clock
from sidecar.errors import DiskFull, StorageError
from sidecar.models import timestamps
from sidecar.storage.interfaces import StageListener
from sidecar.storage.sqlite.backup import snapshot
from sidecar.storage.sqlite.files import companions, wal

log = logging.getLogger(__name__)

STAGE = "adopting"
NAMES = ("app.db", "vmpilot.db")
"""The names that MineContext and VMPilot give their databases."""

_TRACES = ("closed", "open", "damaged-*", "recovered-*")
"""Endings of files beside a database that outlive it."""


def candidates(path: Path, data_directory: Path) -> list[Path]:
    """Return the files that may be such databases; none when a database is or was at `path`.

    An empty file there is no database: a first start that was killed may have left it.
    """
    if _is_used(path) or _has_traces(path):
        return []
    return [file for name in NAMES if (file := data_directory / name).is_file()]


def take(found: Sequence[Path], path: Path, announce: StageListener, clock: Clock) -> Path | None:
    """Copy the first of the `candidates` that another system made to `path`; return the original's path, or `None`.

    For every further one, the command that imports it is announced. A database that cannot be read is left as it is,
    and the log says so. Raises `DiskFull` and `OSError` when there is no room for the copy.
    """
    from sidecar.storage.sqlite.files import foreign as others_files  # few starts find such a file

    with others_files.scratch_in(path.parent) as scratch:
        return _take_first(found, path, scratch, announce, clock)


def _take_first(found: Sequence[Path], path: Path, scratch: Path, announce: StageListener, clock: Clock) -> Path | None:
    taken: Path | None = None
    for file in found:
        system = _maker(file, scratch)
        if system is None:
            continue
        advice = f"import it with: sidecar import {system} {file} --data-dir {file.parent}"
        if taken is not None:
            _tell(announce, f"{file} is left as it is, because {taken} is adopted; {advice}")
        elif _copy(file, path, scratch, announce, clock):
            taken = file
        else:
            _tell(announce, f"{file} cannot be copied, and was left as it is; repair it, then {advice}")
    return taken


def _is_used(path: Path) -> bool:
    return path.exists() and (not path.is_file() or path.stat().st_size > 0 or wal.has_content(path))


def _has_traces(path: Path) -> bool:
    """Return whether files beside `path` show that a database was there, which a recovery may be about to replace."""
    return any(any(path.parent.glob(f"{path.name}.{ending}")) for ending in _TRACES)


def _maker(path: Path, scratch: Path) -> str | None:
    from sidecar.storage.sqlite.files import foreign as others_files
    from sidecar.storage.sqlite.schema import makers as seed_makers

    try:
        with others_files.reading(path, scratch) as source:
            return seed_makers.maker(source)
    except (sqlite3.Error, UnicodeDecodeError, PermissionError) as error:
        log.warning("%s cannot be read as a database, and was left as it is: %s", path, error)
        return None


def _copy(source: Path, path: Path, scratch: Path, announce: StageListener, clock: Clock) -> bool:
    from sidecar.storage.sqlite.files import foreign as others_files

    announce(STAGE, f"copying {source}, which stays as it is")
    try:
        with others_files.reading(source, scratch) as connection:
            # What a first start that was cut off has left is not the copy's.
            companions.set_aside(path, path.with_name(f"{path.name}.lost-{timestamps.for_file_names(clock)}"))
            snapshot.make_snapshot(connection, path)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        log.warning("%s cannot be read to its end: %s", source, error)
        return False
    except DiskFull:
        raise
    except StorageError as error:
        log.warning("%s: %s", source, error.message)
        return False
    return True


def _tell(announce: StageListener, sentence: str) -> None:
    log.warning("%s", sentence)
    announce(STAGE, sentence)
