"""The document from which the bridge is generated."""

import subprocess
import sys
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from sidecar.api.app import OPERATIONS, openapi_document
from sidecar.api.operation import tree_of


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_operation_has_an_id_of_its_own_made_of_resource_and_verb(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids)) >= 25
    for path, _, operation in operations(document):
        resource, verb = operation["operationId"].split(".")
        assert resource in path.replace("-", "_").split("/")
        assert verb.isidentifier()


def test_every_operation_tells_what_an_error_looks_like(document: dict[str, Any]) -> None:
    for response in document["components"]["responses"].values():
        content = response["content"]
        assert content["application/problem+json"]["schema"]["$ref"].endswith("/Problem")
    for _, _, operation in operations(document):
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/default"}


def test_every_operation_tells_with_which_statuses_it_can_fail(document: dict[str, Any]) -> None:
    def told(operation_id: str) -> set[str]:
        (found,) = [one for _, _, one in operations(document) if one["operationId"] == operation_id]
        return {status for status, response in found["responses"].items() if "$ref" in response} - {"default"}

    assert told("health.live") == {"400", "403", "431"}
    assert told("todos.get") == told("health.live") | {"401", "404", "408", "422", "500", "503"}
    assert told("todos.delete") == told("todos.get") | {"409", "507"}
    assert told("vaults.create") == told("todos.delete") | {"413", "415"}


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    assert all(operation["description"] for _, _, operation in operations(document))


NOT_STORED = {"events.publish"}
"""Operations that change nothing that is stored: they are not sent again when their answer was lost."""


def test_every_change_of_what_is_stored_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    for _, method, operation in operations(document):
        names = [parameter["name"] for parameter in operation.get("parameters", [])]
        is_stored = method != "get" and operation["operationId"] not in NOT_STORED
        assert ("Idempotency-Key" in names) == is_stored


def test_permanent_deletion_is_restricted(document: dict[str, Any]) -> None:
    restricted = {operation["operationId"] for _, _, operation in operations(document) if operation.get("x-restricted")}
    assert {"vaults.delete_permanently", "conversations.delete_permanently"} <= restricted


def test_every_operation_is_found_by_its_own_method_and_path() -> None:
    paths = tree_of(OPERATIONS)
    for operation in OPERATIONS:
        found = paths.find({"path": operation.path.format(**dict.fromkeys(operation.path_names, "1"))})
        assert found is not None
        assert [found.routes[method] is operation for method in operation.methods] == [True]


async def test_the_document_is_served_behind_the_token(client: httpx.AsyncClient, document: dict[str, Any]) -> None:
    assert (await client.get("/openapi.json")).json() == document


def test_the_module_prints_it() -> None:
    command = [sys.executable, "-m", "sidecar.api"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert printed.stdout.startswith("{")
    assert printed.stderr == ""
