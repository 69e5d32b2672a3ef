"""From errors to answers: `application/problem+json`, the same shape for everything that goes wrong.

What a caller did wrong is explained; what went wrong inside is logged and not shown.
"""

import logging

from starlette.requests import Request
from starlette.responses import Response

from sidecar.errors import MethodNotAllowed, NotAvailable, OutOfDescriptors, SidecarError, Unauthorized
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


def answer_to(request: Request, error: Exception) -> Response:
    """The answer to a request that raised `error`, which keeps nothing of the request alive afterwards."""
    try:
        return _answer_to(request, error)
    finally:
        _forget_traces(error)


def _forget_traces(error: BaseException | None) -> None:
    """An error that crossed a future and threads is in frames that its own traceback has, with the request's body in
    others: a circle that would stay until somebody looks for garbage, body by body."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _answer_to(request: Request, error: Exception) -> Response:
    if not isinstance(error, SidecarError):
        error = _meaning(error)
    if error.status >= 500 and not isinstance(error, NotAvailable):
        cause = error.__cause__ or error
        log.error("%s %s failed: %s", request.method, request.url.path, error.message, exc_info=cause)
    return problem_response(error)


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
