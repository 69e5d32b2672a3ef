"""The log of `shim.c`: what a program did to the disk, in its order, with marks of the program's own in between."""

import json
import os
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from struct import Struct
from typing import Any, NamedTuple

_HEADER = Struct("<2I2Q2q")

Mark = dict[str, Any]
"""A fact that a program noted, such as an answer that it got."""


class Kind(IntEnum):
    """The kinds of records, as in `shim.c`."""

    CREATE = 1
    WRITE = 2
    TRUNCATE = 3
    SYNC_BEGINS = 4
    SYNCED = 5
    RENAME = 6
    LINK = 7
    UNLINK = 8
    MAKE_DIRECTORY = 9
    REMOVE_DIRECTORY = 10
    MARK = 11
    NOT_RECORDED = 12


NAMES = {Kind.CREATE, Kind.RENAME, Kind.LINK, Kind.UNLINK, Kind.MAKE_DIRECTORY, Kind.REMOVE_DIRECTORY}
"""The operations that change the names in a directory."""


class Operation(NamedTuple):
    """One record."""

    kind: Kind
    inode: int
    offset: int
    """Where a write begins; the length after a truncation; the number of a sync."""

    modified_ns: int
    """When the file was modified, after the operation."""

    path: str
    to: str
    """The second path of a rename or a link."""

    data: bytes

    @property
    def mark(self) -> Mark:
        """The content of a mark."""
        content: Mark = json.loads(self.data)
        return content

    def __str__(self) -> str:
        names = " -> ".join(Path(path).name for path in (self.path, self.to) if path)
        return f"{self.kind.name} {self.data.decode() if self.kind is Kind.MARK else names}"


def note(log: Path, mark: Mark) -> None:
    """Append a mark to the log, behind all operations that are done."""
    data = json.dumps(mark).encode()
    record = _HEADER.pack(Kind.MARK, 0, len(data), 0, 0, 0) + data
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        assert os.write(descriptor, record) == len(record)
    finally:
        os.close(descriptor)


def operations(log: Path) -> Iterator[Operation]:
    """The records of the log. Fails on one that says that not everything was recorded."""
    content, position = log.read_bytes(), 0
    while position < len(content):
        kind, path_length, data_length, inode, offset, modified_ns = _HEADER.unpack_from(content, position)
        paths_at = position + _HEADER.size
        data_at = paths_at + path_length
        position = data_at + data_length
        path, _, to = content[paths_at:data_at].decode().partition("\n")
        assert kind != Kind.NOT_RECORDED, f"{path} is written to in a way that is not recorded"
        yield Operation(Kind(kind), inode, offset, modified_ns, path, to, content[data_at:position])


def marks(log: Path) -> list[Mark]:
    """The marks of the log alone."""
    return [operation.mark for operation in operations(log) if operation.kind is Kind.MARK] if log.exists() else []
