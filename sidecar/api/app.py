"""The app: all routes and how their errors are answered."""

from typing import Any

from fastapi import APIRouter, FastAPI

from sidecar import __version__
from sidecar.api.context import Context
from sidecar.api.problems import answer_errors_with_problems
from sidecar.api.routes import (
    activities,
    backups,
    contexts,
    conversations,
    doctor,
    events,
    health,
    messages,
    monitoring,
    recovery,
    search,
    states,
    tips,
    todos,
    transfer,
    upkeep,
    vaults,
)

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
    contexts.router,
    contexts.todos_router,
    upkeep.router,
    backups.router,
    monitoring.router,
    recovery.router,
    doctor.router,
)


class SidecarApp(FastAPI):
    """FastAPI with this project's OpenAPI document, at `/openapi.json`.

    There are no pages that show the document: they would load scripts from elsewhere.
    """

    def __init__(self) -> None:
        super().__init__(
            title="electron-sidecar", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False
        )

    def openapi(self) -> dict[str, Any]:
        from sidecar.api.openapi import openapi_document

        return openapi_document(self)


def create_app(context: Context | None = None) -> FastAPI:
    """The app over an open storage; without a context, only good for its OpenAPI document."""
    app = SidecarApp()
    app.state.context = context
    answer_errors_with_problems(app)
    for router in ROUTERS:
        # Not include_router: that wraps each router in one more layer of matching for every request.
        app.router.routes.extend(router.routes)
    return app
