"""The sizes of the parts of a frozen folder, by the package that each file or module belongs to."""

import re
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from sidecar.freezing.building import program_in

MEGABYTE = 1_000_000

PYTHON = "Python and its libraries"


def size_of(folder: Path) -> int:
    """Return the bytes of all files. A link counts nothing."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def parts_of(folder: Path) -> Mapping[str, int]:
    """Return the bytes of each package, files and modules, and of Python."""
    sizes: Counter[str] = Counter()
    inner = folder / "_internal"
    for path in inner.rglob("*"):
        if path.is_file() and not path.is_symlink():
            sizes[_owner_of_file(path.relative_to(inner).parts)] += path.stat().st_size
    modules = modules_in(program_in(folder))
    for name, size in modules.items():
        sizes[_owner_of_module(name)] += size
    sizes[PYTHON] += program_in(folder).stat().st_size - sum(modules.values())
    return sizes


def weight_of(modules: Collection[str], parts: Mapping[str, int]) -> int:
    """Return the bytes of these top-level modules."""
    return sum(size for name, size in parts.items() if name in modules)


def _owner_of_file(parts: Sequence[str]) -> str:
    """Return the package of a file, by its path; what lies at the top belongs to Python, but for extension modules."""
    first = parts[0]
    if len(parts) == 1 and (first.startswith("lib") or not first.endswith((".so", ".pyd"))):
        return PYTHON
    return _owner_of_module(re.split("[.-]", first)[0])  # `numpy.libs`, `pydantic-2.14.3.dist-info`


def _owner_of_module(name: str) -> str:
    """Return the package of a module."""
    top = name.partition(".")[0]
    is_own = top in sys.stdlib_module_names or top.startswith(("python3", "_sysconfigdata", "pyi"))
    return PYTHON if is_own else top


def modules_in(program: Path) -> dict[str, int]:
    """Return the compressed sizes of the modules that the executable holds."""
    from PyInstaller.archive.readers import CArchiveReader

    executable = CArchiveReader(str(program))
    (archive,) = (name for name in executable.toc if name.endswith(".pyz"))
    return {name: length for name, (_, _, length) in executable.open_embedded_archive(archive).toc.items()}
