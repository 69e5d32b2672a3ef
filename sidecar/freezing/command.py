"""The command `sidecar freeze`: build, self-test, put in place, report."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from sidecar.errors import BadConfiguration, SidecarError
from sidecar.exit_codes import ExitCode
from sidecar.extension import Extension
from sidecar.extension.loading import load
from sidecar.freezing.building import build, program_in, require_pyinstaller, strip
from sidecar.freezing.extras import EXTRAS, is_installed, modules_of
from sidecar.freezing.recipe import Recipe
from sidecar.freezing.self_test import run_self_test
from sidecar.freezing.sizes import MEGABYTE, parts_of, size_of, weight_of
from sidecar.freezing.timing import Start, measure_start
from sidecar.hosting import SidecarFailed
from sidecar.terminal import complain, say

PARTS_SHOWN = 8

ONE_FILE = (
    "A sidecar cannot be frozen into one file. Such a file unpacks itself into a temporary folder at each start, which "
    "takes seconds, and runs the sidecar as a child of another process: a host that kills what it has started leaves "
    "the child behind. Freeze it into a folder; the packaged app is one thing for its users all the same."
)


def freeze(recipe: Recipe, out: Path, *, one_file: bool = False) -> ExitCode:
    """Freeze a sidecar into the folder `out`, which is replaced once the new one has passed its self-test.

    Prints the size and the start; failures are printed, not raised.
    """
    try:
        if one_file:
            raise BadConfiguration(ONE_FILE)
        require_pyinstaller()
        _require_replaceable(out)
        extensions = load(recipe.modules, [Path(path) for path in recipe.python_path])
        _freeze(recipe, extensions, out)
    except SidecarError as error:
        complain(error.message)
        return error.exit_code
    except SidecarFailed as error:  # in the measurement, which also starts the sidecar from Python
        complain(str(error))
        return ExitCode.INTERNAL_ERROR
    except KeyboardInterrupt:
        complain("Interrupted. Nothing was replaced.")
        return ExitCode.INTERNAL_ERROR
    except OSError as error:
        complain(f"{error.filename or out}: {error.strerror or error}")
        return ExitCode.BAD_CONFIGURATION
    return ExitCode.CLEAN


def _freeze(recipe: Recipe, extensions: Sequence[Extension], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that moving it there is one step.
    with TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as place:
        say("Building; this takes a minute ...")
        folder = build(recipe, Path(place))
        if not strip(folder):
            say("NOTE: there is no `strip` here (package binutils), so the folder holds debugging symbols.")
        say("Testing ...")
        included = [extra for extra in EXTRAS if is_installed(extra) and extra not in recipe.without]
        run_self_test(program_in(folder), extensions, _imported(recipe, included))
        say("Measuring ...")
        start = measure_start(program_in(folder), recipe.modules, recipe.python_path)
        _replace(out, folder, Path(place) / "old")
    _report(out, start, included)


def _imported(recipe: Recipe, included: Sequence[str]) -> list[str]:
    """Return the modules that must be importable in the frozen sidecar."""
    return [*recipe.modules, *recipe.include, *(module for extra in included for module in EXTRAS[extra])]


def _require_replaceable(out: Path) -> None:
    """Raise `BadConfiguration` if something else than a frozen sidecar is there."""
    is_frozen = program_in(out).is_file() and (out / "_internal").is_dir()
    if not is_frozen and out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise BadConfiguration(f"{out} is not a frozen sidecar and is not replaced; name another folder with --out.")


def _replace(out: Path, folder: Path, old: Path) -> None:
    if out.exists():
        out.rename(old)
    try:
        folder.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise


def _report(out: Path, start: Start, included: Sequence[str]) -> None:
    parts = parts_of(out)
    say(f"\n{out}: {_megabytes(size_of(out))}")
    for name, size in sorted(parts.items(), key=lambda part: -part[1])[:PARTS_SHOWN]:
        say(f"  {_megabytes(size):>8}  {name}")
    for extra in EXTRAS:
        if extra in included:
            weight = _megabytes(weight_of(modules_of(extra), parts))
            say(f"extra {extra}: {weight}; leave it out with --without {extra}")
        else:
            reason = "left out" if is_installed(extra) else f"not installed (electron-sidecar[{extra}])"
            say(f"extra {extra}: {reason}")
    say(
        f"start: bound after {start.bound_s * 1000:.0f} ms, {start.bound_ratio:.2f} times that of `python -m sidecar`; "
        f"ready after {start.ready_s * 1000:.0f} ms, {start.ready_ratio:.2f} times"
    )


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:.1f} MB"
