"""The capabilities of an engine: what each engine does in its own way, as `UnifiedStorage` shows it.

Rows that are not there raise `NotFound`, wrong values `InvalidInput`, and what the database cannot do raises a
`StorageError`. Methods that change something take an idempotency `key`: the same key again changes nothing and returns
what the first call returned, or raises `AlreadyDone` where that was large and is no longer kept.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypedDict, TypeVar

from sidecar.models.adoption import AdoptionOverview, RowRestored, RowSetAsidePage
from sidecar.models.backups import ON_REQUEST, Backup, BackupList, Restored
from sidecar.models.doctor import Finding
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.invalid_rows import InvalidRowPage, InvalidRowsRepaired, RepairAction
from sidecar.models.recovery import IntegrityReport, RecoveryReports
from sidecar.models.search import DocumentData, QueryResult, SearchHit, SearchPage
from sidecar.models.timestamps import Moment
from sidecar.models.transfer import ImportReport, Row
from sidecar.progress import Progress, ignore_progress
from sidecar.storage.arguments import ANY_VALUE, DEFAULT_LIMIT

T = TypeVar("T")

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
    conversation_id: int | None
    role: str | None
    tags: str | Sequence[str] | None
    content_type: str | None
    data_type: str | None


Filters = Annotated[SearchFilters | Mapping[str, Any], ANY_VALUE]
"""Checked where the conditions are made."""


class ISearch(ABC):
    """Documents by word and by id. An id names the kind and the row: `vault:12`.

    Every text is a valid search: words, "quoted phrases", -excluded words; the last word is taken for the beginning of
    one, unless it is a single letter and all there is. Words are compared without case, accents and width. Where few
    rows have all of three or more words, those that lack one follow. Words with signs, such as `--force` and `C++`, are
    found first where they have their signs. Deleted rows are not found.
    """

    @abstractmethod
    async def search_documents(
        self, query: str, limit: int = DEFAULT_HITS, offset: int = 0, filters: Filters | None = None
    ) -> SearchPage:
        """Return the documents that are found, the best first, with the places that match.

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
        """Return the documents that are found, the best first, as a whole."""

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

    @abstractmethod
    async def count_rows_to_index(self) -> int:
        """Return how many rows `fill_search_index` still has to look at, at most."""


RowsOf = Callable[[str], Iterable[Row]]
"""Every row of a kind, as in an archive, in the order of the keys."""


@dataclass(frozen=True)
class OwnRows:
    """The rows of extensions that a store or an archive has, beside those of the built-in kinds.

    A kind is named `<namespace>.<table>`. Its rows are as they are stored, whatever its module says of them; bytes are
    `{"base64": "…"}`, and an infinite number is `{"real": "inf"}`.
    """

    kinds: tuple[str, ...] = ()
    versions: Mapping[str, int] = field(default_factory=dict)
    """For each namespace, the number of the newest migration that its tables have had."""


@dataclass(frozen=True)
class StoreRows:
    """A way to read all rows: a `RowsOf` that knows which kinds of extensions there are, and how many rows."""

    read: RowsOf
    own: OwnRows
    count: Callable[[], int]
    """Returns the number of rows of all kinds."""

    def __call__(self, kind: str) -> Iterable[Row]:
        """Return every row of a kind."""
        return self.read(kind)


def own_rows_of(rows: RowsOf) -> OwnRows:
    """Return which kinds of extensions the rows have."""
    return rows.own if isinstance(rows, StoreRows) else OwnRows()


