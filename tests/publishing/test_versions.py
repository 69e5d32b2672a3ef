"""All packages have one version, and a release names it in its tag and in the changelog."""

import shutil
from pathlib import Path

import pytest
import versions
from toolbox import ROOT, Failure

FILES = ("sidecar/__init__.py", "CHANGELOG.md", "electron-bridge/package.json", "electron-bridge/package-lock.json")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with the files that name the version."""
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def release(root: Path, version: str) -> None:
    versions.write(version, root)
    (root / "CHANGELOG.md").write_text(f"# Changelog\n\n## [Unreleased]\n\n## [{version}] - 2027-01-31\n")


def test_all_packages_have_one_version() -> None:
    assert versions.disagreements() == []


def test_a_version_is_written_into_every_package_and_changes_nothing_else(copy: Path) -> None:
    former = versions.current(copy)
    versions.write("7.8.9-rc.1", copy)
    assert versions.current(copy) == "7.8.9-rc.1"
    assert versions.disagreements(copy) == []
    versions.write(former, copy)
    for file in FILES:
        assert (copy / file).read_text("utf-8") == (ROOT / file).read_text("utf-8"), file


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "1.0.0rc1", "1.0.0 "])
def test_a_version_that_npm_or_pypi_would_not_understand_is_refused(version: str, copy: Path) -> None:
    with pytest.raises(Failure, match="is not a version"):
        versions.write(version, copy)


def test_a_pre_release_is_written_as_each_registry_writes_it() -> None:
    assert versions.for_pypi("1.0.0-rc.1") == "1.0.0rc1"
    assert versions.for_pypi("1.0.0-beta.2") == "1.0.0b2"
    assert versions.for_pypi("1.0.0") == "1.0.0"


def test_a_release_agrees_with_itself(copy: Path) -> None:
    release(copy, "7.8.9")
    versions.require_release("v7.8.9", copy)


def test_a_tag_of_another_version_is_refused(copy: Path) -> None:
    release(copy, "7.8.9")
    with pytest.raises(Failure, match=r"The tag is v7\.8\.0, but the packages have version 7\.8\.9"):
        versions.require_release("v7.8.0", copy)


def test_a_release_without_an_entry_in_the_changelog_is_refused(copy: Path) -> None:
    versions.write("7.8.9", copy)
    with pytest.raises(Failure, match=r"no entry `## \[7\.8\.9\] - YEAR-MONTH-DAY`"):
        versions.require_release("v7.8.9", copy)


def test_a_package_that_was_forgotten_is_named(copy: Path) -> None:
    release(copy, "7.8.9")
    shutil.copy(ROOT / "electron-bridge/package.json", copy / "electron-bridge/package.json")
    with pytest.raises(Failure, match=r"electron-bridge/package\.json has version .* instead of 7\.8\.9"):
        versions.require_release("v7.8.9", copy)
