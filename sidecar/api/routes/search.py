"""Search by word, and documents of every kind by their ids."""

from typing import Annotated

from sidecar.api.arguments import Query
from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import RESTRICTED, Router, problems
from sidecar.models.search import DocumentData, HybridPage, HybridSearch, SearchPage, SearchQuery

router = Router("search")


@router.get("/search", operation_id="search.query")
async def find(storage: Storage, query: Annotated[SearchQuery, Query()]) -> SearchPage:
    """What has all the words, the best first, with the places that match."""
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
        },
    )


@router.post("/search/hybrid", operation_id="search.hybrid", openapi_extra=problems(501, 502))
async def find_hybrid(storage: Storage, body: HybridSearch, key: WriteKey) -> HybridPage:  # noqa: ARG001
    """What is found by word, by meaning, or by both, the best first; a key is accepted and changes nothing."""
    return await storage.search_hybrid(body.query, body.vector, body.kinds, body.limit)


@router.post("/search/rebuild", operation_id="search.rebuild", status_code=204, openapi_extra=RESTRICTED)
async def rebuild(storage: Storage, key: WriteKey) -> None:
    """Make the full-text index anew; it is filled in the background, and searched meanwhile."""
    await storage.rebuild_search_index(key=key)


@router.get("/documents/{document_id}", operation_id="documents.get")
async def get(storage: Storage, document_id: str) -> DocumentData:
    """One document, by an id such as `vault:12`."""
    return await storage.get_document(document_id)


@router.delete("/documents/{document_id}", operation_id="documents.delete", status_code=204)
async def delete(storage: Storage, document_id: str, key: WriteKey) -> None:
    """Delete a document as its kind is deleted; vaults and conversations can be restored."""
    await storage.delete_document(document_id, key=key)
