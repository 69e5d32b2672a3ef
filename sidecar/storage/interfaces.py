"""The contracts between `UnifiedStorage` and the backends behind it.

The methods are the seed's, under its names. Rows that are not there raise `NotFound`, wrong values `InvalidInput`, and
what the database cannot do raises a `StorageError`; no method tells of a failure by what it returns. Times may be given
with any offset and come back in UTC. Methods that change something take an idempotency `key`: the same key again
changes nothing and returns what the first call returned.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple, TypedDict, Unpack

from sidecar.models.activities import Activity, ActivityCount, ActivityPage
from sidecar.models.health import Component
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.tips import Tip, TipPage
from sidecar.models.todos import Todo, TodoPage, TodoStatus
from sidecar.models.vaults import NOTE, Vault, VaultPage

DEFAULT_LIMIT = 100


class StorageType(StrEnum):
    """What a backend stores."""

    DOCUMENT_DB = "document_db"


class Change(NamedTuple):
    """One row that a committed unit of work made, changed or removed."""

    topic: str
    id: int


ChangeListener = Callable[[Sequence[Change]], None]
StageListener = Callable[[str, str], None]
"""Told what a long start is busy with: a stage's name and a sentence."""


class Paging(TypedDict, total=False):
    """How every list is paged: by `offset` for the first pages, by `cursor` for all."""

    limit: int
    offset: int
    cursor: str | None
    with_total: bool


class VaultChanges(TypedDict, total=False):
    """The columns of a vault that `update_vault` changes; `is_deleted` deletes or restores the whole subtree."""

    title: str
    summary: str | None
    content: str
    document_type: str
    tags: str
    sort_order: int
    is_deleted: bool


class TodoChanges(TypedDict, total=False):
    content: str
    start_time: str | None
    end_time: str | None
    urgency: int
    assignee: str | None
    reason: str | None


class IStorageBackend(ABC):
    """Something that stores: it is initialised once, tells of its health, and is closed."""

    @abstractmethod
    async def initialize(self, config: Mapping[str, Any], announce: StageListener) -> None:
        """Open the store, bringing its schema up to date. Raises `StartRefused` when that cannot be done."""

    @abstractmethod
    def get_name(self) -> str:
        """The backend's name in the configuration, e.g. `sqlite`."""

    @abstractmethod
    def get_storage_type(self) -> StorageType:
        """What it stores."""

    @abstractmethod
    async def health(self) -> Mapping[str, Component]:
        """Each component's state; never raises."""

    @abstractmethod
    async def close(self) -> None:
        """Finish the work that was accepted, then release everything. A second call does nothing."""


