"""How far a write-ahead log ought to reach, read from its frames' headers (https://sqlite.org/fileformat.html, section
4) and from its index, to be compared with how far SQLite could read it.

SQLite ends a log at the first frame whose checksum is wrong and says nothing: after a crash that is a commit that was
not finished, and after damage it is every commit from there on. Two things prove damage. Only one commit is under way
at a time, and all before it are synced: two that cannot be read were answered. And a commit that the index knows of was
synced (`files/wal_index.py`). A single one that it does not know was most likely interrupted, which nothing can prove.
"""

import struct
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sidecar.models.backups import FileStates
from sidecar.models.recovery import LogDamage
from sidecar.storage.sqlite.files import companions, open_mark, wal_index
from sidecar.storage.sqlite.files.wal_index import LogIndex

_HEADER = struct.Struct(">8I")
_FRAME_HEADER = struct.Struct(">II8sII")
_SALTS = slice(16, 24)
_CHECKED_BYTES = 24
"""How much of the header its checksum is of."""

_FRAME_CHECKED_BYTES = 8

_BYTE_ORDERS = {0x377F0682: "<", 0x377F0683: ">"}
"""The byte order of checksums, by the magic number."""

_READ_VERSION = 19
"""Where the database's header says how it is read: 2 means with a write-ahead log."""


class Frame(NamedTuple):
    """The header of one frame."""

    is_of_log: bool
    """True if the frame has the salts of the log; otherwise it is of an older log, or damaged."""

    ends_commit: bool


class UnreadableEnd(NamedTuple):
    """The end of a log behind the last frame that SQLite can read."""

    damage: LogDamage
    is_certain: bool
    """True if it was stored. Otherwise it is one commit, which was interrupted unless the log is damaged."""


class Extent(NamedTuple):
    """The frames of a log; the first one has the number 1."""

    salts: bytes
    frames: list[Frame]

    def last_commit(self) -> tuple[int, int]:
        """Return the numbers of the last two frames that end a commit; 0 where there is none."""
        commits = [number for number, frame in self._numbered(0) if frame.is_of_log and frame.ends_commit]
        last, before, *_ = (*reversed(commits[-2:]), 0, 0)
        return before, last

    def unreadable_known(self, readable: int, index: LogIndex) -> UnreadableEnd | None:
        """Return what is lost of the commits that the index knows, when so many frames can be read."""
        return self.unreadable_after(readable, index) if self._published(index) > readable else None

    def unreadable_after(self, readable: int, index: LogIndex | None) -> UnreadableEnd | None:
        """Return what is lost when SQLite can read only so many frames; `None` when nothing is."""
        readable = max(readable, 0)
        commits = [number for number, frame in self._numbered(readable) if frame.is_of_log and frame.ends_commit]
        published = self._published(index)
        last = max(commits[-1] if commits else 0, published)
        if last <= readable:
            return None
        # A frame whose header is damaged, or that is not there, may have ended a commit.
        known = dict(self._numbered(readable))
        unknown = [n for n in range(readable + 1, last + 1) if n not in known or not known[n].is_of_log]
        lost = LogDamage(
            unreadable_frames=last - readable, unreadable_commits=len(commits) + len(unknown), kept_as=None
        )
        return UnreadableEnd(lost, is_certain=len(commits) > 1 or published > readable)

    def _published(self, index: LogIndex | None) -> int:
        return index.frames if index is not None and index.salts == self.salts else 0

    def _numbered(self, after: int) -> list[tuple[int, Frame]]:
        return list(enumerate(self.frames, start=1))[after:]


def wal_path(path: Path) -> Path:
    return companions.beside(path, "-wal")


def size(path: Path) -> int:
    """Return the bytes of a database's log; 0 where there is none."""
    try:
        return wal_path(path).stat().st_size
    except FileNotFoundError:
        return 0


def states(path: Path) -> FileStates:
    """Return the states of the database's file and of its log. One that is not there, or is empty, is left out."""
    found: FileStates = {}
    for file in (path, wal_path(path)):
        with suppress(FileNotFoundError):
            state = file.stat()
            if state.st_size:
                found[file.name] = (state.st_size, state.st_mtime_ns)
    return found


