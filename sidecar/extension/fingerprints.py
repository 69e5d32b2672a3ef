"""Fingerprints of operations: what a typed client knows of each, so that a table that is out of date is noticed.

They are made of the names and types alone, which is fast: a sidecar compares them at its start, where building the
OpenAPI document would take longer than everything else.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from hashlib import blake2b
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from fastapi.datastructures import DefaultPlaceholder
from fastapi.params import Depends
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from starlette.routing import BaseRoute

from sidecar.api.operation import OperationRoute

DIGEST_BYTES = 6
"""Enough for a change to be noticed; a client has one for each operation."""

MOST_NAMED = 20
"""Operations that a sentence names."""


def fingerprints(routes: Iterable[BaseRoute]) -> dict[str, str]:
    """Return the fingerprint of each operation, by its id."""
    return {route.operation_id: _fingerprint(route) for route in routes if isinstance(route, OperationRoute)}


def difference(known: Mapping[str, str], served: Mapping[str, str]) -> str | None:
    """Return in a sentence how the operations that a client knows differ from those served; `None` if they do not.

    Others may be served: operations whose body or answer is not JSON are in no client's table.
    """
    kinds = {
        "are gone": known.keys() - served.keys(),
        "have changed": {name for name in known.keys() & served.keys() if known[name] != served[name]},
    }
    found = [f"{_listed(names)} {verb}" for verb, names in kinds.items() if names]
    if not found:
        return None
    return f"The app's table of operations is out of date: {'; '.join(found)}. Run `electron-sidecar generate`."


def _listed(names: Iterable[str]) -> str:
    first, rest = sorted(names)[:MOST_NAMED], sorted(names)[MOST_NAMED:]
    return ", ".join(first) + (f" and {len(rest)} more" if rest else "")


def _fingerprint(route: OperationRoute) -> str:
    described = [*sorted(route.methods), route.path, f"{route.status_code}"]
    described += _signature(route.endpoint, set())
    if not isinstance(route.declared_model, DefaultPlaceholder):
        described.append("".join(_type(route.declared_model, set())))
    return blake2b("\n".join(described).encode(), digest_size=DIGEST_BYTES).hexdigest()


def _signature(function: Callable[..., Any], seen: set[Any]) -> Iterator[str]:
    """Yield the parameters of a route or of a dependency, and what a route returns."""
    try:
        hints = get_type_hints(function, include_extras=True)
    except (NameError, TypeError):  # a type that only FastAPI, or nobody, can look up
        hints = dict(getattr(function, "__annotations__", {}))
    for name, parameter in inspect.signature(function).parameters.items():
        is_required = parameter.default is inspect.Parameter.empty
        yield f"{name}:{is_required}:{''.join(_type(hints.get(name, parameter.annotation), seen))}"
        yield from _note(parameter.default, seen)
    yield f"returns:{''.join(_type(hints.get('return'), seen))}"


def _note(note: Any, seen: set[Any]) -> Iterator[str]:
    """Yield the parameters of a dependency of the app's own, or the other name of a parameter."""
    if isinstance(note, Depends):
        dependency = note.dependency
        if dependency is not None and dependency not in seen and not dependency.__module__.startswith("sidecar."):
            seen.add(dependency)
            yield from _signature(dependency, seen)
    elif isinstance(note, FieldInfo) and note.alias:
        yield f"={note.alias}"


def _type(kind: Any, seen: set[Any]) -> Iterator[str]:
    """Yield a description of a type: its name, and that of everything in it. Texts about it are left out."""
    origin = get_origin(kind)
    if origin is Annotated:
        inner, *notes = get_args(kind)
        yield from _type(inner, seen)
        for note in notes:
            yield from _note(note, seen)
    elif origin is not None:
        yield "union" if origin in (Union, UnionType) else getattr(origin, "__name__", f"{origin}")
        for argument in get_args(kind):
            yield "["
            yield from _type(argument, seen)
    elif isinstance(kind, type):
        yield kind.__qualname__
        if kind not in seen:
            seen.add(kind)
            yield from _members(kind, seen)
    else:
        yield getattr(kind, "__name__", None) or f"{kind}"


def _members(kind: type, seen: set[Any]) -> Iterator[str]:
    """Yield the fields of a model or dataclass, and the values of an enumeration."""
    if issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            yield f"({field.serialization_alias or field.alias or name}:{field.is_required()}:"
            yield from _type(field.annotation, seen)
        for name, computed in kind.model_computed_fields.items():
            yield f"({computed.alias or name}:"
            yield from _type(computed.return_type, seen)
    elif is_dataclass(kind):
        hints = get_type_hints(kind)
        for each in fields(kind):
            yield f"({each.name}:{each.default is MISSING and each.default_factory is MISSING}:"
            yield from _type(hints[each.name], seen)
    elif issubclass(kind, Enum):
        yield f"({','.join(f'{member.value}' for member in kind)}"
