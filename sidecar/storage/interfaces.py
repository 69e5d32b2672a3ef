"""What a backend is to `UnifiedStorage`: how it is opened, watched and closed, and which stores it has."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from sidecar.models.health import Component
from sidecar.storage.stores.activities import IActivityStore
from sidecar.storage.stores.adoption import IAdoptionStore
from sidecar.storage.stores.backups import IBackupStore
from sidecar.storage.stores.contexts import IContextStore, IDocumentMeaningStore, ITodoEmbeddingStore
from sidecar.storage.stores.conversations import IConversationStore
from sidecar.storage.stores.invalid_rows import IInvalidRowStore
from sidecar.storage.stores.messages import IMessageStore, IThinkingStore
from sidecar.storage.stores.monitoring import IMonitoringStore
from sidecar.storage.stores.recovery import IRecoveryStore
from sidecar.storage.stores.search import ISearchStore
from sidecar.storage.stores.states import IConversationStateStore
from sidecar.storage.stores.tips import ITipStore
from sidecar.storage.stores.todos import ITodoStore
from sidecar.storage.stores.transfer import ITransferStore
from sidecar.storage.stores.upkeep import IUpkeepStore
from sidecar.storage.stores.vaults import IVaultStore


class StorageType(StrEnum):
    """What a backend stores."""

    DOCUMENT_DB = "document_db"
    VECTOR_DB = "vector_db"


class Change(NamedTuple):
    """One row that a committed unit of work made, changed or removed; `data` says more where reading it would cost."""

    topic: str
    id: int | str
    data: Mapping[str, Any] | None = None


STORE_REPLACED = Change("storage", "replaced")
"""The whole store was replaced by another, such as a backup: whatever was read before may be out of date."""

ChangeListener = Callable[[Sequence[Change]], None]
StageListener = Callable[[str, str], None]
"""Told what a long start is busy with: a stage's name and a sentence."""


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


class IDocumentStores(
    IVaultStore,
    ITodoStore,
    IActivityStore,
    ITipStore,
    IConversationStore,
    IMessageStore,
    IThinkingStore,
    IConversationStateStore,
    ITransferStore,
    ISearchStore,
    IUpkeepStore,
    IMonitoringStore,
    IBackupStore,
    IRecoveryStore,
    IAdoptionStore,
    IInvalidRowStore,
):
    """Every store of a document backend; what is listed here has its way through `UnifiedStorage`."""


class IDocumentStorageBackend(IStorageBackend, IDocumentStores):
    """A backend that stores everything that is found by id, time or word."""

    @property
    @abstractmethod
    def schema_version(self) -> int:
        """The number of the newest migration that the store has had."""

    @abstractmethod
    def subscribe(self, listener: ChangeListener) -> Callable[[], None]:
        """Have `listener` called on the event loop with what each commit changed; returns how to end that."""


class IVectorStores(IContextStore, ITodoEmbeddingStore, IDocumentMeaningStore):
    """Every store of a vector backend; what is listed here has its way through `UnifiedStorage`."""


class IVectorStorageBackend(IStorageBackend, IVectorStores):
    """A backend that stores everything that is found by meaning."""
