"""The content of a message in parts: text, references to images, calls of tools and their results."""

from typing import Annotated, Literal

from pydantic import Field, GetJsonSchemaHandler, JsonValue, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from sidecar.models.base import ApiModel, LongText, ShortText


class TextPart(ApiModel):
    """A piece of text."""

    type: Literal["text"]
    text: LongText


class ImagePart(ApiModel):
    """A reference to an image; never its bytes."""

    type: Literal["image"]
    reference: ShortText = Field(description="Address, file name or id of the image.")
    media_type: ShortText | None = None
    name: ShortText | None = None


class ToolCallPart(ApiModel):
    """A call of a tool that the model asked for."""

    type: Literal["tool_call"]
    name: ShortText
    call_id: ShortText | None = None
    arguments: JsonValue = None


class ToolResultPart(ApiModel):
    """The answer of a tool."""

    type: Literal["tool_result"]
    content: JsonValue
    call_id: ShortText | None = None
    name: ShortText | None = None
    is_error: bool = False


MessagePart = Annotated[TextPart | ImagePart | ToolCallPart | ToolResultPart, Field(discriminator="type")]


class _DescribedAsPart:
    """Describes a stored part as a `MessagePart`, but accepts any JSON: newer programs may know more kinds of parts."""

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(TypeAdapter(MessagePart).core_schema)


StoredPart = Annotated[JsonValue, _DescribedAsPart()]
