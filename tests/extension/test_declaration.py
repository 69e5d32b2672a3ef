"""What is wrong with a declaration of a table, and how the start says it."""

from typing import Any

import pytest

from sidecar.errors import ExtensionRefused, InvalidInput
from sidecar.extension import Exported, Extension, Reference, Searched, StoredRecord, columns

from .conftest import Opening
from .declared import Study


class Thing(StoredRecord):
    id: int
    name: str


NAME = {"name": columns.text()}


def declare(name: str = "things", kind: str = "thing", table: Any = NAME, **options: Any) -> Extension:
    notes = Extension("notes")
    notes.table(name, options.pop("record", Thing), table, kind=kind, **options)
    return notes


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"name": "Things"}, "the name 'Things' must be lower-case letters"),
        ({"kind": ""}, "the name '' must be lower-case letters"),
        ({"table": {"title": columns.text()}}, "the record of the table notes_things names 'name'"),
        ({"table": NAME | {"a b": columns.text()}}, "the column 'a b' of the table notes_things must be"),
        ({"record": StoredRecord}, "the record of the table notes_things has no field `id: int`"),
        ({"searched": Searched(time="at", content=("name",))}, "Searched of the table notes_things names 'at'"),
        ({"searched": Searched(time="name", content=())}, "names no column as its content"),
        ({"exported": Exported(birth=("at",))}, "Exported of the table notes_things names 'at'"),
        ({"exported": Exported(references=(Reference("name", "notes.decks"),))}, "names the kind 'notes.decks'"),
    ],
)
def test_a_declaration_that_does_not_fit_together_is_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        declare(**options)


def test_a_name_is_declared_once() -> None:
    notes = declare()
    with pytest.raises(ValueError, match="there are two tables 'things', or two kinds 'other'"):
        notes.table("things", Thing, NAME, kind="other")
    with pytest.raises(ValueError, match="there are two tables 'others', or two kinds 'thing'"):
        notes.table("others", Thing, NAME, kind="thing")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CREATE TABLE notes_other (id INTEGER PRIMARY KEY)", "declares the table 'notes_things', which no migration"),
        ("CREATE TABLE notes_things (id INTEGER PRIMARY KEY)", "has no column 'name', which its declaration names"),
        ("CREATE TABLE notes_things (id TEXT PRIMARY KEY, name TEXT)", "needs the primary key `id INTEGER PRIMARY KEY"),
    ],
)
async def test_a_table_that_is_not_as_declared_ends_the_start(open_storage: Opening, sql: str, reason: str) -> None:
    notes = declare()
    notes.migration(1)(lambda connection: connection.execute(sql))
    with pytest.raises(ExtensionRefused, match=reason):
        async with open_storage(notes):
            pass


@pytest.mark.parametrize(
    ("values", "field"), [({"created_at": "yesterday"}, "created_at"), ({"tags": [float("nan")]}, "tags")]
)
async def test_a_value_that_cannot_be_stored_is_refused(
    open_storage: Opening, values: dict[str, Any], field: str
) -> None:
    study = Study()
    async with open_storage(study.extension) as storage:
        card = {"deck_id": 1, "front": "sea", "created_at": "2026-01-31T09:30:00.000Z", **values}
        with pytest.raises(InvalidInput, match=field):
            await storage.write(lambda work: study.cards.insert(work, card).id)


async def test_values_are_stored_in_the_usual_form(open_storage: Opening) -> None:
    study = Study()
    async with open_storage(study.extension) as storage:
        rows: list[dict[str, Any]] = [
            {"deck_id": 1, "front": front, "tags": [front], "is_known": True, "created_at": "2026-01-31T10:30:00+01:00"}
            for front in ("sea", "sky")
        ]
        ids = await storage.write(lambda work: study.cards.insert_many(work, rows))
        stored = await storage.read(
            lambda connection: [
                tuple(row) for row in connection.execute("SELECT id, tags, is_known, created_at FROM notes_cards")
            ]
        )
        at = "2026-01-31T09:30:00.000Z"
        assert stored == [(ids[0], '["sea"]', 1, at), (ids[1], '["sky"]', 1, at)]
