"""A `.zip` that somebody hands over: the checks of its form, before anything in it is read."""

import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EINVAL
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipInfo

from sidecar.errors import ArchiveRefused

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")


@contextmanager
def refusing() -> Iterator[None]:
    """Raise errors of reading a `.zip` as `ArchiveRefused`. Errors of the disk stay as they are."""
    try:
        yield
    except (BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, OverflowError, ValueError) as error:
        raise ArchiveRefused(f"The file is damaged or not a .zip: {error}.") from error
    except OSError as error:
        if error.errno != EINVAL:
            raise
        raise ArchiveRefused("The file is damaged or not a .zip: it names places before its beginning.") from error


def size_of(file: IO[bytes]) -> int:
    """Return the size of a file, and stay at its end."""
    return file.seek(0, 2)


def require_short_list(file: IO[bytes], longest: int) -> None:
    """Raise `ArchiveRefused` for a long list of members.

    Opening a `.zip` reads the whole list of its members into memory, so its length is looked at first.
    """
    size = size_of(file)
    start = max(0, size - _END.size - 0xFFFF)
    file.seek(start)
    tail = file.read()
    found = tail.rfind(b"PK\x05\x06")
    if found < 0:
        raise ArchiveRefused("The file is not a .zip, or it was cut off.")
    length = _END.unpack_from(tail, found)[5]
    if length == 0xFFFFFFFF or start + found >= _LOCATOR_64.size:
        file.seek(max(0, start + found - _LOCATOR_64.size))
        signature, _, offset, _ = _LOCATOR_64.unpack(file.read(_LOCATOR_64.size).ljust(_LOCATOR_64.size, b"\0"))
        if signature == b"PK\x06\x07" and offset < size:
            # Where the record is looked for by its offset, and by its place before the locator: both must be short.
            for place in (offset, start + found - _LOCATOR_64.size - _END_64.size):
                file.seek(max(0, place))
                record = file.read(_END_64.size)
                if record[:4] == b"PK\x06\x06" and len(record) == _END_64.size:
                    length = max(length if length != 0xFFFFFFFF else 0, _END_64.unpack(record)[8])
    if length > longest:
        raise ArchiveRefused("The archive lists more files than an export ever holds.")
    file.seek(0)


def require_plain(member: ZipInfo) -> None:
    """Raise `ArchiveRefused` for a member that is not a file which can be read."""
    if member.flag_bits & 0x1:
        raise ArchiveRefused(f"The file {member.orig_filename[:100]!r} of the archive is encrypted.")
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise ArchiveRefused(f"The file {member.orig_filename[:100]!r} of the archive is compressed in an unknown way.")
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        raise ArchiveRefused(f"The file {member.orig_filename[:100]!r} of the archive is a link or a device.")
