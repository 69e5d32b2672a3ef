"""A store that holds rows of every kind, made through the public API: each optional field both given and left out."""

from typing import Any

import httpx

from sidecar.models.jobs import JobProgress, JobStatus
from sidecar.storage.unified import UnifiedStorage

from .operations import VECTOR

EARLY, LATE = "2026-01-31T09:30:00.000Z", "2026-01-31T17:00:00.250Z"

JSON_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1.5,
    2**53,
    "null",
    "",
    [],
    {},
    [None, [{}], "ü\u2028"],
    {"null": None, "": [], "nested": {"list": [1, 1.0, False]}},
)
"""One of every shape, and those that are easily mistaken for nothing."""

OBJECTS = tuple({"value": value} for value in JSON_VALUES)

TEXTS = ("word", "note about the plan", "日本 ünïcode 🎈", "", "line\nline\r\n\ttab", "null", "'; DROP TABLE todo; --")

THREADS = ("thread-1", "ü/ö?a=b#c%2F", "..", " ", "日本")


async def populate(client: httpx.AsyncClient) -> None:
    """Add rows of every kind."""
    await populate_exported(client)
    await populate_backed_up(client)


async def populate_exported(client: httpx.AsyncClient) -> None:
    """Add rows of the kinds that an export carries."""
    await _add_vaults(client)
    await _add_todos(client)
    for content in TEXTS:
        if content:
            await _made(client, "POST", "/tips", {"content": content})
    for number, value in enumerate(JSON_VALUES):
        times = {"start_time": EARLY, "end_time": LATE if number % 2 else EARLY}
        text = TEXTS[number % len(TEXTS)]
        await _made(client, "POST", "/activities", {"title": f"{number}", "content": text, "resources": value, **times})
        with_metadata = {"title": text, "content": "", "metadata": {"value": value}, **times}
        await _made(client, "POST", "/activities", with_metadata)
    await _add_conversations(client)
    await _add_threads(client)
    for name, value in zip((*THREADS, *TEXTS), (*JSON_VALUES, *JSON_VALUES), strict=False):
        if name:
            await _made(client, "PUT", f"/preferences/app/{_encoded(name)}", {"value": value})


async def populate_backed_up(client: httpx.AsyncClient) -> None:
    """Add rows of the kinds that only a backup carries."""
    await _add_contexts(client)
    todos = (await client.get("/todos", params={"limit": 3})).json()["items"]
    for number, todo in enumerate(todos):
        embedding = {"embedding": [*VECTOR[:3], number + 1.0]}
        given = {"content": "word of its own", "metadata": {"a": [None]}, "model": "m"} if number else {}
        await _made(client, "PUT", f"/todos/{todo['id']}/embedding", {**embedding, **given})
    for name in ("model", "日本/ü", " "):
        usage = {"model": name, "prompt_tokens": 3, "completion_tokens": 4}
        await _made(client, "POST", "/monitoring/token-usage", usage)
        await _made(client, "POST", "/monitoring/token-usage", {**usage, "total_tokens": 100})
        for status in ("success", "error"):
            timing = {"stage_name": name, "duration_ms": 7, "status": status, "metadata": {"null": None}}
            await _made(client, "POST", "/monitoring/stage-timings", timing)
        await _made(client, "POST", "/monitoring/data-stats", {"data_type": name})
        in_context = {"data_type": name, "count": 5, "context_type": "", "metadata": {"value": [1]}}
        await _made(client, "POST", "/monitoring/data-stats", in_context)
        await _made(client, "POST", "/monitoring/data-stats", {**in_context, "context_type": "entity"})
    await _made(client, "POST", "/monitoring/stage-timings", {"stage_name": "bare", "duration_ms": 0})
    for number, status in enumerate(("success", "error", "cancelled")):
        run = {"processor_name": "日本/ü", "start_time": EARLY, "end_time": LATE, "status": status}
        await _made(client, "POST", "/monitoring/runs", {**run, "counts": {"documents": number, "ü": 0}})
    failed = {"processor_name": "indexer", "start_time": EARLY, "status": "error", "error_message": "no word\nof it"}
    await _made(client, "POST", "/monitoring/runs", failed)
    for message in ("no word", "日本", "no word"):
        await _made(client, "POST", "/monitoring/errors", {"stage_name": "model", "message": message, "count": 3})


