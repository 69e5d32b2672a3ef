"""The kind of a file that somebody hands over; the error for a wrong one says what to do."""

import codecs
from enum import Enum
from pathlib import Path

from sidecar.errors import ArchiveRefused
from sidecar.storage.sqlite.files import foreign as others_files

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_LOOKED_AT = 1024
"""Bytes at the beginning of a file; white space may come before JSON."""

_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Rar!")
"""How files of gzip, bzip2, xz, zstd, 7-Zip and RAR begin."""

_JSON = (b"[", b"{")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How JSON in UTF-16 begins, as Windows writes it."""


class FileKind(Enum):
    """The kind of a file, by its first bytes."""

    ARCHIVE = "archive"
    DATABASE = "database"
    JSON = "json"


def kind_of(path: Path) -> FileKind:
    """Return the kind of the file. Raises `ArchiveRefused`, which says what to do, for any other file."""
    if path.is_dir():
        raise ArchiveRefused(f"{path} is a directory; give {_in_directory(path)}.")
    if not path.is_file():
        raise ArchiveRefused(f"{path} is not a regular file; save what it yields as a file and give that.")
    with path.open("rb") as file:
        beginning = file.read(_LOOKED_AT)
    if beginning[:4] in _ZIP:
        return FileKind.ARCHIVE
    if beginning.startswith(others_files.SQLITE):
        return FileKind.DATABASE
    if not beginning:
        raise ArchiveRefused(f"{path} is empty; take another copy of the file.")
    if beginning.startswith(_COMPRESSED):
        raise ArchiveRefused(f"{path} is compressed; unpack it, and give the file that was in it.")
    if beginning.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in _JSON or beginning[:2] in _UTF_16:
        return FileKind.JSON
    raise ArchiveRefused(
        f"{path} is neither an export, which is a .zip, nor a database, nor a chat history, which is JSON; give the "
        "file that `sidecar export` or `sidecar backup` made. It may have been cut off or changed on its way."
    )


def _in_directory(path: Path) -> str:
    if (path / "manifest.json").exists():
        return "the .zip that it was unpacked from, or pack the directory again"
    for name in ("sidecar.db", "app.db", "vmpilot.db", "conversations.json", "logs.db", "webui.db"):
        if (path / name).is_file():
            return f"the file in it, {path / name}"
    return "a file in it"
