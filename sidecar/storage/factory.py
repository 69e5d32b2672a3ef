"""From a backend's configuration to the backend. The one place that knows which backends there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sidecar.clock import SYSTEM_CLOCK, Clock
from sidecar.errors import BadConfiguration
from sidecar.storage.interfaces import IStorageBackend, StageListener, StorageType


@dataclass(frozen=True)
class BackendConfig:
    """One backend as the configuration names it."""

    name: str
    storage_type: StorageType
    backend: str
    options: Mapping[str, Any] = field(default_factory=dict)
    default: bool = True


Opened = Mapping[str, IStorageBackend]
"""The backends that are open already, by name."""


def _sqlite(config: BackendConfig, opened: Opened, clock: Clock) -> IStorageBackend:  # noqa: ARG001 - every maker's shape
    from sidecar.storage.sqlite.backend import SQLiteBackend

    return SQLiteBackend(clock)


def _sqlite_vectors(config: BackendConfig, opened: Opened, clock: Clock) -> IStorageBackend:  # noqa: ARG001
    """Beside the document backend that `config.options["beside"]` names, in its database; without a name, the first."""
    from sidecar.storage.sqlite.backend import SQLiteBackend
    from sidecar.storage.vectors.backend import VectorBackend

    name = config.options.get("beside")
    for other, backend in opened.items():
        if isinstance(backend, SQLiteBackend) and name in (None, other):
            return VectorBackend(backend)
    wanted = "a backend 'sqlite' for document_db" if name is None else f"one called '{name}'"
    raise BadConfiguration(f"The backend '{config.name}' lives beside {wanted}, and there is none.")


_MAKERS: dict[tuple[StorageType, str], Callable[[BackendConfig, Opened, Clock], IStorageBackend]] = {
    (StorageType.DOCUMENT_DB, "sqlite"): _sqlite,
    (StorageType.VECTOR_DB, "sqlite"): _sqlite_vectors,
}


class StorageBackendFactory:
    """Makes backends; each is imported when it is first asked for."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock

    async def create_storage_backend(
        self, config: BackendConfig, announce: StageListener, opened: Opened = MappingProxyType({})
    ) -> IStorageBackend:
        """An initialised backend. Raises `BadConfiguration` for one that does not exist."""
        maker = _MAKERS.get((config.storage_type, config.backend))
        if maker is None:
            known = ", ".join(f"{name} ({storage_type})" for storage_type, name in _MAKERS)
            raise BadConfiguration(
                f"There is no backend '{config.backend}' for {config.storage_type}; there is: {known}."
            )
        backend = maker(config, opened, self._clock)
        await backend.initialize(config.options, announce)
        return backend
