"""Reading an archive that somebody hands over. None of it is believed: it is looked at as a whole before it is used.

Refused are members that are not on the list, twice there, or whose names climb out of a folder; sizes no export has;
whatever the manifest does not vouch for; and every line that is not a row of its kind. An archive that a person
unpacked and packed again is taken: inside one folder, with entries for folders, and with what operating systems add.
"""

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from io import BufferedReader, RawIOBase
from pathlib import PurePosixPath
from typing import IO, Any, Self, cast
from zipfile import ZipFile

from pydantic import ValidationError

from sidecar.errors import ArchiveRefused, InvalidInput
from sidecar.models.transfer import FORMAT, FORMAT_VERSION, ArchiveManifest, ArchiveRow, ManifestFile, Row
from sidecar.progress import ProgressCounter
from sidecar.sentences import first_finding
from sidecar.storage.capabilities import OwnRows, StoreRows
from sidecar.storage.resources.lines import LINES, REQUIRED
from sidecar.storage.resources.rows.validation import json_text
from sidecar.tools.archive_limits import LIMITS, LONGEST_LINE, MEBIBYTE, ArchiveLimits
from sidecar.tools.archive_members import FORBIDDEN, MANIFEST, Members
from sidecar.tools.own_lines import is_own, own_row
from sidecar.tools.zip_files import refusing, require_plain, require_short_list, size_of

MARKDOWN = "markdown"
ENDING = ".jsonl"
LARGEST_MANIFEST = MEBIBYTE
BLOCK = 256 * 1024

REPORTED_ROWS = 1_000
"""Rows between two reports of progress."""

PASSES_OF_IMPORT = 2
"""How often an import goes through the rows of an archive: they are checked, and then added."""


class Archive:
    """An archive that was found to be sound. Made by `verify`; the file stays its caller's to close."""

    def __init__(self, members: "Members", manifest: ArchiveManifest, digest: bytes, longest_line: int) -> None:
        self._members = members
        self._longest_line = longest_line
        self.manifest = manifest
        self.digest = digest
        """Stands for the whole content."""

    @classmethod
    def verify(
        cls, file: IO[bytes], progress: ProgressCounter | None = None, *, limits: ArchiveLimits = LIMITS
    ) -> Self:
        """Return the archive in `file`. Raises `ArchiveRefused`, saying what is wrong with it.

        `progress` is made to expect the rows of an import, the first half of which are checked here.
        """
        progress = progress or ProgressCounter()
        with refusing():
            require_short_list(file, limits.member_list)
            members = Members(ZipFile(file))
            archive_bytes = size_of(file)
            longest_line = limits.longest_line(archive_bytes)
            _require_known_members(members, limits.most_unpacked(archive_bytes))
            with members.open(MANIFEST) as member:
                content = member.read(LARGEST_MANIFEST + 1)
            manifest = _manifest(content)
            _require_vouched_members(members, manifest)
            progress.expect(PASSES_OF_IMPORT * sum(promised.count for promised in manifest.files.values()))
            for kind, promised in manifest.files.items():
                _require_sound_lines(members, kind, promised, longest_line, progress)
            _require_sound_markdown(members, manifest)
        return cls(members, manifest, sha256(content).digest(), longest_line)

    def rows(self, progress: ProgressCounter | None = None) -> StoreRows:
        """A way to read the rows of each kind, in the form in which they are stored."""
        imported = _ImportedRows(progress)

        def rows_of(kind: str) -> Iterator[Row]:
            with refusing():
                lines = _lines(self._members, kind, self._longest_line) if kind in self.manifest.files else ()
                yield from imported.counted(kind, (line for _, line in lines))

        own = tuple(kind for kind in self.manifest.files if is_own(kind))
        count = sum(promised.count for promised in self.manifest.files.values())
        return StoreRows(rows_of, OwnRows(own, self.manifest.extensions), lambda: count)


def verified_rows(rows: StoreRows, progress: ProgressCounter | None = None) -> StoreRows:
    """Return the rows of another store as an archive of them would give them, without one.

    Reading them raises `ArchiveRefused` as `Archive.verify` does.
    """
    imported = _ImportedRows(progress)

    def rows_of(kind: str) -> Iterator[Row]:
        numbered = enumerate(map(line_of, rows(kind)), 1)
        lines = (_row(kind, text, f"{file_name(kind)}, line {number}", LONGEST_LINE) for number, text in numbered)
        return imported.counted(kind, lines)

    return StoreRows(rows_of, rows.own, rows.count)


