"""Monitoring: the counters of a session, which begins when the app says so."""

from pathlib import Path

import pytest

from sidecar.config import DatabaseSettings
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.monitoring_runs import SessionCounters
from sidecar.storage.resources.monitoring_session import COUNTERS
from sidecar.storage.unified import UnifiedStorage, document_backend

from ..support import backend_of

START = "2026-01-31T08:00:00Z"


def counted(counters: SessionCounters) -> dict[str, int]:
    """The counters that are not 0."""
    return {name: getattr(counters, name) for name in COUNTERS if getattr(counters, name)}


async def report_everything(storage: UnifiedStorage) -> None:
    await storage.save_monitoring_token_usage("model", 10, 5)
    await storage.save_monitoring_stage_timing("parser", 5)
    await storage.save_monitoring_stage_timing("parser", 5, "error", error="no JSON")
    await storage.save_monitoring_data_stats("document", 7)
    await storage.save_monitoring_run("indexer", START)
    await storage.save_monitoring_run("indexer", START, status="error", error_message="no word")
    await storage.save_monitoring_error("model", "timeout", 3)


EVERYTHING = {
    "model_calls": 1,
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "total_tokens": 15,
    "stage_runs": 2,
    "stage_errors": 1,
    "data_count": 7,
    "processor_runs": 2,
    "processor_errors": 1,
    "errors": 5,
}


async def test_a_session_begins_with_its_first_report(storage: UnifiedStorage) -> None:
    empty = await storage.get_monitoring_session()
    assert (empty.started_at, counted(empty)) == (None, {})
    await storage.save_monitoring_token_usage("model", 1, 0)
    assert (await storage.get_monitoring_session()).started_at is not None


async def test_everything_that_is_reported_counts(storage: UnifiedStorage) -> None:
    await report_everything(storage)
    assert counted(await storage.get_monitoring_session()) == EVERYTHING
    await report_everything(storage)
    assert counted(await storage.get_monitoring_session()) == {name: 2 * count for name, count in EVERYTHING.items()}


async def test_a_reset_returns_what_it_ends_and_begins_again(storage: UnifiedStorage) -> None:
    await report_everything(storage)
    before = await storage.get_monitoring_session()
    assert await storage.reset_monitoring_session() == before
    after = await storage.get_monitoring_session()
    assert counted(after) == {}
    assert after.started_at is not None
    assert before.started_at is not None
    assert after.started_at >= before.started_at
    assert (await storage.query_monitoring_token_usage()).items[0].total_tokens == 15


async def test_a_repeated_report_and_a_repeated_reset_with_their_keys_count_once(storage: UnifiedStorage) -> None:
    for _ in range(2):
        await storage.save_monitoring_token_usage("model", 1, 2, key=IdempotencyKey("report"))
    assert counted(await storage.get_monitoring_session())["model_calls"] == 1
    first = await storage.reset_monitoring_session(key=IdempotencyKey("reset"))
    await storage.save_monitoring_token_usage("model", 1, 2)
    assert await storage.reset_monitoring_session(key=IdempotencyKey("reset")) == first
    assert counted(await storage.get_monitoring_session())["model_calls"] == 1


async def test_a_restart_does_not_end_the_session(tmp_path: Path) -> None:
    for _ in range(2):
        async with UnifiedStorage.create([document_backend(DatabaseSettings(), tmp_path)]) as storage:
            await storage.save_monitoring_token_usage("model", 1, 2)
            counters = await storage.get_monitoring_session()
    assert counted(counters)["model_calls"] == 2


@pytest.mark.parametrize("value", ["'many'", "x'00'", "-1"])
async def test_a_counter_that_another_program_has_spoilt_is_0(storage: UnifiedStorage, value: str) -> None:
    def write(work: object) -> None:
        connection = work.connection  # type: ignore[attr-defined]
        connection.execute("DROP TRIGGER guard_monitoring_session_inserted")
        connection.execute(f"INSERT INTO monitoring_session (id, errors, model_calls) VALUES (1, {value}, 2)")

    await backend_of(storage).database.write(write)
    assert counted(await storage.get_monitoring_session()) == {"model_calls": 2}
