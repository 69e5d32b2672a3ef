"""`sidecar freeze` up to the build: what it refuses, and that a failure leaves an earlier folder as it was."""

from pathlib import Path

import pytest

from sidecar.cli import main
from sidecar.exit_codes import ExitCode
from sidecar.freezing import building, command
from sidecar.freezing.building import program_in
from sidecar.freezing.recipe import Recipe

NO_SIDECAR = "#!/bin/sh\necho 'there is nothing in me' >&2\nexit 3\n"


def frozen_folder(folder: Path, program: str) -> Path:
    """A folder that looks frozen, with this program."""
    (folder / "_internal").mkdir(parents=True)
    program_in(folder).write_text(program)
    program_in(folder).chmod(0o755)
    return folder


def test_one_file_is_refused_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["freeze", "--onefile", "--out", str(tmp_path / "out")]) == ExitCode.BAD_CONFIGURATION
    assert "unpacks itself into a temporary folder at each start" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("the only copy")
    assert main(["freeze", "--out", str(tmp_path)]) == ExitCode.BAD_CONFIGURATION
    assert f"{tmp_path} is not a frozen sidecar and is not replaced" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").exists()


def test_without_pyinstaller_the_command_that_installs_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(building, "find_spec", lambda name: None)
    assert main(["freeze", "--out", str(tmp_path / "out")]) == ExitCode.BAD_CONFIGURATION
    assert "-m pip install 'electron-sidecar[freeze]'" in capsys.readouterr().err


def test_a_missing_extension_is_refused_before_the_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["freeze", "--extension", "nowhere.at_all", "--out", str(tmp_path / "out")]
    assert main(arguments) == ExitCode.EXTENSION_REFUSED
    assert "There is no extension module nowhere.at_all" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif("sys.platform == 'win32'", reason="the program is a script")
def test_a_failed_self_test_names_the_step_and_leaves_the_earlier_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = frozen_folder(tmp_path / "out", "#!/bin/sh\n")
    monkeypatch.setattr(command, "build", lambda recipe, place: frozen_folder(place / "made", NO_SIDECAR))
    assert command.freeze(Recipe(), out) == ExitCode.INTERNAL_ERROR
    printed = capsys.readouterr().err
    assert "failed at 'version': `sidecar --version` ended with 3" in printed
    assert "there is nothing in me" in printed
    assert program_in(out).read_text() == "#!/bin/sh\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_build_that_fails_shows_the_last_lines_of_pyinstaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Recipe, "spec", lambda recipe: "raise SystemExit('no such recipe')")
    assert command.freeze(Recipe(), tmp_path / "out") == ExitCode.INTERNAL_ERROR
    printed = capsys.readouterr().err
    assert "PyInstaller failed; its last lines say why:\n" in printed
    assert "no such recipe" in printed
