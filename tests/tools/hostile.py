"""Archives that no export made: a sound one, taken apart, changed and put together again."""

import io
import json
import zipfile
from collections.abc import Callable
from hashlib import sha256
from typing import Any

Members = dict[str, bytes]
Manifest = dict[str, Any]


class Forgery:
    """The members of an archive, free to be changed."""

    def __init__(self, archive: io.BytesIO) -> None:
        with zipfile.ZipFile(archive) as zip_file:
            self.members: Members = {name: zip_file.read(name) for name in zip_file.namelist()}

    def manifest(self, change: Callable[[Manifest], None]) -> "Forgery":
        """Change the manifest."""
        manifest = json.loads(self.members["manifest.json"])
        change(manifest)
        self.members["manifest.json"] = json.dumps(manifest).encode()
        return self

    def lines(self, kind: str, content: bytes) -> "Forgery":
        """Replace the rows of a kind, and have the manifest vouch for them."""
        self.members[f"{kind}.jsonl"] = content
        promised = {"count": content.count(b"\n"), "bytes": len(content), "sha256": sha256(content).hexdigest()}
        return self.manifest(lambda manifest: manifest["files"].update({kind: promised}))

    def rows(self, kind: str, change: Callable[[list[dict[str, Any]]], None]) -> "Forgery":
        """Change the rows of a kind, and have the manifest vouch for them."""
        rows = [json.loads(line) for line in self.members[f"{kind}.jsonl"].splitlines()]
        change(rows)
        return self.lines(kind, b"".join(json.dumps(row).encode() + b"\n" for row in rows))

    def file(self, *more: tuple[str | zipfile.ZipInfo, bytes]) -> io.BytesIO:
        """The archive, with more members behind the others."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zip_file:
            for name, content in [*self.members.items(), *more]:
                zip_file.writestr(name, content)
        return file
