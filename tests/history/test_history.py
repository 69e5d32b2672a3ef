"""A ledger of calls to a real sidecar that is killed, restored, imported into and damaged; then it is checked.

`CHAOS_MINUTES` lets it run that long, `CHAOS_SEED` repeats a run.
"""

import os
import random
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..process.conftest import Hosts, hosts  # noqa: F401 - a fixture
from ..process.host import Host
from ..storage import damage
from .ledger import Backup, Call, Entry, Export, Import, Reading, Recovery, Restore, Write, faults

MINUTES = float(os.environ.get("CHAOS_MINUTES") or 0)
SEED = int(os.environ.get("CHAOS_SEED") or 0)

ANY_NUMBER = 2**31
"""Stands for rows of which a report says that nobody knows how many are lost."""

LONGEST_LIFE_S = {Write: 0.01, Import: 0.06, Backup: 0.15, Restore: 0.3}
"""A sidecar is killed at a random moment within so long after a call of this kind was sent."""


class Client:
    """Makes calls one after the other, writes each into the ledger, and repeats those that were not answered."""

    def __init__(self, hosts: Hosts, dice: random.Random) -> None:  # noqa: F811
        self.ledger: list[Entry] = []
        self._hosts = hosts
        self._dice = dice
        self._numbers = count()
        self._backups: dict[str, str] = {}
        """The name of each backup by the key of its call, or nothing when that was not answered."""
        self._archives: dict[str, bytes] = {}
        self._unanswered: list[Call] = []
        self._done: list[Call] = []
        self._host = self._start()

    def step(self) -> None:
        """Do one thing."""
        kinds: list[Callable[[], None]] = [*[self._write] * 8, self._replay, self._back_up, self._export, self.read]
        if self._backups:
            kinds.append(self._restore)
        if self._archives:
            kinds.append(self._import)
        self._dice.choice(kinds)()

    def read(self) -> None:
        self.ledger.append(Reading(tuple(self._host.tips())))

    def damage(self) -> None:
        """Stop, damage a page of rows, and start again: rows may be lost, and the report says how many."""
        self.read()
        self._hosts.stop(self._host)
        file = self._hosts.data_dir / "sidecar.db"
        damage.overwrite(file, self._dice.choice(damage.leaves(file, "tips")))
        self._host = self._start()
        (report, *_) = self._host.client.get("/recovery").raise_for_status().json()["items"]
        lost = report["tables"].get("tips", {"lost": 0})["lost"]
        self.ledger.append(Recovery(ANY_NUMBER if lost is None else lost))
        self.read()

    def _write(self) -> None:
        number = next(self._numbers)
        size = self._dice.choice((1, 1, 3))
        self._call(Write(f"write-{number}", True, tuple(f"{number}.{row} {'x' * 900}" for row in range(size))))

    def _back_up(self) -> None:
        self._call(Backup(f"backup-{next(self._numbers)}", True))

    def _export(self) -> None:
        name = f"archive-{next(self._numbers)}"
        self._archives[name] = self._host.client.get("/transfer/export").raise_for_status().content
        self.ledger.append(Export(name))

    def _import(self) -> None:
        self._call(Import(f"import-{next(self._numbers)}", True, self._dice.choice(sorted(self._archives))))

    def _restore(self) -> None:
        self._call(Restore(f"restore-{next(self._numbers)}", True, self._dice.choice(sorted(self._backups))))

    def _replay(self) -> None:
        """Send a call again that was answered, perhaps before a restore."""
        if self._done:
            self._call(self._dice.choice(self._done[-20:]), may_die=False)

    def _call(self, call: Call, *, may_die: bool = True) -> None:
        killer = None
        if may_die and self._dice.random() < 0.15:
            killer = threading.Timer(self._dice.uniform(0, LONGEST_LIFE_S[type(call)]), self._host.process.kill)
            killer.start()
        if not self._send(call):
            self._unanswered.append(call)
        if killer is not None:
            killer.join()
            self._host.wait()
            self._host = self._start()
            self._go_on()

    def _go_on(self) -> None:
        """What a bridge does after a crash, with a reading and a write of somebody else in between."""
        self.read()
        number = next(self._numbers)
        self._call(Write(f"write-{number}", True, (f"{number} in between",)), may_die=False)
        while self._unanswered:
            assert self._send(self._unanswered.pop(0))
        self.read()

    def _send(self, call: Call) -> bool:
        """Return whether the call was answered."""
        try:
            answer = self._request(call)
        except httpx.HTTPError:
            self.ledger.append(type(call)(**{**vars(call), "is_answered": False}))
            return False
        assert answer.is_success, answer.text
        if isinstance(call, Backup):
            self._backups[call.key] = answer.json()["name"]
        self.ledger.append(call)
        self._done.append(call)
        return True

    def _request(self, call: Call) -> httpx.Response:
        client, key = self._host.client, {"Idempotency-Key": call.key}
        match call:
            case Write(contents=[content]):
                return client.post("/tips", json={"content": content}, headers=key)
            case Write(contents=contents):
                rows: Any = {"tips": [{"content": content} for content in contents]}
                return client.post("/tips/batch", json=rows, headers=key)
            case Import(archive=archive):
                headers = {**key, "Content-Type": "application/zip"}
                return client.post("/transfer/import", content=self._archives[archive], headers=headers)
            case Backup():
                return client.post("/backups", json={}, headers=key)
            case Restore(backup=backup):
                return client.post(f"/backups/{self._backups[backup]}/restore", headers=key)
        raise TypeError(call)

    def _start(self) -> Host:
        return self._hosts.start(settings={"upkeep": {"enabled": False}})


def test_every_call_is_done_exactly_once(hosts: Hosts) -> None:  # noqa: F811
    client = Client(hosts, random.Random(SEED))
    until = time.monotonic() + MINUTES * 60
    steps = 0
    while steps < 20 or time.monotonic() < until:
        client.step()
        steps += 1
    client.read()
    assert faults(client.ledger) == []


@pytest.mark.slow
@pytest.mark.timeout(MINUTES * 60 + 300)
@pytest.mark.parametrize("seed", range(8))
def test_every_call_is_done_exactly_once_in_long_runs(hosts: Hosts, tmp_path: Path, seed: int) -> None:  # noqa: F811
    client = Client(hosts, random.Random(SEED * 1_000 + seed))
    until = time.monotonic() + MINUTES * 60 / 8
    steps = 0
    while steps < 80 or time.monotonic() < until:
        client.step()
        steps += 1
        if steps % 40 == 0:
            client.damage()
    client.read()
    assert faults(client.ledger) == []
