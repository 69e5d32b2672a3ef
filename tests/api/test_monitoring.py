"""Monitoring over HTTP."""

from typing import Any

import httpx
import pytest

REPORTS: dict[str, dict[str, Any]] = {
    "/monitoring/token-usage": {"model": "m", "prompt_tokens": 10, "completion_tokens": 5},
    "/monitoring/stage-timings": {"stage_name": "embed", "duration_ms": 12, "status": "error", "metadata": {"k": [1]}},
    "/monitoring/data-stats": {"data_type": "screenshot", "count": 3, "context_type": "entity"},
}


@pytest.mark.parametrize("path", REPORTS)
async def test_a_report_is_added_to_its_hour_and_listed(client: httpx.AsyncClient, path: str) -> None:
    saved = await client.post(path, json=REPORTS[path])
    assert saved.status_code == 201, saved.text
    assert saved.json()["time_bucket"].endswith(":00:00.000Z")
    page = await client.get(path, params={"hours": 2, "time_zone": "Europe/Berlin", "with_total": True})
    assert page.json() == {"items": [saved.json()], "next_cursor": None, "total": 1}


async def test_a_stage_tells_its_durations_and_metadata(client: httpx.AsyncClient) -> None:
    path = "/monitoring/stage-timings"
    for duration in (10, 15):
        saved = await client.post(path, json={**REPORTS[path], "duration_ms": duration})
    timing = saved.json()
    assert (timing["count"], timing["avg_duration_ms"], timing["error_count"]) == (2, 12.5, 2)
    assert timing["metadata"] == {"k": [1]}


async def test_data_is_told_by_range_and_by_interval(client: httpx.AsyncClient) -> None:
    stats = (await client.post("/monitoring/data-stats", json=REPORTS["/monitoring/data-stats"])).json()
    window = {"start_time": stats["time_bucket"], "end_time": "9999-01-01T00:00:00Z"}
    assert (await client.get("/monitoring/data-stats/range", params=window)).json()["items"] == [stats]
    intervals: dict[str, str | int] = {"hours": 48, "interval_hours": 24, "time_zone": "Asia/Tokyo"}
    trend = (await client.get("/monitoring/data-stats/trend", params=intervals)).json()["intervals"]
    assert trend[-1]["data"] == [{"data_type": "screenshot", "context_type": "entity", "count": 3}]
    assert [interval["count"] for interval in trend] == [*[None] * (len(trend) - 1), 3]


