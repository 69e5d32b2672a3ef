"""`sidecar.testing`: what app developers test their extensions with. The plugin's fixtures are run by EXTENDING.md."""

from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from sidecar.extension import Work
from sidecar.testing import RunningSidecar, SetClock, SidecarFailed, open_storage

from .declared import Study

MODULE = """
from tests.extension.flash_cards import flash_cards

notes = flash_cards()
"""
ROOT = Path(__file__).parents[2]


@pytest.fixture
def modules(tmp_path: Path) -> list[Path]:
    """Directories in which the module `cards` is found."""
    (tmp_path / "cards.py").write_text(MODULE)
    (tmp_path / "broken.py").write_text("notes = 1 / 0\n")
    return [tmp_path, ROOT]


def test_a_running_sidecar_serves_the_extension_and_is_gone_at_the_end(tmp_path: Path, modules: list[Path]) -> None:
    with RunningSidecar(tmp_path / "data", ["cards"], modules) as sidecar:
        made = sidecar.client.post("/x/notes/cards", {"front": "sea", "back": "mer"}, key="one").expect(201)
        again = sidecar.client.post("/x/notes/cards", {"front": "sea", "back": "mer"}, key="one").expect(201)
        assert again.json() == made.json() == {"id": 1, "front": "sea", "back": "mer"}
        missing = sidecar.client.get("/x/notes/cards/7")
        assert (missing.status, missing.code) == (404, "not_found")
        assert len(sidecar.client.get("/todos", limit=5).expect(200).json()["items"]) == 0
        started = [child for child in psutil.Process().children() if "--host-pipe" in " ".join(child.cmdline())]
        assert len(started) == 1
        with pytest.raises(AssertionError, match=r"the answer is 404, not 200: .*not_found"):
            missing.expect(200)
    assert not started[0].is_running()


def test_events_arrive(tmp_path: Path, modules: list[Path]) -> None:
    with (
        RunningSidecar(tmp_path / "data", ["cards"], modules) as sidecar,
        sidecar.client.events("notes.cards") as events,
    ):
        sidecar.client.post("/x/notes/cards", {"front": "sea", "back": "mer"})
        assert next(events) == {"topic": "notes.cards", "id": 1}


def test_a_killed_sidecar_starts_again_with_its_rows(tmp_path: Path, modules: list[Path]) -> None:
    sidecar = RunningSidecar(tmp_path / "data", ["cards"], modules)
    with sidecar:
        sidecar.client.post("/x/notes/cards", {"front": "sea", "back": "mer"}).expect(201)
        first = sidecar.instance
        sidecar.kill()
        sidecar.start()
        assert sidecar.instance != first
        assert sidecar.client.get("/x/notes/cards/1").expect(200).json()["front"] == "sea"


def test_a_module_that_does_not_load_is_the_failure(tmp_path: Path, modules: list[Path]) -> None:
    with (
        pytest.raises(SidecarFailed, match=r"ZeroDivisionError: division by zero \(.*broken\.py, line 1\)"),
        RunningSidecar(tmp_path / "data", ["broken"], modules),
    ):
        pass


async def test_a_storage_has_the_tables_and_the_time_of_the_test() -> None:
    study, clock = Study(), SetClock()

    def insert(work: Work) -> str:
        deck = study.decks.insert(work, {"name": work.now})
        return study.cards.insert(work, {"deck_id": deck.id, "front": "sea", "created_at": work.now}).created_at

    async with open_storage([study.extension], clock=clock) as storage:
        assert await storage.write(insert) == "2026-01-31T09:30:00.000Z"
        clock.wait(timedelta(days=1))
        assert await storage.write(insert) == "2026-02-01T09:30:00.000Z"
