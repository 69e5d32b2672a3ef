"""What the script that writes the bridge's generated files takes from an OpenAPI document, and what it leaves out."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "generate-client"
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def script() -> Any:
    loader = SourceFileLoader("generate_client", str(SCRIPT))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def operation(name: str, answer: str | None = "application/json", body: str | None = None) -> dict[str, Any]:
    """An operation with these content types; `None` stands for no content."""
    described: dict[str, Any] = {
        "operationId": name,
        "responses": {"200": {"content": {answer: {}} if answer else {}}, "422": {"content": {PROBLEM: {}}}},
    }
    return described if body is None else {**described, "requestBody": {"content": {body: {}}}}


def test_operations_that_take_or_answer_anything_but_json_are_left_out(script: Any) -> None:
    document = {
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
    left = script.with_callable_operations(document)
    assert left["openapi"] == "3.1.0"
    assert {path: list(item) for path, item in left["paths"].items()} == {
        "/rows": ["parameters", "get"],
        "/rows/{id}": ["put", "delete"],
    }


def test_the_table_tells_method_path_and_what_a_call_may_do(script: Any) -> None:
    restricted = {**operation("rows.remove", None), "x-restricted": True}
    table = script.operation_table({"paths": {"/rows": {"get": operation("rows.list"), "delete": restricted}}})
    assert (
        '"rows.list": {"method": "GET", "path": "/rows", "mutating": false, "restricted": false, "flat": null}' in table
    )
    assert '"rows.remove": {"method": "DELETE", "path": "/rows", "mutating": true, "restricted": true, "flat"' in table


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
    script: Any, parameters: list[tuple[str, str]], body: list[str] | None, flat: str | None
) -> None:
    described = {**operation("rows.x"), "parameters": [{"in": place, "name": name} for place, name in parameters]}
    if body is not None:
        schema = {"$ref": "#/components/schemas/Body"}
        described["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    properties: dict[str, object] = {name: {} for name in body or ()}
    document = {"components": {"schemas": {"Body": {"properties": properties}}}}
    assert script.flat_part(described, document) == flat


def test_a_body_that_is_no_object_is_not_flat(script: Any) -> None:
    schema = {"type": "array", "items": {"type": "string"}}
    described = {**operation("rows.x"), "requestBody": {"content": {"application/json": {"schema": schema}}}}
    assert script.flat_part(described, {"components": {"schemas": {}}}) is None


def test_topics_come_with_the_types_of_their_events(script: Any) -> None:
    mapping = dict.fromkeys(("todos", "messages"), "#/components/schemas/RowChanged")
    table = script.topic_table({"components": {"schemas": {"LiveEvent": {"discriminator": {"mapping": mapping}}}}})
    assert 'topics = [\n  "messages",\n  "todos",\n] as const' in table
    assert '  "todos": components["schemas"]["RowChanged"];\n' in table


def test_two_operations_of_one_name_are_refused(script: Any) -> None:
    twice = {"/a": {"get": operation("rows.list")}, "/b": {"get": operation("rows.list")}}
    with pytest.raises(script.GenerationError, match="GET /b"):
        script.operation_table({"paths": twice})
