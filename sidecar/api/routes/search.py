"""Search by word and by meaning."""

from typing import Annotated

from fastapi import APIRouter, Query

from sidecar.api.context import Storage, WriteKey
from sidecar.api.long_work import ACCEPTED, LongWork, Run
from sidecar.api.operation import MAKES_VECTORS, RESTRICTED, OperationRoute
from sidecar.api.topics import depends_on
from sidecar.maintenance.search_index import fill_search_index
from sidecar.models.search import HybridPage, HybridSearch, SearchPage, SearchQuery
from sidecar.storage.resources.all import SEARCHED_TOPICS

router = APIRouter(tags=["search"], route_class=OperationRoute)


@router.get("/search", operation_id="search.query", openapi_extra=depends_on(*SEARCHED_TOPICS, "search_index"))
async def search_documents(storage: Storage, query: Annotated[SearchQuery, Query()]) -> SearchPage:
    """Search for rows that contain all the words, the best first, with the matching places.

    Case, accents and width do not matter. Titles and headings count more than text, and words that stand together more
    than words apart. Where fewer than 20 rows have all of three or more words, rows that lack one follow.

    A search sees every write that completed before it. A large batch is indexed in the background; `complete: false`
    means that it still is.
    """
    return await storage.search_documents(
        query.q,
        query.limit,
        query.offset,
        {
            "kinds": None if query.kinds is None else query.kinds.split(","),
            "since": query.since,
            "before": query.before,
            "tag": query.tag,
            "document_type": query.document_type,
            "folder": query.folder,
            "conversation_id": query.conversation_id,
            "role": query.role,
        },
    )


@router.post(
    "/search/hybrid",
    operation_id="search.hybrid",
    openapi_extra=MAKES_VECTORS | depends_on(*SEARCHED_TOPICS, "search_index", "todo_embeddings", "contexts"),
)
async def search_hybrid(storage: Storage, body: HybridSearch, key: WriteKey) -> HybridPage:  # noqa: ARG001
    """Search by words, by meaning or by both, the best first. An idempotency key is accepted and ignored."""
    return await storage.search_hybrid(body.query, body.vector, body.kinds, body.limit)


@router.post(
    "/search/rebuild", operation_id="search.rebuild", status_code=204, responses=ACCEPTED, openapi_extra=RESTRICTED
)
async def rebuild(storage: Storage, work: LongWork) -> None:
    """Rebuild the full-text index. It is filled in the background, by a job, and searches are served meanwhile."""

    async def empty_and_fill(run: Run) -> None:
        await storage.rebuild_search_index(key=run.own_key)
        await fill_search_index(storage, run.progress)

    if work.prefers_job:
        await work.run("search.rebuild", empty_and_fill)
    else:
        await storage.rebuild_search_index(key=work.key)
        await work.leave("search.rebuild", lambda run: fill_search_index(storage, run.progress))
