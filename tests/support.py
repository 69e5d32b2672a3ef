"""The one back door of the tests: from an open storage to its SQLite backend, and so to the database itself."""

from sidecar.storage.interfaces import StorageType
from sidecar.storage.sqlite.backend import SQLiteBackend
from sidecar.storage.unified import UnifiedStorage


def backend_of(storage: UnifiedStorage) -> SQLiteBackend:
    """Return the backend that stores the rows, for what no public method of the storage reaches."""
    backend = storage.get_default_backend(StorageType.DOCUMENT_DB)
    assert isinstance(backend, SQLiteBackend)
    return backend
