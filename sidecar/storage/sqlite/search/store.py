"""Documents of every kind: searched by word, read and deleted by id.

A damaged index is not a damaged database: it is emptied and filled again, and the search answered with what it has by
then.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeVar

from sidecar.errors import DiskFull, NotFound, SearchIndexDamaged, SidecarError, StorageBusy, StorageReadOnly
from sidecar.models.health import Component
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.search import MAX_HITS, DocumentData, QueryResult, SearchHit, SearchPage
from sidecar.storage.capabilities import DEFAULT_HITS, Filters, ISearch
from sidecar.storage.interfaces import bookkeeping
from sidecar.storage.resources.rows import columns
from sidecar.storage.resources.rows.columns import read_row, safe_value
from sidecar.storage.resources.rows.pagination import MAX_OFFSET, require_range
from sidecar.storage.resources.rows.validation import optional_time
from sidecar.storage.sqlite.engine.database import Database
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.sqlite.search import filters as search_filters
from sidecar.storage.sqlite.search import index as search_index
from sidecar.storage.sqlite.search import pending as search_pending
from sidecar.storage.sqlite.search.kinds import SearchKind, SearchKinds
from sidecar.storage.sqlite.search.marks import Marks
from sidecar.storage.sqlite.search.query import Search, parse
from sidecar.storage.sqlite.search.ranking import CANDIDATES, Match, Wanted, rank
from sidecar.storage.sqlite.search.snippets import deep_snippet, marked, snippet

log = logging.getLogger(__name__)

T = TypeVar("T")

_TEXT, _TIME = columns.text(), columns.time()

TOPIC = "search_index"
"""The topic of a rebuild: until maintenance has filled the index again, searches do not find everything."""

LONGEST_WAIT_S = 1.0
"""A search waits so long for rows that the index does not have yet: a batch's, another program's, all after damage."""

_FILLED_AT_START_S = 0.05

LOOKED_AT = 20_000
"""Characters of each text that are read to mark matches. Longer texts are read where none is found."""

MOST_LOOKED_AT = 4_000_000
"""Characters of long texts that are read for one page of hits: 50 ms of English. What lies beyond is found unmarked."""


class SearchDocuments(ISearch):
    """The search by word over one database."""

    def __init__(
        self,
        database: Database,
        kinds: SearchKinds | None = None,
        *,
        longest_wait_s: float = LONGEST_WAIT_S,
        candidates: int = CANDIDATES,
    ) -> None:
        """`kinds` are the built-in ones unless extensions have others."""
        self._database = database
        self._kinds = kinds or SearchKinds()
        self._longest_wait_s = longest_wait_s
        self._candidates = candidates
        self._times_rebuilt = 0
        """By a search; a unit of work that meets damage rebuilds the index in its own commit."""

    async def search_documents(
        self, query: str, limit: int = DEFAULT_HITS, offset: int = 0, filters: Filters | None = None
    ) -> SearchPage:
        def take(connection: sqlite3.Connection, found: _Found) -> SearchPage:
            items: list[SearchHit] = []
            if found.search is not None:
                items = _hits(connection, found.matches, Marks(found.search.terms))
            return SearchPage(items=items, total=found.total, complete=search_index.is_filled(connection))

        return await self._search(query, limit, offset, filters, take)

    async def show_documents(self, doc_ids: Sequence[str], query: str) -> list[SearchHit]:
        search = parse(query)
        marks = Marks(() if search is None else search.terms)
        matches = [Match(0.0, row_id, kind) for kind, row_id in map(self._kinds.named, doc_ids)]

        def show(connection: sqlite3.Connection) -> list[SearchHit]:
            return _hits(connection, matches, marks)

        return await self._database.read(show)

    async def query(self, query: str, limit: int = DEFAULT_HITS, filters: Filters | None = None) -> QueryResult:
        def take(connection: sqlite3.Connection, found: _Found) -> QueryResult:
            rows = _rows(connection, found.matches, _document_columns)
            documents = [_document(match.kind, row) for match, row in rows]
            scores = [match.score for match, _ in rows]
            return QueryResult(documents=documents, total_count=found.total, scores=scores)

        return await self._search(query, limit, 0, filters, take)

    async def query_documents(
        self, query: str, limit: int = DEFAULT_HITS, filters: Filters | None = None
    ) -> QueryResult:
        return await self.query(query, limit, filters)

    async def get_document(self, doc_id: str) -> DocumentData:
        kind, row_id = self._kinds.named(doc_id)

        def read(connection: sqlite3.Connection) -> DocumentData:
            sql = f"SELECT {_document_columns(kind)} FROM {kind.table} WHERE id = ? AND {kind.present or 'TRUE'}"
            row = connection.execute(sql, (row_id,)).fetchone()
            if row is None:
                raise NotFound.row(kind.data_type, row_id)
            return _document(kind, row)

        return await self._database.read(read)

    async def delete_document(self, doc_id: str, *, key: IdempotencyKey | None = None) -> None:
        kind, row_id = self._kinds.named(doc_id)

        def delete(work: SQLiteWork) -> None:
            kind.delete(work, row_id)

        await self._database.write(delete, key, type(None))

    async def fill_search_index(self, limit: int = 200) -> bool:
        return await self._database.write(
            bookkeeping(lambda work: search_index.fill(work.connection, limit, work.clock))
        )

    async def merge_search_index(self, pages: int) -> bool:
        return await self._database.write(bookkeeping(lambda work: search_index.merge(work.connection, pages)))

    async def rebuild_search_index(self, *, key: IdempotencyKey | None = None) -> None:
        await self._database.write(_empty, key, type(None))

    async def count_rows_to_index(self) -> int:
        return await self._database.read(search_index.count_lacking)

    async def open_search_index(self) -> None:
        """For the start, before anybody writes: an index that cannot be read is rebuilt, a small one filled in."""

        def open_index(work: SQLiteWork) -> None:
            if not search_index.is_usable(work.connection):
                log.warning("the search index cannot be read; it is rebuilt")
                search_index.empty(work.connection)
            elif not search_index.is_current(work.connection):
                search_index.empty(work.connection)

        await self._database.write(open_index)
        await _repeat_for(_FILLED_AT_START_S, self.fill_search_index)

    async def check_search_index(self) -> Component:
        """Return the state of the index for the health check; never raises."""
        try:
            return await self._database.read(search_index.check)
        except SidecarError as error:
            return Component(ok=False, detail=error.message)

    async def _search(self, query: str, limit: int, offset: int, filters: Filters | None, take: "_Take[T]") -> T:
        require_range("limit", limit, 1, MAX_HITS)
        require_range("offset", offset, 0, MAX_OFFSET)
        wanted = search_filters.conditions(filters)
        kinds = search_filters.kinds(wanted, self._kinds)
        since, before = optional_time("since", wanted.since), optional_time("before", wanted.before)
        search = parse(query)

        def find(connection: sqlite3.Connection) -> T:
            matches: list[Match] = []
            if search is not None and kinds:
                facets = search_filters.facets(connection, wanted)
                numbered = self._kinds.numbered(connection, kinds)
                matches = rank(connection, Wanted(search, numbered, facets, since, before, self._candidates))
            if search_pending.is_any(connection):
                matches = _up_to_date(connection, matches)
            return take(connection, _Found(search, matches[offset : offset + limit], len(matches)))

        await self._catch_up()
        while True:
            rebuilt = self._times_rebuilt
            try:
                return await self._database.read(find)
            except SearchIndexDamaged:
                log.warning("the search index is damaged; it is rebuilt")
                if self._times_rebuilt == rebuilt:  # several searches may find the damage at once
                    await self._database.write(_empty)
                    self._times_rebuilt = rebuilt + 1
                await _repeat_for(self._longest_wait_s, self.fill_search_index)

    async def _catch_up(self) -> None:
        """Have the index follow what was noted. What keeps it from that keeps no search from being answered."""

        def follow(work: SQLiteWork) -> bool:
            return search_index.follow(work.connection, work.clock)

        try:
            if await self._database.read(search_pending.is_any):
                await _repeat_for(self._longest_wait_s, lambda: self._database.write(follow))
        except (DiskFull, StorageBusy, StorageReadOnly) as error:
            log.warning("the search index cannot follow: %s", error.message)
        except SearchIndexDamaged:
            pass  # the search meets the damage, too


async def _repeat_for(seconds: float, step: Callable[[], Awaitable[bool]]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while await step():
                pass


def _up_to_date(connection: sqlite3.Connection, matches: list[Match]) -> list[Match]:
    """Without those that the index has as they were before they were changed or deleted."""
    outdated = search_pending.outdated(connection, [match.docid for match in matches])
    return [match for match in matches if match.docid not in outdated]


def _empty(work: SQLiteWork) -> None:
    search_index.empty(work.connection)
    work.changed(TOPIC, "emptied")


class _Found(NamedTuple):
    """One page of what a search found."""

    search: Search | None
    matches: Sequence[Match]
    total: int


_Take = Callable[[sqlite3.Connection, _Found], T]


def _rows(
    connection: sqlite3.Connection, matches: Sequence[Match], columns_of: Callable[[SearchKind], str]
) -> list[tuple[Match, sqlite3.Row]]:
    """The row of each match, in their order; one query a kind."""
    rows: dict[tuple[SearchKind, int], sqlite3.Row] = {}
    for kind in {match.kind for match in matches}:
        ids = [match.row_id for match in matches if match.kind == kind]
        sql = f"SELECT {columns_of(kind)} FROM {kind.table} WHERE id IN ({', '.join('?' for _ in ids)})"
        rows |= {(kind, row["row_id"]): row for row in connection.execute(sql, ids)}
    return [(match, rows[match.kind, match.row_id]) for match in matches if (match.kind, match.row_id) in rows]


def _hit_columns(kind: SearchKind) -> str:
    return f"""
        id AS row_id, {kind.title} AS title_text, {kind.time} AS time,
        substr({kind.text}, 1, {LOOKED_AT}) AS text, length({kind.text}) > {LOOKED_AT} AS is_long
    """


def _hits(connection: sqlite3.Connection, matches: Sequence[Match], marks: Marks) -> list[SearchHit]:
    hits = []
    characters = MOST_LOOKED_AT
    for match, row in _rows(connection, matches, _hit_columns):
        fragments = snippet(safe_value(_TEXT, row["text"]), marks)
        if row["is_long"] and characters > 0 and not any(part.match for part in fragments):
            sql = f"SELECT substr({match.kind.text}, 1, ?) FROM {match.kind.table} WHERE id = ?"
            (whole,) = connection.execute(sql, (characters, match.row_id)).fetchone()
            text = safe_value(_TEXT, whole)
            characters -= len(text)
            fragments = deep_snippet(text, marks, LOOKED_AT) or fragments
        hits.append(
            SearchHit(
                id=f"{match.kind.data_type}:{match.row_id}",
                data_type=match.kind.data_type,
                title=marked(safe_value(_TEXT, row["title_text"]), marks),
                snippet=fragments,
                time=safe_value(_TIME, row["time"]),
                score=round(match.score, 6),
            )
        )
    return hits


def _document_columns(kind: SearchKind) -> str:
    return f"id AS row_id, {kind.content} AS whole, {', '.join(kind.metadata)}"


def _document(kind: SearchKind, row: sqlite3.Row) -> DocumentData:
    stored = {**kind.declaration.columns, "whole": _TEXT}
    values, invalid = read_row(stored, {name: row[name] for name in ("whole", *kind.metadata)})
    content = values.pop("whole")
    return DocumentData(
        id=f"{kind.data_type}:{row['row_id']}",
        content=content,
        metadata=values,
        data_type=kind.data_type,
        invalid=tuple("content" if name == "whole" else name for name in invalid),
    )
