"""Jobs: long work under way, and its outcomes."""

from typing import Annotated

from fastapi import APIRouter, Query

from sidecar.api.context import InContext, WriteKey
from sidecar.api.operation import OperationRoute
from sidecar.models.base import UrlIdentifier
from sidecar.models.jobs import Job, JobPage, JobQuery

router = APIRouter(prefix="/jobs", tags=["jobs"], route_class=OperationRoute)


@router.get("", operation_id="jobs.list")
async def list_jobs(context: InContext, query: Annotated[JobQuery, Query()]) -> JobPage:
    """List jobs, the newest first. Finished ones expire after some days."""
    page = await context.storage.get_jobs(**query.explicit_fields())
    return page.model_copy(update={"items": [context.jobs.with_progress(job) for job in page.items]})


@router.get("/{job_id}", operation_id="jobs.get")
async def get(context: InContext, job_id: UrlIdentifier) -> Job:
    """Return a job with its progress, and its result or error once it is finished."""
    return context.jobs.with_progress(await context.storage.get_job(job_id))


@router.post("/{job_id}/cancel", operation_id="jobs.cancel")
async def cancel(context: InContext, job_id: UrlIdentifier, key: WriteKey) -> Job:
    """Cancel a job. A running one ends soon after. A finished one is refused with 409."""
    return await context.jobs.cancel(job_id, key)
