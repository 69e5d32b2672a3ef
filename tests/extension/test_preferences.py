"""The model of an extension's preferences: declared, and asked by HTTP."""

import pytest
from pydantic import BaseModel, Field, create_model

from sidecar.extension import Extension, Storage

from .conftest import Serving


def notes_with_preferences() -> tuple[Extension, type[BaseModel]]:
    notes = Extension("notes")

    @notes.preferences
    class NotesPreferences(BaseModel):
        cards_a_day: int = Field(default=20, ge=1)

    @notes.router.get("/today")
    async def get_today(storage: Storage) -> int:
        """Return the number of cards for today."""
        return (await storage.read_preferences(NotesPreferences)).cards_a_day

    return notes, NotesPreferences


async def test_pages_and_python_see_the_same_values(serve: Serving) -> None:
    notes, _ = notes_with_preferences()
    async with serve(notes) as client:
        assert (await client.get("/x/notes/today")).json() == 20
        assert (await client.get("/preferences/notes/cards_a_day")).json()["value"] == 20
        assert (await client.delete("/preferences/notes/cards_a_day")).status_code == 404
        assert (await client.put("/preferences/notes/cards_a_day", json={"value": 3})).status_code == 200
        assert (await client.get("/x/notes/today")).json() == 3


@pytest.mark.parametrize(
    ("name", "value", "field"), [("cards_a_day", "three", "value"), ("cards_a_day", 0, "value"), ("cards", 3, "name")]
)
async def test_what_does_not_fit_is_refused_with_its_field(
    serve: Serving, name: str, value: object, field: str
) -> None:
    notes, _ = notes_with_preferences()
    async with serve(notes) as client:
        refused = await client.put(f"/preferences/notes/{name}", json={"value": value})
        assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (422, [field])
        assert (await client.get("/preferences/notes")).json()["items"][0]["updated_at"] is None


def test_a_second_model_is_refused() -> None:
    notes, model = notes_with_preferences()
    with pytest.raises(ValueError, match="the preferences have a model already, NotesPreferences"):
        notes.preferences(model)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"x": (int, ...)}, "the field 'x' of Wrong has no default"),
        ({"x": (int, Field(default=1, alias="y"))}, "the field 'x' of Wrong has an alias"),
        ({"x": (int, Field(default=0, ge=1, validate_default=True))}, "the defaults of Wrong do not fit it: x: "),
    ],
)
def test_a_model_that_cannot_describe_preferences_is_refused(fields: dict[str, object], said: str) -> None:
    model = create_model("Wrong", **fields)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match=said):
        Extension("notes").preferences(model)
