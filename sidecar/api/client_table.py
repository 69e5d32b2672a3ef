"""The table of operations from which a typed client is generated, taken from an OpenAPI document.

The bridge's generated files are written from it: for the built-in operations by `scripts/generate-client`, for those of
an app's extensions by `electron-sidecar generate`.
"""

from collections.abc import Iterator
from typing import Any

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
READING_METHODS = ("get", "head", "options")
INPUT_PARTS = frozenset({"path", "query", "body"})
JSON = "application/json"
PROBLEM = "application/problem+json"
KEY_HEADER = "Idempotency-Key"

Document = dict[str, Any]


def client_table(document: Document) -> dict[str, Any]:
    """Return what a client is generated from: `document`, `operations` by their ids, and `topics` of live events.

    The document has only the operations that speak JSON, without the answers that all share. Raises `ValueError` for an
    operation without an id of its own.
    """
    callable_only = _with_callable_operations(_without_problems(document))
    return {
        "document": callable_only,
        "operations": dict(sorted(_operations(callable_only).items())),
        "topics": _topics(callable_only),
    }


def _without_problems(document: Document) -> Document:
    """Return the document without the answers that operations share: a call that fails throws, whatever the status."""

    def left(part: Document) -> Document:
        return {**part, "responses": {status: own for status, own in part["responses"].items() if "$ref" not in own}}

    paths = {
        path: {key: left(part) if key in METHODS else part for key, part in item.items()}
        for path, item in document["paths"].items()
    }
    components = {kind: parts for kind, parts in document.get("components", {}).items() if kind != "responses"}
    return {**document, "paths": paths, "components": components}


def _with_callable_operations(document: Document) -> Document:
    """Return the document without the operations whose body or answers are something else than JSON."""
    paths = {
        path: {key: part for key, part in item.items() if key not in METHODS or _speaks_json(part)}
        for path, item in document["paths"].items()
    }
    return {**document, "paths": {path: item for path, item in paths.items() if item.keys() & {*METHODS}}}


def _speaks_json(operation: Document) -> bool:
    parts = [operation.get("requestBody", {}), *operation["responses"].values()]
    return all(content_type in (JSON, PROBLEM) for part in parts for content_type in part.get("content", {}))


def _operations(document: Document) -> dict[str, Document]:
    operations: dict[str, Document] = {}
    for path, method, operation in _all_of(document):
        name = operation.get("operationId")
        if not name or name in operations:
            raise ValueError(f"{method.upper()} {path} needs an operationId of its own, has {name!r}")
        operations[name] = {
            "method": method.upper(),
            "path": path,
            "mutating": method not in READING_METHODS,
            "replayable": method in READING_METHODS or _takes_key(operation),
            "restricted": operation.get("x-restricted", False),
            "flat": _flat_part(operation, document),
            **({"topics": operation["x-topics"]} if "x-topics" in operation else {}),
        }
    return operations


def _all_of(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _takes_key(operation: Document) -> bool:
    """Return whether a change may be sent again: with its key, it is done once."""
    return any(parameter["name"] == KEY_HEADER for parameter in operation.get("parameters", []))


def _flat_part(operation: Document, document: Document) -> str | None:
    """Return the one part of the input, `path` or `body`, whose fields a caller may give without naming the part.

    None when the operation has other parts too, or when one of the fields has the name of a part.
    """
    fields: dict[str, list[str]] = {}
    for parameter in operation.get("parameters", []):
        if parameter["in"] in INPUT_PARTS:
            fields.setdefault(parameter["in"], []).append(parameter["name"])
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"][JSON].get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        fields["body"] = [*document["components"].get("schemas", {}).get(name, {}).get("properties", INPUT_PARTS)]
    if len(fields) != 1:
        return None
    ((part, names),) = fields.items()
    return None if part == "query" or INPUT_PARTS & {*names} else part


def _topics(document: Document) -> dict[str, str]:
    """Return the name of the schema of each topic's events, which the schema of live events has."""
    live_event = document["components"].get("schemas", {}).get("LiveEvent", {})
    mapping = live_event.get("discriminator", {}).get("mapping", {})
    return {topic: reference.rpartition("/")[2] for topic, reference in sorted(mapping.items())}
