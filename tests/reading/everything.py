"""Every read operation, called for every row: what a store answers, to be compared with what it answered before."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, product
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx

from .operations import (
    BODIES,
    NOT_COMPARED,
    REPORTING_FAILURE,
    WHOLE,
    Documents,
    ReadOperation,
    Rows,
    Values,
    read_operations,
)

PAGE_SIZE = 7
"""Small, so that lists have several pages."""

PAGING = frozenset({"limit", "offset", "cursor"})


class Answer(NamedTuple):
    """What one request was answered with, without what `NOT_COMPARED` names; of a problem, its code."""

    operation: ReadOperation
    status: int
    body: Any


Answers = dict[str, Answer]
"""By a readable request line such as `GET /todos?status=1` or `GET /todos?status=1 (page 2)`."""


async def read_everything(client: httpx.AsyncClient) -> Answers:
    """Call every read operation for every row that the lists name, with every filter, all pages.

    Raises `AssertionError` that names every request which was answered with a server error.
    """
    answers, failures = await try_everything(client)
    assert not failures, "server errors:\n" + "\n".join(failures)
    return answers


async def try_everything(client: httpx.AsyncClient) -> tuple[Answers, list[str]]:
    """The same, but server errors are returned, a sentence each."""
    await _fill_search_index(client)
    reading = _Reading(client)
    for operation in read_operations():
        await reading.read_plainly(operation)
    for operation in read_operations():
        await reading.read_filtered(operation)
    return reading.answers, reading.failures


async def read_by_default(client: httpx.AsyncClient) -> Answers:
    """Call every read operation for every row that the lists name, with nothing that is optional."""
    await _fill_search_index(client)
    reading = _Reading(client, with_choices=False)
    for operation in read_operations():
        await reading.read_plainly(operation)
    assert not reading.failures
    return reading.answers


async def _fill_search_index(client: httpx.AsyncClient) -> None:
    """Have upkeep finish what a start or an import left to it: until then, searches do not find everything."""
    for _ in range(100):
        found = await client.get("/search", params={"q": ""})
        if not found.is_success or found.json()["complete"]:
            return
        await client.post("/upkeep/run", json={"task": "search_index"})


def assert_equal(before: Answers, after: Answers) -> None:
    """Raises `AssertionError` that shows which requests are answered differently."""
    differences = list(_differences(before, after))
    assert not differences, f"{len(differences)} requests differ:\n" + "\n".join(differences[:10])


def _differences(before: Answers, after: Answers) -> Iterator[str]:
    for request in sorted(before.keys() | after.keys()):
        one, other = before.get(request), after.get(request)
        if one is None or other is None:
            yield f"{request}: only asked {'after' if one is None else 'before'}, since a list differs"
        elif (one.status, one.body) != (other.status, other.body):
            yield f"{request}:\n  before {_shown(one)}\n  after  {_shown(other)}"


def _shown(answer: Answer) -> str:
    return f"{answer.status} {json.dumps(answer.body, ensure_ascii=False)[:2_000]}"


class _Reading:
    """The answers so far."""

    def __init__(self, client: httpx.AsyncClient, *, with_choices: bool = True) -> None:
        self._with_choices = with_choices
        self.answers: Answers = {}
        self.failures: list[str] = []
        self._client = client
        self._operations = {operation.operation_id: operation for operation in read_operations()}
        self._read_plainly: set[str] = set()

    async def read_plainly(self, operation: ReadOperation) -> None:
        """Call it for every row, with every choice unless there are to be none, and without filters."""
        if operation.operation_id in self._read_plainly:
            return
        self._read_plainly.add(operation.operation_id)
        required = [name for name, parameter in operation.query.items() if parameter.required]
        for parts in await self._combinations(operation, operation.path_names):
            for values in await self._combinations(operation, required):
                for choices in _choices(operation) if self._with_choices else ({},):
                    await self._read(operation, parts, {**values, **choices})

    async def read_filtered(self, operation: ReadOperation) -> None:
        """Call it for every row with each filter alone."""
        required = [name for name, parameter in operation.query.items() if parameter.required]
        filters = [
            (name, value)
            for name, parameter in operation.query.items()
            if name not in PAGING and not parameter.required and not parameter.choices
            for value in await self._values(operation.values(name))
        ]
        for parts in await self._combinations(operation, operation.path_names):
            for values in await self._combinations(operation, required):
                for name, value in filters:
                    await self._read(operation, parts, {**values, name: value})

    async def _combinations(self, operation: ReadOperation, names: list[str]) -> list[dict[str, Any]]:
        """Every value of each of these parameters with every value of the others."""
        values = [await self._values(operation.values(name)) for name in names]
        return [dict(zip(names, chosen, strict=True)) for chosen in product(*values)]

    async def _values(self, source: Values) -> list[Any]:
        """The values of a parameter, each once."""
        match source:
            case Rows(field, operations):
                found = [row.get(field) for name in operations for row in await self._rows(name)]
            case Documents(kinds, searches):
                listed = [f"{kind}:{row['id']}" for kind, name in kinds.items() for row in await self._rows(name)]
                found = listed + [hit["id"] for name in searches for hit in await self._rows(name)]
            case _:
                found = list(source)
        return list(dict.fromkeys(value for value in found if value is not None))

    async def _rows(self, operation_id: str) -> list[dict[str, Any]]:
        """What the operation lists, on all of its pages."""
        await self.read_plainly(self._operations[operation_id])
        return [
            row
            for answer in self.answers.values()
            if answer.operation.operation_id == operation_id and answer.status == 200
            for row in _items(answer.body)
        ]

    async def _read(self, operation: ReadOperation, parts: Mapping[str, Any], query: Mapping[str, Any]) -> None:
        path = operation.path.format(**{name: _in_path(value) for name, value in parts.items()})
        for body in BODIES.get(operation.operation_id, (None,)):
            line = _line(operation.method, path, query, body)
            page: dict[str, Any] | None = {"limit": PAGE_SIZE} if "limit" in operation.query else {}
            number = 1
            while page is not None:
                # `newest` says where to begin; the next pages follow from the first one.
                kept = {name: value for name, value in query.items() if number == 1 or name != "newest"}
                answered = await self._ask(operation, line, path, {**kept, **page}, body)
                page = _next_page(operation, page, answered)
                number += 1
                line = f"{line.partition(' (page')[0]} (page {number})"

    async def _ask(
        self, operation: ReadOperation, line: str, path: str, query: Mapping[str, Any], body: object
    ) -> dict[str, Any]:
        """The answer as it came; what is compared of it is kept."""
        given = {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
        answer = await self._client.request(operation.method, path, params=given, json=body)
        answered: dict[str, Any] = answer.json()
        if answer.status_code >= 500 and operation.operation_id not in REPORTING_FAILURE:
            self.failures.append(f"{line}: {answer.status_code} {answer.text[:300]}")
        compared = _compared(operation, answered) if answer.is_success else answered.get("code")
        self.answers[line] = Answer(operation, answer.status_code, compared)
        return answered


def _choices(operation: ReadOperation) -> Iterator[dict[str, Any]]:
    """Every combination of the booleans and enumerations; the latter may also be left out."""
    names, choices = [], []
    for name, parameter in operation.query.items():
        if parameter.choices and not parameter.required:
            names.append(name)
            choices.append(parameter.choices if parameter.choices == (False, True) else (None, *parameter.choices))
    for chosen in product(*choices):
        yield {name: value for name, value in zip(names, chosen, strict=True) if value is not None}


def _line(method: str, path: str, query: Mapping[str, Any], body: object) -> str:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    sent = "" if body is None else f" {json.dumps(body, ensure_ascii=False)}"
    return f"{method} {path}{'?' if asked else ''}{asked}{sent}"


def _in_path(value: object) -> str:
    """Percent-encoded; a segment of dots alone would mean another path."""
    return quote(f"{value}", safe="").replace(".", "%2E")


def _items(body: object) -> Iterator[dict[str, Any]]:
    """The rows of every list in an answer."""
    if isinstance(body, dict):
        if isinstance(body.get("items"), list):
            yield from body["items"]
        else:
            yield from chain.from_iterable(_items(inner) for inner in body.values())


def _next_page(operation: ReadOperation, page: Mapping[str, Any], body: dict[str, Any]) -> dict[str, Any] | None:
    """The parameters of the page after this one; `None` at the end."""
    limit = {"limit": PAGE_SIZE}
    cursors = [cursor for cursor in _cursors(body) if cursor is not None]
    if len(cursors) == 1:
        return {**limit, "cursor": cursors[0]}
    items = body.get("items")
    if not items or "limit" not in operation.query:
        return None
    if body.get("has_after") and "before" not in page:
        return {**limit, "after": items[-1]["id"]}
    if body.get("has_before") and "after" not in page:
        return {**limit, "before": items[0]["id"]}
    offset = page.get("offset", 0) + PAGE_SIZE
    if "cursor" not in operation.query and offset < body.get("total", 0):
        return {**limit, "offset": offset}
    return None


def _cursors(body: Mapping[str, Any]) -> Iterator[str | None]:
    if "next_cursor" in body:
        yield body["next_cursor"]
    for inner in body.values():
        if isinstance(inner, dict):
            yield from _cursors(inner)


def _compared(operation: ReadOperation, body: dict[str, Any]) -> Any:
    """The answer without what is not compared."""
    left_out = NOT_COMPARED.get(operation.operation_id, {})
    if WHOLE in left_out:
        return None
    kept = _without_cursors({name: value for name, value in body.items() if name not in left_out})
    if "intervals without data" in left_out:
        kept["intervals"] = [interval for interval in kept["intervals"] if interval["data"]]
    return kept


def _without_cursors(value: Any) -> Any:
    """A cursor is opaque: only whether there is one is compared."""
    if isinstance(value, list):
        return [_without_cursors(inner) for inner in value]
    if isinstance(value, dict):
        return {
            name: inner is not None if name == "next_cursor" else _without_cursors(inner)
            for name, inner in value.items()
        }
    return value


def without(answers: Answers, beginnings: Iterable[str]) -> Answers:
    """The answers of operations whose ids do not begin with these."""
    left_out = tuple(beginnings)
    return {line: answer for line, answer in answers.items() if not answer.operation.operation_id.startswith(left_out)}
