"""Real sidecars whose wall clock is ten years off, and jumps while they run."""

from typing import Any

from .conftest import Hosts
from .host import Host, wait_until
from .patches import CLOCK_OF_A_FILE

TEN_YEARS = 3653
AT_ONCE = {"upkeep": {"first_after_s": 0}}


def set_clock(hosts: Hosts, days: int) -> None:
    """Put the wall clock of sidecars, those that run too, so many days off."""
    new = hosts.workplace / "days.new"
    new.write_text(str(days))
    new.replace(hosts.workplace / "days")


def back_up(host: Host) -> dict[str, Any]:
    did: dict[str, Any] = host.client.post("/upkeep/run", json={"task": "backup"}).raise_for_status().json()["did"]
    return did


def sequences(host: Host) -> list[int]:
    """The numbers of the verified backups, the newest first."""
    backups = host.client.get("/backups").raise_for_status().json()["items"]
    return [backup["sequence"] for backup in backups if backup["verified_at"]]


def test_starts_rows_backups_and_checks_go_on_whatever_the_clock_says(hosts: Hosts) -> None:
    set_clock(hosts, 0)
    host = hosts.start(settings=AT_ONCE, patch=CLOCK_OF_A_FILE)
    host.add_tip("one")
    wait_until(lambda: sequences(host) == [1], "the first backup is made")
    hosts.stop(host)

    set_clock(hosts, TEN_YEARS)
    host = hosts.start(settings=AT_ONCE, patch=CLOCK_OF_A_FILE)
    host.add_tip("two")
    wait_until(lambda: back_up(host) == {} and sequences(host) == [2, 1], "one backup is made by the wrong clock")
    for number, jump in enumerate((-TEN_YEARS, 0), 3):
        set_clock(hosts, jump)
        host.add_tip(f"after the jump {number}")
        back_up(host)
        host.add_tip(f"and after the backup {number}")
        assert back_up(host) == {}
        assert sequences(host)[0] == number
    assert host.client.get("/health/ready").status_code == 200
    host.process.kill()
    host.wait()

    set_clock(hosts, -TEN_YEARS)
    host = hosts.start(settings=AT_ONCE, patch=CLOCK_OF_A_FILE)
    contents = {tip["content"] for tip in host.client.get("/tips").json()["items"]}
    kinds = ("after the jump", "and after the backup")
    assert contents == {"one", "two"} | {f"{kind} {number}" for kind in kinds for number in (3, 4)}
    host.client.post("/upkeep/run", json={"task": "integrity"}).raise_for_status()
    assert host.client.get("/health/ready").status_code == 200
    assert sequences(host) == sorted(sequences(host), reverse=True)
    hosts.stop(host)
