"""Writing an archive, row by row, as the rows of one moment come out of the store."""

from collections.abc import Iterator
from hashlib import sha256
from itertools import chain
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from sidecar import __version__
from sidecar.errors import InvalidInput
from sidecar.models.transfer import FORMAT, FORMAT_VERSION, ArchiveManifest, ManifestFile
from sidecar.progress import Progress, ProgressCounter, ignore_progress
from sidecar.storage.capabilities import RowsOf, own_rows_of
from sidecar.storage.resources.lines import LINES, REQUIRED
from sidecar.tools.archive import BLOCK, REPORTED_ROWS, file_name, line_of
from sidecar.tools.archive_limits import LIMITS, ArchiveLimits
from sidecar.tools.archive_members import MANIFEST
from sidecar.tools.markdown import MarkdownTree

LISTED_BYTES = 46 + 28
"""Largest size of a member's entry in the list of a `.zip`, besides its name, in bytes."""


def write_archive(
    file: IO[bytes],
    rows: RowsOf,
    store_id: str,
    created_at: str,
    markdown: bool = False,
    progress: Progress = ignore_progress,
    *,
    count: int | None = None,
    limits: ArchiveLimits = LIMITS,
) -> ArchiveManifest:
    """Write all rows to `file`; returns what the archive holds. `count` is how many there are, for the progress.

    Rows that compress so well that an import would take the archive for a bomb are written again uncompressed, unless
    `file` is one that cannot be sought in. Raises `InvalidInput` for more Markdown files than an archive that is
    imported may list.
    """
    manifest, longest_line, unpacked = _write_archive(
        file, rows, store_id, created_at, markdown, ProgressCounter(progress, count), limits, ZIP_DEFLATED
    )
    if file.seekable():
        size = file.tell()
        if longest_line > limits.longest_line(size) or unpacked > limits.most_unpacked(size):
            file.seek(0)
            file.truncate()
            manifest, _, _ = _write_archive(
                file, rows, store_id, created_at, markdown, ProgressCounter(progress, count), limits, ZIP_STORED
            )
    return manifest


def _write_archive(
    file: IO[bytes],
    rows: RowsOf,
    store_id: str,
    created_at: str,
    markdown: bool,
    progress: ProgressCounter,
    limits: ArchiveLimits,
    compression: int,
) -> tuple[ArchiveManifest, int, int]:
    """Return the contents of the archive, the bytes of its longest line, and the bytes that it unpacks to."""
    longest_line = 0
    with ZipFile(file, "w", compression) as zip_file:
        files = {}
        own = own_rows_of(rows)
        for kind in (*LINES, *own.kinds):
            lines = _lines(rows, kind, progress)
            if kind not in REQUIRED:
                first = next(lines, None)
                if first is None:
                    continue
                lines = chain([first], lines)
            files[kind], longest = _write(zip_file, file_name(kind), lines)
            longest_line = max(longest_line, longest)
        manifest = ArchiveManifest(
            format=FORMAT,
            format_version=FORMAT_VERSION,
            program_version=__version__,
            created_at=created_at,
            store_id=store_id,
            files=files,
            extensions=dict(own.versions),
            markdown=_write_markdown(zip_file, rows, progress, limits) if markdown else None,
        )
        zip_file.writestr(MANIFEST, manifest.model_dump_json(indent=2))
        unpacked = sum(member.file_size for member in zip_file.infolist())
    return manifest, longest_line, unpacked


def _lines(rows: RowsOf, kind: str, progress: ProgressCounter) -> Iterator[bytes]:
    progress.begin(f"exporting {kind}")
    number = 0
    for number, row in enumerate(rows(kind), 1):
        yield line_of(row)
        if number % REPORTED_ROWS == 0:
            progress.advance(REPORTED_ROWS, f"exporting {kind}")
    progress.advance(number % REPORTED_ROWS, f"exporting {kind}")


def _write(zip_file: ZipFile, name: str, lines: Iterator[bytes]) -> tuple[ManifestFile, int]:
    """Return the contents of the member, and the bytes of its longest line."""
    digest = sha256()
    count = size = longest = 0
    waiting = bytearray()
    with zip_file.open(name, "w", force_zip64=True) as member:
        for line in lines:
            count, size, longest = count + 1, size + len(line), max(longest, len(line))
            digest.update(line)
            waiting += line
            if len(waiting) >= BLOCK:
                member.write(waiting)
                waiting.clear()
        member.write(waiting)
    return ManifestFile(count=count, bytes=size, sha256=digest.hexdigest()), longest


def _write_markdown(zip_file: ZipFile, rows: RowsOf, progress: ProgressCounter, limits: ArchiveLimits) -> ManifestFile:
    digest = sha256()
    count = size = 0
    listed = LISTED_BYTES * 2 * (len(LINES) + len(own_rows_of(rows).kinds))
    for name, text in MarkdownTree(rows).files():
        content = text.encode()
        zip_file.writestr(name, content)
        listed += LISTED_BYTES + len(name.encode())
        if listed > limits.member_list:
            raise InvalidInput.field("markdown", f"there are more files than an archive can list: over {count}")
        digest.update(content)
        count, size = count + 1, size + len(content)
        if count % REPORTED_ROWS == 0:
            progress.begin(f"exporting Markdown, {count:,} files")
    return ManifestFile(count=count, bytes=size, sha256=digest.hexdigest())
