"""From a backend's configuration to the backend. The one place that knows which backends there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

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


def _sqlite() -> IStorageBackend:
    from sidecar.storage.sqlite.backend import SQLiteBackend

    return SQLiteBackend()


_MAKERS: dict[tuple[StorageType, str], Callable[[], IStorageBackend]] = {
    (StorageType.DOCUMENT_DB, "sqlite"): _sqlite,
}


class StorageBackendFactory:
    """Makes backends; each is imported when it is first asked for."""

    async def create_storage_backend(self, config: BackendConfig, announce: StageListener) -> IStorageBackend:
        """An initialised backend. Raises `BadConfiguration` for one that does not exist."""
        maker = _MAKERS.get((config.storage_type, config.backend))
        if maker is None:
            known = ", ".join(f"{name} ({storage_type})" for storage_type, name in _MAKERS)
            raise BadConfiguration(
                f"There is no backend '{config.backend}' for {config.storage_type}; there is: {known}."
            )
        backend = maker()
        await backend.initialize(config.options, announce)
        return backend
