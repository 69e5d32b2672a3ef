"""`UnifiedStorage`: the one door to all storage.

It inherits the methods of every resource, which reach the open database through it. The capabilities of an engine, such
as backups, are declared in `capabilities.py`, and `@forwarding` makes a forward of each. All of them check their
arguments against their annotations, so HTTP and the library have the same limits.
"""

import asyncio
import inspect
import logging
from abc import ABCMeta, update_abstractmethods
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from sidecar.clock import SYSTEM_CLOCK, Clock
from sidecar.config import AdoptionSettings, BackendSettings, DatabaseSettings, Settings
from sidecar.errors import BadConfiguration, NotAvailable, StorageClosed
from sidecar.models.health import Component
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.search import HybridHit, HybridPage
from sidecar.sentences import first_finding
from sidecar.storage import hybrid
from sidecar.storage.arguments import checked
from sidecar.storage.capabilities import (
    DEFAULT_HITS,
    IAdoptions,
    IBackups,
    IInvalidRows,
    IMaintenance,
    IRecovery,
    ISearch,
    ITransfer,
)
from sidecar.storage.factory import BackendConfig, StorageBackendFactory
from sidecar.storage.interfaces import (
    ChangeListener,
    Connection,
    Database,
    IDocumentStorageBackend,
    IStorageBackend,
    IVectorStorageBackend,
    OwnTables,
    StageListener,
    StorageType,
    Work,
)
from sidecar.storage.resources.all import Resources
from sidecar.storage.resources.preference_models import PreferenceModels
from sidecar.storage.vectors.all import VectorResources
from sidecar.storage.vectors.meaning import Vectors

log = logging.getLogger(__name__)

C = TypeVar("C", bound=type)
M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


def forwarding(**capabilities: ABCMeta) -> Callable[[C], C]:
    """Return a class decorator: each abstract method of a capability calls the document backend's part of that name."""

    def decorate(cls: C) -> C:
        for part, capability in capabilities.items():
            for name in sorted(capability.__abstractmethods__):
                setattr(cls, name, _forward(getattr(capability, name), part))
        update_abstractmethods(cls)
        return cls

    return decorate


def _forward(declared: Callable[..., Any], part: str) -> Callable[..., Any]:
    name = declared.__name__

    @wraps(declared, updated=())
    def forward(self: "UnifiedStorage", *positional: Any, **named: Any) -> Any:
        return getattr(getattr(self._document_backend, part), name)(*positional, **named)

    @wraps(declared, updated=())
    async def forward_later(self: "UnifiedStorage", *positional: Any, **named: Any) -> Any:
        return await getattr(getattr(self._document_backend, part), name)(*positional, **named)

    return checked(forward_later) if inspect.iscoroutinefunction(declared) else forward


def _ignore_stages(stage: str, detail: str) -> None:
    """For callers that do not ask what a long start is busy with."""


