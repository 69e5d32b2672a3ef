"""The store's documents, whatever their kind: found by word, read and deleted by id."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict

from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.search import DocumentData, QueryResult, SearchHit, SearchPage
from sidecar.models.timestamps import Moment
from sidecar.storage.stores.arguments import ANY_VALUE

DEFAULT_HITS = 20


class SearchFilters(TypedDict, total=False):
    """The conditions on a hit, all of which have to hold; `None` is none.

    `since` and `before` are on the time by which its kind is listed. The last three are the seed's: `data_type` is one
    kind, `content_type` a document type, and one of the `tags` is enough.
    """

    kinds: Sequence[str] | None
    since: Moment | None
    before: Moment | None
    tag: str | None
    document_type: str | None
    folder: int | None
    tags: str | Sequence[str] | None
    content_type: str | None
    data_type: str | None


Filters = Annotated[SearchFilters | Mapping[str, Any], ANY_VALUE]
"""Checked where the conditions are made."""


class ISearchStore(ABC):
    """Documents by word and by id. An id names the kind and the row: `vault:12`.

    Every text is a valid search: words that all have to be there, "quoted phrases", -excluded words; the last word is
    taken for the beginning of one, unless it is a single letter and all there is. Deleted rows are not found.
    """

    @abstractmethod
    async def search_documents(
        self, query: str, limit: int = DEFAULT_HITS, offset: int = 0, filters: Filters | None = None
    ) -> SearchPage:
        """What is found, the best first, with the places that match.

        Ranked are at most the newest 2,000 matches of each kind, so that a word that is everywhere costs no more than
        that; where rows of a kind have to be looked at (times, messages of deleted conversations), the newest 10,000
        matches are. A folder reaches at most 500 folders down. Raises `InvalidInput` for filters that
        are not known or make no sense.
        """

    @abstractmethod
    async def show_documents(self, doc_ids: Sequence[str], query: str) -> list[SearchHit]:
        """These documents as hits of a search, in their order, with a score of 0; those that are gone are left out."""

    @abstractmethod
    async def query(self, query: str, limit: int = DEFAULT_HITS, filters: Filters | None = None) -> QueryResult:
        """What is found, the best first, as whole documents."""

    @abstractmethod
    async def query_documents(
        self, query: str, limit: int = DEFAULT_HITS, filters: Filters | None = None
    ) -> QueryResult:
        """The same as `query`."""

    @abstractmethod
    async def get_document(self, doc_id: str) -> DocumentData:
        """One document. Raises `NotFound`, for a deleted one too."""

    @abstractmethod
    async def delete_document(self, doc_id: str, *, key: IdempotencyKey | None = None) -> None:
        """Delete as its kind is deleted: vaults and conversations can be restored. Raises `NotFound`, `Conflict`."""

    @abstractmethod
    async def fill_search_index(self, limit: int = 200) -> bool:
        """Put some rows that the index lacks into it, within about 10 ms, and at most `limit` of those that were there
        before it; returns whether more may be lacking."""

    @abstractmethod
    async def merge_search_index(self, pages: int) -> bool:
        """Have searches look into fewer parts of the index, as far as about so many pages of it go; returns whether
        there was anything to do."""

    @abstractmethod
    async def rebuild_search_index(self, *, key: IdempotencyKey | None = None) -> None:
        """Empty the index; `fill_search_index` then fills it again."""
