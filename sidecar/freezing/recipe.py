"""The recipe: what goes into a frozen sidecar, as the spec file that PyInstaller executes."""

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

FREEZING = Path(__file__).parent

EXCLUDED = ("ensurepip", "idlelib", "lib2to3", "pip", "test", "tkinter", "turtle", "turtledemo")
"""Parts of Python that no program without windows and packages of its own to install has a use for."""

_SPEC = """\
from sidecar.freezing.executable import PATCHES
from sidecar.freezing.recipe import collected

datas, binaries, hidden = collected({packages!r}, {include!r})
analysis = Analysis(
    [{program!r}],
    pathex={python_path!r},
    datas=datas,
    binaries=binaries,
    hiddenimports=[*{modules!r}, *hidden],
    hookspath=[{lean!r}],
    excludes={excluded!r},
)
late = [script for script in analysis.scripts if script[0] in PATCHES.values()]
analysis.scripts = [script for script in analysis.scripts if script not in late]
archive = PYZ([*analysis.pure, *((name, path, "PYMODULE") for name, path, _ in late)])
executable = EXE(archive, analysis.scripts, [], exclude_binaries=True, name="sidecar", console=True, upx=False)
COLLECT(executable, analysis.binaries, analysis.datas, name="sidecar", upx=False)
"""


class Recipe(NamedTuple):
    """The app's part of a frozen sidecar."""

    modules: tuple[str, ...] = ()
    """Names of the extension modules."""
    python_path: tuple[str, ...] = ()
    """Absolute directories in which they are looked for first."""
    include: tuple[str, ...] = ()
    """Packages to take as a whole: those that are imported in a way that nobody can see from outside."""
    without: tuple[str, ...] = ()
    """Extras to leave out although they are installed."""

    def spec(self) -> str:
        """Return the text of the spec file. The modules must be importable."""
        return _SPEC.format(
            packages=sorted({package for module in self.modules for package in _package_of(module)}),
            include=[*self.include],
            program=str(FREEZING / "executable.py"),
            python_path=[*self.python_path],
            modules=[*self.modules],
            lean=str(FREEZING / "lean"),
            excluded=[*EXCLUDED],
        )


def _package_of(module: str) -> list[str]:
    """Return the package that an extension module is or lies in; nothing for a module that stands alone."""
    spec = find_spec(module)
    if spec is not None and spec.submodule_search_locations is not None:
        return [module]
    parent = module.rpartition(".")[0]
    return [parent] if parent else []


def collected(packages: list[str], include: list[str]) -> tuple[list[object], list[object], list[str]]:
    """Return the data files, the binaries and the modules of packages, in PyInstaller's process.

    Of an extension's own package, the tests stay out; what is to be included is taken as it is.
    """
    from PyInstaller.utils.hooks import collect_all, collect_data_files, collect_submodules

    datas: list[object] = []
    binaries: list[object] = []
    modules: list[str] = []
    for package in packages:
        datas += collect_data_files(package)
        modules += collect_submodules(package, filter=is_no_test)
    for package in include:
        more_datas, more_binaries, more_modules = collect_all(package)
        datas += more_datas
        binaries += more_binaries
        modules += more_modules
    return datas, binaries, modules


def is_no_test(module: str) -> bool:
    """Return whether a module is part of a program, by its name."""
    return not any(part in ("conftest", "test", "tests") or part.startswith("test_") for part in module.split("."))
