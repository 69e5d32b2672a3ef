"""Writing an archive, row by row, as the rows of one moment come out of the store."""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

from sidecar import __version__
from sidecar.errors import InvalidInput
from sidecar.models import timestamps
from sidecar.models.transfer import FORMAT, FORMAT_VERSION, LINES, Manifest, ManifestFile
from sidecar.storage.stores.transfer import RowsOf
from sidecar.transfer.archive import BLOCK, LARGEST_LIST, MANIFEST, Progress, file_name, no_progress
from sidecar.transfer.markdown import MarkdownTree

LISTED_BYTES = 46 + 28
"""What a member takes in a `.zip`'s list of members beside its name, at most."""


def write_archive(
    file: IO[bytes], rows: RowsOf, store_id: str, markdown: bool = False, progress: Progress = no_progress
) -> Manifest:
    """Write all rows to `file`, which may be one that cannot be sought in; returns what the archive holds.

    Raises `InvalidInput` for more Markdown files than an archive that is imported may list.
    """
    with ZipFile(file, "w", ZIP_DEFLATED) as zip_file:
        files = {kind: _write(zip_file, file_name(kind), _lines(rows, kind, progress)) for kind in LINES}
        manifest = Manifest(
            format=FORMAT,
            format_version=FORMAT_VERSION,
            program_version=__version__,
            created_at=timestamps.now(),
            store_id=store_id,
            files=files,
            markdown=_write_markdown(zip_file, rows, progress) if markdown else None,
        )
        zip_file.writestr(MANIFEST, manifest.model_dump_json(indent=2))
    return manifest


def _lines(rows: RowsOf, kind: str, progress: Progress) -> Iterator[bytes]:
    progress(f"exporting {kind}", 0)
    for number, row in enumerate(rows(kind), 1):
        yield json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        if number % 1000 == 0:
            progress(f"exporting {kind}", number)


def _write(zip_file: ZipFile, name: str, lines: Iterator[bytes]) -> ManifestFile:
    digest = sha256()
    count = size = 0
    waiting = bytearray()
    with zip_file.open(name, "w", force_zip64=True) as member:
        for line in lines:
            count, size = count + 1, size + len(line)
            digest.update(line)
            waiting += line
            if len(waiting) >= BLOCK:
                member.write(waiting)
                waiting.clear()
        member.write(waiting)
    return ManifestFile(count=count, bytes=size, sha256=digest.hexdigest())


def _write_markdown(zip_file: ZipFile, rows: RowsOf, progress: Progress) -> ManifestFile:
    digest = sha256()
    count = size = 0
    listed = LISTED_BYTES * 2 * len(LINES)
    for name, text in MarkdownTree(rows).files():
        content = text.encode()
        zip_file.writestr(name, content)
        listed += LISTED_BYTES + len(name.encode())
        if listed > LARGEST_LIST:
            raise InvalidInput.field("markdown", f"there are more files than an archive can list: over {count}")
        digest.update(content)
        count, size = count + 1, size + len(content)
        if count % 1000 == 0:
            progress("exporting Markdown", count)
    return ManifestFile(count=count, bytes=size, sha256=digest.hexdigest())
