"""Stages a package: copies its published files and nothing else into a folder, from which it is built.

A published page may link only to files that its reader has. A link into the repository becomes absolute when the
repository's address is known, and plain text when it is not.
"""

import json
import re
import shutil
import stat
from collections.abc import Callable, Collection
from pathlib import Path

import versions
from toolbox import ROOT

PAGES = ("README.md", "CHANGELOG.md", "LICENSE")
"""The files of the top folder that every package carries. A package that has its own file of this name keeps it."""

DEVELOPMENT_FIELDS = ("scripts", "devDependencies", "overrides")
"""What only this repository needs of a package.json."""

NOT_PUBLISHED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*_cache", "node_modules")
"""What running the sources leaves beside them."""

FENCED_BLOCK = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[(?P<text>[^\[\]]+)\]\((?!\w+:|#)(?P<path>[^)#\s]+)(?P<fragment>#[^)\s]*)?\)")


def stage_python(folder: Path, repository: str | None) -> None:
    """Copy the files of the Python package into a new folder, with the addresses of the repository if it is given."""
    shutil.copytree(ROOT / "sidecar", folder / "sidecar", ignore=NOT_PUBLISHED)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    if repository is not None:
        changelog = f"{repository}/blob/v{versions.current()}/CHANGELOG.md"
        project += f'\n[project.urls]\nRepository = "{repository}"\nChangelog = "{changelog}"\n'
    _write(folder / "pyproject.toml", project)
    _stage_pages(folder, ROOT, repository, kept=())


def npm_packages() -> list[Path]:
    """Return the folders of the npm packages."""
    return [ROOT / folder for folder in versions.NPM_PACKAGES]


def stage_npm(source: Path, folder: Path, repository: str | None) -> None:
    """Copy the files of an npm package into a new folder, with the address of the repository if it is given."""
    manifest = json.loads((source / "package.json").read_text(encoding="utf-8"))
    folder.mkdir(parents=True)
    for name in manifest["files"]:
        if (source / name).is_dir():
            shutil.copytree(source / name, folder / name, ignore=NOT_PUBLISHED)
        elif name not in PAGES and not name.startswith("!"):
            shutil.copy(source / name, folder / name)
    for field in DEVELOPMENT_FIELDS:
        manifest.pop(field, None)
    if repository is not None:
        directory = source.relative_to(ROOT).as_posix()
        manifest["repository"] = {"type": "git", "url": f"git+{repository}.git", "directory": directory}
    _write(folder / "package.json", json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    _stage_pages(folder, source, repository, kept=PAGES)
    _set_permissions(folder)


def _set_permissions(folder: Path) -> None:
    """Give the files the permissions that they have in a fresh clone: npm packs those of this machine's files."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)


def _stage_pages(folder: Path, source: Path, repository: str | None, kept: Collection[str]) -> None:
    for name in PAGES:
        page = source / name if (source / name).is_file() else ROOT / name
        text = page.read_text(encoding="utf-8")
        if page.suffix == ".md":
            text = published_page(text, page.parent, repository, kept)
        _write(folder / name, text)


def published_page(text: str, folder: Path, repository: str | None, kept: Collection[str]) -> str:
    """Return a Markdown page of `folder` with links that work outside the repository; those to `kept` stay."""

    def published(link: re.Match[str]) -> str:
        if link["path"] in kept:
            return link[0]
        if repository is None:
            return link["text"]
        target = (folder / link["path"]).resolve()
        kind = "tree" if target.is_dir() else "blob"
        path = target.relative_to(ROOT).as_posix()
        return f"[{link['text']}]({repository}/{kind}/v{versions.current()}/{path}{link['fragment'] or ''})"

    return _outside_blocks(text, lambda part: LINK.sub(published, part))


def _outside_blocks(text: str, change: Callable[[str], str]) -> str:
    parts = FENCED_BLOCK.split(text)
    return "".join(part if number % 2 else change(part) for number, part in enumerate(parts))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
