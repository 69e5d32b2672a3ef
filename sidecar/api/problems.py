"""From errors to answers: `application/problem+json`, the same shape for everything that goes wrong.

What a caller did wrong is explained; what went wrong inside is logged and not shown.
"""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sidecar.errors import (
    MalformedRequest,
    MethodNotAllowed,
    NotAvailable,
    OutOfDescriptors,
    RequestRefused,
    SidecarError,
    Unauthorized,
)
from sidecar.errors.base import type_of
from sidecar.models.problems import Problem, ProblemField
from sidecar.models.validation import with_findings

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


def problem_response(error: SidecarError) -> Response:
    """The answer to a request that failed with `error`."""
    problem = Problem(
        type=type_of(error.code),
        title=error.title,
        status=error.status,
        code=error.code,
        detail=_whole_characters(error.message),
        retryable=error.retryable,
        errors=[
            ProblemField(field=_whole_characters(field), message=_whole_characters(message))
            for field, message in error.errors
        ],
    )
    headers: dict[str, str] = {}
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    return Response(problem.model_dump_json(), error.status, headers=headers, media_type=MEDIA_TYPE)


def _whole_characters(text: str) -> str:
    """Return the text with `?` for each half of a character: an error may quote what was sent."""
    return text.encode(errors="replace").decode()


def answer_to(request: Request, error: Exception) -> Response:
    """Return the answer to a request that raised `error`, which keeps nothing of the request alive afterwards."""
    try:
        return _answer_to(request, error)
    finally:
        _forget_traces(error)


EXPECTED = (SidecarError, HTTPException, RequestValidationError)
"""Errors that have an answer of their own: the app has `answer_expected` as their exception handler."""


async def answer_expected(request: Request, error: Exception) -> Response:
    """Return the answer to an error that is not a bug."""
    return answer_to(request, error)


_PLACES = ("path", "query", "cookie", "body", "header")


def first_place(findings: Sequence[Any]) -> str:
    """Return where the first wrong argument is, of FastAPI's findings: path, query, cookie, body, header."""
    return str(min((finding["loc"][0] for finding in findings), key=_PLACES.index))


def first_refused(findings: Sequence[Any]) -> RequestRefused:
    """Return the error for the first wrong argument among FastAPI's findings."""
    place = first_place(findings)
    found = [finding for finding in findings if finding["loc"][0] == place]
    if found[0]["type"] == "json_invalid":
        return MalformedRequest(f"The body is not JSON in UTF-8: {found[0]['ctx']['error']}.")
    if place in ("path", "header"):
        found = [finding for finding in found if finding["loc"][:2] == found[0]["loc"][:2]]
    return with_findings(found)


def _forget_traces(error: BaseException | None) -> None:
    """An error that crossed a future and threads is in frames that its own traceback has, with the request's body in
    others: a circle that would stay until somebody looks for garbage, body by body."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _answer_to(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        if not isinstance(error.__cause__, SidecarError):
            return _http_response(error)
        error = error.__cause__  # FastAPI answers 400 for whatever is raised while a body is read
    if isinstance(error, RequestValidationError):
        error = first_refused(error.errors())
    if not isinstance(error, SidecarError):
        error = _meaning(error)
    if error.status >= 500 and not isinstance(error, NotAvailable):
        cause = error.__cause__ or error
        log.error("%s %s failed: %s", request.method, request.url.path, error.message, exc_info=cause)
    return problem_response(error)


def _http_response(error: HTTPException) -> Response:
    """Return the answer to FastAPI's own way to refuse a request, with the codes of this project."""
    title = HTTPStatus(error.status_code).phrase
    code = title.lower().replace(" ", "_")
    problem = Problem(
        type=type_of(code),
        title=title,
        status=error.status_code,
        code=code,
        detail=_whole_characters(str(error.detail)),
        retryable=False,
    )
    return Response(problem.model_dump_json(), error.status_code, headers=error.headers, media_type=MEDIA_TYPE)


def _meaning(error: Exception) -> SidecarError:
    exhausted = OutOfDescriptors.caused(error) if isinstance(error, OSError) else None
    if exhausted is None:
        return _Unexpected(error)
    exhausted.__cause__ = error
    return exhausted


class _Unexpected(SidecarError):
    """A bug of ours: the log gets its traceback, the caller learns no more than that."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("Something went wrong inside the sidecar; its log says what.")
        self.__cause__ = cause
