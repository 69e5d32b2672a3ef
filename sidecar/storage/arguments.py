"""The arguments of storage methods: types that their annotations share, and the check against those annotations.

A method declares each parameter with the same types as the models of HTTP (`Line`, `Text`, `Identifier`), so both have
the same limits. Every call is checked with `Arguments`.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cached_property, reduce, wraps
from operator import or_
from typing import Annotated, Any, Final, TypeVar, cast, get_args, get_type_hints

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

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
"""Rows of one page of a list."""

M = TypeVar("M", bound=Callable[..., Any])


def without_unset(**values: Any) -> dict[str, Any]:
    """Return the values that are not `UNSET`, by name."""
    return {name: value for name, value in values.items() if value is not UNSET}


class Arguments:
    """The arguments of one storage method, checked against the annotations of its parameters.

    A parameter that is given by name only, such as a key, is not checked. The validator is built by the first call.
    """

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method
        self._signature = inspect.signature(method)
        _, *parameters = self._signature.parameters.values()  # but for `self`
        self._names = [parameter.name for parameter in parameters if parameter.kind == parameter.POSITIONAL_OR_KEYWORD]
        self._by_name = [parameter.name for parameter in parameters if parameter.kind == parameter.KEYWORD_ONLY]

    def check(self, positional: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by name, in the form in which they are stored.

        Raises `InvalidInput` for a value that its parameter does not take, `TypeError` for an unknown name.
        """
        if not positional and not named:
            return {}
        values = {**dict(zip(self._names, positional, strict=False)), **named}
        if len(values) < len(positional) + len(named) or not values.keys() <= self._signature.parameters.keys():
            self._signature.bind(None, *positional, **named)  # raises the TypeError that Python has for it
        unchecked = {name: values.pop(name) for name in self._by_name if name in values}
        try:
            checked: dict[str, Any] = self._parameters.validate_python(without_unset(**values))
        except ValidationError as error:
            raise refused(error) from None
        return {**checked, **unchecked} if unchecked else checked

    @cached_property
    def _parameters(self) -> TypeAdapter[Any]:
        """The validator of a dictionary of arguments, all optional. It costs a third of a dataclass."""
        hints = get_type_hints(self._method, include_extras=True)
        parameters = {name: _set_type(hints[name]) for name in self._names}
        return TypeAdapter(TypedDict(self._method.__name__, parameters, total=False))  # type: ignore[operator]


def _set_type(hint: Any) -> Any:
    choices = get_args(hint)
    if Unset not in choices:
        return hint
    return reduce(or_, (choice for choice in choices if choice is not Unset))


def checked(method: M) -> M:
    """Return the method with a check of its arguments in front of it."""
    arguments = Arguments(method)

    @wraps(method, updated=())
    async def check_and_call(self: Any, *positional: Any, **named: Any) -> Any:
        return await method(self, **arguments.check(positional, named))

    return cast(M, check_and_call)


class ChecksArguments:
    """The base of classes whose public `async` methods check their arguments against their annotations."""

    def __init_subclass__(cls, *, checks: bool = True) -> None:
        super().__init_subclass__()
        for name, method in tuple(vars(cls).items()) if checks else ():
            if not name.startswith("_") and inspect.iscoroutinefunction(method):
                setattr(cls, name, checked(method))