class ITransfer(ABC):
    """All rows on their way out and in; which kinds there are, `sidecar.models.transfer` says."""

    @abstractmethod
    async def export_rows(self, take: Callable[[StoreRows, str], T]) -> T:
        """Return the result of `take`.

        It is called in another thread, with a way to read all rows as of one moment and with the id of the store.
        """

    @abstractmethod
    async def import_rows(
        self, rows: RowsOf, store_id: str, dry_run: bool = False, *, key: IdempotencyKey | None = None
    ) -> ImportReport:
        """Add the rows of another store that are not there yet, all or none; with `dry_run`, only report.

        `rows` is called in another thread, for kind after kind, for some more than once, and gives valid rows in the
        order of their keys. A `store_id` of `seed_sources` says that they come from a seed's database, which is known
        by its content. Raises `ArchiveRefused` when they do not fit together.
        """

    @abstractmethod
    def scratch_directory(self) -> Path | None:
        """Where files too large for memory may lie for a while: beside the data; `None` when that is in memory."""


class Checkpoint(NamedTuple):
    """The result of a checkpoint of the write-ahead log."""

    pages: int
    """How many pages of the log are in the database file now."""
    is_complete: bool
    """True if that is all of them: a reader may need what came before the others."""
    freed_bytes: int
    """By how much the log's file became smaller."""


class IMaintenance(ABC):
    """Steps of maintenance. Each is short; the caller pauses between them."""

    @abstractmethod
    def writer_is_idle(self) -> bool:
        """Return whether no write is waited for at this moment."""

    @abstractmethod
    async def prune_idempotency_keys(self, before: str, limit: int) -> int:
        """Remove up to `limit` of the oldest keys made before then; returns how many, 0 when none are left."""

    @abstractmethod
    async def examine_database(self) -> list[Finding]:
        """Return the findings of `doctor` about the content of the file: versions, damage, references."""

    @abstractmethod
    async def count_free_pages(self) -> int:
        """How many pages of the database file hold nothing and could be given back."""

    @abstractmethod
    async def give_back_pages(self, limit: int, keep: int) -> int:
        """Make the database file up to `limit` pages smaller, as long as more than `keep` are free.

        Returns how many were given back, 0 when that is all.
        """

    @abstractmethod
    async def find_outdated_statistics(self) -> Sequence[str]:
        """The tables that have changed so much that SQLite advises to look at them again."""

    @abstractmethod
    async def refresh_statistics(self, table: str) -> None:
        """Have the query planner know how the values of a table are spread. Gives way to writes: `StorageBusy`."""

    @abstractmethod
    async def checkpoint(self) -> Checkpoint:
        """Move the write-ahead log into the database file. Gives way to writes: `StorageBusy`."""


class RestoreJob(NamedTuple):
    """The job that does a restore."""

    id: int
    key: IdempotencyKey | None
    """The key under which the job is stored, if there is one."""


class IBackups(ABC):
    """Backups lie beside the data; a store in memory has none. Their names are those that are listed, no paths.

    Progress is in bytes: each time that the bytes of a file are copied or read counts.
    """

    @abstractmethod
    async def create_backup(
        self, reason: str = ON_REQUEST, *, key: IdempotencyKey | None = None, progress: Progress = ignore_progress
    ) -> Backup:
        """A verified copy of everything as of one moment, made while other work goes on.

        Raises `Conflict` for a store in memory, `DiskFull` before anything is written, `StorageBusy` when the store is
        replaced or closed meanwhile.
        """

    @abstractmethod
    async def get_backups(self) -> BackupList:
        """All backups, the newest first, those too that were never verified."""

    @abstractmethod
    async def verify_backup(self, name: str, *, progress: Progress = ignore_progress) -> Backup:
        """Open it and compare it with what is known of it. Raises `NotFound`, and `Conflict` when it is damaged."""

    @abstractmethod
    async def restore_backup(
        self,
        name: str,
        *,
        key: IdempotencyKey | None = None,
        progress: Progress = ignore_progress,
        job: RestoreJob | None = None,
    ) -> Restored:
        """Replace the whole store by the backup while it is open; what it replaces becomes a backup itself.

        Its key and those of other restores and backups are carried into the new store, and so is its `job`, as done;
        writes that were replaced are done again when they are repeated. Unfinished jobs of the backup are interrupted.
        Work that comes meanwhile waits; every subscriber gets `STORE_REPLACED`. Raises `NotFound`; `Conflict` when the
        backup is damaged or from a newer program; `DiskFull`. The store is then as it was.
        """

    @abstractmethod
    async def delete_backup(self, name: str) -> None:
        """Remove it. Raises `NotFound`, and `Conflict` for the only verified one."""

    @abstractmethod
    async def has_changed_since_backup(self) -> bool:
        """Return whether the store's files are not as they were before the newest verified backup.

        True without such a backup, and false for a store in memory.
        """


