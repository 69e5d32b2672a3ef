"""Monitoring: errors, runs of processors, and the counters of a session."""

from typing import Annotated

from fastapi import APIRouter, Query

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import OperationRoute
from sidecar.api.topics import depends_on
from sidecar.models.events import row_topics
from sidecar.models.monitoring_runs import (
    ErrorReport,
    ErrorsQuery,
    ProcessorRun,
    ProcessorRunPage,
    ProcessorRunReport,
    ProcessorRunsQuery,
    SessionCounters,
    TopErrors,
)

router = APIRouter(prefix="/monitoring", tags=["monitoring"], route_class=OperationRoute)

COUNTED = sorted(topic for topic in row_topics if topic.startswith("monitoring."))
"""The session counts everything that is recorded."""


@router.post("/errors", operation_id="monitoring.save_error", status_code=204)
async def save_error(storage: Storage, body: ErrorReport, key: WriteKey) -> None:
    """Count an error of a stage by its text, in the hour of the report."""
    await storage.save_monitoring_error(**body.explicit_fields(), key=key)


@router.get("/errors", operation_id="monitoring.errors", openapi_extra=depends_on("monitoring.errors"))
async def errors(storage: Storage, query: Annotated[ErrorsQuery, Query()]) -> TopErrors:
    """List the most frequent errors of a window, by stage and text."""
    return await storage.query_monitoring_errors(**query.explicit_fields())


@router.post("/runs", operation_id="monitoring.save_run", status_code=201)
async def save_run(storage: Storage, body: ProcessorRunReport, key: WriteKey) -> ProcessorRun:
    """Store a run of a processor that is over."""
    return await storage.save_monitoring_run(**body.explicit_fields(), key=key)


@router.get("/runs", operation_id="monitoring.runs", openapi_extra=depends_on("monitoring.runs"))
async def runs(storage: Storage, query: Annotated[ProcessorRunsQuery, Query()]) -> ProcessorRunPage:
    """List the runs of processors, the latest start first."""
    return await storage.query_monitoring_runs(**query.explicit_fields())


@router.get("/session", operation_id="monitoring.session", openapi_extra=depends_on(*COUNTED))
async def session(storage: Storage) -> SessionCounters:
    """Return the sums of all reports since the last reset."""
    return await storage.get_monitoring_session()


@router.post("/session/reset", operation_id="monitoring.reset_session")
async def reset_session(storage: Storage, key: WriteKey) -> SessionCounters:
    """Reset the counters of the session, and return those of the session that ended."""
    return await storage.reset_monitoring_session(key=key)
