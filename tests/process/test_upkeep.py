"""Upkeep in a real sidecar: it runs by itself, is heard of, and holds up neither the start nor the end."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from .conftest import Hosts
from .host import PATIENCE_S, Host
from .test_events import events_of

AT_ONCE = {"upkeep": {"first_after_s": 0, "checkpoint_after_s": 0}}
OLD_KEYS = 20_000
STOPPED_WITHIN_S = 1.0


def components(host: Host) -> dict[str, Any]:
    answer: dict[str, Any] = host.client.get("/health/ready").raise_for_status().json()["components"]
    return answer


def with_old_keys(hosts: Hosts) -> Path:
    """A database, closed, with keys that nobody will use again."""
    hosts.stop(hosts.start(settings={"upkeep": {"enabled": False}}))
    database = hosts.data_dir / "sidecar.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.executemany(
            "INSERT INTO idempotency_keys (key, fingerprint, result, created_at) "
            "VALUES (?, x'00', ?, '2020-01-01T00:00:00.000Z')",
            ((f"key-{number}", "r" * 300) for number in range(OLD_KEYS)),
        )
        connection.commit()
    return database


def count_keys(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT count(*) FROM idempotency_keys").fetchone()[0])


def test_a_change_is_followed_by_a_checkpoint_that_subscribers_hear_of(hosts: Hosts) -> None:
    host = hosts.start(settings=AT_ONCE)
    with host.new_client() as client, client.stream("GET", "/events?topics=upkeep") as response:
        events = events_of(response)
        assert next(events)[0] == "hello"
        host.add_tip("x")
        event, _, data = next(event for event in events if event[2]["task"] == "checkpoint")
    assert (event, data["topic"], data["error"]) == ("upkeep", "upkeep", None)
    assert data["did"]["pages"] > 0
    assert components(host)["upkeep.checkpoint"]["ok"]


def test_stopping_in_the_middle_of_a_long_upkeep_is_quick_and_clean(hosts: Hosts) -> None:
    database = with_old_keys(hosts)
    host = hosts.start(settings=AT_ONCE)
    with host.new_client() as client, client.stream("GET", "/events?topics=tips") as response:
        assert next(events_of(response))[0] == "hello"
    started = time.monotonic()
    hosts.stop(host)
    assert time.monotonic() - started < STOPPED_WITHIN_S
    assert "ERROR" not in host.stderr
    assert 0 < count_keys(database) < OLD_KEYS


def test_it_goes_on_where_the_last_run_left_off(hosts: Hosts) -> None:
    database = with_old_keys(hosts)
    host = hosts.start(settings=AT_ONCE)
    hosts.stop(host)
    left = count_keys(database)
    host = hosts.start(settings={"upkeep": {"enabled": False}})
    with host.new_client() as client:
        run = client.post("/upkeep/run", json={"task": "idempotency_keys"}, timeout=PATIENCE_S * 2).json()
    assert (run["did"], run["error"]) == ({"removed": left}, None)
    hosts.stop(host)
    assert count_keys(database) == 0


def test_switched_off_it_does_nothing_by_itself(hosts: Hosts) -> None:
    host = hosts.start(settings={"upkeep": {"enabled": False, "first_after_s": 0, "checkpoint_after_s": 0}})
    host.add_tip("x")
    assert components(host)["upkeep"]["detail"] == "switched off"
    assert not [name for name in components(host) if name.startswith("upkeep.")]
    hosts.stop(host)
