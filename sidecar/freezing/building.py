"""The build: PyInstaller in a process of its own, and the debugging symbols taken out of what it made."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from sidecar import platform
from sidecar.errors import BadConfiguration, FreezeFailed
from sidecar.freezing.extras import LEFT_OUT
from sidecar.freezing.recipe import Recipe

LAST_LINES = 40
"""Lines of PyInstaller's output that a failure shows."""

_ELF = b"\x7fELF"


def program_in(folder: Path) -> Path:
    """Return where the executable of a frozen sidecar is."""
    return folder / platform.program_name("sidecar")


def require_pyinstaller() -> None:
    """Raise `BadConfiguration` if PyInstaller is not installed in this Python."""
    if find_spec("PyInstaller") is None:
        raise BadConfiguration(
            "Freezing needs PyInstaller, which this Python does not have; run "
            f"`{sys.executable} -m pip install 'electron-sidecar[freeze]'`."
        )


def build(recipe: Recipe, place: Path) -> Path:
    """Make the frozen folder inside `place`, an empty directory, and return it. Raises `FreezeFailed`."""
    spec = place / "sidecar.spec"
    spec.write_text(recipe.spec(), encoding="utf-8")
    made = place / "made"
    options: list[str | Path] = ["--noconfirm", "--log-level", "WARN", "--distpath", made, "--workpath", place / "work"]
    path = os.pathsep.join([*recipe.python_path, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "PyInstaller", *options, spec],
        cwd=place,
        env={**os.environ, "PYTHONPATH": path, LEFT_OUT: " ".join(recipe.without)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    folder = made / "sidecar"
    if done.returncode != 0 or not program_in(folder).exists():
        lines = done.stdout.decode(errors="replace").splitlines()[-LAST_LINES:]
        raise FreezeFailed("\n".join(["PyInstaller failed; its last lines say why:", *lines]))
    return folder


def strip(folder: Path) -> bool:
    """Take the debugging symbols out of the shared libraries; return `False` where `strip` is missing.

    The executable stays as it is, since the modules are at its end.
    """
    if not platform.strips_libraries():
        return True
    program = shutil.which("strip")
    if program is None:
        return False
    for library in _libraries(folder):
        # One that cannot be stripped stays as it was.
        subprocess.run([program, "--strip-unneeded", library], capture_output=True, check=False)
    return True


def _libraries(folder: Path) -> Iterator[Path]:
    """Yield the libraries, but not those of wheels that were repaired, with their libraries in `PACKAGE.libs`.

    `patchelf` has moved parts of these; `strip` would break them, and they are stripped already.
    """
    inner = folder / "_internal"
    repaired = {entry.stem for entry in inner.glob("*.libs")}
    for path in sorted(inner.rglob("*.so*")):
        top = path.relative_to(inner).parts[0]
        if top.split(".")[0] in repaired or path.is_symlink() or not path.is_file():
            continue
        with path.open("rb") as file:
            is_elf = file.read(len(_ELF)) == _ELF
        if is_elf:
            yield path
