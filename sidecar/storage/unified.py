"""`UnifiedStorage`: the one door to all storage.

Its storage methods are not written out: `@forwarding` makes each from the interface that declares it, so that editors
and type checkers see the interface's signature, and no forward can be forgotten or go stale.
"""

from abc import ABCMeta, update_abstractmethods
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from sidecar.config import DatabaseSettings
from sidecar.errors import BadConfiguration, StorageClosed
from sidecar.models.health import Component
from sidecar.storage.factory import BackendConfig, StorageBackendFactory
from sidecar.storage.interfaces import (
    ChangeListener,
    IDocumentStorageBackend,
    IDocumentStores,
    IStorageBackend,
    StageListener,
    StorageType,
)

C = TypeVar("C", bound=type)


def forwarding(*interfaces: ABCMeta, to: str) -> Callable[[C], C]:
    """A class decorator: every abstract method of `interfaces` calls the same method of the attribute `to`."""

    def decorate(cls: C) -> C:
        for interface in interfaces:
            for name in sorted(interface.__abstractmethods__):
                setattr(cls, name, _forward(getattr(interface, name), to))
        update_abstractmethods(cls)
        return cls

    return decorate


def _forward(declared: Callable[..., Any], to: str) -> Callable[..., Any]:
    name = declared.__name__

    @wraps(declared, updated=())
    def forward(self: object, *arguments: Any, **options: Any) -> Any:
        return getattr(getattr(self, to), name)(*arguments, **options)

    return forward


def _ignore_stages(stage: str, detail: str) -> None:
    """For callers that do not ask what a long start is busy with."""


@forwarding(IDocumentStores, to="_document_backend")
class UnifiedStorage(IDocumentStores):
    """Every store, whatever backend it lives in. Made by `create`, then `initialize`d, at last `close`d."""

    def __init__(self, configs: Sequence[BackendConfig], announce: StageListener = _ignore_stages) -> None:
        self._factory = StorageBackendFactory()
        self._configs = configs
        self._announce = announce
        self._backends: dict[str, IStorageBackend] = {}
        self._defaults: dict[StorageType, IStorageBackend] = {}

    @classmethod
    def create(cls, configs: Sequence[BackendConfig], announce: StageListener = _ignore_stages) -> Self:
        """A storage over these backends; `announce` hears what a long start is busy with."""
        return cls(configs, announce)

    async def initialize(self) -> None:
        """Open every configured backend. Raises `StartRefused` when one cannot be; none is then left open."""
        try:
            for config in self._configs:
                if config.name in self._backends:
                    raise BadConfiguration(f"Two storage backends are called '{config.name}'; rename one.")
                backend = await self._factory.create_storage_backend(config, self._announce)
                self._backends[config.name] = backend
                if config.default:
                    self._defaults.setdefault(config.storage_type, backend)
        except BaseException:
            await self.close()
            raise

    def get_default_backend(self, storage_type: StorageType) -> IStorageBackend:
        """The backend that serves this type. Raises `StorageClosed` before `initialize` and after `close`."""
        try:
            return self._defaults[storage_type]
        except KeyError:
            raise StorageClosed(f"No {storage_type} backend is open.") from None

    @property
    def schema_version(self) -> int:
        """The number of the newest migration that the document store has had."""
        return self._document_backend.schema_version

    def subscribe(self, listener: ChangeListener) -> Callable[[], None]:
        """Have `listener` called on the event loop with what each commit changed; returns how to end that."""
        return self._document_backend.subscribe(listener)

    async def health(self) -> Mapping[str, Component]:
        """Each component's state, named `backend.component` when there are several backends; never raises."""
        components: dict[str, Component] = {}
        for name, backend in self._backends.items():
            prefix = f"{name}." if len(self._backends) > 1 else ""
            components |= {prefix + part: state for part, state in (await backend.health()).items()}
        return components

    async def close(self) -> None:
        """Close every backend, finishing what was accepted. A second call does nothing."""
        self._defaults.clear()
        while self._backends:
            _, backend = self._backends.popitem()
            await backend.close()

    @property
    def _document_backend(self) -> IDocumentStorageBackend:
        return cast(IDocumentStorageBackend, self.get_default_backend(StorageType.DOCUMENT_DB))


def document_backend(database: DatabaseSettings, data_directory: Path) -> BackendConfig:
    """The configuration of the document store, as the settings have it."""
    path = (data_directory / database.path).absolute() if database.enabled else None
    options = {"path": path, "readers": database.readers}
    return BackendConfig("documents", StorageType.DOCUMENT_DB, "sqlite", options)
