"""The parts of `sidecar.freezing` by themselves: the recipe, the extras, the patches of the program, `strip`."""

import shutil
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import uvloop

from sidecar.extension.places import OwnFiles
from sidecar.freezing import arguments
from sidecar.freezing.building import strip
from sidecar.freezing.executable import Patching
from sidecar.freezing.extras import EXTRAS, modules_of
from sidecar.freezing.hooks import directories
from sidecar.freezing.recipe import FREEZING, Recipe, is_no_test

ROOT = Path(__file__).parents[2]


def test_the_recipe_takes_the_package_of_each_extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_app" / "cards").mkdir(parents=True)
    for package in ("own_app", "own_app/cards"):
        (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / "own_app" / "notes.py").write_text("")
    (tmp_path / "single.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    modules = ("own_app.cards", "own_app.notes", "single")
    spec = Recipe(modules, (str(tmp_path),), ("pypdf",)).spec()
    compile(spec, "sidecar.spec", "exec")
    assert "collected(['own_app', 'own_app.cards'], ['pypdf'])" in spec
    assert f"hiddenimports=[*{list(modules)!r}, *hidden]" in spec


@pytest.mark.parametrize(
    ("module", "is_part"),
    [("app.notes", True), ("app.testimony", True), ("app.test_notes", False), ("app.tests.notes", False)],
)
def test_tests_stay_out(module: str, is_part: bool) -> None:
    assert is_no_test(module) is is_part


def test_the_extras_are_those_of_the_package() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra, modules in EXTRAS.items():
        assert [requirement.partition(">")[0] for requirement in declared[extra]] == [*modules]
    assert tuple(EXTRAS) == arguments.EXTRAS


def test_an_extra_weighs_what_comes_with_it_alone() -> None:
    modules = modules_of("vectors")
    assert {"numpy", "simsimd", "httpx", "httpcore", "certifi"} <= modules
    assert not modules & {"anyio", "h11", "idna", "pydantic", "sidecar"}


def test_pyinstaller_finds_the_hook_of_the_package() -> None:
    (declared,) = [point for point in entry_points(group="pyinstaller40") if point.module.startswith("sidecar.")]
    assert declared.load() is directories
    assert [path.name for folder in directories() for path in Path(folder).glob("hook-*")] == ["hook-sidecar.py"]


def test_a_hook_is_named_for_a_package_that_is_there() -> None:
    names = {path.stem.removeprefix("hook-") for path in (FREEZING / "lean").iterdir()}
    assert names
    assert [name for name in names if name not in sys.modules and __import__(name) is None] == []


def test_a_patched_module_is_patched_when_it_is_first_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_inspect.py").write_text("value = 1\n")
    (tmp_path / "own_patch.py").write_text("import own_inspect\nown_inspect.value += 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", [Patching({"own_inspect": "own_patch"}), *sys.meta_path])
    assert "own_patch" not in sys.modules
    module = __import__("own_inspect")
    try:
        assert module.value == 2
        assert module.__spec__ is not None
        assert module.__loader__ is module.__spec__.loader
        assert type(module.__loader__).__name__ == "SourceFileLoader"
        assert __import__("own_inspect") is module
    finally:
        for name in ("own_inspect", "own_patch"):
            del sys.modules[name]


@pytest.mark.skipif("sys.platform != 'linux'", reason="nothing is stripped elsewhere")
def test_libraries_lose_their_symbols_but_not_those_of_a_repaired_wheel(tmp_path: Path) -> None:
    library = Path(uvloop.loop.__file__)
    own, repaired = tmp_path / "_internal" / "own", tmp_path / "_internal" / "repaired"
    for folder in (own, repaired, tmp_path / "_internal" / "repaired.libs"):
        folder.mkdir(parents=True)
        shutil.copy(library, folder / "loop.so")
    (own / "no_library.so").write_text("text")
    assert strip(tmp_path)
    assert (own / "loop.so").stat().st_size < library.stat().st_size
    for path in tmp_path.glob("_internal/repaired*/loop.so"):
        assert path.read_bytes() == library.read_bytes()
    assert (own / "no_library.so").read_text() == "text"


def test_without_the_program_strip_the_caller_can_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not strip(tmp_path)


def test_code_of_a_frozen_extension_is_recognised_by_its_relative_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_frozen").mkdir()
    (tmp_path / "own_frozen" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    __import__("own_frozen")
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    files = OwnFiles(["own_frozen"])
    del sys.modules["own_frozen"]
    assert files.has("own_frozen/routes.py")
    assert files.has(str(tmp_path / "own_frozen" / "routes.py"))
    assert not files.has("sidecar/cli.py")
    assert not files.has("<frozen importlib._bootstrap>")
