"""The app: every operation, in the order of the OpenAPI document, over one context."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sidecar.api import routes
from sidecar.api.context import Context
from sidecar.api.long_work import Accepted, answer_accepted
from sidecar.api.operation import OperationRoute, tree_of
from sidecar.api.problems import EXPECTED, answer_expected, answer_to
from sidecar.api.routes import (
    activities,
    adoption,
    backups,
    contexts,
    conversations,
    doctor,
    documents,
    events,
    health,
    invalid_rows,
    jobs,
    messages,
    monitoring,
    openapi,
    recovery,
    search,
    states,
    tips,
    todos,
    transfer,
    upkeep,
    vaults,
)
from sidecar.errors import NotFound

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    vaults.router,
    todos.router,
    activities.router,
    tips.router,
    conversations.router,
    messages.router,
    events.router,
    states.router,
    transfer.router,
    search.router,
    documents.router,
    contexts.router,
    upkeep.router,
    backups.router,
    jobs.router,
    monitoring.router,
    recovery.router,
    invalid_rows.router,
    adoption.router,
    doctor.router,
    openapi.router,
)


def _others() -> Iterator[APIRouter]:
    """Yield the routers of the other modules in `routes`, in the order of their names."""
    for _, name, _ in iter_modules(routes.__path__):
        router = import_module(f"{routes.__name__}.{name}").router
        if router not in ROUTERS:
            yield router


OPERATIONS: tuple[OperationRoute, ...] = tuple(
    route for router in (*ROUTERS, *_others()) for route in router.routes if isinstance(route, OperationRoute)
)


def create_app(context: Context, routers: Sequence[APIRouter] = ()) -> FastAPI:
    """Return the app over an open storage. It answers every operation by itself; the fast lane may go in front.

    `routers` are those of extensions; they may hold whatever FastAPI serves.
    """
    operations = [*OPERATIONS, *(route for router in routers for route in router.routes)]
    answers: dict[Any, Any] = {**dict.fromkeys(EXPECTED, answer_expected), Accepted: answer_accepted}
    app = FastAPI(openapi_url=None, exception_handlers=answers)
    app.state.context = context
    app.state.paths = tree_of(route for route in operations if isinstance(route, OperationRoute))
    app.router.routes.extend(operations)
    app.router.redirect_slashes = False
    app.router.default = _not_found
    app.add_middleware(_UnexpectedErrors)
    return app


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document of all operations."""
    from sidecar.api.openapi import describe  # seldom asked for

    return describe(OPERATIONS)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI's shape
    raise NotFound(f"There is nothing at {scope['path']}.")


class _UnexpectedErrors:
    """Answers what no exception handler does, and ends it there: Starlette would raise it again, to the server."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except Exception as error:
            if has_begun:
                raise
            await answer_to(Request(scope), error)(scope, receive, send)
