"""The library `shim.c`: compiled here, and configured by environment variables."""

import shutil
import subprocess
from enum import StrEnum
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")


class Fault(StrEnum):
    """What happens at one disk operation."""

    KILL = "kill"
    IO_ERROR = "EIO"
    DISK_FULL = "ENOSPC"
    READ_ERROR = "read"
    """Counts reads only; the others count changes and syncs."""


def compiled(directory: Path) -> Path:
    """Return the library, compiled into `directory` unless it is there."""
    library = directory / "shim.so"
    if not library.exists():
        compiler = shutil.which("cc") or shutil.which("gcc")
        assert compiler, "There is no C compiler: install gcc, as scripts/test does."
        command: list[str | Path] = [
            compiler,
            "-O2",
            "-Wall",
            "-Werror",
            "-shared",
            "-fPIC",
            "-o",
            library,
            SOURCE,
            "-ldl",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return library


def preloaded(library: Path) -> dict[str, str]:
    """The environment of a program that is watched once it is configured."""
    return {"LD_PRELOAD": str(library)}


def configuration(root: Path, log: Path | None = None, fault: Fault | None = None, at: int = 0) -> dict[str, str]:
    """The environment that has operations below `root` recorded in `log`, and a fault at the operation number `at`."""
    variables = {"DISK_SHIM_ROOT": str(root.resolve())}
    if log is not None:
        variables["DISK_SHIM_LOG"] = str(log)
    if fault is not None:
        variables |= {"DISK_SHIM_FAULT": fault, "DISK_SHIM_AT": str(at)}
    return variables
