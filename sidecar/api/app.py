"""The app: every operation, in the order of the OpenAPI document, over one context."""

from sidecar.api.context import Context
from sidecar.api.dispatch import Dispatcher
from sidecar.api.operation import Operation, Router
from sidecar.api.routes import (
    activities,
    adoption,
    backups,
    contexts,
    conversations,
    doctor,
    events,
    health,
    invalid_rows,
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

ROUTERS: tuple[Router, ...] = (
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
    invalid_rows.router,
    adoption.router,
    doctor.router,
    openapi.router,
)


OPERATIONS: tuple[Operation, ...] = tuple(operation for router in ROUTERS for operation in router.operations)


def create_app(context: Context) -> Dispatcher:
    """The ASGI app over an open storage."""
    return Dispatcher(OPERATIONS, context)
