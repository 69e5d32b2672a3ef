"""Import of chat histories and export of conversations, through a sidecar that runs and without one."""

import json
from pathlib import Path
from typing import Any

import pytest

from ..tools.histories.support import FILES, big_tree, conversation
from .conftest import Hosts
from .test_transfer import run


def imported(data_dir: Path, *arguments: str | Path) -> str:
    done = run("import", "--data-dir", data_dir, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def exported(data_dir: Path, path: Path, ids: str = "all") -> list[dict[str, Any]]:
    """The conversations of the data directory, as they are exported."""
    done = run("export", "--data-dir", data_dir, "--conversations", ids, "--format", "json", "--force", path)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["conversations"]
    return found


@pytest.mark.parametrize("name", ["chatgpt", "claude", "openwebui", "librechat"])
def test_a_running_sidecar_gets_the_same_as_a_directory_without_one(hosts: Hosts, tmp_path: Path, name: str) -> None:
    hosts.start()
    through = imported(hosts.data_dir, name, FILES / f"{name}.json")
    direct = imported(tmp_path / "alone", name, FILES / f"{name}.json")
    assert through == direct
    assert exported(hosts.data_dir, tmp_path / "a.json") == exported(tmp_path / "alone", tmp_path / "b.json")
    assert "Added 0 conversations" in imported(hosts.data_dir, FILES / f"{name}.json")


def test_a_trial_through_a_running_sidecar_adds_nothing(hosts: Hosts, tmp_path: Path) -> None:
    hosts.start()
    assert "Would add 2 conversations" in imported(hosts.data_dir, "--dry-run", FILES / "claude.json")
    assert exported(hosts.data_dir, tmp_path / "a.json") == []


def test_a_conversation_larger_than_a_request_may_be_arrives_whole(hosts: Hosts, tmp_path: Path) -> None:
    hosts.start(settings={"server": {"max_body_bytes": 20_000}})
    path = tmp_path / "big.json"
    path.write_text(json.dumps([big_tree(500)]))
    assert "Would add 1 conversation with 500 messages.\n" in imported(hosts.data_dir, "--dry-run", path)
    assert "Added 1 conversation with 500 messages." in imported(hosts.data_dir, path)
    (found,) = exported(hosts.data_dir, tmp_path / "a.json")
    given = big_tree(500)["mapping"]
    assert {each["external_id"]: each.get("parent_external_id") for each in found["messages"]} == {
        name: None if node["parent"] == "root" else node["parent"] for name, node in given.items() if name != "root"
    }


def test_a_message_larger_than_a_request_may_be_is_reported(hosts: Hosts, tmp_path: Path) -> None:
    hosts.start(settings={"server": {"max_body_bytes": 20_000}})
    path = tmp_path / "long.json"
    path.write_text(json.dumps([conversation("a", "one", "two" * 10_000, "three")]))
    report = imported(hosts.data_dir, path)
    assert "Added 1 conversation with 2 messages." in report
    assert "Left out 1 message: larger than the running sidecar takes in a request" in report


def test_an_export_of_a_missing_conversation_is_refused(hosts: Hosts, tmp_path: Path) -> None:
    hosts.start()
    done = run("export", "--data-dir", hosts.data_dir, "--conversations", "7", tmp_path / "a.html")
    assert (done.returncode, "There is no conversation with the id 7." in done.stderr) == (2, True)
    assert not (tmp_path / "a.html").exists()
