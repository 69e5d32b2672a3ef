"""Vaults as Markdown files: folders become directories, documents files with their fields as front matter.

Deleted ones are left out. Titles become names that are valid on every system; the second of two like names gets a
number.
"""

import json
import re
import unicodedata
from collections.abc import Iterator

from sidecar.models.transfer import Row
from sidecar.storage.capabilities import RowsOf
from sidecar.tools.archive import MARKDOWN

MOST_CHARACTERS = 80
DEEPEST = 20
"""Folders within one another; what lies deeper is put into the last of them."""

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\/:*?"<>|]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names of devices on Windows."""


class MarkdownTree:
    """The files of all vaults. Only the folders, and the names that were given, are kept in memory."""

    def __init__(self, rows: RowsOf) -> None:
        self._rows = rows
        self._given: set[str] = set()
        self._paths: dict[int, str] = {}
        self._folders = {
            row["id"]: (row["parent_id"], row["title"])
            for row in rows("vaults")
            if row["is_folder"] and not row["is_deleted"]
        }

    def files(self) -> Iterator[tuple[str, str]]:
        """The path and the text of each document."""
        for row in self._rows("vaults"):
            if not row["is_folder"] and not row["is_deleted"]:
                yield self._name(self._path(row["parent_id"]), row["title"], ".md"), _text(row)

    def _path(self, folder_id: int | None) -> str:
        """The directory of a folder; walked without recursion, and ending even where folders lie in a circle."""
        above: list[int] = []
        here = folder_id or 0
        while here in self._folders and here not in self._paths and here not in above:
            above.append(here)
            here = self._folders[here][0] or 0
        path = self._paths.get(here, MARKDOWN)
        for each in reversed(above):
            if path.count("/") < DEEPEST:
                path = self._name(path, self._folders[each][1], "")
            self._paths[each] = path
        return path

    def _name(self, directory: str, title: str, suffix: str) -> str:
        name = sanitised(title)
        path = f"{directory}/{name}{suffix}"
        number = 1
        while path.casefold() in self._given:
            number += 1
            path = f"{directory}/{name} ({number}){suffix}"
        self._given.add(path.casefold())
        return path


def sanitised(title: str) -> str:
    """`title` as the name of a file, without its suffix."""
    name = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", title))[:MOST_CHARACTERS].strip(" .")
    return f"_{name}" if _RESERVED.fullmatch(name) else name or "Untitled"


def _text(row: Row) -> str:
    """Front matter and content. JSON's strings and lists are YAML's, too."""
    tags = [tag for tag in map(str.strip, row["tags"].split(",")) if tag]
    fields = {
        "id": row["id"],
        "title": row["title"],
        "summary": row["summary"],
        "document_type": row["document_type"],
        "tags": tags,
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }
    front = "".join(f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in fields.items())
    return f"---\n{front}---\n\n{row['content']}"
