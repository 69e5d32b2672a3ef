"""The arguments of storage methods: types that their annotations share, and the check against those annotations.

An interface declares each parameter with the same types as the models of HTTP (`Line`, `Text`, `Identifier`), so both
have the same limits. `UnifiedStorage` checks every call with `Arguments`.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cached_property, reduce
from operator import or_
from typing import Annotated, Any, Final, get_args, get_type_hints

from pydantic import GetPydanticSchema, TypeAdapter, ValidationError
from pydantic_core import core_schema
from typing_extensions import TypedDict

from sidecar.models.validation import refused


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
"""The default of what an update leaves as it is. `None` is a value: it empties a column."""

JsonObject = Annotated[Mapping[str, Any], GetPydanticSchema(lambda *_: core_schema.dict_schema())]
"""An object of JSON. Whether JSON can hold its values is checked where it becomes text."""

JsonArray = Annotated[Sequence[Any], GetPydanticSchema(lambda *_: core_schema.list_schema())]
"""A list of JSON values, checked in the same way."""

ANY_VALUE = GetPydanticSchema(lambda *_: core_schema.any_schema())
"""Marks a parameter that the method itself checks."""

_KEY = "key"


def given(**values: Any) -> dict[str, Any]:
    """Return the values that are not `UNSET`, by name."""
    return {name: value for name, value in values.items() if value is not UNSET}


class Arguments:
    """The arguments of one storage method, checked against the annotations of its parameters.

    The validator is built when the method is first called.
    """

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method
        self._signature = inspect.signature(method)
        _, *parameters = self._signature.parameters.values()  # but for `self`
        self._names = [parameter.name for parameter in parameters if parameter.kind == parameter.POSITIONAL_OR_KEYWORD]

    def check(self, positional: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by name, in the form in which they are stored.

        Raises `InvalidInput` for a value that its parameter does not take, `TypeError` for an unknown name.
        """
        if not positional and not named:
            return {}
        values = {**dict(zip(self._names, positional, strict=False)), **named}
        if len(values) < len(positional) + len(named) or not values.keys() <= self._signature.parameters.keys():
            self._signature.bind(None, *positional, **named)  # raises the TypeError that Python has for it
        key = values.pop(_KEY, None)
        try:
            checked: dict[str, Any] = self._parameters.validate_python(given(**values))
        except ValidationError as error:
            raise refused(error) from None
        if key is not None:
            checked[_KEY] = key
        return checked

    @cached_property
    def _parameters(self) -> TypeAdapter[Any]:
        """The validator of a dictionary of arguments, all optional. It costs a third of a dataclass."""
        hints = get_type_hints(self._method, include_extras=True)
        parameters = {name: _without_unset(hints[name]) for name in self._names}
        return TypeAdapter(TypedDict(self._method.__name__, parameters, total=False))  # type: ignore[operator]


def _without_unset(hint: Any) -> Any:
    choices = get_args(hint)
    if Unset not in choices:
        return hint
    return reduce(or_, (choice for choice in choices if choice is not Unset))