class IVaultStore(ABC):
    """Documents and folders."""

    @abstractmethod
    async def insert_vaults(
        self,
        title: str,
        summary: str | None = None,
        content: str = "",
        document_type: str = NOTE,
        tags: str = "",
        parent_id: int | None = None,
        is_folder: bool = False,
        sort_order: int | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Vault:
        """Make a document or folder, last in its parent unless `sort_order` says where.

        Raises `NotFound` for a parent that is not there, `Conflict` for one that is deleted or not a folder.
        """

    @abstractmethod
    async def insert_default_vault_document(self) -> Vault | None:
        """Put the Quick Start document into a store that never held a vault; in any other, do nothing."""

    @abstractmethod
    async def get_vaults(
        self,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        is_deleted: bool = False,
        document_type: str | None = None,
        created_after: str | None = None,
        created_before: str | None = None,
        updated_after: str | None = None,
        updated_before: str | None = None,
        title: str | None = None,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> VaultPage:
        """Vaults that match every filter, the newest first (by change, when a filter is on that). After includes its
        moment, before does not."""

    @abstractmethod
    async def get_reports(self, is_deleted: bool = False, **paging: Unpack[Paging]) -> VaultPage:
        """Vaults whose document type is not `Note`, the newest first."""

    @abstractmethod
    async def get_folders(self, **paging: Unpack[Paging]) -> VaultPage:
        """Every folder that is not deleted, by place."""

    @abstractmethod
    async def get_children(self, parent_id: int | None = None, **paging: Unpack[Paging]) -> VaultPage:
        """What lies in a folder, or at the top, by place. Raises `NotFound` for a folder that is not there."""

    @abstractmethod
    async def get_vault(self, vault_id: int) -> Vault:
        """One vault, deleted or not. Raises `NotFound`."""

    @abstractmethod
    async def update_vault(
        self, vault_id: int, *, key: IdempotencyKey | None = None, **changes: Unpack[VaultChanges]
    ) -> Vault:
        """Change the given columns. Raises `NotFound`, and `Conflict` for a vault that is deleted."""

    @abstractmethod
    async def move_vault(
        self,
        vault_id: int,
        parent_id: int | None,
        sort_order: int | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Vault:
        """Move into another folder or to the top. Raises `Conflict` for a move into the vault's own subtree."""

    @abstractmethod
    async def delete_vault(self, vault_id: int, *, key: IdempotencyKey | None = None) -> list[int]:
        """Mark a vault and all below it as deleted, as one batch; returns their ids. Raises `NotFound`, `Conflict`."""

    @abstractmethod
    async def restore_vault(self, vault_id: int, *, key: IdempotencyKey | None = None) -> list[int]:
        """Bring back exactly what `delete_vault` with the same id marked; returns their ids.

        Raises `Conflict` for a vault that is not deleted, that was deleted as a part of a folder (restore that one), or
        whose folder is deleted.
        """

    @abstractmethod
    async def delete_vault_permanently(self, vault_id: int, *, key: IdempotencyKey | None = None) -> list[int]:
        """Remove a vault and all below it for good; returns their ids. Raises `NotFound`."""


class ITodoStore(ABC):
    """Todos."""

    @abstractmethod
    async def insert_todo(
        self,
        content: str,
        start_time: str | None = None,
        end_time: str | None = None,
        status: int = TodoStatus.PENDING,
        urgency: int = 0,
        assignee: str | None = None,
        reason: str | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Todo:
        """Make a todo; one that is made completed without an `end_time` is completed now."""

    @abstractmethod
    async def get_todos(
        self,
        status: int | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        start_time: str | None = None,
        end_time: str | None = None,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> TodoPage:
        """Todos created from `start_time` to before `end_time`, the newest first."""

    @abstractmethod
    async def get_todo(self, todo_id: int) -> Todo:
        """One todo. Raises `NotFound`."""

    @abstractmethod
    async def update_todo(
        self, todo_id: int, *, key: IdempotencyKey | None = None, **changes: Unpack[TodoChanges]
    ) -> Todo:
        """Change the given columns. Raises `NotFound`."""

    @abstractmethod
    async def update_todo_status(
        self, todo_id: int, status: int, end_time: str | None = None, *, key: IdempotencyKey | None = None
    ) -> Todo:
        """Complete (which sets `end_time`, to now unless given) or reopen (which clears it). Raises `NotFound`."""

    @abstractmethod
    async def toggle_todo(self, todo_id: int, *, key: IdempotencyKey | None = None) -> Todo:
        """Complete a pending todo, reopen a completed one. Raises `NotFound`."""

    @abstractmethod
    async def delete_todo(self, todo_id: int, *, key: IdempotencyKey | None = None) -> None:
        """Remove a todo. Raises `NotFound`."""


class IActivityStore(ABC):
    """Activities."""

    @abstractmethod
    async def insert_activity(
        self,
        title: str,
        content: str,
        resources: Any = None,
        metadata: Mapping[str, Any] | None = None,
        start_time: str | None = None,
        end_time: str | None = None,
        *,
        key: IdempotencyKey | None = None,
    ) -> Activity:
        """Record an activity; times that are left out are now. Raises `InvalidInput` when it ends before it starts."""

    @abstractmethod
    async def get_activities(
        self,
        start_time: str | None = None,
        end_time: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> ActivityPage:
        """Activities that begin from `start_time` to before `end_time`, the latest first."""

    @abstractmethod
    async def get_activity(self, activity_id: int) -> Activity:
        """One activity. Raises `NotFound`."""

    @abstractmethod
    async def get_latest_activity(self) -> Activity | None:
        """The activity that began last; `None` in a store without any."""

    @abstractmethod
    async def get_activity_counts(
        self, start_date: date, end_date: date, time_zone: str = "UTC"
    ) -> Sequence[ActivityCount]:
        """How many activities began on each day from `start_date` to `end_date`, both included.

        Days begin at midnight in `time_zone`. Raises `InvalidInput` for a zone that is not known, and for more than 731
        days.
        """


class ITipStore(ABC):
    """Tips."""

    @abstractmethod
    async def insert_tip(self, content: str, *, key: IdempotencyKey | None = None) -> Tip:
        """Make a tip."""

    @abstractmethod
    async def get_tips(
        self,
        start_time: str | None = None,
        end_time: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        cursor: str | None = None,
        with_total: bool = False,
    ) -> TipPage:
        """Tips created from `start_time` to before `end_time`, the newest first."""


class IDocumentStorageBackend(IStorageBackend, IVaultStore, ITodoStore, IActivityStore, ITipStore):
    """A backend that stores everything that is found by id, time or word."""

    @property
    @abstractmethod
    def schema_version(self) -> int:
        """The number of the newest migration that the store has had."""

    @abstractmethod
    def subscribe(self, listener: ChangeListener) -> Callable[[], None]:
        """Have `listener` called on the event loop with what each commit changed; returns how to end that."""
