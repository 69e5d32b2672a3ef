"""Every package that is imported is declared, and one whose private parts are used has an upper bound.

Private parts are what a release may change without a word: the next one must not be installed before these tests have
passed with it.
"""

import ast
import inspect
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
import uvicorn.server
from aiosqlite import core
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import Router
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from sidecar.process import capacity, connections
from sidecar.storage.sqlite.engine import connections as database_connections

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OWN = {"sidecar", "tests", "benchmarks"} | {path.stem for path in (ROOT / "scripts").glob("*.py")}
IMPORTED_AS = {"PyYAML": "yaml"}
"""The import names of packages whose name is another."""

PRIVATE_PARTS: dict[str, dict[type, list[type]]] = {
    "aiosqlite": {core.Connection: [database_connections.Connection]},
    "uvicorn": {
        HttpToolsProtocol: [connections.BoundedConnection],
        FlowControl: [connections.HeldFlow],
        uvicorn.server.ServerState: [capacity.Connections],
    },
    "fastapi": {},
    "starlette": {},
}
"""Classes of packages that are not made for inheritance, and the classes here that inherit from them. Of FastAPI and
Starlette, members are used that their documentation does not name."""

MADE_HERE = {capacity.Connections}
"""Subclasses whose constructor sets public attributes of their own."""

MEMBERS = {
    uvicorn.server.Server: ["startup", "servers", "server_state", "lifespan"],
    RequestResponseCycle: ["response_complete", "response_started", "disconnected"],
    APIRoute: ["body_field", "dependant", "response_class", "response_field", "response_model"],
    Dependant: ["body_params", "call", "dependencies", "query_params"],
    DefaultPlaceholder: ["value"],
    Router: ["default", "redirect_slashes", "routes"],
}
"""Members that are used from outside."""


def requirements(*extras: str) -> dict[str, str]:
    """The declared packages by import name, with their version specifiers."""
    declared = [*PROJECT["dependencies"], *(each for name in extras for each in PROJECT["optional-dependencies"][name])]
    found = (re.match(r"([\w.-]+)\s*([^;]*)", requirement) for requirement in declared)
    return {IMPORTED_AS.get(match[1], match[1].replace("-", "_").lower()): match[2].strip() for match in found if match}


def imported(paths: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """Yield each top-level package that a file imports, unless it is Python's or the project's own."""
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for name in {name.partition(".")[0] for name in names}:
                if name not in OWN and name not in sys.stdlib_module_names:
                    yield name, path.relative_to(ROOT)


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("sidecar", ["vectors", "testing", "freeze"]),
        ("tests", ["vectors", "dev"]),
        ("scripts", ["vectors", "dev", "bench"]),
    ],
)
def test_an_imported_package_is_declared(folder: str, extras: list[str]) -> None:
    declared = requirements(*extras)
    assert {
        (name, path) for name, path in imported((ROOT / folder).rglob("*.py")) if name.lower() not in declared
    } == set()


@pytest.mark.parametrize("package", PRIVATE_PARTS)
def test_a_package_whose_private_parts_are_used_has_an_upper_bound(package: str) -> None:
    assert re.search(r"<|~=|==", requirements()[package]), requirements()[package]


def own_names(kind: type) -> set[str]:
    """The names that a class defines, and the attributes that its methods set."""
    tree = ast.parse(dedent(inspect.getsource(kind)))
    assigned = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)
    }
    return assigned | set(vars(kind)) | set(getattr(kind, "__annotations__", {}))


def inherited_uses(kind: type) -> set[str]:
    """The names on `self` and `super()` that the class uses and neither it nor its methods define."""
    tree = ast.parse(dedent(inspect.getsource(kind)))
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            of_super = isinstance(node.value, ast.Call) and getattr(node.value.func, "id", None) == "super"
            of_self = getattr(node.value, "id", None) in ("self", "cls") and node.attr not in vars(kind)
            if of_super or of_self:
                used.add(node.attr)
    return used


@pytest.mark.parametrize(
    ("base", "kind"),
    [(base, kind) for parts in PRIVATE_PARTS.values() for base, kinds in parts.items() for kind in kinds],
)
def test_the_private_parts_that_a_subclass_uses_exist(base: type, kind: type) -> None:
    known = set().union(*(own_names(each) for each in base.__mro__ if each.__module__ != "builtins"))
    annotated = set(getattr(kind, "__annotations__", {}))
    of_its_own = annotated | {name for name in own_names(kind) if name.startswith("_") or kind in MADE_HERE}
    assert inherited_uses(kind) - known - of_its_own == set()


def test_the_private_parts_that_are_used_from_outside_exist() -> None:
    for kind, names in MEMBERS.items():
        known = own_names(kind) | set(vars(kind))
        assert [name for name in names if name not in known] == []
    assert inspect.signature(vars(core)["_connection_worker_thread"]).parameters.keys() == {"tx"}
    assert {"_thread", "_tx", "_conn", "_execute"} <= own_names(core.Connection)


def test_a_sidecar_needs_nothing_of_the_tests() -> None:
    files = [path for path in (ROOT / "sidecar").rglob("*.py") if "testing" not in path.relative_to(ROOT).parts]
    names = {name for name, _ in imported(files)}
    assert names & {"pytest", "pytest_asyncio"} == set()
