"""What a typed client is generated from: what is taken from an OpenAPI document, and what is left out."""

from typing import Any

import pytest

from sidecar.api.client_table import client_table

PROBLEM = "application/problem+json"


def operation(name: str, answer: str | None = "application/json", body: str | None = None) -> dict[str, Any]:
    """An operation with these content types; `None` stands for no content."""
    described: dict[str, Any] = {
        "operationId": name,
        "responses": {"200": {"content": {answer: {}} if answer else {}}, "422": {"content": {PROBLEM: {}}}},
    }
    return described if body is None else {**described, "requestBody": {"content": {body: {}}}}


def test_operations_that_take_or_answer_anything_but_json_are_left_out() -> None:
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "paths": {
            "/rows": {
                "parameters": [],
                "get": operation("rows.list"),
                "post": operation("rows.import", body="application/zip"),
            },
            "/rows/{id}": {"put": operation("rows.save", body="application/json"), "delete": operation("x", None)},
            "/events": {"get": operation("events.stream", "text/event-stream")},
        },
    }
    left = client_table(document)["document"]
    assert left["openapi"] == "3.1.0"
    assert {path: list(item) for path, item in left["paths"].items()} == {
        "/rows": ["parameters", "get"],
        "/rows/{id}": ["put", "delete"],
    }


def test_the_table_tells_method_path_and_what_a_call_may_do() -> None:
    restricted = {**operation("rows.remove", None), "x-restricted": True}
    keyed = {**operation("rows.add"), "parameters": [{"in": "header", "name": "Idempotency-Key"}]}
    paths = {"/rows": {"get": operation("rows.list"), "post": keyed, "delete": restricted}}
    table = client_table({"paths": paths})["operations"]
    named = {name: (row["method"], row["path"]) for name, row in table.items()}
    assert named == {"rows.add": ("POST", "/rows"), "rows.list": ("GET", "/rows"), "rows.remove": ("DELETE", "/rows")}
    assert [name for name, row in table.items() if row["mutating"]] == ["rows.add", "rows.remove"]
    assert [name for name, row in table.items() if row["replayable"]] == ["rows.add", "rows.list"]
    assert [name for name, row in table.items() if row["restricted"]] == ["rows.remove"]


@pytest.mark.parametrize(
    ("parameters", "body", "flat"),
    [
        ([("path", "id")], None, "path"),
        ([("path", "id"), ("header", "Idempotency-Key")], None, "path"),
        ([], ["title"], "body"),
        ([("header", "Idempotency-Key")], [], "body"),
        ([("query", "limit")], None, None),
        ([("path", "id"), ("query", "limit")], None, None),
        ([("path", "id")], ["title"], None),
        ([("query", "limit")], ["title"], None),
        ([], ["title", "query"], None),
        ([("path", "path")], None, None),
        ([], None, None),
    ],
)
def test_an_input_is_flat_when_it_has_one_part_and_no_field_of_a_parts_name(
    parameters: list[tuple[str, str]], body: list[str] | None, flat: str | None
) -> None:
    described = {**operation("rows.x"), "parameters": [{"in": place, "name": name} for place, name in parameters]}
    if body is not None:
        schema = {"$ref": "#/components/schemas/Body"}
        described["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    properties: dict[str, object] = {name: {} for name in body or ()}
    components = {"schemas": {"Body": {"properties": properties}}}
    table = client_table({"paths": {"/rows": {"post": described}}, "components": components})
    assert table["operations"]["rows.x"]["flat"] == flat


def test_a_body_that_is_no_object_is_not_flat() -> None:
    schema = {"type": "array", "items": {"type": "string"}}
    described = {**operation("rows.x"), "requestBody": {"content": {"application/json": {"schema": schema}}}}
    table = client_table({"paths": {"/rows": {"post": described}}, "components": {"schemas": {}}})
    assert table["operations"]["rows.x"]["flat"] is None


def test_topics_come_with_the_names_of_their_schemas() -> None:
    mapping = dict.fromkeys(("todos", "messages"), "#/components/schemas/RowChanged")
    live_event = {"discriminator": {"mapping": mapping}}
    table = client_table({"paths": {}, "components": {"schemas": {"LiveEvent": live_event}}})
    assert table["topics"] == {"messages": "RowChanged", "todos": "RowChanged"}


def test_two_operations_of_one_name_are_refused() -> None:
    twice = {"/a": {"get": operation("rows.list")}, "/b": {"get": operation("rows.list")}}
    with pytest.raises(ValueError, match="GET /b"):
        client_table({"paths": twice})