class IRecovery(ABC):
    """Damage: found, repaired, and reported until somebody has acknowledged it."""

    @abstractmethod
    async def get_recoveries(self) -> RecoveryReports:
        """Every recovery of which a report is kept, the newest first."""

    @abstractmethod
    async def acknowledge_recoveries(self) -> RecoveryReports:
        """Acknowledge all recoveries: the health check no longer names them. Repeating it changes nothing."""

    @abstractmethod
    def integrity_check_is_due(self) -> bool:
        """Return whether the whole file should be checked: it was left uncleanly, or changed, or was not for a week."""

    @abstractmethod
    def last_used_at(self) -> datetime | None:
        """Return the time of the last change before the store was opened; `None` for a new store and in memory."""

    @abstractmethod
    def database_file(self) -> Path | None:
        """Where the rows are kept; `None` in memory."""

    @abstractmethod
    async def check_integrity(self) -> IntegrityReport:
        """Check every page of the file, while everything else goes on. Where damage is found, a recovery begins."""


class IAdoptions(ABC):
    """Rows set aside: listed, brought back, and reported until somebody has acknowledged them."""

    @abstractmethod
    async def get_adoptions(self) -> AdoptionOverview:
        """Return every adoption with its report, and the number of rows set aside."""

    @abstractmethod
    async def get_rows_set_aside(
        self,
        table: str | None = None,
        origin: str | None = None,
        is_carried: bool | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> RowSetAsidePage:
        """Return a page of the rows set aside, in the order in which that was done."""

    @abstractmethod
    async def restore_row_set_aside(
        self, row_id: int, values: Mapping[str, Any] | None = None, *, key: IdempotencyKey | None = None
    ) -> RowRestored:
        """Bring a row back into its table; `values` replace those of its columns.

        The row gets its own id where that is free, and a new one otherwise. A carried row, which is in its table
        already, gets back the values that were replaced there and have not been changed since. A missing row that it
        belongs to is brought back, too, or is made.

        Raises `NotFound`; `InvalidInput`, naming the column, for a value that does not fit; `Conflict` for a row of a
        table that this store does not have. Nothing is changed then.
        """

    @abstractmethod
    async def acknowledge_rows_set_aside(self, *, key: IdempotencyKey | None = None) -> AdoptionOverview:
        """Acknowledge all rows that are set aside: the health check no longer names them. Return the overview."""


class IInvalidRows(ABC):
    """Rows in which other programs have stored values that cannot be read."""

    @abstractmethod
    async def get_invalid_rows(
        self, limit: int = DEFAULT_LIMIT, cursor: str | None = None, table: str | None = None
    ) -> InvalidRowPage:
        """Look through the tables, or one of them, and return invalid rows by table and key.

        Raises `InvalidInput` for a table or a cursor that is not known.
        """

    @abstractmethod
    async def repair_invalid_rows(
        self,
        action: str = RepairAction.REPAIR,
        table: str | None = None,
        id: int | str | None = None,  # noqa: A002
        *,
        key: IdempotencyKey | None = None,
    ) -> InvalidRowsRepaired:
        """Store safe values in the place of those that cannot be read, or set the rows aside; keep the originals.

        Raises `InvalidInput`; `NotFound` for a row that is not there; `Conflict` for setting aside a row that others
        belong to.
        """

    @abstractmethod
    async def invalid_rows_scan_is_due(self) -> bool:
        """Return whether another program may have written something since the last scan of all rows."""

    @abstractmethod
    async def scan_for_invalid_rows(self, limit: int) -> bool:
        """Check up to `limit` more rows; return whether there are more to check."""
