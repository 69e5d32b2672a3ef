"""Every place of the API where a text goes in, found in the OpenAPI document, and what an attacker would put there."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from sidecar.api.app import openapi_document

FORGED_LINE = "2026-01-01T00:00:00.000Z ERROR forged: line"

ATTACKS: Mapping[str, str] = {
    "ends a literal": "' OR '1'='1' --",
    "adds a statement": "x'); DROP TABLE todos; --",
    "ends an identifier": '"; DELETE FROM vaults; --',
    "reads the schema": "x' UNION SELECT sql, 1, 1, 1 FROM sqlite_master --",
    "loads code": "'||load_extension('/tmp/x')||'",
    "pattern": "%_[!]*?",
    "full-text operators": 'NEAR(a b, 5) OR * AND NOT ^c {x y}: "',
    "full-text column": "content:* - rank : MATCH",
    "a lone quote": '"',
    "a path": "../../../../etc/passwd",
    "a path of Windows": "..\\..\\C:\\Windows\\win.ini",
    "an address": "file:///etc/passwd?mode=rwc",
    "a line of log": f"x\n{FORGED_LINE}\r\n\u2028{FORGED_LINE}",
    "a terminal's escape": "\x1b]0;owned\x07\x1b[2J\x9b31m",
    "a null": "a\0b",
    "a format": "%s%n{0.__class__}${jndi:x}",
    "beyond Unicode's first plane": "😀\U0010ffff\u202e\ufeff",
}


class Target(NamedTuple):
    """One text of one operation."""

    operation: Mapping[str, Any]
    method: str
    path: str
    place: str
    name: tuple[str | int, ...]

    def __str__(self) -> str:
        return f"{self.operation['operationId']} {self.place} {'.'.join(map(str, self.name))}"


class Attack(NamedTuple):
    """A request, as httpx takes it."""

    method: str
    url: str
    params: dict[str, str]
    json: Any


class Surface:
    """The API as its document describes it."""

    def __init__(self) -> None:
        self._document = openapi_document()

    def targets(self) -> list[Target]:
        """All texts; what deletes comes last, so that there is something to attack until then."""
        found = [
            Target(operation, method, path, *text)
            for path, methods in self._document["paths"].items()
            for method, operation in methods.items()
            for text in self._texts(operation)
        ]
        order = ["post", "put", "patch", "get", "delete"]
        return sorted(found, key=lambda target: (order.index(target.method), target.path.count("/")))

    def attack(self, target: Target, text: str) -> Attack:
        """A request that is right but for one text."""
        values: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
        for parameter in target.operation.get("parameters", []):
            if parameter["required"]:
                values[parameter["in"]][parameter["name"]] = str(self._example(parameter["schema"]))
        body = self._body(target.operation)
        json = None if body is None else self._example(body)
        if target.place == "body":
            json = _put(json, target.name, text)
        else:
            values[target.place][str(target.name[0])] = text
        path = target.path.format(**{name: quote(value, safe="") for name, value in values["path"].items()})
        return Attack(target.method, path, values["query"], json)

    def _texts(self, operation: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str | int, ...]]]:
        for parameter in operation.get("parameters", []):
            if parameter["in"] in ("path", "query"):
                # Numbers too: that they are none but numbers is what is tried.
                yield parameter["in"], (parameter["name"],)
        body = self._body(operation)
        if body is not None:
            for name in self._texts_of(body, (), frozenset()):
                yield "body", name

    def _texts_of(
        self, schema: Mapping[str, Any], name: tuple[str | int, ...], seen: frozenset[str]
    ) -> Iterator[tuple[str | int, ...]]:
        if "$ref" in schema:
            if schema["$ref"] in seen:
                return
            seen |= {schema["$ref"]}
            schema = self._resolved(schema)
        for branch in schema.get("anyOf", []):
            yield from self._texts_of(branch, name, seen)
        if schema.get("type") == "string":
            yield name
        if schema.get("type") == "array":
            yield from self._texts_of(schema["items"], (*name, 0), seen)
        if schema.get("type") == "object":
            for field, inner in schema.get("properties", {}).items():
                yield from self._texts_of(inner, (*name, field), seen)
            if schema.get("additionalProperties"):
                yield (*name, "a name")

    def _body(self, operation: Mapping[str, Any]) -> Mapping[str, Any] | None:
        content = operation.get("requestBody", {}).get("content", {})
        schema: Mapping[str, Any] | None = content.get("application/json", {}).get("schema")
        return schema

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def _example(self, schema: Mapping[str, Any]) -> Any:
        """A small value that the schema allows: what is optional is left out."""
        schema = self._resolved(schema)
        if "anyOf" in schema:
            return self._example(schema["anyOf"][0])
        if "enum" in schema or "const" in schema:
            return schema["const"] if "const" in schema else schema["enum"][0]
        match schema.get("type"):
            case "object":
                required = schema.get("required", [])
                return {name: self._example(schema["properties"][name]) for name in required}
            case "array":
                return [self._example(schema["items"]) for _ in range(schema.get("minItems", 0))]
            case "string" if schema.get("format") == "date-time":
                return "2026-01-01T00:00:00.000Z"
            case "string" if schema.get("format") == "date":
                return "2026-01-01"
            case "string":
                return "x" * max(1, schema.get("minLength", 1))
            case "integer" | "number":
                return max(1, schema.get("minimum", 1))
            case "boolean":
                return False
        return {}


def _put(value: Any, name: tuple[str | int, ...], text: str) -> Any:
    """`value` with a text at a place that may not be there yet."""
    value = copy.deepcopy(value)
    if not name:
        return text
    first, rest = name[0], name[1:]
    if isinstance(first, int):
        return [_put(value[0] if value else None, rest, text)]
    value = value if isinstance(value, dict) else {}
    return {**value, first: _put(value.get(first), rest, text), **({text: "x"} if first == "a name" else {})}
