"""Hostile texts in every place where a text goes in: they are refused or kept as they are, and never run."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from tests.process.conftest import Hosts
from tests.process.host import Host
from tests.process.test_logs import EVENT

from ..sampling import sampled
from .attacks import ATTACKS, FORGED_LINE, Surface, Target

SURFACE = Surface()
TARGETS = SURFACE.targets()


class Outcome(NamedTuple):
    """What came of one attack; a stream of events has no text."""

    target: Target
    status: int
    text: str
    json: Any


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A sidecar that logs all it can, with rows to attack and some to look for afterwards."""
    with ExitStack() as stack:
        hosts = Hosts(tmp_path_factory.mktemp("attacked"), stack)
        started = hosts.start(settings={"log": {"level": "debug", "max_bytes": 100_000_000}})
        started.add_tip("the row that attacks name")
        for number in range(3):
            started.add_tip(f"kept {number}")
        yield started


def attack(host: Host, target: Target, text: str) -> Outcome:
    method, url, params, json = SURFACE.attack(target, text)
    with host.client.stream(method, url, params=params, json=json) as answer:
        kind = answer.headers.get("content-type", "")
        if kind.startswith("text/event-stream"):
            return Outcome(target, answer.status_code, "", None)
        answer.read()
        return Outcome(target, answer.status_code, answer.text, answer.json() if "json" in kind else None)


@pytest.mark.parametrize("kind", sampled(ATTACKS, every=2))
def test_a_hostile_text_is_refused_or_kept_and_never_run(host: Host, kind: str) -> None:
    before = schema_of(host.data_dir)
    outcomes = [attack(host, target, ATTACKS[kind]) for target in TARGETS]
    nothing_broke(outcomes)
    what_was_taken_is_what_was_given(outcomes, ATTACKS[kind])
    assert schema_of(host.data_dir) == before
    assert [tip for tip in host.tips() if tip.startswith("kept ")] == ["kept 0", "kept 1", "kept 2"]
    the_database_is_sound(host.data_dir)
    every_line_of_the_log_is_the_sidecars_own(host)
    the_token_is_only_where_tools_find_it(host, outcomes)
    no_file_was_read_or_made_outside(host, outcomes)


def test_the_texts_of_all_resources_are_attacked() -> None:
    resources = {str(target.operation["operationId"]).split(".")[0] for target in TARGETS}
    assert {"vaults", "todos", "activities", "tips", "conversations", "messages", "states", "backups"} <= resources
    assert {"search", "contexts", "monitoring", "documents"} <= resources
    assert len(TARGETS) > 200


def test_no_condition_becomes_true_by_a_text(host: Host) -> None:
    asked = 0
    for target in TARGETS:
        if target.method == "get" and target.place == "query":
            outcome = attack(host, target, "qqzz' OR 'qqzz'='qqzz")
            if outcome.status == 200:
                found = outcome.json.get("items") or outcome.json.get("count")
                assert not found, target
                asked += 1
    assert asked >= 5


def test_a_request_that_is_refused_makes_no_line_of_its_own_in_the_log(host: Host) -> None:
    host.client.get(f"/todos/{quote(f'x{chr(10)}{FORGED_LINE}')}")
    host.exchange(f"GET /x HTTP/1.1\r\nHost: \x9b31m{FORGED_LINE}\r\nUser-Agent: {FORGED_LINE}\r\n\r\n".encode())
    host.exchange(f"{FORGED_LINE}\r\n{FORGED_LINE}\r\n\r\n".encode())
    every_line_of_the_log_is_the_sidecars_own(host)


def nothing_broke(outcomes: Sequence[Outcome]) -> None:
    broken = [
        (str(outcome.target), outcome.status, outcome.text[:200])
        for outcome in outcomes
        if outcome.status >= 500 and outcome.json["code"] != "not_available"
    ]
    assert not broken


def what_was_taken_is_what_was_given(outcomes: Sequence[Outcome], text: str) -> None:
    compared = 0
    for outcome in outcomes:
        name = outcome.target.name[-1]
        if outcome.target.place == "body" and outcome.status == 201 and isinstance(outcome.json.get(name), str):
            assert outcome.json[name] == text, outcome.target
            compared += 1
    assert compared >= 5


def schema_of(data_dir: Path) -> list[Any]:
    with closing(sqlite3.connect(data_dir / "sidecar.db")) as connection:
        return connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name").fetchall()


def the_database_is_sound(data_dir: Path) -> None:
    with closing(sqlite3.connect(data_dir / "sidecar.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def every_line_of_the_log_is_the_sidecars_own(host: Host) -> None:
    for log in ((host.data_dir / "logs" / "sidecar.log").read_text(encoding="utf-8"), host.stderr):
        *lines, being_written = log.split("\n")
        for line in lines:
            assert EVENT.fullmatch(line) or line.startswith("    "), line
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", log)
        assert not being_written.startswith(FORGED_LINE)
        assert not any(line.startswith(FORGED_LINE) for line in lines)


def the_token_is_only_where_tools_find_it(host: Host, outcomes: Sequence[Outcome]) -> None:
    assert not any(host.token in outcome.text for outcome in outcomes)
    for file in host.data_dir.rglob("*"):
        if file.is_file() and file.name not in ("run.json", "authorization.header"):
            assert host.token.encode() not in file.read_bytes(), file


def no_file_was_read_or_made_outside(host: Host, outcomes: Sequence[Outcome]) -> None:
    beside = {path.name for path in host.data_dir.parent.iterdir() if path.suffix != ".stderr"}
    assert beside == {host.data_dir.name}
    assert not any("root:x:" in outcome.text for outcome in outcomes)
