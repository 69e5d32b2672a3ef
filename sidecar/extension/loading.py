"""Loading the modules of extensions. Whatever is wrong with one is a sentence that names module, file and line."""

import importlib
import logging
import os
import sys
import traceback
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from types import ModuleType

from sidecar import platform
from sidecar.api.app import OPERATIONS
from sidecar.errors import ExtensionRefused
from sidecar.extension.declaration import Extension

log = logging.getLogger(__name__)

RESERVED = frozenset(
    {
        *("app", "extension", "guard", "jobs", "preferences", "sidecar", "sqlite", "x"),
        # Members of the bridge's objects, whose names an operation's namespace would take.
        *("call", "live", "on", "operations", "policy", "resume", "snapshot", "start", "status", "stop", "suspend"),
        "watch",
    }
)
"""Namespaces that the sidecar keeps for itself, besides those of its operations."""

_PACKAGE = Path(__file__).parents[1]


def load(modules: Sequence[str], python_path: Sequence[Path]) -> tuple[Extension, ...]:
    """Import the modules, and return the extension of each. Raises `ExtensionRefused`.

    They are found in the directories of `python_path`, which come first, and among installed packages; not in the
    current directory, from which Python itself would take a module that happens to lie there.
    """
    _search_in(python_path)
    loaded: dict[str, tuple[str, Extension]] = {}
    taken = RESERVED | {route.operation_id.partition(".")[0] for route in OPERATIONS}
    for name in dict.fromkeys(modules):
        module = _imported(name)
        extension = _extension_of(module)
        extension.module = name
        _require_free(extension, module, taken)
        if extension.namespace in loaded:
            other, _ = loaded[extension.namespace]
            raise ExtensionRefused(
                f"The extension modules {other} and {name} both have the namespace '{extension.namespace}'; rename one."
            )
        loaded[extension.namespace] = (name, extension)
    return tuple(extension for _, extension in loaded.values())


def _search_in(python_path: Iterable[Path]) -> None:
    """Let Python find modules in these directories, and no longer in the current one."""
    wanted = [str(path) for path in python_path]
    current = {"", str(Path.cwd())} - {*wanted, str(_PACKAGE.parent)}
    sys.path[:] = [*wanted, *(entry for entry in sys.path if entry not in current and entry not in wanted)]
    importlib.invalidate_caches()


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise ExtensionRefused(
                f"There is no extension module {name}: Python does not find '{error.name}'; {_advice(name)}."
            ) from error
        raise _refused(name, error) from error
    except Exception as error:
        raise _refused(name, error) from error
    except SystemExit as error:
        raise ExtensionRefused(f"The extension module {name} ends the program when it is imported.") from error


def _advice(name: str) -> str:
    if hasattr(sys, "frozen"):
        return f"freeze the sidecar again, with `--extension {name}`"
    return "name its directory with --python-path (pythonPath of the bridge), or install its package"


def _refused(name: str, error: Exception) -> ExtensionRefused:
    """Return the error for a module that cannot be imported, with the place where that failed."""
    if isinstance(error, SyntaxError):
        place = f"{error.filename}, line {error.lineno}"
        reason = error.msg
    else:
        place = _place_of(error)
        reason = str(error)
    log.error("The extension module %s cannot be imported.", name, exc_info=_own_part(error))
    message = f"The extension module {name} cannot be imported: {type(error).__name__}: {reason} ({place})."
    return ExtensionRefused(message + _package_advice(error))


_COMPILED = (".so", ".pyd", ".dylib", ".dll")


def _package_advice(error: Exception) -> str:
    """Return what to do about a package that the module imports and that is missing, or does not load here."""
    if not isinstance(error, ImportError) or not error.name:
        return ""
    package = error.name.partition(".")[0]
    if isinstance(error, ModuleNotFoundError):
        if package in sys.modules:
            return ""  # the package is there; only this part of it is not
        need, command = f"It needs the package that has the module '{package}'", ["install", package]
    elif error.path is not None and error.path.endswith(_COMPILED):
        package = _package_around(Path(error.path))
        need = f"A compiled part of '{package}' does not load here; it may be made for another Python or system"
        command = ["install", "--force-reinstall", package]
    else:
        return ""
    if hasattr(sys, "frozen"):
        return f" {need}; install it where the sidecar is frozen, and freeze the sidecar again."
    line = platform.command_line([sys.executable, "-m", "pip", *command])
    return f" {need}; install it into the Python that runs the sidecar: {line}"


def _package_around(file: Path) -> str:
    """Return the name of the outermost package that the file is in, or of the module that it is."""
    while (file.parent / "__init__.py").exists():
        file = file.parent
    return file.name.partition(".")[0]


def _own_part(error: Exception) -> Exception:
    """Return the error with a traceback that begins in the app's own code, after the machinery of the import."""
    position = error.__traceback__
    while position is not None and _is_machinery(position.tb_frame.f_code.co_filename):
        position = position.tb_next
    return error.with_traceback(position)


def _place_of(error: Exception) -> str:
    """Return the file and line of the innermost frame that is neither Python's own import nor this package's."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_machinery(frame.filename)]
    return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else "before its first line"


def _is_machinery(file: str) -> bool:
    return file.startswith(("<frozen", f"{_PACKAGE}{os.sep}")) or file == importlib.__file__


def _extension_of(module: ModuleType) -> Extension:
    """Return the one extension that the module has, and check it. Raises `ExtensionRefused`."""
    found = list({id(value): value for value in vars(module).values() if isinstance(value, Extension)}.values())
    place = f"{module.__name__} ({module.__file__})"
    if not found:
        raise ExtensionRefused(
            f"The module {place} has no extension; give it one: `{module.__name__.rpartition('.')[2]} = "
            'Extension("a_namespace")`.'
        )
    if len(found) > 1:
        names = " and ".join(f"'{extension.namespace}'" for extension in found)
        raise ExtensionRefused(f"The module {place} has more than one extension, {names}; move each to its own module.")
    try:
        _ = found[0].tables
    except ValueError as error:
        raise ExtensionRefused(f"The extension of {place} is incomplete: {error}.") from error
    try:
        found[0].require_callable()
    except (ValueError, NameError) as error:
        raise ExtensionRefused(f"The extension of {place} has a function that cannot be called: {error}.") from error
    for kind in found[0].jobs:
        try:
            kind.resolve_annotations()
        except Exception as error:
            reason = f"has an annotation that cannot be resolved: {error}"
            raise ExtensionRefused(f"The job {kind.name} of {place} {reason}.") from error
    return found[0]


def _require_free(extension: Extension, module: ModuleType, taken: Collection[str]) -> None:
    if extension.namespace in taken:
        raise ExtensionRefused(
            f"The namespace '{extension.namespace}' of {module.__name__} ({module.__file__}) belongs to the sidecar "
            "itself; choose another one."
        )
