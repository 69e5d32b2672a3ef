"""Documents of every kind, by ids such as `vault:12`."""

from fastapi import APIRouter

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import OperationRoute
from sidecar.api.topics import depends_on
from sidecar.models.search import DocumentData
from sidecar.storage.resources.all import SEARCHED_TOPICS

router = APIRouter(prefix="/documents", tags=["search"], route_class=OperationRoute)


@router.get(
    "/{document_id}", operation_id="documents.get", openapi_extra=depends_on(*SEARCHED_TOPICS, "messages.delta")
)
async def get(storage: Storage, document_id: str) -> DocumentData:
    """Return a document, by an id such as `vault:12`."""
    return await storage.get_document(document_id)


@router.delete("/{document_id}", operation_id="documents.delete", status_code=204)
async def delete(storage: Storage, document_id: str, key: WriteKey) -> None:
    """Delete a document in the way of its kind; vaults and conversations can be restored."""
    await storage.delete_document(document_id, key=key)
