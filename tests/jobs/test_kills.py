"""A sidecar that is killed again and again while its extension writes rows and its jobs run.

`CHAOS_SEED` repeats a run.
"""

import os
import random
import threading
from itertools import count
from pathlib import Path

import httpx
import pytest

from ..process.conftest import Hosts, hosts  # noqa: F401 - a fixture
from ..process.host import Host, wait_until
from .backend import STEPS
from .sidecars import processes_of_jobs, start, wait_for_all

SEED = int(os.environ.get("CHAOS_SEED") or 1)

LONGEST_LIFE_S = 1.2
"""A process of a job takes half of that to start, so that kills hit jobs in every state."""


LONGEST_PAUSE_S = 0.6
"""Between two calls: jobs must be done about as fast as they are queued."""


class Caller:
    """Makes calls with keys, one after the other, and repeats the one that was not answered."""

    def __init__(self, dice: random.Random) -> None:
        self.answered: list[int] = []
        self._dice = dice
        self._numbers = count()
        self._number = next(self._numbers)

    def call_until_the_end_of(self, host: Host) -> None:
        """Make calls until the sidecar is gone."""
        with host.new_client() as client:
            try:
                while True:
                    self.call(client)
                    threading.Event().wait(self._dice.uniform(0, LONGEST_PAUSE_S))
            except httpx.TransportError:
                return

    def call(self, client: httpx.Client) -> None:
        """Make one call, which must be answered."""
        path = f"/x/chores/calls/{self._number}"
        client.post(path, headers={"Idempotency-Key": f"call {self._number}"}).raise_for_status()
        self.answered.append(self._number)
        self._number = next(self._numbers)


@pytest.mark.timeout(300)
def test_nothing_is_lost_and_nothing_done_twice_after_kills(hosts: Hosts, tmp_path: Path) -> None:  # noqa: F811
    kill(hosts, tmp_path, 5)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nothing_is_lost_and_nothing_done_twice_after_two_hundred_kills(
    hosts: Hosts,  # noqa: F811
    tmp_path: Path,
) -> None:
    kill(hosts, tmp_path, 200)


def kill(hosts: Hosts, tmp_path: Path, kills: int) -> None:  # noqa: F811
    dice = random.Random(SEED)
    caller = Caller(random.Random(SEED + 1))
    for _ in range(kills):
        host = start(hosts)
        calling = threading.Thread(target=caller.call_until_the_end_of, args=(host,))
        calling.start()
        threading.Event().wait(dice.uniform(0, LONGEST_LIFE_S))
        host.process.kill()
        host.wait()
        calling.join()
        wait_until(lambda: not processes_of_jobs(hosts.workplace), "no process of a job is left")
    host = start(hosts)
    caller.call(host.client)
    found = wait_for_all(host, 600)
    done = host.client.get("/x/chores/done").json()
    assert caller.answered == list(range(len(caller.answered)))
    assert {what: times for what, times in done.items() if times > 1} == {}
    names = ("in_loop", "in_thread", "in_process", "once")
    assert len(found) == len(names) * len(caller.answered)
    by_call = {(job["name"], job["arguments"]["number"]): job for job in found}
    expected = {(f"chores.{name}", number) for name in names for number in caller.answered}
    assert by_call.keys() == expected
    for (name, number), job in by_call.items():
        place = name.removeprefix("chores.").removeprefix("in_")
        if name == "chores.in_loop":
            was_done = all(f"loop {number} step {step}" in done for step in range(STEPS))
        else:
            was_done = f"{place} {number}" in done
        assert f"call {number}" in done
        if job["status"] == "done":
            assert was_done, job
        else:
            assert job["status"] == "interrupted", job
            is_once = name == "chores.once"
            assert is_once or job["error"].startswith("The sidecar ended unexpectedly 3 times"), job
            assert is_once or name == "chores.in_loop" or not was_done, job