async def add_jobs(storage: UnifiedStorage) -> None:
    """Add a job of each status; they are made by what runs, not by an operation."""
    await storage.create_job("notes.import_deck", {"path": "ü"})
    for status in JobStatus:
        if status.is_finished:
            job = await storage.create_job("backups.create", {"value": JSON_VALUES[-1]}, run="runner-1")
            if status is JobStatus.DONE:
                progress = JobProgress(done=3, total=3, message="日本")
                await storage.finish_job(job.id, "runner-1", status, progress, JSON_VALUES[-1])
            else:
                error = "no word\nof it"
                await storage.finish_job(
                    job.id, "runner-1", status, JobProgress(), error=error, error_code="job_failed"
                )


async def open_message(client: httpx.AsyncClient) -> int:
    """A message that is growing; returns its id."""
    conversation = await _made(client, "POST", "/conversations", {"page_name": "growing"})
    path = f"/conversations/{conversation['id']}/messages/stream"
    message = await _made(client, "POST", path, {"role": "assistant", "metadata": {"a": 1}})
    for chunk in ("one ", "two ", "日本"):
        appended = {"content_chunk": chunk, "token_count": 2}
        await _made(client, "POST", f"/messages/{message['id']}/append", appended)
    return int(message["id"])


async def _made(client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    answer = await client.request(method, path, json=body)
    assert answer.is_success, f"{method} {path} {body}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


async def _add_vaults(client: httpx.AsyncClient) -> None:
    folder = await _made(client, "POST", "/vaults", {"title": "Folder", "is_folder": True})
    inner = await _made(
        client, "POST", "/vaults", {"title": "Inner", "is_folder": True, "parent_id": folder["id"], "sort_order": -5}
    )
    for number, text in enumerate(TEXTS):
        await _made(client, "POST", "/vaults", {"title": text})
        given = {"title": f"{number}", "content": text, "summary": text, "tags": "a, b c", "parent_id": inner["id"]}
        await _made(client, "POST", "/vaults", {**given, "document_type": "Daily" if number % 2 else "Note"})
    younger = await _made(client, "POST", "/vaults", {"title": "Younger", "is_folder": True})
    await _made(client, "POST", f"/vaults/{inner['id']}/move", {"parent_id": younger["id"], "sort_order": 7})
    gone = await _made(client, "POST", "/vaults", {"title": "Gone", "is_folder": True})
    before = await _made(client, "POST", "/vaults", {"title": "Gone before", "parent_id": gone["id"]})
    await _made(client, "POST", "/vaults", {"title": "Gone with it", "parent_id": gone["id"], "document_type": "Daily"})
    await _made(client, "DELETE", f"/vaults/{before['id']}")
    await _made(client, "DELETE", f"/vaults/{gone['id']}")


async def _add_todos(client: httpx.AsyncClient) -> None:
    for number, text in enumerate(text for text in TEXTS if text):
        await _made(client, "POST", "/todos", {"content": text})
        whole = {"start_time": EARLY, "end_time": LATE, "urgency": number - 3, "assignee": text, "reason": ""}
        await _made(client, "POST", "/todos", {"content": text, "status": number % 2, **whole})
    completed = await _made(client, "POST", "/todos", {"content": "completed", "reason": "word"})
    await _made(client, "POST", f"/todos/{completed['id']}/status", {"status": 1, "end_time": LATE})


async def _add_conversations(client: httpx.AsyncClient) -> None:
    bare = await _made(client, "POST", "/conversations", {"page_name": ""})
    whole = {"page_name": "home", "user_id": "ada", "title": "word", "metadata": OBJECTS[-1]}
    talk = await _made(client, "POST", "/conversations", whole)
    archived = await _made(client, "POST", "/conversations", {**whole, "user_id": "", "title": ""})
    await _made(client, "PATCH", f"/conversations/{archived['id']}", {"status": "archived", "metadata": {}})
    organized = {"folder": "Work/日本", "tags": ["a", "b c"], "is_pinned": True}
    moved_in = {**whole, **organized, "created_at": "2001-01-31T09:30:00+01:00", "updated_at": EARLY}
    await _made(client, "POST", "/conversations", moved_in)
    await _made(client, "POST", "/conversations/organize", {"ids": [bare["id"]], "folder": "work", "add_tags": ["a"]})
    imported = {**whole, "source": "elsewhere", "external_id": "c/ü"}
    await _add_message_of_another_program(client, (await _made(client, "POST", "/conversations", imported))["id"])
    for conversation in (bare, talk, archived):
        await _add_messages(client, conversation["id"])
    for conversation in (archived, await _made(client, "POST", "/conversations", whole)):
        await _made(client, "DELETE", f"/conversations/{conversation['id']}")


async def _add_message_of_another_program(client: httpx.AsyncClient, conversation_id: int) -> None:
    parts = [{"type": "text", "text": "word"}, {"type": "tool_call", "name": "find", "arguments": {"null": None}}]
    usage = {"model": "large", "prompt_tokens": 3, "completion_tokens": 4, "cost": 0.1 + 0.2}
    message = {"role": "developer", "external_id": "m/ü", "parts": parts, **usage, "created_at": EARLY}
    await _made(client, "POST", f"/conversations/{conversation_id}/messages", message)


async def _add_messages(client: httpx.AsyncClient, conversation_id: int) -> None:
    path = f"/conversations/{conversation_id}/messages"
    parent = None
    for number, metadata in enumerate(OBJECTS):
        role = ("user", "assistant", "system", "tool")[number % 4]
        text = TEXTS[number % len(TEXTS)]
        message = {"role": role, "content": text, "metadata": metadata, "token_count": number}
        parent = (await _made(client, "POST", path, {**message, "parent_message_id": parent}))["id"]
        await _made(client, "POST", path, {"role": role, "content": text, "is_complete": False})
    for status, error in (("completed", None), ("failed", "it broke: ü"), ("cancelled", "")):
        message = await _made(client, "POST", f"{path}/stream", {"role": "assistant"})
        one = f"/messages/{message['id']}"
        await _made(client, "POST", f"{one}/append", {"content_chunk": "日本 word", "token_count": 3})
        await _made(client, "POST", f"{one}/append", {"content_chunk": " more"})
        await _made(client, "POST", f"{one}/thinking", {"content": "hm"})
        whole = {"content": "plan ü", "stage": "word", "progress": 0.5, "sequence": 7, "metadata": OBJECTS[-1]}
        await _made(client, "POST", f"{one}/thinking", whole)
        await _made(client, "POST", f"{one}/thinking", {"content": "null", "stage": "", "progress": 1})
        await _made(client, "POST", f"{one}/finish", {"status": status, "error_message": error})


async def _add_threads(client: httpx.AsyncClient) -> None:
    for number, thread in enumerate(THREADS):
        path = f"/states/{_encoded(thread)}"
        messages = [{"role": "user", "content": TEXTS[number]}, *JSON_VALUES] if number else []
        state: dict[str, Any] = {"messages": messages}
        if number % 2:
            state |= {"cache_info": OBJECTS[-1], "initial_request": "", "project_root": "/home/ü"}
            state |= {"current_issue": "null", "metadata": OBJECTS[number]}
        await _made(client, "PUT", path, state)
    exchanging = f"/states/{_encoded(THREADS[2])}/exchanges"
    await _made(client, "POST", exchanging, {"model": "m", "request": "word"})
    cost = {"total": 0.25, "ü": 0, "large": 1e300}
    for request in TEXTS:
        whole = {"model": "m", "request": request, "cost": cost, "start": EARLY, "end": LATE}
        await _made(client, "POST", exchanging, whole)
    # Its state is cleared, and what is known about it stays.
    cleared = f"/states/{_encoded('cleared')}"
    await _made(client, "PUT", cleared, {"messages": [1], "metadata": {"kept": True}})
    await _made(client, "POST", f"{cleared}/exchanges", {"model": "", "request": "", "cost": {"usd": -1.5}})
    await _made(client, "DELETE", cleared)


def _encoded(thread: str) -> str:
    return "".join(f"%{byte:02X}" for byte in thread.encode())


async def _add_contexts(client: httpx.AsyncClient) -> None:
    kinds = ("entity", "activity", "intent", "semantic", "procedural", "state", "knowledge")
    for number, kind in enumerate(kinds * 3):
        vector = [*VECTOR[:2], number / 4, -number / 2]
        bare = {"extracted_data": {"context_type": kind}, "vector": vector}
        await _made(client, "POST", "/contexts", bare)
        if number % 3 == 0:
            whole = {
                "id": f"ü/{number} .",
                "text": TEXTS[number % len(TEXTS)],
                "vector": vector,
                "model": "m",
                "metadata": {"project": "x", **OBJECTS[number % len(OBJECTS)]},
                "extracted_data": {
                    "context_type": kind,
                    "title": "word",
                    "summary": "",
                    "keywords": ["word", "", "日本"],
                    "entities": list(JSON_VALUES),
                    "confidence": 0.75,
                    "importance": -3.5,
                },
                "properties": {
                    "create_time": EARLY,
                    "event_time": LATE,
                    "update_time": LATE,
                    "call_count": 1,
                    "merge_count": 0,
                    "duration_count": 2**53,
                    "source": "screen",
                    "raw_type": "",
                    "raw_id": "null",
                },
            }
            await _made(client, "POST", "/contexts", whole)
