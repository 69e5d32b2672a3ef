"""What was acknowledged is on disk, however the sidecar ends; what was not is done wholly or not at all."""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import httpx

from .conftest import Hosts
from .host import Host, wait_until

WRITERS = 4


class Ledger:
    """What several clients sent, each under an idempotency key of its own, and what was acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: set[str] = set()
        self.unanswered: set[str] = set()

    @contextmanager
    def writing(self, host: Host, prefix: str) -> Iterator[None]:
        """Clients that write without a pause until the sidecar is gone."""
        with ThreadPoolExecutor(WRITERS) as pool:
            writers = [pool.submit(self._write, host, f"{prefix}-{number}") for number in range(WRITERS)]
            yield
            for writer in writers:
                writer.result()

    def _write(self, host: Host, prefix: str) -> None:
        with host.new_client() as client:
            for number in range(1_000_000):
                content = f"{prefix}-{number}"
                try:
                    answer = add_once(client, content)
                except httpx.HTTPError:
                    self.unanswered.add(content)
                    return
                assert answer.status_code == 201, answer.text
                self.acknowledged.add(content)


def add_once(client: httpx.Client, content: str) -> httpx.Response:
    return client.post("/tips", json={"content": content}, headers={"Idempotency-Key": content})


def assert_sound(hosts: Hosts) -> None:
    with closing(sqlite3.connect(hosts.data_dir / "sidecar.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_acknowledged_writes_survive_the_sidecars_sudden_death(hosts: Hosts) -> None:
    ledger = Ledger()
    for round_number in range(3):
        host = hosts.start()
        enough = len(ledger.acknowledged) + random.randint(20, 200)
        with ledger.writing(host, f"{round_number}"):
            wait_until(lambda: len(ledger.acknowledged) >= enough, "rows are written")  # noqa: B023
            host.process.kill()
        assert host.wait() != 0
    again = hosts.start()
    stored = Counter(again.tips())
    assert set(stored.values()) == {1}
    assert ledger.acknowledged <= stored.keys() <= ledger.acknowledged | ledger.unanswered
    hosts.stop(again)
    assert_sound(hosts)


def test_a_write_repeated_under_its_key_after_a_sudden_death_is_done_once(hosts: Hosts) -> None:
    ledger = Ledger()
    host = hosts.start()
    with ledger.writing(host, "key"):
        wait_until(lambda: len(ledger.acknowledged) >= 50, "rows are written")
        host.process.kill()
    again = hosts.start()
    for content in ledger.acknowledged | ledger.unanswered:
        assert add_once(again.client, content).status_code == 201
    assert Counter(again.tips()) == Counter(ledger.acknowledged | ledger.unanswered)


def test_a_shutdown_amid_writes_does_what_it_answered_and_nothing_else(hosts: Hosts) -> None:
    ledger = Ledger()
    host = hosts.start()
    with ledger.writing(host, "key"):
        wait_until(lambda: len(ledger.acknowledged) >= 50, "rows are written")
        host.shutdown()
    assert host.wait() == 0, host.stderr
    again = hosts.start()
    assert Counter(again.tips()) == Counter(ledger.acknowledged)
    hosts.stop(again)
    assert_sound(hosts)


def test_a_change_of_many_rows_is_whole_or_absent_after_a_sudden_death(hosts: Hosts) -> None:
    host = hosts.start()
    folder = host.client.post("/vaults", json={"title": "folder", "is_folder": True}).json()["id"]
    for number in range(100):
        host.client.post("/vaults", json={"title": f"{number}", "parent_id": folder}).raise_for_status()

    def delete_and_restore() -> None:
        try:
            while True:
                host.client.delete(f"/vaults/{folder}").raise_for_status()
                changes.append(1)
                host.client.post(f"/vaults/{folder}/restore").raise_for_status()
        except httpx.TransportError:
            return

    changes: list[int] = []
    with ThreadPoolExecutor() as pool:
        changing = pool.submit(delete_and_restore)
        enough = random.randint(2, 20)
        wait_until(lambda: len(changes) >= enough, "it is deleted and restored")
        host.process.kill()
        changing.result()
    titles = {"folder", *map(str, range(100))}
    page = hosts.start().client.get("/vaults", params={"is_deleted": True, "limit": 1000}).json()
    deleted = {vault["title"] for vault in page["items"]}
    assert deleted in (set(), titles)


def test_a_message_that_streams_when_the_sidecar_is_killed_has_failed_and_kept_what_was_acknowledged(
    hosts: Hosts,
) -> None:
    host = hosts.start()
    conversation = host.client.post("/conversations", json={"page_name": "home"}).json()["id"]
    message = host.client.post(f"/conversations/{conversation}/messages/stream", json={}).json()["id"]
    acknowledged = ""
    for number in range(50):
        chunk = f"<{number} 👋>"
        if host.client.post(f"/messages/{message}/append", json={"content_chunk": chunk}).is_success:
            acknowledged += chunk
    host.process.kill()
    host.wait()
    found = hosts.start().client.get(f"/messages/{message}").json()
    assert (found["status"], found["content"]) == ("failed", acknowledged)
    assert "ended while" in found["error_message"]
