"""Makes projects that can be packaged and packages them, as an app developer does it, without a download.

electron-builder takes the folder of an Electron, Electron Forge a zip of it. Neither makes an installer here: that
takes tools which they fetch from elsewhere.
"""

import json
import os
import shutil
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import toolbox
from toolbox import BRIDGE, Command, Failure

TOOLS = BRIDGE / "test" / "packaging"
PLATFORM = "linux"
ARCH = "x64"
DEFAULT_APP = Path("resources") / "app"
CONFIGURATIONS = ("electron-builder.js", "forge.config.js", "packaging")
WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH

BUILDER_CONFIG = """\
// The configuration of the app, with an Electron that is here instead of one that is downloaded.
module.exports = {{ ...require("./electron-builder.js"), ...{changes} }};
"""
FORGE_CONFIG = """\
// The configuration of the app, with an Electron that is here instead of one that is downloaded.
const config = require("./forge.app.config.js");
config.packagerConfig.electronZipDir = {zip_folder};
config.packagerConfig.ignore.push(/forge\\.app\\.config\\.js$/);
config.outDir = {out};
module.exports = config;
"""


@dataclass(frozen=True)
class BareElectron:
    """An Electron without its default app, as the packagers want it."""

    version: str
    dist: Path
    zip_folder: Path


def bare_electron(folder: Path) -> BareElectron:
    """Copy the Electron of this machine into `folder`, and zip it, under the name that Forge looks for."""
    source = Path(toolbox.answer(toolbox.script("get-electron")))
    version = electron_version()
    dist, zip_folder = folder / "dist", folder / "zip"
    shutil.copytree(source, dist, symlinks=True)
    shutil.rmtree(dist / DEFAULT_APP, ignore_errors=True)
    zip_folder.mkdir()
    # Not compressed: it is unpacked at once.
    with zipfile.ZipFile(zip_folder / f"electron-v{version}-{PLATFORM}-{ARCH}.zip", "w") as archive:
        for path in sorted(dist.rglob("*")):
            archive.write(path, path.relative_to(dist))
    return BareElectron(version, dist, zip_folder)


def make_project(
    project: Path, example: Path, manifest: Mapping[str, str], files: Mapping[str, Path], sidecar: Path
) -> Path:
    """Make a project as `npm install` and `electron-sidecar freeze` leave it, with the example's configurations."""
    bridge = json.loads((BRIDGE / "package.json").read_text())
    entries = {
        **json.loads((example / "package.json").read_text()),
        **manifest,
        "dependencies": {bridge["name"]: bridge["version"]},
        "devDependencies": {"electron": electron_version()},
    }
    project.mkdir(parents=True)
    (project / "package.json").write_text(json.dumps(entries, indent=2))
    for name, source in {**files, **{name: example / name for name in CONFIGURATIONS}}.items():
        copy(source, project / name)
    modules = project / "node_modules"
    for part in ("package.json", "dist"):
        copy(BRIDGE / part, modules / bridge["name"] / part)
    # Both packagers read the version there; what the package needs for a download is not installed.
    (modules / "electron").mkdir()
    (modules / "electron" / "package.json").write_text(json.dumps({"name": "electron", "version": electron_version()}))
    copy(sidecar, project / "frozen" / "sidecar")
    return project


def electron_version() -> str:
    version: str = json.loads((BRIDGE / "node_modules" / "electron" / "package.json").read_text())["version"]
    return version


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(source, target)


def with_electron_builder(
    project: Path, electron: BareElectron, out: Path, *, for_tests: bool = True, **changes: object
) -> Path:
    """Package the project by its electron-builder.js, with other values for some of its keys; return the executable.

    A copy for tests keeps Node's inspector, which Playwright needs.
    """
    here = {
        "electronDist": str(electron.dist),
        "electronVersion": electron.version,
        "npmRebuild": False,
        "directories": {"output": str(out)},
    }
    (project / "test.config.js").write_text(BUILDER_CONFIG.format(changes=json.dumps({**here, **changes})))
    run_tool("electron-builder/cli.js", ["--linux", "dir", "--config", "test.config.js"], project, for_tests)
    return executable(out / "linux-unpacked", project)


def with_forge(project: Path, electron: BareElectron, out: Path) -> Path:
    """Package the project by its forge.config.js; return the executable."""
    (project / "forge.config.js").rename(project / "forge.app.config.js")
    config = FORGE_CONFIG.format(zip_folder=json.dumps(str(electron.zip_folder)), out=json.dumps(str(out)))
    (project / "forge.config.js").write_text(config)
    run_tool("@electron-forge/cli/dist/electron-forge.js", ["package"], project, for_tests=True)
    name = json.loads((project / "package.json").read_text())["productName"]
    return executable(out / f"{name}-{PLATFORM}-{ARCH}", project)


def run_tool(script: str, arguments: Command, project: Path, for_tests: bool) -> None:
    command: Command = [toolbox.tool("node"), TOOLS / "node_modules" / script, *arguments]
    # A configuration requires Forge's plugin, which is not among the project's own packages.
    env = {**os.environ, "NODE_PATH": str(TOOLS / "node_modules"), "PACKAGE_FOR_TESTS": str(int(for_tests))}
    toolbox.run_quietly(command, cwd=project, env=env)


def executable(folder: Path, project: Path) -> Path:
    """Return the program in a folder of a packaged app; it bears the app's name."""
    manifest = json.loads((project / "package.json").read_text())
    names: list[str] = [manifest["name"], manifest["productName"]]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise Failure(f"The packaged app has no program of its name: {folder}")


def make_read_only(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~WRITABLE)


def make_writable(folder: Path) -> None:
    """Undo `make_read_only`, so that the folder can be removed; one that is not there is left so."""
    for parent, _, _ in os.walk(folder):
        Path(parent).chmod(Path(parent).stat().st_mode | stat.S_IWUSR)
