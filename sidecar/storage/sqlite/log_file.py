"""How far a write-ahead log ought to reach, read from its frames' headers (https://sqlite.org/fileformat.html, section
4), to be compared with how far SQLite could read it.

SQLite ends a log at the first frame whose checksum is wrong and says nothing: after a crash that is a commit that was
not finished, and after damage it is every commit from there on.
"""

import struct
from pathlib import Path
from typing import NamedTuple

from sidecar.models.recovery import LogDamage

_HEADER = struct.Struct(">8I")
_FRAME_HEADER = struct.Struct(">6I")
_MAGIC = (0x377F0682, 0x377F0683)


class Extent(NamedTuple):
    """The frames of a log that commits end with, by number; the first frame is 1."""

    commits: list[int]

    def damage_after(self, readable: int) -> LogDamage | None:
        """What is lost when SQLite can read only so many frames; `None` when nothing is."""
        lost = [frame for frame in self.commits if frame > readable]
        if not lost:
            return None
        return LogDamage(unreadable_frames=lost[-1] - max(readable, 0), unreadable_commits=len(lost), kept_as=None)


def log_path(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def has_content(path: Path) -> bool:
    """Whether the database has a log that holds anything."""
    try:
        return log_path(path).stat().st_size > 0
    except FileNotFoundError:
        return False


def extent(path: Path) -> Extent | None:
    """The commits in the log of a database that is not open; `None` without a log."""
    if not has_content(path):
        return None
    with log_path(path).open("rb") as file:
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return Extent([])
        magic, _, page_size, _, *salts, _, _ = _HEADER.unpack(header)
        is_sound = magic in _MAGIC and page_size in [512 << shift for shift in range(8)]
        if not is_sound:
            page_size = _page_size_of(path)
        commits, number = [], 0
        while len(frame := file.read(_FRAME_HEADER.size)) == _FRAME_HEADER.size:
            number += 1
            _, size_after_commit, *frame_salts, _, _ = _FRAME_HEADER.unpack(frame)
            if not is_sound and number == 1:
                salts = frame_salts
            if frame_salts == salts and size_after_commit:
                commits.append(number)
            file.seek(page_size, 1)
        return Extent(commits)


def _page_size_of(path: Path) -> int:
    with path.open("rb") as file:
        size = int.from_bytes(file.read(18)[16:18], "big")
    return size if size in [512 << shift for shift in range(7)] else 4096
