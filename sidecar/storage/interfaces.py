"""The contract between an engine, the resources, and `UnifiedStorage`.

Resources see an engine as a `Database`: they hand it plain functions, units of work and queries, and get the results
once these are stored. `UnifiedStorage` sees it as a backend, which is opened, watched and closed.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel

from sidecar.clock import Clock
from sidecar.models.health import Component
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.monitoring import DatabaseLoad
from sidecar.storage.capabilities import (
    IAdoptions,
    IBackups,
    IInvalidRows,
    IMaintenance,
    IRecovery,
    ISearch,
    ITransfer,
)


class StorageType(StrEnum):
    """The kind of data that a backend stores."""

    DOCUMENT_DB = "document_db"
    VECTOR_DB = "vector_db"


class Change(NamedTuple):
    """One row that a committed unit of work made, changed or removed; `data` says more where reading it would cost."""

    topic: str
    id: int | str
    data: Mapping[str, Any] | None = None
    by: str | None = None
    """The task whose unit it was, so that a task can leave its own changes out; see `CHANGED_BY`."""


CHANGED_BY: ContextVar[str | None] = ContextVar("CHANGED_BY", default=None)
"""The name of the task that is running; units that it submits report their changes with it."""

STORE_REPLACED = Change("storage", "replaced")
"""The whole store was replaced by another, such as a backup: whatever was read before may be out of date."""


class OwnMigration(NamedTuple):
    """A step of the tables of an extension; `apply` gets a connection of the engine inside a transaction."""

    version: int
    name: str
    apply: Callable[[Any], object]


class OwnTables(NamedTuple):
    """The tables of an extension, whose names begin with its namespace, and the model of its preferences."""

    namespace: str
    migrations: tuple[OwnMigration, ...]
    """From number 1 on."""
    declared: tuple[Any, ...] = ()
    """The tables whose rows are searched, exported and repaired like the built-in ones: each a `Declaration`."""
    preferences: type[BaseModel] | None = None
    """The model that the preferences fit, if the extension declares one."""


ChangeListener = Callable[[Sequence[Change]], None]
StageListener = Callable[[str, str], None]
"""Called with the stage of a long start: its name and a sentence."""


T = TypeVar("T")


class Row(Protocol):
    """One row of a result, whose values are found by the names of its columns, and in their order."""

    def keys(self) -> Iterable[str]: ...

    def __iter__(self) -> Iterator[Any]: ...

    def __getitem__(self, name: str, /) -> Any: ...


class Cursor(Protocol):
    """The result of a statement."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A connection to an engine's database: it runs one statement at a time.

    Statements are SQL that SQLite 3.40 and PostgreSQL 14 both accept, with `?` or `:name` in place of values. Where the
    two have no common form, the engine has a method: see `Dialect` and `Work`.
    """

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ..., /) -> Cursor: ...


class MessageSpan(NamedTuple):
    """Up to `limit` messages of a conversation between two ids, neither included; `None` is no bound.

    With an `external_id`, only the message that has it.
    """

    conversation_id: int
    after: int | None
    before: int | None
    limit: int
    newest_first: bool
    external_id: str | None = None


class MessageAsJson(NamedTuple):
    """A message's `Message` as JSON, in pieces."""

    id: int
    json: bytes
    """The object without the details and the thinking."""
    details: bytes
    """Members that most messages lack, each with a comma before it; empty if `json` has them."""
    steps: bytes | None
    """The steps of thinking, separated by commas."""


class Dialect(Protocol):
    """The statements for which engines have no common form."""

    def read_message(self, connection: Any, message_id: int, *, include_thinking: bool) -> MessageAsJson | None:
        """Return one message with its chunks; `None` if it is not there."""

    def read_messages(self, connection: Any, span: MessageSpan, *, include_thinking: bool) -> list[MessageAsJson]:
        """Return the messages of the span with their chunks, in its order."""

    def unindexed(self, column: str) -> str:
        """Return SQL for a column that no index is to be used for, where another one finds fewer rows."""

    def whole_number(self, column: str) -> str:
        """Return SQL for a column's whole number; 0 for what another program stored in its place."""


