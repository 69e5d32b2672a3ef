"""The hooks of PyInstaller that this package ships, so that a plain `pyinstaller my_entry.py` makes a whole sidecar."""

from pathlib import Path


def directories() -> list[str]:
    """Return the directories that PyInstaller searches for hooks; an entry point of the package names this function."""
    return [str(Path(__file__).parent)]
