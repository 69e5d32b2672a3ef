"""The packages that `scripts/build` makes: their content, their bills of materials, and reproducible bytes."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import staging
import versions
from toolbox import ROOT, tool

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

REPOSITORY = "https://example.org/owner/name"
VERSION = versions.current()
PYTHON = f"electron_sidecar-{versions.for_pypi(VERSION)}"
BRIDGE = "electron-bridge"
LINK = re.compile(r"(?<!!)\]\((?!https?:|#)([^)#\s]+)")
IMPORT = re.compile(r"""(?:from|import|require\()\s*["'](\.{1,2}/[^"']+)["']""")


def build(root: Path, out: Path, umask: int = 0o022) -> Path:
    """Build the packages of a source tree whose bridge is built."""
    program = [sys.executable, str(root / "scripts" / "build")]
    script = [*program, "--no-setup", "--repository", REPOSITORY, "--out", str(out)]
    env = os.environ | {"SOURCE_DATE_EPOCH": "1800000000", "TZ": f"Etc/GMT{umask % 7}"}
    done = subprocess.run(script, env=env, umask=umask, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("packages"))


def sources() -> set[str]:
    """Return the files of the source tree that Git knows or would add."""
    listed = [str(tool("git")), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return {name for name in names if name and (ROOT / name).is_file()}


def wheel_metadata(packages: Path) -> Message:
    with zipfile.ZipFile(packages / f"{PYTHON}-py3-none-any.whl") as wheel:
        return Parser().parsestr(wheel.read(f"{PYTHON}.dist-info/METADATA").decode())


def npm_content(packages: Path, name: str = "electron-sidecar") -> dict[str, str]:
    with tarfile.open(packages / f"{name}-{VERSION}.tgz") as tarball:
        return {
            member.name.removeprefix("package/"): opened.read().decode()
            for member in tarball
            if (opened := tarball.extractfile(member))
        }


def python_sources() -> set[str]:
    return {name for name in sources() if name.startswith("sidecar/")}


def test_the_wheel_has_the_package_and_its_metadata(packages: Path) -> None:
    with zipfile.ZipFile(packages / f"{PYTHON}-py3-none-any.whl") as wheel:
        names = set(wheel.namelist())
    info = f"{PYTHON}.dist-info/"
    metadata = {name.removeprefix(info) for name in names if name.startswith(info)}
    assert metadata == {
        *("METADATA", "RECORD", "WHEEL", "entry_points.txt"),
        *("licenses/LICENSE", "extra_metadata/CHANGELOG.md"),
    }
    assert {name for name in names if not name.startswith(info)} == python_sources()
    assert "sidecar/py.typed" in names
    assert {PurePosixPath(name).suffix for name in python_sources()} <= {".py", ".sql", ".typed"}
    assert [name for name in names if re.search(r"/(tests?|bench(marks)?)/", name)] == []


def test_the_sdist_has_what_a_wheel_is_built_from(packages: Path) -> None:
    with tarfile.open(packages / f"{PYTHON}.tar.gz") as sdist:
        names = {name.removeprefix(f"{PYTHON}/") for name in sdist.getnames()}
    pages = {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "PKG-INFO"}
    assert names == python_sources() | pages


def test_the_wheel_describes_itself(packages: Path) -> None:
    metadata = wheel_metadata(packages)
    assert metadata["License-Expression"] == "MIT"
    assert "electron" in metadata["Keywords"].split(",")
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])
    assert f"Repository, {REPOSITORY}" in metadata.get_all("Project-URL", [])
    description = metadata.get_payload()
    assert isinstance(description, str)
    assert description.startswith("# electron-sidecar")
    assert LINK.findall(description) == []


@pytest.mark.parametrize("folder", staging.npm_packages(), ids=lambda folder: folder.name)
def test_an_npm_package_has_its_pages_and_nothing_for_development(folder: Path, packages: Path) -> None:
    content = npm_content(packages, json.loads((folder / "package.json").read_text(encoding="utf-8"))["name"])
    assert {"package.json", "README.md", "CHANGELOG.md", "LICENSE"} <= content.keys()
    manifest = json.loads(content["package.json"])
    assert manifest.keys().isdisjoint({"scripts", "devDependencies", "dependencies", "overrides", "homepage"})
    directory = folder.relative_to(ROOT).as_posix()
    assert manifest["repository"] == {"type": "git", "url": f"git+{REPOSITORY}.git", "directory": directory}
    assert "electron" in manifest["keywords"]
    assert set(LINK.findall(content["README.md"])) <= content.keys()


def paths_in(value: Any) -> Iterator[str]:
    """Yield the files that a part of a package.json names."""
    if isinstance(value, str):
        yield value.removeprefix("./")
    else:
        for inner in value.values() if isinstance(value, dict) else value:
            yield from paths_in(inner)


def test_every_file_of_the_npm_package_is_reached_from_an_entry(packages: Path) -> None:
    content = npm_content(packages)
    manifest = json.loads(content["package.json"])
    reached: set[str] = set()
    open_ends = set(paths_in([manifest["exports"], manifest["bin"]]))
    while open_ends:
        name = open_ends.pop()
        reached.add(name)
        for target in IMPORT.findall(content[name]):
            path = f"dist/{PurePosixPath(target).name}"
            typed = re.sub(r"\.(m?)js$", r".d.\1ts", path) if re.search(r"\.d\.m?ts$", name) else path
            open_ends |= {typed} - reached
    assert content.keys() == reached | {"README.md", "CHANGELOG.md", "LICENSE"}


def bill(packages: Path, registry: str) -> dict[str, Any]:
    found = json.loads((packages / f"electron-sidecar-{VERSION}.{registry}.cdx.json").read_text(encoding="utf-8"))
    assert found["bomFormat"] == "CycloneDX"
    assert "serialNumber" not in found
    component = found["metadata"]["component"]
    version = versions.for_pypi(VERSION) if registry == "pypi" else VERSION
    assert component["purl"] == f"pkg:{registry}/electron-sidecar@{version}"
    assert component["licenses"][0]["license"]["id"] == "MIT"
    assert str(ROOT) not in json.dumps(found)
    assert isinstance(found, dict)
    return found


def test_the_bill_of_the_python_package_lists_what_it_installs_with_licences(packages: Path) -> None:
    listed = {component["name"]: component for component in bill(packages, "pypi")["components"]}
    pins = dict(line.split("==") for line in (ROOT / "scripts" / "constraints.txt").read_text("utf-8").splitlines())
    assert {"fastapi", "aiosqlite", "uvicorn", "starlette"} <= listed.keys()
    assert listed.keys().isdisjoint({"pip", "pytest", "numpy", "electron-sidecar"})
    assert {name: component["version"] for name, component in listed.items()} == {name: pins[name] for name in listed}
    assert [name for name, component in listed.items() if not component.get("licenses")] == []


def test_the_bill_of_the_npm_package_lists_nothing_because_it_brings_nothing(packages: Path) -> None:
    assert bill(packages, "npm")["components"] == []


def test_two_builds_in_two_places_give_equal_bytes(packages: Path, tmp_path: Path) -> None:
    copy = tmp_path / "a place with another name" / "electron-sidecar"
    for name in sources():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy / name)
        (copy / name).chmod(0o600)
    (copy / ".cache").symlink_to(ROOT / ".cache")
    (copy / BRIDGE / "node_modules").symlink_to(ROOT / BRIDGE / "node_modules")
    subprocess.run([tool("npm"), "run", "build"], cwd=copy / BRIDGE, umask=0o077, capture_output=True, check=True)
    second = hashes(build(copy, tmp_path / "out", umask=0o077))
    assert second == hashes(packages)
    # The wheel, the sdist and their bill; and each npm package with its own.
    assert len(second) == 3 + 2 * len([name for name in second if name.endswith(".tgz")])


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
