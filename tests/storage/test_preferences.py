"""Preferences: stored by namespace and name, bounded, and held to the model of an extension that declares one."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, model_validator

from sidecar.config import Settings
from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.preferences import MAX_PREFERENCES, MAX_VALUE_BYTES
from sidecar.storage.interfaces import Change, OwnTables, Work
from sidecar.storage.unified import UnifiedStorage, configured_backends

VALUES: tuple[Any, ...] = (None, True, 0, -1.5, "", "null", [], {}, [1, {"a": None}], {"dark": True})
Opening = Callable[[type[BaseModel] | None], AbstractAsyncContextManager[UnifiedStorage]]


class NotesPreferences(BaseModel):
    cards_a_day: int = Field(default=20, ge=1)
    since: date = date(2026, 1, 31)
    pause: int = 5

    @model_validator(mode="after")
    def rest(self) -> "NotesPreferences":
        if self.pause > self.cards_a_day:
            raise ValueError("the pause is longer than the day")
        return self


@pytest.fixture
def open_notes(tmp_path: Path) -> Opening:
    """Opens the store of this test with an extension `notes` of this model."""

    @asynccontextmanager
    async def opening(model: type[BaseModel] | None = NotesPreferences) -> AsyncIterator[UnifiedStorage]:
        backends = configured_backends(Settings(), tmp_path)
        async with UnifiedStorage.create(backends, own_tables=[OwnTables("notes", (), preferences=model)]) as storage:
            yield storage

    return opening


@pytest.mark.parametrize("value", VALUES, ids=repr)
async def test_a_value_is_read_back_as_it_was_set(storage: UnifiedStorage, value: Any) -> None:
    made = await storage.set_preference("app", "theme", value)
    assert (made.id, made.namespace, made.name, made.value) == ("app/theme", "app", "theme", value)
    assert await storage.get_preference("app", "theme") == made
    assert (await storage.get_preferences("app")).items == [made]


@pytest.mark.parametrize("name", ["a", "a/b", "/", "0", "ü", "x" * 200, "%2F", "\x00"], ids=ascii)
async def test_any_text_is_a_name(storage: UnifiedStorage, name: str) -> None:
    await storage.set_preference("app", name, 1)
    assert (await storage.get_preference("app", name)).name == name
    assert [found.name for found in (await storage.get_preferences("app")).items] == [name]


async def test_a_value_replaces_the_one_before_and_a_deleted_one_is_gone(storage: UnifiedStorage) -> None:
    changes: list[Change] = []
    storage.subscribe(changes.extend)
    await storage.set_preference("app", "theme", "dark")
    await storage.set_preference("app", "theme", "light")
    assert (await storage.get_preference("app", "theme")).value == "light"
    await storage.delete_preference("app", "theme")
    for work in (storage.get_preference, storage.delete_preference):
        with pytest.raises(NotFound, match="There is no preference 'theme' in the namespace 'app'"):
            await work("app", "theme")
    assert changes == [Change("preferences", "app/theme", {"namespace": "app", "name": "theme"})] * 3


async def test_a_repeated_request_is_done_once(storage: UnifiedStorage) -> None:
    key = IdempotencyKey("once", b"f" * 16)
    first = await storage.set_preference("app", "theme", "dark", key=key)
    await storage.set_preference("app", "theme", "light")
    assert await storage.set_preference("app", "theme", "dark", key=key) == first
    assert (await storage.get_preference("app", "theme")).value == "light"


@pytest.mark.parametrize(
    ("namespace", "name", "value", "field"),
    [
        ("nobody", "a", 1, "namespace"),
        ("App", "a", 1, "namespace"),
        ("app", "", 1, "name"),
        ("app", "x" * 201, 1, "name"),
        ("app", "a", float("inf"), "value"),
        ("app", "a", b"bytes", "value"),
        ("app", "a", "x" * MAX_VALUE_BYTES, "value"),
    ],
    ids=["unknown", "upper", "unnamed", "long name", "infinite", "bytes", "large"],
)
async def test_what_cannot_be_stored_is_refused_with_its_field(
    storage: UnifiedStorage, namespace: str, name: str, value: Any, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await storage.set_preference(namespace, name, value)
    assert [error.field for error in refused.value.errors] == [field]
    assert (await storage.get_preferences("app")).items == []


async def test_a_namespace_has_a_largest_number_of_preferences(storage: UnifiedStorage) -> None:
    def fill(work: Work) -> None:
        for number in range(MAX_PREFERENCES):
            sql = "INSERT INTO preferences (id, value, updated_at) VALUES (?, '1', ?)"
            work.connection.execute(sql, (f"app/{number}", work.now))

    await storage.write(fill)
    with pytest.raises(Conflict, match="has 1,000 preferences; delete some first"):
        await storage.set_preference("app", "one more", 1)
    assert (await storage.set_preference("app", "7", 2)).value == 2
    assert len((await storage.get_preferences("app")).items) == MAX_PREFERENCES


async def test_a_model_gives_defaults_and_refuses_what_does_not_fit(open_notes: Opening) -> None:
    async with open_notes(NotesPreferences) as storage:
        found = (await storage.get_preferences("notes")).items
        assert [(one.name, one.value, one.updated_at) for one in found] == [
            ("cards_a_day", 20, None),
            ("pause", 5, None),
            ("since", "2026-01-31", None),
        ]
        for name, value, field, said in (
            ("cards_a_week", 1, "name", "did you mean cards_a_day?"),
            ("cards_a_day", 0, "value", "greater than or equal to 1"),
            ("cards_a_day", "many", "value", "valid integer"),
            ("pause", 21, "value", "the pause is longer than the day"),
            ("since", "yesterday", "value", "valid date"),
        ):
            with pytest.raises(InvalidInput) as refused:
                await storage.set_preference("notes", name, value)
            assert [error.field for error in refused.value.errors] == [field]
            assert said in refused.value.message
        made = await storage.set_preference("notes", "cards_a_day", "30")
        assert (made.value, await storage.get_preference("notes", "cards_a_day")) == (30, made)
        await storage.set_preference("notes", "pause", 25)
        assert await storage.read_preferences(NotesPreferences) == NotesPreferences(cards_a_day=30, pause=25)
        await storage.delete_preference("notes", "pause")
        assert (await storage.get_preference("notes", "pause")).value == 5
        assert (await storage.set_preference("app", "anything", [1])).value == [1]


async def test_a_stored_value_that_no_longer_fits_is_kept_and_reported(
    open_notes: Opening, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_notes(None) as storage:
        await storage.set_preference("notes", "cards_a_day", "as many as I like")
        await storage.set_preference("notes", "pause", 2)
        await storage.set_preference("notes", "of before", 1)
    with caplog.at_level(logging.WARNING):
        async with open_notes(NotesPreferences) as storage:
            found = {one.name: one for one in (await storage.get_preferences("notes")).items}
            assert found.keys() == {"cards_a_day", "pause", "since"}
            assert (found["cards_a_day"].value, found["cards_a_day"].invalid) == (20, ("value",))
            assert (found["pause"].value, found["pause"].invalid) == (2, ())
            assert await storage.read_preferences(NotesPreferences) == NotesPreferences(pause=2)
            stored = await storage.read(lambda connection: connection.execute("SELECT id FROM preferences").fetchall())
            assert len(stored) == 3
            await storage.set_preference("notes", "cards_a_day", 3)
            assert (await storage.get_preference("notes", "cards_a_day")).invalid == ()
    said = [record.getMessage() for record in caplog.records if "does not fit its model" in record.getMessage()]
    assert len(said) == 1
    assert said[0].startswith("the stored preference notes/cards_a_day does not fit its model, so its default is used")


async def test_values_that_contradict_each_other_are_all_left_out(open_notes: Opening) -> None:
    async with open_notes(None) as storage:
        await storage.set_preference("notes", "cards_a_day", 3)
        await storage.set_preference("notes", "pause", 4)
    async with open_notes(NotesPreferences) as storage:
        assert await storage.read_preferences(NotesPreferences) == NotesPreferences()


async def test_a_model_that_no_extension_declares_is_not_read(storage: UnifiedStorage) -> None:
    with pytest.raises(LookupError, match="no loaded extension declares NotesPreferences"):
        await storage.read_preferences(NotesPreferences)


async def test_values_that_another_program_wrote_are_read_or_named(open_notes: Opening) -> None:
    def write(work: Work) -> None:
        rows: Sequence[tuple[str, object]] = [("pause", "{oops"), ("since", b"\xff"), ("cards_a_day", "7")]
        for name, value in rows:
            sql = "INSERT INTO preferences (id, value, updated_at) VALUES (?, ?, 'never')"
            work.connection.execute(sql, (f"notes/{name}", value))

    async with open_notes(NotesPreferences) as storage:
        await storage.write(write)
        found = {one.name: one for one in (await storage.get_preferences("notes")).items}
        assert await storage.read_preferences(NotesPreferences) == NotesPreferences(cards_a_day=7)
    assert found["cards_a_day"].invalid == ("updated_at",)
    assert found["pause"].invalid == found["since"].invalid == ("updated_at", "value")
