"""What a sidecar answers to a bootstrap that it cannot run with: `failed`, with the culprit, and exit code 2."""

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Hosts
from .host import Host, Status
from .patches import SHORT_BOOTSTRAP_DEADLINE


def refusal(host: Host) -> Status:
    failed = host.refusal()
    assert (failed["exit_code"], failed["code"]) == (2, "bad_configuration")
    return failed


def test_a_missing_bootstrap(hosts: Hosts) -> None:
    host = hosts.spawn()
    host.close_pipe()
    assert "bootstrap" in refusal(host)["message"]


def test_a_late_bootstrap(hosts: Hosts) -> None:
    host = hosts.spawn(patch=SHORT_BOOTSTRAP_DEADLINE)
    assert "within 0.2 s" in refusal(host)["message"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"hello", "not JSON"),
        (b'{"protocol":1,"token":"\xff"}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'"' + b"x" * 2_000_000, "not JSON"),
        (b"[1]", "not a JSON object"),
    ],
    ids=["words", "not UTF-8", "bottomless", "endless", "a list"],
)
def test_a_line_that_is_not_an_object_in_json(hosts: Hosts, line: bytes, complaint: str) -> None:
    host = hosts.spawn()
    host.send(line)
    assert complaint in refusal(host)["message"]


@pytest.mark.parametrize(
    ("fields", "culprit"),
    [
        ({"protocol": 2}, "protocol 2"),
        ({"token": "0123456789abcdef"}, "'token'"),
        ({"token": "a b" * 20}, "'token'"),
        ({"data_dir": "relative/path"}, "'data_dir'"),
        ({"data_dir": "/with/a/\0/in/it"}, "'data_dir'"),
        ({"settings": []}, "'settings'"),
        ({"settings": {"databse": {}}}, "'databse'"),
        ({"settings": {"database": {"pth": "x"}}}, "'database.pth'"),
        ({"settings": {"database": {"readers": 0}}}, "'database.readers'"),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else "",
)
def test_a_field_that_is_wrong_is_named(hosts: Hosts, fields: dict[str, Any], culprit: str) -> None:
    host = hosts.spawn()
    host.bootstrap(**fields)
    assert culprit in refusal(host)["message"]


def test_a_refused_bootstrap_leaves_no_lock_and_no_database(hosts: Hosts) -> None:
    refusal(hosts.begin(settings={"database": {"readers": 0}}))
    assert not (hosts.data_dir / "sidecar.db").exists()
    hosts.start()


def test_the_token_is_not_in_the_complaint_about_it(hosts: Hosts) -> None:
    host = hosts.spawn()
    host.bootstrap(token="secret-with-dashes-" * 4)
    assert "secret" not in refusal(host)["message"]
    assert "secret" not in host.stderr


def test_a_bootstrap_may_arrive_in_pieces(hosts: Hosts) -> None:
    host = hosts.spawn()
    line = json.dumps({"protocol": 1, "token": host.token, "data_dir": str(hosts.data_dir)}).encode()
    assert host.process.stdin is not None
    for byte in line:
        host.process.stdin.write(bytes([byte]))
        host.process.stdin.flush()
    host.send(b"")
    host.event("ready")


def test_a_data_directory_may_lie_deep_and_have_any_name(hosts: Hosts) -> None:
    data_dir: Path = hosts.workplace / "not there yet" / "Zoë's notes & 'things' 📝"
    host = hosts.start(data_dir)
    assert host.add_tip("a row") > 0
    assert (data_dir / "sidecar.db").exists()


def test_a_standard_input_that_is_closed_is_told_as_a_host_without_a_word(hosts: Hosts) -> None:
    failed = hosts.spawn(through=["sh", "-c", 'exec "$@" <&-', "sh"]).refusal()
    assert (failed["exit_code"], failed["code"]) == (2, "bad_configuration")