def has_content(path: Path) -> bool:
    """Return whether the database has a log that holds anything."""
    return size(path) > 0


def salts_of(path: Path) -> bytes:
    """Return those of the log of a database, which may be open; nothing where the log has no header."""
    with wal_path(path).open("rb") as file:
        return file.read(_HEADER.size)[_SALTS]


def extent(path: Path, index: LogIndex | None = None) -> Extent | None:
    """Return the frames in the log of a database that is not open; `None` without a log.

    Where the log's header is damaged, its salts are those that the index has, or the first frame.
    """
    if not has_content(path):
        return None
    with wal_path(path).open("rb") as file:
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return Extent(b"", [])
        salts: bytes | None = header[_SALTS]
        page_size = int.from_bytes(header[8:12], "big")
        if not _is_sound(header):
            salts, page_size = None if index is None else index.salts, _page_size_of(path)
        frames = []
        while len(frame := file.read(_FRAME_HEADER.size)) == _FRAME_HEADER.size:
            _, size_after_commit, frame_salts, _, _ = _FRAME_HEADER.unpack(frame)
            if salts is None:
                salts = frame_salts
            frames.append(Frame(frame_salts == salts, size_after_commit != 0))
            file.seek(page_size, 1)
        return Extent(salts or b"", frames)


def readable_frames(path: Path, after: int = 0) -> int:
    """Return how many frames of a log SQLite can read, if it can read those up to `after`.

    All checksums are computed here, which is slow and changes nothing.
    """
    with wal_path(path).open("rb") as file:
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size or not _is_sound(header):
            return 0
        page_size = int.from_bytes(header[8:12], "big")
        size = _FRAME_HEADER.size + page_size
        order = _BYTE_ORDERS[int.from_bytes(header[:4], "big")]
        words = struct.Struct(f"{order}{(_FRAME_CHECKED_BYTES + page_size) // 4}I")
        last = struct.unpack(">2I", header[_CHECKED_BYTES:])
        if after:
            file.seek(_HEADER.size + (after - 1) * size)
            last = struct.unpack(">2I", file.read(_FRAME_HEADER.size)[-8:])
            file.seek(page_size, 1)
        number = readable = after
        while len(frame := file.read(size)) == size:
            _, size_after_commit, salts, *stored = _FRAME_HEADER.unpack_from(frame)
            checked = words.unpack(frame[:_FRAME_CHECKED_BYTES] + frame[_FRAME_HEADER.size :])
            last = wal_index.checksum(checked, last)
            if salts != header[_SALTS] or last != tuple(stored):
                break
            number += 1
            if size_after_commit:
                readable = number
        return readable


class MissingLog(NamedTuple):
    """A log that was removed or emptied after a run that did not end cleanly."""

    damage: LogDamage | None
    """The most that it held; `None` if it is not known whether it held anything."""


def missing(path: Path, index: LogIndex | None) -> MissingLog | None:
    """Return what is known of a log that the closed database should have; `None` when it has one or needs none."""
    if not open_mark.is_there(path):
        return None
    if index is not None and index.only_in_log and size(path) <= _HEADER.size:
        if wal_path(path).exists() and open_mark.was_emptied(path, index.salts, index.frames):
            return None  # by the last run, and the index is of an earlier moment
        lost = index.only_in_log
        return MissingLog(LogDamage(unreadable_frames=lost, unreadable_commits=lost, kept_as=None))
    return MissingLog(None) if not wal_path(path).exists() and _is_read_with_a_log(path) else None


def _is_sound(header: bytes) -> bool:
    magic, _, page_size, *_ = _HEADER.unpack(header)
    if magic not in _BYTE_ORDERS or page_size not in [512 << shift for shift in range(8)]:
        return False
    words = struct.unpack(f"{_BYTE_ORDERS[magic]}6I", header[:_CHECKED_BYTES])
    return wal_index.checksum(words) == struct.unpack(">2I", header[_CHECKED_BYTES:])


def _is_read_with_a_log(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(_READ_VERSION + 1)[_READ_VERSION:] == b"\x02"


def _page_size_of(path: Path) -> int:
    with path.open("rb") as file:
        size = int.from_bytes(file.read(18)[16:18], "big")
    return size if size in [512 << shift for shift in range(7)] else 4096
