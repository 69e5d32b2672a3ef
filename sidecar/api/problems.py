"""From errors to answers: `application/problem+json`, the same shape for everything that goes wrong.

What a caller did wrong is explained; what went wrong inside is logged and not shown.
"""

import logging

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from sidecar.errors import MethodNotAllowed, NotAvailable, NotFound, RequestRefused, SidecarError, Unauthorized
from sidecar.models.problems import Problem, ProblemField

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


def problem_response(error: SidecarError) -> Response:
    """The answer to a request that failed with `error`."""
    problem = Problem(
        title=error.title,
        status=error.status,
        code=error.code,
        detail=error.message,
        retryable=error.retryable,
        errors=[ProblemField(field=field, message=message) for field, message in error.errors],
    )
    headers: dict[str, str] = {}
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    return Response(problem.model_dump_json(), error.status, headers=headers, media_type=MEDIA_TYPE)


def answer_errors_with_problems(app: FastAPI) -> None:
    """Have the app answer every error in this way."""

    async def handle(request: Request, error: Exception) -> Response:
        return answer_to(request, error)

    for kind in (SidecarError, HTTPException, Exception):
        app.add_exception_handler(kind, handle)


def answer_to(request: Request, error: Exception) -> Response:
    """The answer to a request that raised `error`."""
    if isinstance(error, HTTPException):
        error = _from_http_exception(request, error)
    if not isinstance(error, SidecarError):
        error = _Unexpected(error)
    if error.status >= 500 and not isinstance(error, NotAvailable):
        cause = error.__cause__ or error
        log.error("%s %s failed: %s", request.method, request.url.path, error.message, exc_info=cause)
    return problem_response(error)


class _Unexpected(SidecarError):
    """A bug of ours: the log gets its traceback, the caller learns no more than that."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("Something went wrong inside the sidecar; its log says what.")
        self.__cause__ = cause


def _from_http_exception(request: Request, error: HTTPException) -> RequestRefused:
    """Starlette's own: there is no such path, or not with this method."""
    path = request.url.path
    if error.status_code == MethodNotAllowed.status:
        allowed = (error.headers or {}).get("Allow", "").split(", ")
        return MethodNotAllowed(f"{path} cannot be called with {request.method}.", allowed)
    return NotFound(f"There is nothing at {path}.")