class _ImportedRows:
    """The rows that an import reads. Those that it reads again count once."""

    def __init__(self, progress: ProgressCounter | None) -> None:
        self._progress = progress or ProgressCounter()
        self._counted: dict[str, int] = {}

    def counted(self, kind: str, lines: Iterable[Row]) -> Iterator[Row]:
        number = 0
        for number, line in enumerate(lines, 1):
            yield line
            if number % REPORTED_ROWS == 0:
                self._count(kind, number)
        self._count(kind, number)

    def _count(self, kind: str, number: int) -> None:
        before = self._counted.get(kind, 0)
        self._counted[kind] = max(before, number)
        self._progress.advance(self._counted[kind] - before, f"importing {kind}")


def line_of(row: Row) -> bytes:
    """Return the line of an archive that says the row."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def file_name(kind: str) -> str:
    """The member that holds the rows of a kind."""
    return f"{kind}{ENDING}"


def _require_known_members(members: Members, most_unpacked: int) -> None:
    known = {MANIFEST, *map(file_name, LINES)}
    seen: set[str] = set()
    names = members.names
    for member in members.infos:
        name = members.name(member)
        is_of_extension = name.endswith(ENDING) and is_own(name.removesuffix(ENDING))
        if name not in known and not is_of_extension and not _is_markdown(name):
            hint = "" if MANIFEST in names else f" It has no {MANIFEST}: give the .zip that `sidecar export` made."
            raise ArchiveRefused(f"The archive holds a file that no export has: {name[:100]!r}.{hint}")
        if name.casefold() in seen:
            raise ArchiveRefused(f"The archive holds the file {name[:100]!r} twice.")
        seen.add(name.casefold())
        require_plain(member)
    unpacked = members.unpacked_bytes
    if unpacked > most_unpacked:
        raise ArchiveRefused(f"The archive would unpack to {unpacked} bytes, far more than its size explains.")
    if MANIFEST not in seen:
        raise ArchiveRefused(
            f"The archive has no {MANIFEST}, so it is not an export of this program; give the .zip that `sidecar "
            "export` made."
        )
    if members.info(MANIFEST).file_size > LARGEST_MANIFEST:
        raise ArchiveRefused(f"The {MANIFEST} is larger than {LARGEST_MANIFEST} bytes.")


def _is_markdown(name: str) -> bool:
    """Return whether it is a file below `markdown/` with a portable name."""
    parts = PurePosixPath(name).parts
    return (
        len(parts) > 1
        and parts[0] == MARKDOWN
        and "/".join(parts) == name
        and name.endswith(".md")
        and ".." not in parts
        and not FORBIDDEN.search(name)
    )


def _manifest(content: bytes) -> ArchiveManifest:
    try:
        manifest = ArchiveManifest.model_validate_json(content)
    except ValidationError as error:
        raise ArchiveRefused(
            f"The {MANIFEST} is not one of an export of this program: {first_finding(error)}."
        ) from None
    if manifest.format != FORMAT:
        raise ArchiveRefused(f"The archive is a {manifest.format[:100]!r}, not an export of this program.")
    if manifest.format_version > FORMAT_VERSION:
        raise ArchiveRefused(
            f"The archive was made by a newer version of this program ({manifest.program_version[:40]}); update first."
        )
    return manifest


def _require_vouched_members(members: Members, manifest: ArchiveManifest) -> None:
    """The archive must hold the files of its manifest, and among them all that version 1 of the format began with."""
    names = {name for name in members.names if not _is_markdown(name)} - {MANIFEST}
    promised = {file_name(kind) for kind in manifest.files}
    required = {file_name(kind) for kind in REQUIRED}
    if names != promised or not required <= promised or not _are_known(manifest):
        wrong = sorted((names ^ promised) | (required - (names & promised)))
        raise ArchiveRefused(
            f"The archive and its {MANIFEST} do not hold the same files: {', '.join(wrong)[:200]}. Export again."
        )
    for kind, file in manifest.files.items():
        if members.info(file_name(kind)).file_size != file.bytes:
            raise _not_as_promised(kind)


def _are_known(manifest: ArchiveManifest) -> bool:
    """Return whether the kinds are built in, or those of extensions that the manifest names."""
    own = {kind for kind in manifest.files if is_own(kind)}
    namespaces = {kind.partition(".")[0] for kind in own}
    return manifest.files.keys() - own <= LINES.keys() and namespaces <= manifest.extensions.keys()


def _require_sound_lines(
    members: Members, kind: str, promised: ManifestFile, longest_line: int, progress: ProgressCounter
) -> None:
    digest = sha256()
    count = size = 0
    key_name = None if is_own(kind) else next(name for name in LINES[kind].model_fields if name != "invalid")
    last_key: Any = None
    for count, (text, line) in enumerate(_lines(members, kind, longest_line), 1):
        digest.update(text)
        size += len(text)
        if key_name is not None and key_name not in (line["invalid"] or ()):
            key = line[key_name]
            if last_key is not None and key <= last_key:
                raise ArchiveRefused(f"{file_name(kind)}, line {count}: {key_name} does not come after the one before.")
            last_key = key
        if count % REPORTED_ROWS == 0:
            progress.advance(REPORTED_ROWS, f"checking {kind}")
    progress.advance(count % REPORTED_ROWS, f"checking {kind}")
    if ManifestFile(count=count, bytes=size, sha256=digest.hexdigest()) != promised:
        raise _not_as_promised(kind)


def _not_as_promised(kind: str) -> ArchiveRefused:
    return ArchiveRefused(f"The archive is damaged: {file_name(kind)} is not what its {MANIFEST} says.")


def _lines(members: Members, kind: str, longest: int) -> Iterator[tuple[bytes | bytearray, Row]]:
    """Each line as it is written, and as what it means."""
    with members.open(file_name(kind)) as member, BufferedReader(cast("RawIOBase", member), BLOCK) as reader:
        number = 0
        while text := _read_line(reader, longest):
            number += 1
            yield text, _row(kind, text, f"{file_name(kind)}, line {number}", longest)


def _row(kind: str, text: bytes | bytearray, where: str, longest: int) -> Row:
    """Return the row that a line says. Raises `ArchiveRefused`, saying `where` it is."""
    if len(text) > longest or not text.endswith(b"\n"):
        raise ArchiveRefused(f"{where} is too long or was cut off.")
    try:
        if is_own(kind):
            return own_row(text)
        row = LINES[kind].model_validate_json(text)
        _require_storable(row)
    except ValidationError as error:
        raise ArchiveRefused(f"{where} is not a row of that kind: {first_finding(error)}.") from None
    except InvalidInput as error:
        raise ArchiveRefused(f"{where} is not a row of that kind: {error.message}") from None
    return dict(row)


def _read_line(reader: IO[bytes], longest: int) -> bytes | bytearray:
    """Return the next line; reading stops once it is known to be too long."""
    line = reader.readline(BLOCK)
    if len(line) < BLOCK:
        return line
    # `readline` alone would hold a long line twice.
    long_line = bytearray(line)
    while not long_line.endswith(b"\n") and len(long_line) <= longest:
        part = reader.readline(BLOCK)
        if not part:
            break
        long_line += part
    return long_line


def _require_storable(line: ArchiveRow) -> None:
    """Raises `InvalidInput` for JSON that is none, such as NaN, or that nests without end."""
    for name, value in line:
        if isinstance(value, dict | list | float):
            json_text(name, value, most=LONGEST_LINE)


def _require_sound_markdown(members: Members, manifest: ArchiveManifest) -> None:
    names = [name for name in members.names if _is_markdown(name)]
    digest = sha256()
    size = 0
    for name in names:
        with members.open(name) as member:
            while block := member.read(BLOCK):
                digest.update(block)
                size += len(block)
    found = ManifestFile(count=len(names), bytes=size, sha256=digest.hexdigest())
    promised = manifest.markdown or ManifestFile(count=0, bytes=0, sha256=sha256().hexdigest())
    if _is_packed_again(members, manifest):
        # In another order the files have another digest together. The `.zip` has a checksum of each, which was read.
        found = found.model_copy(update={"sha256": promised.sha256})
    if promised != found:
        raise ArchiveRefused(f"The archive is damaged: its Markdown files are not what its {MANIFEST} says.")


def _is_packed_again(members: Members, manifest: ArchiveManifest) -> bool:
    """Return whether the members are in another order than that of an export: rows, Markdown, manifest."""
    exported = [file_name(kind) for kind in (*LINES, *filter(is_own, manifest.files)) if kind in manifest.files]
    names = members.names
    return names[: len(exported)] != exported or names[-1] != MANIFEST
