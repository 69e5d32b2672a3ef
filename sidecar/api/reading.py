"""Reading a request, the same in both lanes: its content, its JSON body, the names in its query string."""

from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter, ValidationError
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


def query_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the parameters of a query string. Raises `InvalidInput` when one is given more than once."""
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise InvalidInput.field(f"query.{name}", "is given more than once")
        values[name] = value
    return values