@forwarding(
    search=ISearch,
    transfer=ITransfer,
    maintenance=IMaintenance,
    backups=IBackups,
    recovery=IRecovery,
    adoptions=IAdoptions,
    invalid_rows=IInvalidRows,
)
class UnifiedStorage(
    Resources,
    VectorResources,
    ISearch,
    ITransfer,
    IMaintenance,
    IBackups,
    IRecovery,
    IAdoptions,
    IInvalidRows,
    checks=False,
):
    """Every resource, and every capability of the engines that keep them.

    Made by `create`, opened by `initialize` and closed by `close`; `async with` does both.
    """

    def __init__(
        self,
        configs: Sequence[BackendConfig],
        announce: StageListener = _ignore_stages,
        clock: Clock = SYSTEM_CLOCK,
        own_tables: Sequence[OwnTables] = (),
    ) -> None:
        self.clock = clock
        """The time of everything that is stored, and of whatever works for this storage."""
        self._factory = StorageBackendFactory(clock)
        self._configs = configs
        self._announce = announce
        self._own_tables = own_tables
        self._preference_models = PreferenceModels(
            [tables.namespace for tables in own_tables],
            {tables.namespace: tables.preferences for tables in own_tables if tables.preferences is not None},
        )
        self._backends: dict[str, IStorageBackend] = {}
        self._defaults: dict[StorageType, IStorageBackend] = {}
        self._opening = asyncio.Lock()

    @classmethod
    def create(
        cls,
        configs: Sequence[BackendConfig],
        announce: StageListener = _ignore_stages,
        clock: Clock = SYSTEM_CLOCK,
        own_tables: Sequence[OwnTables] = (),
    ) -> Self:
        """A storage over these backends; `announce` hears what a long start is busy with.

        `own_tables` are those of extensions, which the document store keeps beside the others.
        """
        return cls(configs, announce, clock, own_tables)

    async def __aenter__(self) -> Self:
        await self.initialize()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def initialize(self) -> None:
        """Open every configured backend; does nothing while they are open.

        Raises `StartRefused` when one cannot be opened. None is then left open, and it can be tried again.
        """
        async with self._opening:
            if not self._defaults:
                await self._open()

    async def _open(self) -> None:
        try:
            # Documents first: others may live beside them.
            for config in sorted(self._configs, key=lambda config: config.storage_type != StorageType.DOCUMENT_DB):
                if config.name in self._backends:
                    raise BadConfiguration(f"Two storage backends are called '{config.name}'; rename one.")
                if config.storage_type == StorageType.DOCUMENT_DB and self._own_tables:
                    config = replace(config, options={**config.options, "own_tables": self._own_tables})
                self._backends[config.name] = await self._factory.create_storage_backend(
                    config, self._announce, self._backends
                )
            for config in sorted(self._configs, key=lambda config: not config.default):
                self._defaults.setdefault(config.storage_type, self._backends[config.name])
            if StorageType.DOCUMENT_DB not in self._defaults:
                raise BadConfiguration("The settings [[storage.backends]] name no backend for document_db; add one.")
        except BaseException:
            try:
                await self.close()
            except Exception:
                log.exception("a backend could not be closed after a start that failed")
            raise

    def get_default_backend(self, storage_type: StorageType) -> IStorageBackend:
        """The backend that serves this type: the first default of it, or else the first of it.

        Raises `StorageClosed` before `initialize` and after `close`, `NotAvailable` when none is configured.
        """
        backend = self._defaults.get(storage_type)
        if backend is not None:
            return backend
        if not self._defaults:
            raise StorageClosed(f"No {storage_type} backend is open.")
        raise NotAvailable(f"There is no backend for {storage_type}; add one to the settings [[storage.backends]].")

    @property
    def schema_version(self) -> int:
        """The number of the newest migration that the document store has had."""
        return self._document_backend.schema_version

    async def write(
        self, unit: Callable[[Work], T], key: IdempotencyKey | None = None, returns: type[T] | None = None
    ) -> T:
        """Run a unit of work of the caller's own; see `Database.write`."""
        return await self._database.write(unit, key, returns)

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Return the result of a query of the caller's own; see `Database.read`."""
        return await self._database.read(query)

    async def read_preferences(self, model: type[M]) -> M:
        """Return the preferences of the extension that declares `model`, with defaults for what was not set.

        Raises `LookupError` if no loaded extension declares it.
        """
        found = await self.get_preferences(self._preference_models.namespace_of(model))
        values = {one.name: one.value for one in found.items if one.updated_at is not None}
        return model.model_validate_json(to_json(values))

    def subscribe(self, listener: ChangeListener) -> Callable[[], None]:
        """Have `listener` called on the event loop with what each commit changed; returns how to end that."""
        return self._document_backend.subscribe(listener)

    async def search_hybrid(
        self,
        query: str,
        vector: Sequence[float] | None = None,
        kinds: Sequence[str] | None = None,
        limit: int = DEFAULT_HITS,
    ) -> HybridPage:
        """Return documents found by word, by meaning (of `vector`, or else of the query), or by both, the best first.

        Raises what `search_documents` and `search_documents_by_meaning` raise.
        """
        words = await self.search_documents(query, hybrid.RANKED, filters={"kinds": kinds})
        meanings = await self.search_documents_by_meaning(query if vector is None else vector, hybrid.RANKED, kinds)
        similarities = dict(meanings)
        fused = hybrid.fuse([hit.id for hit in words.items], list(similarities))[:limit]
        hits = {hit.id: hit for hit in words.items}
        unseen = [found.id for found in fused if found.id not in hits]
        hits |= {hit.id: hit for hit in await self.show_documents(unseen, query)}
        items = [
            HybridHit(
                **{**dict(hits[found.id]), "score": round(found.score, 6)},
                word_rank=found.word_rank,
                meaning_rank=found.meaning_rank,
                similarity=similarities.get(found.id),
            )
            for found in fused
            if found.id in hits
        ]
        return HybridPage(items=items, complete=words.complete)

    async def health(self) -> Mapping[str, Component]:
        """Each component's state, all but the default document backend's as `backend.component`; never raises."""
        components: dict[str, Component] = {}
        documents = self._defaults.get(StorageType.DOCUMENT_DB)
        for name, backend in self._backends.items():
            prefix = "" if backend is documents else f"{name}."
            components |= {prefix + part: state for part, state in (await backend.health()).items()}
        return components

    async def close(self) -> None:
        """Close every backend, finishing what was accepted. A second call does nothing.

        One that fails does not keep the others open; the first error is raised at the end.
        """
        self._defaults.clear()
        errors: list[Exception] = []
        while self._backends:
            _, backend = self._backends.popitem()
            try:
                await backend.close()
            except Exception as error:  # noqa: BLE001 - raised below
                errors.append(error)
        if errors:
            raise errors[0]

    @property
    def _database(self) -> Database:
        return self._document_backend.database

    @property
    def _vectors(self) -> Vectors:
        backend = cast(IVectorStorageBackend, self.get_default_backend(StorageType.VECTOR_DB))
        return cast(Vectors, backend.vectors)

    @property
    def _document_backend(self) -> IDocumentStorageBackend:
        return cast(IDocumentStorageBackend, self.get_default_backend(StorageType.DOCUMENT_DB))


