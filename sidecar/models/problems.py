"""How an error looks on the wire: `application/problem+json` (RFC 9457)."""

from pydantic import Field

from sidecar.errors.base import UNDOCUMENTED
from sidecar.models.base import Record


class ProblemField(Record):
    field: str = Field(examples=["body.title"])
    message: str


class Problem(Record):
    type: str = Field(
        default=UNDOCUMENTED,
        description="Entry of the code in the page of all errors, such as `ERRORS.md#not_found`. `about:blank` for a "
        "code of an extension's own.",
    )
    title: str
    status: int
    code: str = Field(description="Stable code of the error, for programs.", examples=["not_found"])
    detail: str = Field(description="A sentence for a person.")
    retryable: bool = Field(description="True if a retry of the same request may succeed.")
    errors: list[ProblemField] = Field(default=[], description="Every wrong field.")
