"""How an error looks on the wire: `application/problem+json` (RFC 9457)."""

from typing import Literal

from pydantic import Field

from sidecar.models.base import Record


class ProblemField(Record):
    field: str = Field(examples=["body.title"])
    message: str


class Problem(Record):
    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    code: str = Field(description="Stable; programs decide by it.", examples=["not_found"])
    detail: str = Field(description="A sentence for a person.")
    retryable: bool = Field(description="Whether the same request may succeed when it is sent again.")
    errors: list[ProblemField] = Field(default=[], description="Each field that is wrong.")