def document_backend(
    database: DatabaseSettings, data_directory: Path, adoption: AdoptionSettings | None = None
) -> BackendConfig:
    """The configuration of the document store, as the settings have it."""
    options = {
        "path": database.file_in(data_directory),
        "readers": database.readers,
        "data_directory": data_directory.absolute(),
        "time_zone": None if adoption is None else adoption.time_zone,
    }
    return BackendConfig("documents", StorageType.DOCUMENT_DB, "sqlite", options)


def configured_backends(settings: Settings, data_directory: Path) -> list[BackendConfig]:
    """The configuration of every backend that the settings list. Raises `BadConfiguration`."""
    configs = [_configured(backend, settings, data_directory) for backend in settings.storage.backends]
    owners: dict[Path, str] = {}
    for config in configs:
        path: Path | None = config.options.get("path")
        if path is not None and owners.setdefault(path, config.name) != config.name:
            raise BadConfiguration(f"The backends '{owners[path]}' and '{config.name}' have the same file, {path}.")
    return configs


def _configured(backend: BackendSettings, settings: Settings, data_directory: Path) -> BackendConfig:
    storage_type = StorageType(backend.storage_type)
    if storage_type == StorageType.DOCUMENT_DB:
        database = _with_options(backend, settings.database)
        options = document_backend(database, data_directory, settings.adoption).options
    else:
        unknown = ", ".join(sorted(backend.options.keys() - {"beside"}))
        if unknown:
            raise BadConfiguration(f"The backend '{backend.name}' knows the option beside, and not: {unknown}.")
        options = {**backend.options, "embedding": settings.embedding}
    return BackendConfig(backend.name, storage_type, backend.backend, options, backend.default)


def _with_options(backend: BackendSettings, database: DatabaseSettings) -> DatabaseSettings:
    try:
        return DatabaseSettings.model_validate({**database.model_dump(), **backend.options})
    except ValidationError as error:
        raise BadConfiguration(f"The backend '{backend.name}' has a wrong option: {first_finding(error)}.") from None
