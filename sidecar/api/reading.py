"""Reading a request, the same in both lanes: its content, its JSON body, the names in its query string."""

from collections.abc import Collection, Iterable
from functools import cache
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request

from sidecar.api.json_bodies import COUNTED_FROM, check_parts, not_json
from sidecar.errors import InvalidInput, UnsupportedMediaType
from sidecar.models.validation import refused

JSON = "application/json"


async def content_of(request: Request) -> bytes:
    """Return the body as it came: `Annotated[bytes, Depends(content_of)]`. Raises `BodyTooComplex`."""
    content = await request.body()
    await check_size(content)
    return content


async def check_size(content: bytes) -> None:
    """Raise `BodyTooComplex` for content that would hold up the event loop if it were parsed."""
    if len(content) > COUNTED_FROM:
        await check_parts(content)


def read_json(adapter: TypeAdapter[Any], content_type: str, content: bytes) -> Any:
    """Return the body as the adapter's type. Raises `UnsupportedMediaType`, `MalformedRequest` and `InvalidInput`."""
    if content_type != JSON and content_type.partition(";")[0].strip().lower() != JSON:
        raise UnsupportedMediaType(f"The body must be {JSON}, not '{content_type[:100]}'.")
    try:
        return adapter.validate_json(content)
    except ValidationError as error:
        if error.error_count() == 1:
            first = error.errors(include_url=False, include_input=False)[0]
            if first["type"] == "json_invalid":
                raise not_json(content, first["ctx"]["error"]) from None
        raise refused(error, "body") from None


@cache
def lists_in(model: type[BaseModel]) -> frozenset[str]:
    """Return the names of the parameters that may be given more than once: the fields that are lists."""
    fields = model.model_fields.items()
    return frozenset(name for name, field in fields if _is_list(field.annotation))


def _is_list(annotation: Any) -> bool:
    """Return whether a field holds a list, or may hold one; its type may be annotated with limits."""
    if get_origin(annotation) is Annotated:
        return _is_list(get_args(annotation)[0])
    return get_origin(annotation) is list or any(map(_is_list, get_args(annotation)))


def query_of(pairs: Iterable[tuple[str, str]], lists: Collection[str] = ()) -> dict[str, str | list[str]]:
    """Return the parameters of a query string. Raises `InvalidInput` when one that is no list is given twice."""
    values: dict[str, str | list[str]] = {}
    for name, value in pairs:
        known = values.get(name)
        if isinstance(known, list):
            known.append(value)
        elif known is not None:
            raise InvalidInput.field(f"query.{name}", "is given more than once")
        else:
            values[name] = [value] if name in lists else value
    return values