async def test_the_overview_tells_totals_and_how_the_sidecar_is_doing(client: httpx.AsyncClient) -> None:
    for path, body in REPORTS.items():
        await client.post(path, json=body)
    overview = (await client.get("/monitoring/overview", params={"hours": 1})).json()
    assert overview["tokens"]["models"] == [
        {"model": "m", "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    ]
    assert overview["stages"]["slowest"] == overview["stages"]["failing"]
    assert (overview["stages"]["error_rate"], overview["data"]["count"]) == (1, 3)
    assert overview["database"]["waiting"] == 0
    assert overview["database"]["commit_median_ms"] > 0
    process = overview["process"]
    assert all(process[name] > 0 for name in ("memory_bytes", "cpu_seconds", "threads", "open_files", "uptime_s"))
    assert process["cpu_percent"] >= 0


async def test_the_overview_tells_the_size_of_the_write_ahead_log(
    client: httpx.AsyncClient, request: pytest.FixtureRequest
) -> None:
    await client.post("/todos", json={"content": "x"})
    size = (await client.get("/monitoring/overview")).json()["database"]["write_ahead_log_bytes"]
    in_memory = request.node.callspec.params["storage"] == "memory"
    assert size is None if in_memory else size > 0


async def test_the_health_check_tells_the_same_of_the_process(client: httpx.AsyncClient) -> None:
    process = (await client.get("/monitoring/overview")).json()["process"]
    assert (await client.get("/health/ready")).json()["components"]["process"]["measures"].keys() == process.keys()


async def test_a_cleanup_keeps_what_is_recent(client: httpx.AsyncClient) -> None:
    for path, body in REPORTS.items():
        await client.post(path, json=body)
    for body in ({}, {"days": 1}):
        cleanup = await client.post("/monitoring/cleanup", json=body)
        assert (cleanup.status_code, cleanup.json()) == (200, {"deleted": 0})
    assert (await client.get("/monitoring/token-usage")).json()["items"] != []


@pytest.mark.parametrize("path", REPORTS)
async def test_a_report_with_its_key_counts_once(client: httpx.AsyncClient, path: str) -> None:
    answers = [await client.post(path, json=REPORTS[path], headers={"Idempotency-Key": "key-1"}) for _ in range(3)]
    assert len({answer.text for answer in answers}) == 1
    assert (await client.get(path)).json()["items"] == [answers[0].json()]


@pytest.mark.parametrize(
    ("path", "change", "culprit"),
    [
        ("/monitoring/token-usage", {"model": ""}, "body.model"),
        ("/monitoring/token-usage", {"prompt_tokens": -1}, "body.prompt_tokens"),
        ("/monitoring/token-usage", {"completion_tokens": 2**63}, "body.completion_tokens"),
        ("/monitoring/token-usage", {"total_tokens": "5x"}, "body.total_tokens"),
        ("/monitoring/token-usage", {"tokens": 1}, "body.tokens"),
        ("/monitoring/stage-timings", {"status": "maybe"}, "body.status"),
        ("/monitoring/stage-timings", {"duration_ms": 1.5}, "body.duration_ms"),
        ("/monitoring/stage-timings", {"metadata": "text"}, "body.metadata"),
        ("/monitoring/data-stats", {"count": -1}, "body.count"),
        ("/monitoring/data-stats", {"context_type": 5}, "body.context_type"),
    ],
)
async def test_a_report_that_makes_no_sense_is_refused_by_name(
    client: httpx.AsyncClient, path: str, change: dict[str, Any], culprit: str
) -> None:
    response = await client.post(path, json=REPORTS[path] | change)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [culprit]


@pytest.mark.parametrize(
    ("path", "query", "culprit"),
    [
        ("/token-usage", {"hours": 0}, "hours"),
        ("/stage-timings", {"hours": 10**9}, "hours"),
        ("/data-stats", {"hours": "many"}, "hours"),
        ("/data-stats", {"time_zone": "Mars/Olympus"}, "time_zone"),
        ("/data-stats/range", {"start_time": "2026-01-01T00:00:00Z"}, "end_time"),
        ("/data-stats/trend", {"interval_hours": -3}, "interval_hours"),
        ("/data-stats/trend", {"interval_hours": 30}, "interval_hours"),
        ("/data-stats/trend", {"time_zone": ""}, "time_zone"),
        ("/overview", {"time_zone": "Nowhere"}, "time_zone"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused_by_name(
    client: httpx.AsyncClient, path: str, query: dict[str, Any], culprit: str
) -> None:
    response = await client.get(f"/monitoring{path}", params=query)
    assert response.status_code == 422
    assert [error["field"].removeprefix("query.") for error in response.json()["errors"]] == [culprit]


async def test_errors_are_counted_by_their_text(client: httpx.AsyncClient) -> None:
    for message, count in (("timeout", 2), ("no JSON", 3)):
        report = {"stage_name": "model", "message": message, "count": count}
        assert (await client.post("/monitoring/errors", json=report)).status_code == 204
    failed = {"stage_name": "model", "duration_ms": 5, "status": "error", "error": "timeout"}
    assert (await client.post("/monitoring/stage-timings", json=failed)).status_code == 201
    errors = (await client.get("/monitoring/errors", params={"limit": 1, "hours": 2})).json()
    assert (errors["count"], [error["message"] for error in errors["items"]]) == (6, ["timeout"])
    unlikely = await client.post("/monitoring/stage-timings", json={**failed, "status": "success"})
    assert (unlikely.status_code, unlikely.json()["errors"][0]["field"]) == (422, "error")


async def test_runs_of_processors_are_recorded_and_listed(client: httpx.AsyncClient) -> None:
    start = (await client.post("/monitoring/token-usage", json=REPORTS["/monitoring/token-usage"])).json()["created_at"]
    run = {"processor_name": "indexer", "start_time": start, "counts": {"documents": 3}}
    saved = await client.post("/monitoring/runs", json=run)
    assert saved.status_code == 201, saved.text
    page = await client.get("/monitoring/runs", params={"status": "success", "with_total": True})
    assert page.json() == {"items": [saved.json()], "next_cursor": None, "total": 1}
    refused = await client.post("/monitoring/runs", json={**run, "counts": {"documents": -3}})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "body.counts.documents")


async def test_the_counters_of_a_session_are_reset(client: httpx.AsyncClient) -> None:
    await client.post("/monitoring/token-usage", json=REPORTS["/monitoring/token-usage"])
    counters = (await client.get("/monitoring/session")).json()
    assert (counters["model_calls"], counters["total_tokens"]) == (1, 15)
    assert (await client.post("/monitoring/session/reset")).json() == counters
    assert (await client.get("/monitoring/session")).json()["total_tokens"] == 0
