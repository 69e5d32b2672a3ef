"""Parameters of functions that no request calls: they ask for what they need by annotations, as routes do."""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from sidecar.api.events import EventHub
from sidecar.extension.jobs import JobQueue
from sidecar.storage.unified import UnifiedStorage


class Surroundings(NamedTuple):
    """The values that a function may ask for, each by its type."""

    storage: UnifiedStorage
    events: EventHub
    jobs: JobQueue


def place_of(function: Callable[..., Any]) -> str:
    """Return the function's name with its file and line."""
    code = inspect.unwrap(function).__code__
    return f"{function.__name__} ({code.co_filename}, line {code.co_firstlineno})"


def parameters_of(function: Callable[..., Any], *also: type) -> dict[str, type]:
    """Return the type that each parameter asks for, one of `Surroundings` or `also`.

    Raises `ValueError` for another one. A request's `Storage` is `UnifiedStorage` here.
    """
    hints = get_type_hints(function, include_extras=True)
    found = {name: _plain(hints.get(name)) for name in inspect.signature(function).parameters}
    for name, kind in found.items():
        if kind not in _PLACES and kind not in also:
            raise ValueError(f"the parameter '{name}' of {place_of(function)} must be Storage, Events or Jobs")
    return found


def arguments_for(function: Callable[..., Any], surroundings: Surroundings, **others: Any) -> dict[str, Any]:
    """Return the arguments of a call; a parameter with the type of one of `others` gets that."""
    by_type = {type(other): other for other in others.values()}
    return {
        name: by_type[kind] if kind in by_type else surroundings[_PLACES[kind]]
        for name, kind in parameters_of(function, *by_type).items()
    }


def _plain(hint: Any) -> Any:
    """Return the type inside an annotation such as `Storage`, which has FastAPI's dependency beside it."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


_PLACES: Mapping[Any, int] = {
    kind: Surroundings._fields.index(name) for name, kind in get_type_hints(Surroundings).items()
}
