"""Checks of the directory of a database: it must not lie on a network file system or in a synced folder.

Asked by the doctor, and once by each start. On Linux nothing is imported for that, and one small file is read.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath

from sidecar import platform
from sidecar.models.doctor import Finding, Level
from sidecar.models.health import Component

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "afpfs", "webdav", "davfs", "ncpfs", "9p"}
)
NETWORK_FUSE = ("sshfs", "rclone", "s3fs", "davfs", "gvfsd", "gcsfuse", "glusterfs", "cephfs")
SYNCED_FOLDERS = {
    "onedrive": "OneDrive",
    "dropbox": "Dropbox",
    "mobile documents": "iCloud Drive",
    "icloud drive": "iCloud Drive",
    "google drive": "Google Drive",
    "googledrive": "Google Drive",
    "cloudstorage": "a cloud's sync",
    "nextcloud": "Nextcloud",
}
MOUNTS = Path(platform.MOUNTS)


class PlaceCheck:
    """The check of a sidecar's own directory, once at its start: it warns, and health keeps saying so."""

    def __init__(self, directory: Path | None) -> None:
        """`directory` is where the database lies; `None` in memory."""
        self._directory = directory
        self._warnings: list[Finding] = []

    def begin(self, warn: Callable[[Finding], None]) -> None:
        """Look in a thread of its own, and have `warn` called there with each finding that is not well.

        A network file system may not answer for long; nobody waits for that, at the start or at the end.
        """
        if self._directory is not None:
            threading.Thread(target=self._look, args=(self._directory, warn), name="place", daemon=True).start()

    def health(self) -> Mapping[str, Component]:
        """Return a component that works, and whose detail is the warning."""
        detail = " ".join(finding.message for finding in self._warnings)
        return {"data_directory": Component(ok=True, detail=detail or None)}

    def _look(self, directory: Path, warn: Callable[[Finding], None]) -> None:
        try:
            findings = place(directory)
        except OSError:  # the directory is gone, which is reported elsewhere
            return
        self._warnings = [finding for finding in findings if finding.level is not Level.OK]
        for finding in self._warnings:
            warn(finding)


def place(directory: Path, mounts: Path = MOUNTS) -> list[Finding]:
    """Return what there is to say about the file system of a directory, and about its place in it.

    `mounts` is Linux's table of what is mounted.
    """
    return [file_system(_file_system_type(directory, mounts)), synced_folder(directory)]


def file_system(kind: str | None) -> Finding:
    """Return whether a file system of this type supports SQLite's locks."""
    name = (kind or "").lower()
    is_remote = name in NETWORK_FILE_SYSTEMS or (name.startswith("fuse") and any(part in name for part in NETWORK_FUSE))
    if is_remote:
        message = (
            f"The database is on a network file system ({kind}), whose locks SQLite cannot rely on; move it to a local "
            "disk."
        )
        return Finding(level=Level.PROBLEM, subject="file system", message=message)
    return Finding(
        level=Level.OK, subject="file system", message=f"The database is on a local disk ({kind or 'unknown'})."
    )


def synced_folder(directory: PurePath) -> Finding:
    """Return whether a program syncs this folder."""
    for part in directory.parts:
        for beginning, name in SYNCED_FOLDERS.items():
            if part.lower().startswith(beginning):
                message = (
                    f"{directory} is kept in sync by {name}, which copies a database in the middle of changes and can "
                    "put an old one back; move the data directory elsewhere, and sync exports or backups."
                )
                return Finding(level=Level.WARNING, subject="synced folder", message=message)
    return Finding(level=Level.OK, subject="synced folder", message="No known program syncs this folder.")


def _file_system_type(directory: Path, mounts: Path) -> str | None:
    there = directory.resolve()
    # Of mounts over each other at one point, the last one counts.
    found = [
        (len(point), number, kind)
        for number, (point, kind) in enumerate(platform.mounted(mounts))
        if there.is_relative_to(point)
    ]
    return max(found)[2] if found else None
