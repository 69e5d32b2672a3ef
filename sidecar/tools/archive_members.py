"""The members of an archive by the names that an export gives them, even if a person packed the archive again."""

import codecs
import re
from typing import IO
from zipfile import ZipFile, ZipInfo

MANIFEST = "manifest.json"

FORBIDDEN = re.compile(r'[\x00-\x1f\\:*?"<>|]')
"""Characters that no name of a member has."""

_CLUTTER = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
_CLUTTER_FOLDER = "__MACOSX"
_HERE = "./"
"""Begins every name that some packers write."""

codecs.lookup("cp437")
"""The encoding in which `zipfile` reads names: loaded with this module, and not in the middle of an import."""


class Members:
    """The members of a `.zip` that an export has, by the names that they have there."""

    def __init__(self, zip_file: ZipFile) -> None:
        self._zip = zip_file
        self.infos = [member for member in zip_file.infolist() if not _is_clutter(member)]
        self._folder = _folder_of_all([member.orig_filename for member in self.infos])
        self.unpacked_bytes = sum(member.file_size for member in zip_file.infolist())

    def name(self, member: ZipInfo) -> str:
        """Return the name without the folder that everything is in."""
        return member.orig_filename.removeprefix(self._folder)

    @property
    def names(self) -> list[str]:
        return [self.name(member) for member in self.infos]

    def info(self, name: str) -> ZipInfo:
        """Raises `KeyError`."""
        return self._zip.getinfo(self._folder + name)

    def open(self, name: str) -> IO[bytes]:
        return self._zip.open(self._folder + name)


def _is_clutter(member: ZipInfo) -> bool:
    """Return whether it is an entry for a folder, or a file that an operating system adds: neither is ever read.

    Names that climb out of a folder are no clutter, and are refused as what no export has.
    """
    name = member.orig_filename.removeprefix(_HERE)
    parts = name.removesuffix("/").split("/")
    if not name:
        return True
    if any(part in ("", ".", "..") for part in parts) or FORBIDDEN.search(name):
        return False
    is_of_system = parts[0] == _CLUTTER_FOLDER or parts[-1].lower() in _CLUTTER or parts[-1].startswith("._")
    return is_of_system or (name.endswith("/") and member.file_size == 0)


def _folder_of_all(names: list[str]) -> str:
    """Return `./documents/export/` if that folder holds everything, with a manifest; otherwise an empty text."""
    manifests = [name for name in names if name.endswith(f"/{MANIFEST}")]
    folder = min(manifests, key=len, default=MANIFEST).removesuffix(MANIFEST)
    parts = folder.removeprefix(_HERE).split("/")[:-1]
    is_folder = not any(part in ("", ".", "..") for part in parts) and not FORBIDDEN.search(folder)
    return folder if is_folder and all(name.startswith(folder) for name in names) else ""
