"""Fingerprints of operations: they change with what a typed client knows, and with nothing else."""

import json
import subprocess
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from fastapi import Depends, Query
from pydantic import BaseModel, Field

from sidecar.api.openapi import describe
from sidecar.extension import Extension, Write
from sidecar.extension.fingerprints import difference, fingerprints

from .flash_cards import flash_cards


class Kind(Enum):
    PLAIN = "plain"


class MoreKinds(Enum):
    PLAIN = "plain"
    FANCY = "fancy"


class Inner(BaseModel):
    kind: Kind


class Plain(BaseModel):
    inner: list[Inner]
    title: str = Field(description="What it is called.", max_length=10)


class Described(BaseModel):
    inner: list[Inner]
    title: str = Field(description="Its name.", max_length=99)


class Optional(BaseModel):
    inner: list[Inner]
    title: str = ""


@dataclass
class Query1:
    page: int = 1


@dataclass
class Query2:
    page: int


def renamed(model: type, name: str = "Model") -> Any:
    """The same model under a name that all have."""
    return type(name, (model,), {"__qualname__": name, "__module__": __name__})


def fingerprint(endpoint: Callable[..., Any], path: str = "/cards", **options: Any) -> str:
    notes = Extension("notes")
    notes.router.post(path, operation_id="notes.operation", **options)(endpoint)
    return fingerprints(notes.router.routes)["notes.operation"]


def taking(kind: Any) -> Callable[..., Any]:
    async def operation(body: kind) -> None: ...

    return operation


def returning(kind: Any) -> Callable[..., Any]:
    async def operation() -> kind: ...

    return operation


def test_texts_and_limits_do_not_matter() -> None:
    assert fingerprint(taking(renamed(Plain))) == fingerprint(taking(renamed(Described)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (renamed(Plain), renamed(Optional)),
        (int, str),
        (list[int], list[str]),
        (int | None, int),
        (Literal["a"], Literal["a", "b"]),
        (renamed(Query1), renamed(Query2)),
        (Annotated[int, Query(alias="one")], Annotated[int, Query(alias="two")]),
        (dict[str, Kind], dict[str, MoreKinds]),
    ],
)
def test_types_of_what_is_taken_and_returned_matter(one: Any, other: Any) -> None:
    assert fingerprint(taking(one)) != fingerprint(taking(other))
    assert fingerprint(returning(one)) != fingerprint(returning(other))


def test_the_place_of_an_operation_and_its_dependencies_matter() -> None:
    def page(number: int = 1) -> int:
        return number

    def text(number: str = "1") -> str:
        return number

    def with_dependency(dependency: Callable[..., Any]) -> Callable[..., Any]:
        async def operation(chosen: Annotated[Any, Depends(dependency)], write: Write) -> None: ...

        return operation

    plain = fingerprint(returning(int))
    assert plain != fingerprint(returning(int), "/other")
    assert plain != fingerprint(returning(int), status_code=201)
    assert fingerprint(with_dependency(page)) != fingerprint(with_dependency(text))


def test_a_union_is_the_same_in_both_spellings() -> None:
    assert fingerprint(taking(int | None)) == fingerprint(taking(typing.Union[int, None]))  # noqa: UP007


def test_a_model_inside_itself_has_an_end() -> None:
    class Tree(BaseModel):
        children: "list[Tree]"

    assert fingerprint(taking(Tree)) == fingerprint(taking(Tree))


def test_they_are_the_same_before_and_after_the_routes_are_described() -> None:
    notes = Extension("notes")
    notes.router.post("/cards", operation_id="notes.operation")(returning(Plain))
    before = fingerprints(notes.router.routes)
    describe(list(notes.router.routes), is_extension=True)
    assert fingerprints(notes.router.routes) == before


def test_they_are_the_same_in_another_process() -> None:
    script = (
        "import json; from sidecar.extension.fingerprints import fingerprints;"
        "from tests.extension.flash_cards import flash_cards;"
        "print(json.dumps(fingerprints(flash_cards().router.routes)))"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == fingerprints(flash_cards().router.routes)


def test_a_difference_names_the_operations() -> None:
    known = {"notes.a": "1", "notes.b": "1", "notes.c": "1"}
    assert difference(known, {**known, "notes.file": "9"}) is None
    found = difference(known, {"notes.a": "1", "notes.b": "2"})
    assert found is not None
    assert "notes.c are gone; notes.b have changed" in found
    many = difference({f"notes.{number:02}": "1" for number in range(30)}, {})
    assert many is not None
    assert "notes.19 and 10 more are gone" in many
