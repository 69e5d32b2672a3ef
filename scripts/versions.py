"""The version that all packages share. `sidecar/__init__.py` is its source; the npm manifests repeat it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toolbox import ROOT, Failure

SOURCE = "sidecar/__init__.py"
CHANGELOG = "CHANGELOG.md"
NPM_PACKAGES = ("electron-bridge", "electron-bridge/create")
"""The folders of the npm packages."""

ASSIGNED = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
SEMANTIC = re.compile(r"\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)\.\d+)?")
"""A version that npm and PyPI both understand."""


def current(root: Path = ROOT) -> str:
    """Return the version of the Python package, which is that of all."""
    found = ASSIGNED.search(_read(root / SOURCE))
    if found is None:
        raise Failure(f"{SOURCE} assigns no version.")
    return found[1]


def for_pypi(version: str) -> str:
    """Return the version as PyPI writes it: `1.0.0-rc.1` is `1.0.0rc1` there."""
    return re.sub(r"-(a|b|rc)[a-z]*\.", r"\1", version)


def write(version: str, root: Path = ROOT) -> None:
    """Give all packages this version. Raises Failure if npm or PyPI would not understand it."""
    if not SEMANTIC.fullmatch(version):
        raise Failure(f"{version} is not a version of the forms 1.2.3 and 1.2.3-rc.1.")
    _write(root / SOURCE, ASSIGNED.sub(f'__version__ = "{version}"', _read(root / SOURCE)))
    for manifest in _manifests(root):
        content = json.loads(_read(manifest))
        for part in _versioned(content):
            part["version"] = version
        _write(manifest, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def disagreements(root: Path = ROOT) -> list[str]:
    """Return a sentence for each manifest whose version is not that of the Python package."""
    version = current(root)
    return [
        f"{manifest.relative_to(root).as_posix()} has version {part['version']} instead of {version}; "
        f"run `scripts/build --set-version {version}`."
        for manifest in _manifests(root)
        for part in _versioned(json.loads(_read(manifest)))
        if part["version"] != version
    ]


def require_release(tag: str, root: Path = ROOT) -> None:
    """Raise Failure unless the tag, the version of every package, and an entry of the changelog agree."""
    version = current(root)
    problems = disagreements(root)
    if tag != f"v{version}":
        problems.append(f"The tag is {tag}, but the packages have version {version}.")
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", _read(root / CHANGELOG), re.MULTILINE):
        problems.append(f"{CHANGELOG} has no entry `## [{version}] - YEAR-MONTH-DAY`.")
    if problems:
        raise Failure("\n".join(problems))


def _manifests(root: Path) -> Iterator[Path]:
    for folder in NPM_PACKAGES:
        for name in ("package.json", "package-lock.json"):
            if (root / folder / name).is_file():
                yield root / folder / name


def _versioned(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of a manifest or lock file that carry the version of its own package."""
    return [content, *([content["packages"][""]] if "packages" in content else [])]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
