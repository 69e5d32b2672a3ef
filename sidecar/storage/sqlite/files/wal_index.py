"""The record of a write-ahead log in its index (https://sqlite.org/walformat.html, "The WAL-Index File").

SQLite publishes a commit in the index once the log is synced, and before the commit is answered. The index is never
synced itself: after the death of a process it is exact, and after a power cut it is of some earlier moment, or nothing.
So a commit that it knows of was on the disk; of one that it does not know, nothing follows. Whoever opens the database
after a crash, even to read, has SQLite write a new index of what can be read.
"""

import struct
from pathlib import Path
from typing import NamedTuple

from sidecar.storage.sqlite.files import companions

_VERSION = 3_007_000
_COPY_BYTES = 48
_HEADER = struct.Struct("=III BBH II 2I 8s 2I")
_WORDS = struct.Struct("=10I")
_BACKFILLED = struct.Struct("=I")
_UINT32 = 0xFFFFFFFF


class LogIndex(NamedTuple):
    """The log at the last commit that the index knows of."""

    salts: bytes
    """Those of the log's header."""

    frames: int
    backfilled: int
    """Frames that were copied into the database, which is synced."""

    @property
    def only_in_log(self) -> int:
        """How many frames the database depends on."""
        return max(self.frames - self.backfilled, 0)


def read(database: Path) -> LogIndex | None:
    """Return what the index of a closed database says; `None` if there is none, or none that is whole."""
    try:
        with companions.beside(database, "-shm").open("rb") as file:
            data = file.read(2 * _COPY_BYTES + _BACKFILLED.size)
    except FileNotFoundError:
        return None
    copy = data[:_COPY_BYTES]
    if len(data) < 2 * _COPY_BYTES + _BACKFILLED.size or copy != data[_COPY_BYTES : 2 * _COPY_BYTES]:
        return None
    version, _, _, is_initialized, _, _, frames, _, _, _, salts, *stored = _HEADER.unpack(copy)
    if version != _VERSION or not is_initialized or checksum(_WORDS.unpack(copy[: _WORDS.size])) != tuple(stored):
        return None
    (backfilled,) = _BACKFILLED.unpack_from(data, 2 * _COPY_BYTES)
    return LogIndex(salts, frames, backfilled)


def checksum(words: tuple[int, ...], before: tuple[int, int] = (0, 0)) -> tuple[int, int]:
    """Return SQLite's checksum of an even number of 32-bit words, gone on with from the one `before` them."""
    first, second = before
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & _UINT32
        second = (second + other + first) & _UINT32
    return first, second
