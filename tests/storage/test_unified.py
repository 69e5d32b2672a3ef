"""The one door: every interface method has a way through, and backends come and go as configured."""

import inspect
from abc import ABCMeta
from pathlib import Path

import pytest

from sidecar.config import DatabaseSettings
from sidecar.errors import BadConfiguration, StorageClosed
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage import interfaces
from sidecar.storage.factory import BackendConfig, StorageBackendFactory
from sidecar.storage.interfaces import StorageType
from sidecar.storage.sqlite.backend import SQLiteBackend
from sidecar.storage.sqlite.vaults import QUICK_START_TITLE
from sidecar.storage.stores.todos import ITodoStore
from sidecar.storage.unified import UnifiedStorage, document_backend


@pytest.mark.parametrize("store", interfaces.IDocumentStores.__bases__)
def test_every_interface_method_has_a_way_through(store: ABCMeta) -> None:
    declared = {name for name, _ in inspect.getmembers(store, inspect.isfunction)}
    assert declared <= vars(UnifiedStorage).keys()


def test_forwards_keep_signature_and_documentation() -> None:
    forward, declared = UnifiedStorage.insert_todo, ITodoStore.insert_todo
    assert inspect.signature(forward) == inspect.signature(declared)
    assert forward.__doc__ == declared.__doc__


async def test_a_key_goes_through_the_door(storage: UnifiedStorage) -> None:
    key = IdempotencyKey("key-1")
    assert await storage.insert_tip("once", key=key) == await storage.insert_tip("once", key=key)
    assert len((await storage.get_tips()).items) == 1


async def test_the_default_backend_of_a_type_is_found(storage: UnifiedStorage) -> None:
    backend = storage.get_default_backend(StorageType.DOCUMENT_DB)
    assert (backend.get_name(), backend.get_storage_type()) == ("sqlite", StorageType.DOCUMENT_DB)


async def test_health_names_each_component(storage: UnifiedStorage) -> None:
    health = await storage.health()
    assert {"writer", "readers", "schema"} <= health.keys()
    assert all(component.ok for component in health.values())


async def test_a_closed_storage_says_so(storage: UnifiedStorage) -> None:
    await storage.close()
    with pytest.raises(StorageClosed):
        await storage.get_tips()
    await storage.close()


async def test_a_backend_that_does_not_exist_is_a_clear_error() -> None:
    config = BackendConfig("documents", StorageType.DOCUMENT_DB, "punch cards")
    with pytest.raises(BadConfiguration, match=r"no backend 'punch cards'.*sqlite"):
        await StorageBackendFactory().create_storage_backend(config, lambda *_: None)


async def test_two_backends_of_one_name_are_refused_and_none_stays_open(tmp_path: Path) -> None:
    config = document_backend(DatabaseSettings(), tmp_path)
    storage = UnifiedStorage.create([config, config])
    with pytest.raises(BadConfiguration, match="'documents'"):
        await storage.initialize()
    assert [path.name for path in tmp_path.iterdir()] == ["sidecar.db"]


async def test_the_quick_start_document_is_there_on_the_very_first_start_only(tmp_path: Path) -> None:
    config = document_backend(DatabaseSettings(), tmp_path)
    for titles_at_start in ([QUICK_START_TITLE], []):
        storage = UnifiedStorage.create([config])
        await storage.initialize()
        vaults = (await storage.get_vaults()).items
        assert [vault.title for vault in vaults] == titles_at_start
        for vault in vaults:
            await storage.delete_vault_permanently(vault.id)
        await storage.close()


async def test_a_database_in_memory_leaves_no_file(tmp_path: Path) -> None:
    storage = UnifiedStorage.create([document_backend(DatabaseSettings(enabled=False), tmp_path)])
    await storage.initialize()
    await storage.insert_tip("gone with the process")
    await storage.close()
    assert list(tmp_path.iterdir()) == []


def test_the_backend_tells_its_schema_version() -> None:
    assert SQLiteBackend().schema_version >= 1
