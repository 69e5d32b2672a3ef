"""Loading extension modules: where they are found, and what is said about one that cannot be loaded."""

import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from textwrap import dedent

import pytest

from sidecar.errors import ExtensionRefused
from sidecar.extension import Extension
from sidecar.extension.loading import load

GOOD = """
from sidecar.extension import Extension
notes = Extension("notes")
"""


@pytest.fixture(autouse=True)
def imports_as_before() -> Iterator[None]:
    """Forget what the test imports."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in sys.modules.keys() - modules:
        del sys.modules[name]


def write(directory: Path, name: str, code: str) -> Path:
    file = directory / f"{name}.py"
    file.write_text(dedent(code), encoding="utf-8")
    return file


def refusal(directory: Path, *modules: str) -> str:
    with pytest.raises(ExtensionRefused) as refused:
        load(modules, [directory])
    return refused.value.message


def test_a_module_is_found_on_the_given_path(tmp_path: Path) -> None:
    write(tmp_path, "own_notes", GOOD)
    (extension,) = load(["own_notes"], [tmp_path])
    assert extension.namespace == "notes"


def test_a_module_that_is_named_twice_is_loaded_once(tmp_path: Path) -> None:
    write(tmp_path, "own_notes", GOOD)
    assert len(load(["own_notes", "own_notes"], [tmp_path])) == 1


def test_a_module_in_the_current_directory_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "own_notes", GOOD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    sys.path.insert(0, str(tmp_path))
    with pytest.raises(ExtensionRefused, match="There is no extension module own_notes"):
        load(["own_notes"], [])


def test_a_missing_module_and_a_missing_import_are_told_apart(tmp_path: Path) -> None:
    file = write(tmp_path, "needs", "\nimport not_installed_anywhere\n")
    assert "There is no extension module nowhere.at_all" in refusal(tmp_path, "nowhere.at_all")
    assert refusal(tmp_path, "needs").startswith(
        "The extension module needs cannot be imported: ModuleNotFoundError: No module named "
        f"'not_installed_anywhere' ({file}, line 2). It needs the package"
    )


def test_a_missing_package_comes_with_the_command_that_installs_it(tmp_path: Path) -> None:
    write(tmp_path, "needs", "import absent_package.part")
    said = refusal(tmp_path, "needs")
    assert "It needs the package that has the module 'absent_package'; install it into the Python that runs" in said
    assert said.endswith(f"{sys.executable} -m pip install absent_package")


def test_a_compiled_part_that_does_not_load_names_its_package(tmp_path: Path) -> None:
    package = tmp_path / "compiled"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / f"fast{EXTENSION_SUFFIXES[0]}").write_bytes(b"made for another system")
    write(tmp_path, "needs", "import compiled.fast")
    said = refusal(tmp_path, "needs")
    assert "A compiled part of 'compiled' does not load here" in said
    assert said.endswith("-m pip install --force-reinstall compiled")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = 1\ndef f(:\n", "SyntaxError: invalid syntax ({file}, line 2)"),
        ("x = 1\n\nraise RuntimeError('no key')\n", "RuntimeError: no key ({file}, line 3)"),
        (
            "from sidecar.extension import Extension\nnotes = Extension('Notes!')\n",
            "the namespace 'Notes!' must be 1 to 40 lower-case letters",
        ),
        ("raise SystemExit\n", "ends the program when it is imported"),
        ("x = 1\n", "({file}) has no extension; give it one"),
        (
            "from sidecar.extension import Extension\none, two = Extension('one'), Extension('two')\n",
            "({file}) has more than one extension, 'one' and 'two'",
        ),
        (
            "from sidecar.extension import Extension\ntodos = Extension('todos')\n",
            "The namespace 'todos' of wrong ({file}) belongs to the sidecar itself",
        ),
        (
            "from sidecar.extension import Extension\nnotes = Extension('notes')\nnotes.migration(2)(print)\n",
            "The extension of wrong ({file}) is incomplete: the migration 1 is missing",
        ),
    ],
)
def test_a_module_that_is_wrong_is_named_with_its_place(tmp_path: Path, code: str, said: str) -> None:
    file = write(tmp_path, "wrong", code)
    assert said.format(file=file) in refusal(tmp_path, "wrong")


def test_two_modules_of_one_namespace_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "one", GOOD)
    write(tmp_path, "two", GOOD)
    assert "modules one and two both have the namespace 'notes'" in refusal(tmp_path, "one", "two")


@pytest.mark.parametrize("namespace", ["", "Notes", "1st", "no-tes", "notes_", "n" * 41])
def test_a_namespace_is_a_short_lower_case_name(namespace: str) -> None:
    with pytest.raises(ValueError, match="must be 1 to 40 lower-case letters"):
        Extension(namespace)
