"""The section "Add a resource" of CONTRIBUTING.md, done on a copy of the package."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .test_pages import ROOT, blocks, read

IMPORT = "from sidecar.storage.resources.bookmarks import Bookmarks\n"
LAST_IMPORT = "from sidecar.storage.resources.vaults import Vaults\n"
LAST_BASE = "    Monitoring,\n"

USE = """
import asyncio, io
from pathlib import Path
from sidecar.config import DatabaseSettings
from sidecar.errors import InvalidInput
from sidecar.storage.unified import UnifiedStorage, document_backend
from sidecar.tools.local import export_to, import_from


def opened(name):
    return UnifiedStorage.create([document_backend(DatabaseSettings(), Path(name))])


async def main():
    changes = []
    async with opened("one") as one, opened("other") as other:
        one.subscribe(changes.extend)
        made = await one.insert_bookmark("Otters", "https://example.org/otters", "They hold hands.")
        assert (await one.get_bookmarks()).items == [made]
        assert [(change.topic, change.id) for change in changes] == [("bookmarks", made.id)]
        try:
            await one.insert_bookmark("x" * 10_000, "")
        except InvalidInput as refused:
            assert refused.errors[0].field == "title"
        for word in ("otter", "hands"):
            (hit,) = (await one.search_documents(word, filters={"kinds": ["bookmark"]})).items
            assert hit.id == f"bookmark:{made.id}"
        assert (await one.get_document(hit.id)).metadata["url"] == made.url
        archive = io.BytesIO()
        await export_to(one, archive)
        report = await import_from(other, archive)
        assert report.kinds["bookmarks"].added == 1
        assert [mark.title for mark in (await other.get_bookmarks()).items] == ["Otters"]
        assert (await import_from(other, archive)).kinds["bookmarks"].skipped == 1
        assert [hit.id for hit in (await other.search_documents("otter")).items] == [hit.id]
        assert (await one.get_invalid_rows(table="bookmarks")).items == []
        await one.delete_document(hit.id)
        assert (await one.get_bookmarks()).items == []


asyncio.run(main())
"""


REQUESTS = """
import asyncio
from pathlib import Path

import httpx
from sidecar.api.app import create_app
from sidecar.api.context import Context
from sidecar.api.events import EventHub
from sidecar.api.fast_lane import FastLane
from sidecar.clock import SYSTEM_CLOCK
from sidecar.config import DatabaseSettings, UpkeepSettings
from sidecar.jobs.runner import JobRunner
from sidecar.maintenance.scheduler import MaintenanceScheduler
from sidecar.storage.unified import UnifiedStorage, document_backend


async def use(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sidecar") as client:
        otters = {"title": "Otters", "url": "https://example.org/otters"}
        sent = [await client.post("/bookmarks", json=otters, headers={"Idempotency-Key": "once"}) for _ in range(2)]
        assert [answer.status_code for answer in sent] == [201, 201]
        made = sent[0].json()
        assert made == sent[1].json() == {**made, **otters, "id": 1, "note": None}
        listed = await client.get("/bookmarks", params={"with_total": "true"})
        assert (listed.status_code, listed.json()) == (200, {"items": [made], "next_cursor": None, "total": 1})
        for wrong, field in (({"title": "Otters"}, "body.url"), ({**otters, "title": "x" * 10_000}, "body.title")):
            refused = await client.post("/bookmarks", json=wrong)
            assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
            assert [error["field"] for error in refused.json()["errors"]] == [field]
        refused = await client.get("/bookmarks", params={"limit": "0"})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "query.limit")
        assert (await client.delete("/bookmarks/1")).status_code == 204
        assert (await client.delete("/bookmarks/1")).status_code == 404
        assert (await client.get("/bookmarks")).json()["items"] == []


async def main():
    for lane in (FastLane, lambda app: app):
        async with UnifiedStorage.create([document_backend(DatabaseSettings(enabled=False), Path())]) as storage:
            events = EventHub("an instance", SYSTEM_CLOCK)
            maintenance = MaintenanceScheduler(storage, UpkeepSettings(), events.publish)
            jobs = JobRunner(storage, events.publish)
            await use(lane(create_app(Context(storage, events, "an instance", maintenance, jobs))))


asyncio.run(main())
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with a copy of the package, to which the files of the page were added."""
    shutil.copytree(ROOT / "sidecar", tmp_path / "sidecar", ignore=shutil.ignore_patterns("__pycache__"))
    for block in blocks(read(ROOT / "CONTRIBUTING.md")):
        name = block.text.partition("\n")[0].removeprefix("# ")
        if block.language == "python" and name.startswith("sidecar/"):
            assert not (tmp_path / name).exists()
            (tmp_path / name).write_text(block.text, encoding="utf-8")
    listing = tmp_path / "sidecar" / "storage" / "resources" / "all.py"
    text = listing.read_text(encoding="utf-8")
    assert LAST_IMPORT in text
    assert LAST_BASE in text
    text = text.replace(LAST_IMPORT, IMPORT + LAST_IMPORT).replace(LAST_BASE, f"{LAST_BASE}    Bookmarks,\n")
    listing.write_text(text, encoding="utf-8")
    return tmp_path


def python(folder: Path, *arguments: str) -> str:
    """The output of Python with the copy of the package."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-W", "error", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_four_files_of_the_page_make_a_resource(copy: Path) -> None:
    python(copy, "-c", USE)


def test_its_routes_answer_by_both_lanes(copy: Path) -> None:
    python(copy, "-c", REQUESTS)


def test_its_operations_are_in_the_openapi_document(copy: Path) -> None:
    document = json.loads(python(copy, "-m", "sidecar.api"))
    operations = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    assert {"bookmarks.create", "bookmarks.list", "bookmarks.delete"} <= operations
    assert document["components"]["schemas"]["DataType"]["anyOf"][0]["enum"][-1] == "bookmark"
    assert "bookmarks" in document["components"]["schemas"]["LiveEvent"]["discriminator"]["mapping"]
