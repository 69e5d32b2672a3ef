"""Advice for a database of a newer version: update, or go back to a backup in a new data directory."""

from pathlib import Path

from sidecar.sentences import own_command


def advice(database: Path, backup: Path | None) -> str:
    """Return the end of a sentence that refuses `database`: what to do, with `backup`, which this version can open."""
    if backup is None:
        return "update the program; no backup that this version can open was found"
    directory = unused(database.parent)
    command = own_command("restore", "--data-dir", directory, backup)
    return (
        "update the program, or go back to the newest backup that this version can open: this command restores it into "
        f"a new data directory, with which the program can be started then, and changes nothing else: {command}"
    )


def unused(directory: Path) -> Path:
    """Return a path beside the directory where there is nothing yet: `data-restored`, `data-restored-2`."""
    number, path = 1, directory.with_name(f"{directory.name}-restored")
    while path.exists():
        number += 1
        path = directory.with_name(f"{directory.name}-restored-{number}")
    return path
