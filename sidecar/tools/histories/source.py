"""The file that somebody hands over as a chat history: JSON, a `.zip` that holds it, or a database."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile, ZipInfo

from sidecar.errors import ArchiveRefused
from sidecar.storage.sqlite.files import foreign as others_files
from sidecar.tools.archive_limits import LIMITS, ArchiveLimits
from sidecar.tools.archive_members import MANIFEST
from sidecar.tools.histories import llm, webui_db
from sidecar.tools.histories.chatgpt import CHATGPT
from sidecar.tools.histories.claude import CLAUDE
from sidecar.tools.histories.formats import Format
from sidecar.tools.histories.items import items_of
from sidecar.tools.histories.librechat import LIBRECHAT
from sidecar.tools.histories.llm import LLM
from sidecar.tools.histories.notes import Note, Notes
from sidecar.tools.histories.openwebui import OPENWEBUI
from sidecar.tools.histories.own import OWN
from sidecar.tools.histories.tables import table_names
from sidecar.tools.kinds_of_file import FileKind, kind_of
from sidecar.tools.zip_files import refusing, require_plain, require_short_list, size_of

FORMATS = {each.name: each for each in (CHATGPT, CLAUDE, OPENWEBUI, LIBRECHAT, LLM, OWN)}
"""Formats by their names on the command line, in the order in which an entry is compared with them."""

_DATABASES = {LLM.name: llm, OPENWEBUI.name: webui_db}

_CONVERSATIONS = re.compile(r"(?:.*/)?conversations(?:-[0-9]+)?\.json", re.IGNORECASE)
_LOOKED_AT = 20
"""Entries among which one has to be a conversation: a damaged one may come first."""


def holds_history(path: Path, data_directory: Path) -> bool:
    """Return whether a file is a chat history rather than an export or a database of this program or of a seed.

    Raises `ArchiveRefused` for a file that cannot be any of these.
    """
    kind = kind_of(path)
    if kind is FileKind.ARCHIVE:
        try:
            with path.open("rb") as file, refusing():
                require_short_list(file, LIMITS.member_list)
                names = [member.filename for member in ZipFile(file).infolist()]
        except ArchiveRefused:
            return False  # whoever reads it next reports the damage
        is_archive = any(name.split("/")[-1] == MANIFEST for name in names)
        return any(map(_CONVERSATIONS.fullmatch, names)) or (not is_archive and any(map(_is_json, names)))
    if kind is FileKind.DATABASE:
        try:
            with others_files.scratch_in(data_directory) as scratch, others_files.reading(path, scratch) as connection:
                return _database_of(table_names(connection)) is not None
        except (sqlite3.Error, UnicodeDecodeError):
            return False  # whoever reads it next reports the damage
    return True


@contextmanager
def conversations_in(
    path: Path, wanted: Format | None, data_directory: Path, notes: Notes, *, limits: ArchiveLimits = LIMITS
) -> Iterator[tuple[Format, Iterator[dict[str, Any]]]]:
    """Open the file; return its format and its conversations, as they are written there.

    Raises `ArchiveRefused`, which says what to do, for a file of another format than the wanted one.
    """
    if kind_of(path) is FileKind.DATABASE:
        with others_files.scratch_in(data_directory) as scratch:
            try:
                with others_files.reading(path, scratch) as connection:
                    yield _rows(connection, path, wanted, data_directory)
            except (sqlite3.Error, UnicodeDecodeError) as error:
                raise ArchiveRefused(
                    f"{path} cannot be read as a database: {error}. Take an undamaged copy of it."
                ) from error
        return
    with path.open("rb") as file:
        if kind_of(path) is FileKind.ARCHIVE:
            with refusing():
                items = _members(file, path, notes, limits)
        else:
            items = items_of(file, str(path))
        yield _recognised(items, path, wanted, data_directory, notes)


def _members(file: IO[bytes], path: Path, notes: Notes, limits: ArchiveLimits) -> Iterator[Any]:
    """Return the conversations of the members that hold some. Raises `ArchiveRefused`."""
    require_short_list(file, limits.member_list)
    zip_file = ZipFile(file)
    files = [member for member in zip_file.infolist() if not member.is_dir()]
    found = [member for member in files if _CONVERSATIONS.fullmatch(member.filename) and _is_json(member.filename)]
    found = sorted(found or [member for member in files if _is_json(member.filename)], key=lambda each: each.filename)
    if not found:
        raise ArchiveRefused(f"{path} holds no conversations.json; give the .zip of the export as it was downloaded.")
    for member in found:
        require_plain(member)
    unpacked, packed = sum(member.file_size for member in found), size_of(file)
    if unpacked > limits.most_unpacked(packed):
        raise ArchiveRefused(f"{path} would unpack to {unpacked:,} bytes, far more than its size explains.")
    notes.add(Note.OTHER_MEMBER, len(files) - len(found))
    return chain.from_iterable(_member_items(zip_file, member, path) for member in found)


def _member_items(zip_file: ZipFile, member: ZipInfo, path: Path) -> Iterator[Any]:
    with refusing(), zip_file.open(member) as stream:
        yield from items_of(stream, f"{member.filename} in {path}")


def _is_json(name: str) -> bool:
    parts = name.split("/")
    return name.lower().endswith(".json") and parts[0] != "__MACOSX" and not parts[-1].startswith(".")


def _rows(
    connection: sqlite3.Connection, path: Path, wanted: Format | None, data_directory: Path
) -> tuple[Format, Iterator[dict[str, Any]]]:
    connection.row_factory = sqlite3.Row
    connection.text_factory = lambda content: content.decode("utf-8", "replace")
    found = _database_of(table_names(connection))
    if found is None:
        raise ArchiveRefused(f"{path} is the database of another program; give {_file_of(wanted)}.")
    if wanted is not None and found is not wanted:
        raise _other_format(path, wanted, found, data_directory)
    return found, _DATABASES[found.name].items(connection)


def _database_of(tables: set[str]) -> Format | None:
    return next((FORMATS[name] for name, each in _DATABASES.items() if each.is_database(tables)), None)


def _recognised(
    items: Iterator[Any], path: Path, wanted: Format | None, data_directory: Path, notes: Notes
) -> tuple[Format, Iterator[dict[str, Any]]]:
    """Return the format of the first conversation among the items, and all that are conversations of that format."""
    looked_at: list[Any] = []
    found: Format | None = None
    for item in items:
        looked_at.append(item)
        found = _format_of(item, wanted)
        if found is not None or len(looked_at) == _LOOKED_AT:
            break
    if found is None:
        if not looked_at and wanted is not None:
            return wanted, iter(())
        reason = "holds no conversation of a known format" if looked_at else "holds no conversation"
        raise ArchiveRefused(f"{path} {reason}; give {_file_of(wanted)}.")
    if wanted is not None and found is not wanted:
        raise _other_format(path, wanted, found, data_directory)
    return found, _only(chain(looked_at, items), found, notes)


def _format_of(item: Any, wanted: Format | None) -> Format | None:
    if not isinstance(item, dict):
        return None
    if wanted is not None and wanted.is_conversation(item):
        return wanted
    return next((each for each in FORMATS.values() if each.is_conversation(item)), None)


def _only(items: Iterator[Any], found: Format, notes: Notes) -> Iterator[dict[str, Any]]:
    for item in items:
        if isinstance(item, dict) and found.is_conversation(item):
            yield item
        else:
            notes.add(Note.NOT_A_CONVERSATION)


def _other_format(path: Path, wanted: Format, found: Format, data_directory: Path) -> ArchiveRefused:
    command = f"sidecar import --data-dir {data_directory} {found.name} {path}"
    return ArchiveRefused(f"{path} looks like an export of {found.program}, not of {wanted.program}; use `{command}`.")


def _file_of(wanted: Format | None) -> str:
    if wanted is not None:
        return f"{wanted.file}, of {wanted.program}"
    return f"an export of {', '.join(each.program for each in FORMATS.values())}"