class Work(Protocol):
    """The argument of a unit of work: the connection, the time, and what the unit reports."""

    @property
    def connection(self) -> Connection: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def now(self) -> str:
        """The time of the whole unit, in stored form: all that it writes has the same."""

    def changed(self, topic: str, row_id: int | str, data: Mapping[str, Any] | None = None) -> None:
        """Report that a row was made, changed or removed; subscribers hear of it if and when it is committed."""

    def insert_many(self, table: str, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """Insert rows that all have the same columns; return their ids, in order."""

    def next_ids(self, table: str, count: int) -> Sequence[int]:
        """Return, in order, the ids of rows that this unit is going to insert: rows that refer to each other."""

    def ever_held_a_row(self, table: str) -> bool:
        """Return whether the table holds a row, or held one that was removed."""

    def recall(self, key: IdempotencyKey, returns: type[T]) -> T | None:
        """Return the result that is stored under `key`; `None` if there is none. Raises `AlreadyDone`, `Conflict`."""

    def plan(self, key: IdempotencyKey, planned: Any) -> None:
        """Store what is going to be done under `key`, for a call after a crash."""

    def planned(self, key: IdempotencyKey) -> Any:
        """Return what `plan` stored, or `None`. Raises `Conflict`."""


U = TypeVar("U", bound=Callable[..., Any])


def bookkeeping(unit: U) -> U:
    """Mark a unit of work that leaves nothing for which a backup would be worth its while; return the unit."""
    unit.is_bookkeeping = True  # type: ignore[attr-defined]
    return unit


class Database(Protocol):
    """An open database, as an engine gives it to the resources."""

    @property
    def clock(self) -> Clock: ...

    @property
    def dialect(self) -> Dialect: ...

    async def write(
        self, unit: Callable[[Work], T], key: IdempotencyKey | None = None, returns: type[T] | None = None
    ) -> T:
        """Run `unit` and return its result once that is stored.

        With a `key` that was used before, the unit does not run: its first result, read back as the type `returns`, is
        returned. What the unit raises is raised, and nothing of it is kept.
        """

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Return the result of `query`, called with a `Connection`; everything that it reads belongs to one moment."""

    async def read_isolated(self, query: Callable[[Connection], T]) -> T:
        """Do the same for a query that takes long: on a connection of its own, so that no other read waits for it."""

    def load(self) -> DatabaseLoad:
        """Return how busy the database is."""


class IStorageBackend(ABC):
    """A storage backend: it is initialised once, reports its health, and is closed."""

    @abstractmethod
    async def initialize(self, config: Mapping[str, Any], announce: StageListener) -> None:
        """Open the store, bringing its schema up to date. Raises `StartRefused` when that cannot be done."""

    @abstractmethod
    def get_name(self) -> str:
        """The backend's name in the configuration, e.g. `sqlite`."""

    @abstractmethod
    def get_storage_type(self) -> StorageType:
        """The kind of data that it stores."""

    @abstractmethod
    async def health(self) -> Mapping[str, Component]:
        """Each component's state; never raises."""

    @abstractmethod
    async def close(self) -> None:
        """Finish the work that was accepted, then release everything. A second call does nothing."""


class IDocumentStorageBackend(IStorageBackend):
    """An engine that stores everything that is found by id, time or word: a database, and what it can do with it."""

    @property
    @abstractmethod
    def schema_version(self) -> int:
        """The number of the newest migration that the store has had."""

    database: Database
    """The open database, for the resources."""
    search: ISearch
    """The search by word."""
    transfer: ITransfer
    """Exports and imports."""
    maintenance: IMaintenance
    """The upkeep of the database."""
    backups: IBackups
    """Backups, and the way back to one."""
    recovery: IRecovery
    """Damage to the database, and its repair."""
    adoptions: IAdoptions
    """Adopted databases, and rows that were set aside."""
    invalid_rows: IInvalidRows
    """Rows with values that cannot be read."""

    @abstractmethod
    def subscribe(self, listener: ChangeListener) -> Callable[[], None]:
        """Have `listener` called on the event loop with what each commit changed; returns how to end that."""


class IVectorStorageBackend(IStorageBackend):
    """An engine that stores everything that is found by meaning."""

    @property
    @abstractmethod
    def vectors(self) -> Any:
        """The vectors, for the methods of `sidecar.storage.vectors`."""
