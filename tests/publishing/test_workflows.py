"""The workflow files: pinned actions, the least permissions, nothing is published that was not tested."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PUBLISH = ROOT / ".github" / "workflows" / "publish.yml"

WRITES = {"pypi": {"id-token": "write"}, "npm": {"id-token": "write"}, "release": {"contents": "write"}}
"""The permissions of the jobs that may write: an identity to publish with, or a release of the repository."""


def load(path: Path) -> dict[Any, Any]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def triggers(path: Path) -> dict[str, Any]:
    """Return what starts a workflow. YAML 1.1 reads its key `on` as true."""
    found = load(path)[True]
    assert isinstance(found, dict)
    return found


def steps(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in load(path)["jobs"].items():
        for step in job.get("steps", []):
            yield name, step


def needed(jobs: dict[str, Any], job: str) -> set[str]:
    """Return the jobs that must have succeeded before this one."""
    direct = jobs[job].get("needs", [])
    names = {direct} if isinstance(direct, str) else set(direct)
    return names.union(*(needed(jobs, name) for name in names))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_reads_only_unless_a_job_says_more(path: Path) -> None:
    document = load(path)
    assert document["permissions"] == {"contents": "read"}
    granted = {name: job["permissions"] for name, job in document["jobs"].items() if "permissions" in job}
    assert granted == (WRITES if path == PUBLISH else {})


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_an_action_is_pinned_by_a_version(path: Path) -> None:
    used = [step["uses"] for _, step in steps(path) if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@v\d+(\.\d+\.\d+)?", action)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_ends_by_itself_and_names_no_host(path: Path) -> None:
    jobs = load(path)["jobs"].values()
    assert all("timeout-minutes" in job for job in jobs if "runs-on" in job)
    assert "://" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_scripts_of_a_workflow_have_the_options_that_it_uses(path: Path) -> None:
    for _, step in steps(path):
        for script, options in re.findall(r"python (scripts/\w+)(.*)", step.get("run", "")):
            words = [sys.executable, ROOT / script, "--help"]
            described = subprocess.run(words, capture_output=True, text=True, check=True).stdout
            assert set(re.findall(r"--[\w-]+", options)) <= set(re.findall(r"--[\w-]+", described))


def test_the_suite_runs_on_every_system() -> None:
    matrix = load(PUBLISH.with_name("test.yml"))["jobs"]["test"]["strategy"]["matrix"]["os"]
    assert {system.partition("-")[0] for system in matrix} == {"ubuntu", "macos", "windows"}
    assert "workflow_call" in triggers(PUBLISH.with_name("test.yml"))


def test_only_a_tag_publishes_and_only_after_its_checks_and_the_suite() -> None:
    jobs = load(PUBLISH)["jobs"]
    assert triggers(PUBLISH) == {"push": {"tags": ["v*"]}}
    assert jobs["test"]["uses"] == "./.github/workflows/test.yml"
    for job in WRITES:
        assert {"check", "test", "build"} <= needed(jobs, job)
    assert any("--check-release" in step.get("run", "") for name, step in steps(PUBLISH) if name == "check")


def test_the_packages_carry_their_provenance() -> None:
    (pypi,) = [step for name, step in steps(PUBLISH) if name == "pypi" and "pypi-publish" in step.get("uses", "")]
    assert pypi["with"]["attestations"] is True
    (npm,) = [step["run"] for name, step in steps(PUBLISH) if name == "npm" and "npm publish" in step.get("run", "")]
    assert "--provenance" in npm
    assert "secrets." not in PUBLISH.read_text(encoding="utf-8")
