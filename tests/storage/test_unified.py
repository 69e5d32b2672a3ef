"""The one door: every interface method has a way through, and backends come and go as configured."""

import inspect
import threading
from abc import ABCMeta
from collections import Counter
from pathlib import Path

import pytest

from sidecar.config import DatabaseSettings, load_settings
from sidecar.errors import BadConfiguration, NotAvailable, StorageClosed
from sidecar.models.idempotency import IdempotencyKey
from sidecar.storage import capabilities
from sidecar.storage.factory import BackendConfig, StorageBackendFactory
from sidecar.storage.interfaces import StorageType, Work
from sidecar.storage.resources import message_finish
from sidecar.storage.resources.all import Resources
from sidecar.storage.resources.vault_tree import QUICK_START_TITLE
from sidecar.storage.sqlite.backend import SQLiteBackend
from sidecar.storage.unified import UnifiedStorage, configured_backends, document_backend
from sidecar.storage.vectors.all import VectorResources
from tests.vectors.contexts import context

SEED = {
    "initialize": "",
    "get_default_backend": "storage_type",
    "batch_upsert_processed_context": "contexts",
    "upsert_processed_context": "context",
    "get_processed_context": "id context_type",
    "delete_processed_context": "id context_type",
    "get_all_processed_contexts": "context_types limit offset filter need_vector",
    "get_processed_context_count": "context_type",
    "get_all_processed_context_counts": "",
    "get_available_context_types": "",
    "search": "query top_k context_types filters",
    "upsert_todo_embedding": "todo_id content embedding metadata",
    "search_similar_todos": "query_embedding top_k similarity_threshold",
    "delete_todo_embedding": "todo_id",
    "get_document": "doc_id",
    "query_documents": "query limit filters",
    "delete_document": "doc_id",
    "create_conversation": "page_name user_id title metadata",
    "get_conversation": "conversation_id",
    "get_conversation_list": "limit offset page_name user_id status",
    "update_conversation": "conversation_id title status",
    "delete_conversation": "conversation_id",
    "insert_vaults": "title summary content document_type tags parent_id is_folder",
    "update_vault": "vault_id title content summary tags is_deleted",
    "get_reports": "limit offset is_deleted",
    "get_vaults": ("limit offset is_deleted document_type created_after created_before updated_after updated_before"),
    "get_vault": "vault_id",
    "insert_todo": "content start_time end_time status urgency assignee reason",
    "get_todos": "status limit offset start_time end_time",
    "insert_activity": "title content resources metadata start_time end_time",
    "get_activities": "start_time end_time limit offset",
    "insert_tip": "content",
    "get_tips": "start_time end_time limit offset",
    "update_todo_status": "todo_id status end_time",
    "save_monitoring_token_usage": "model prompt_tokens completion_tokens total_tokens",
    "save_monitoring_stage_timing": "stage_name duration_ms status metadata",
    "save_monitoring_data_stats": "data_type count context_type metadata",
    "query_monitoring_token_usage": "hours",
    "query_monitoring_stage_timing": "hours",
    "query_monitoring_data_stats": "hours",
    "query_monitoring_data_stats_by_range": "start_time end_time",
    "query_monitoring_data_stats_trend": "hours interval_hours",
    "cleanup_old_monitoring_data": "days",
    "create_message": "conversation_id role content is_complete token_count parent_message_id metadata",
    "create_streaming_message": "conversation_id role parent_message_id metadata",
    "get_message": "message_id include_thinking",
    "get_conversation_messages": "conversation_id",
    "mark_message_finished": "message_id status error_message",
    "interrupt_message": "message_id",
    "add_message_thinking": "message_id content stage progress sequence metadata",
    "get_message_thinking": "message_id",
    "clear_message_thinking": "message_id",
    "query": "query limit filters",
    "delete_message": "message_id",
    "update_message": "message_id new_content is_complete token_count",
    "append_message_content": "message_id content_chunk token_count",
    "update_message_metadata": "message_id metadata",
    "save_conversation_state": "thread_id messages cache_info",
    "get_conversation_state": "thread_id",
    "update_cache_info": "thread_id cache_info",
    "clear_conversation_state": "thread_id",
    "close": "",
}
"""Every method that the seeds name for `UnifiedStorage`, `SQLiteBackend` or conversation states, and its parameters."""

BATCHES = {
    "batch_insert_todos": "todos",
    "batch_insert_activities": "activities",
    "batch_insert_tips": "tips",
    "batch_insert_vaults": "vaults",
    "batch_create_conversations": "conversations",
    "batch_create_messages": "conversation_id messages",
    "batch_add_message_thinking": "message_id thinking",
}
"""Those that do to many rows what the seed's do to one, named after its `batch_upsert_processed_context`."""

METHODS = SEED | BATCHES

PARTS = (*Resources.__bases__, *VectorResources.__bases__)
"""Every resource."""

CAPABILITIES = (
    capabilities.ISearch,
    capabilities.ITransfer,
    capabilities.IMaintenance,
    capabilities.IBackups,
    capabilities.IRecovery,
    capabilities.IAdoptions,
    capabilities.IInvalidRows,
)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_of_the_seed_is_there_with_its_parameters_in_order(name: str) -> None:
    method = getattr(UnifiedStorage, name)
    assert inspect.iscoroutinefunction(inspect.unwrap(method)) or name == "get_default_backend"
    _, *parameters = inspect.signature(method).parameters.values()
    wanted = METHODS[name].split()
    assert [parameter.name for parameter in parameters][: len(wanted)] == wanted
    assert all(parameter.kind == parameter.POSITIONAL_OR_KEYWORD for parameter in parameters[: len(wanted)])


@pytest.mark.parametrize("resource", PARTS)
def test_the_methods_of_a_resource_are_those_of_the_storage(resource: type) -> None:
    methods = {name: method for name, method in vars(resource).items() if not name.startswith("_")}
    assert methods
    assert methods == {name: getattr(UnifiedStorage, name) for name in methods}


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_every_method_of_a_capability_has_a_way_through(capability: ABCMeta) -> None:
    assert capability.__abstractmethods__ <= vars(UnifiedStorage).keys()


def test_no_name_of_a_part_hides_that_of_another() -> None:
    names = Counter(name for part in (*PARTS, *CAPABILITIES) for name in vars(part) if not name.startswith("__"))
    assert {name for name, count in names.items() if count > 1} <= {"_abc_impl", "_tables"}


def test_forwards_keep_signature_and_documentation() -> None:
    forward, declared = UnifiedStorage.create_backup, capabilities.IBackups.create_backup
    assert inspect.signature(forward) == inspect.signature(declared)
    assert forward.__doc__ == declared.__doc__


async def test_a_key_goes_through_the_door(storage: UnifiedStorage) -> None:
    key = IdempotencyKey("key-1")
    assert await storage.insert_tip("once", key=key) == await storage.insert_tip("once", key=key)
    assert len((await storage.get_tips()).items) == 1


async def test_the_default_backend_of_a_type_is_found(storage: UnifiedStorage) -> None:
    backend = storage.get_default_backend(StorageType.DOCUMENT_DB)
    assert (backend.get_name(), backend.get_storage_type()) == ("sqlite", StorageType.DOCUMENT_DB)


async def test_the_backend_has_the_methods_of_every_resource_itself(storage: UnifiedStorage) -> None:
    backend = storage.get_default_backend(StorageType.DOCUMENT_DB)
    assert isinstance(backend, SQLiteBackend)
    tip = await backend.insert_tip("by the backend")
    assert (await storage.get_tips()).items == [tip]


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


async def opened(tmp_path: Path, text: str) -> UnifiedStorage:
    """A storage with the backends that this settings file lists."""
    (tmp_path / "sidecar.toml").write_text(text)
    storage = UnifiedStorage.create(configured_backends(load_settings(tmp_path, environment={}), tmp_path))
    await storage.initialize()
    return storage


DOCUMENTS = '[[storage.backends]]\nname = "papers"\nstorage_type = "document_db"\nbackend = "sqlite"\n'
VECTORS = '[[storage.backends]]\nname = "ideas"\nstorage_type = "vector_db"\nbackend = "sqlite"\n'


async def test_backends_come_from_the_settings_in_any_order(tmp_path: Path) -> None:
    options = 'options = { path = "papers.db", readers = 1 }\n'
    storage = await opened(tmp_path, f'{VECTORS}options = {{ beside = "papers" }}\n{DOCUMENTS}{options}')
    await storage.upsert_processed_context(context("a", 1))
    assert storage.get_default_backend(StorageType.VECTOR_DB).get_storage_type() == StorageType.VECTOR_DB
    assert {"writer", "ideas.vectors"} <= (await storage.health()).keys()
    await storage.close()
    assert (tmp_path / "papers.db").exists()


async def test_a_type_is_served_by_its_first_default(tmp_path: Path) -> None:
    first = f'{DOCUMENTS}default = false\noptions = {{ path = "first.db" }}\n'
    second = DOCUMENTS.replace("papers", "books") + 'options = { path = "second.db" }\n'
    storage = await opened(tmp_path, first + second)
    await storage.insert_tip("stretch")
    assert {"writer", "papers.writer"} <= (await storage.health()).keys()
    await storage.close()
    storage = await opened(tmp_path, second)
    assert [tip.content for tip in (await storage.get_tips()).items] == ["stretch"]
    await storage.close()


async def test_what_no_backend_serves_is_a_clear_error(tmp_path: Path) -> None:
    storage = await opened(tmp_path, DOCUMENTS)
    with pytest.raises(NotAvailable, match=r"no backend for vector_db.*\[\[storage\.backends\]\]"):
        await storage.search([1.0])
    await storage.close()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DOCUMENTS.replace("sqlite", "cards"), r"no backend 'cards' for document_db; there is: sqlite \(document_db\)"),
        (DOCUMENTS.replace("document_db", "paper_db"), r"storage_type.*'document_db' or 'vector_db'"),
        (f"{DOCUMENTS}options = {{ colour = 1 }}", "'papers' has a wrong option: .*colour"),
        (f"{DOCUMENTS}options = {{ readers = 0 }}", "'papers' has a wrong option: readers must be"),
        (f"{DOCUMENTS}{VECTORS}options = {{ colour = 1 }}", "'ideas' knows the option beside, and not: colour"),
        (f'{DOCUMENTS}{VECTORS}options = {{ beside = "books" }}', "'ideas' lives beside one called 'books'"),
        (f"{DOCUMENTS}{DOCUMENTS}", "Two storage backends are called 'papers'"),
        (DOCUMENTS + DOCUMENTS.replace("papers", "books"), "'papers' and 'books' have the same file"),
        (VECTORS, "'ideas' lives beside a backend 'sqlite' for document_db, and there is none"),
        ("[storage]\nbackends = []", "no backend for document_db"),
    ],
)
async def test_backends_that_cannot_be_are_a_bad_configuration(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadConfiguration, match=message):
        await opened(tmp_path, text)


async def test_two_backends_of_one_name_are_refused_and_none_stays_open(tmp_path: Path) -> None:
    config = document_backend(DatabaseSettings(), tmp_path)
    storage = UnifiedStorage.create([config, config])
    with pytest.raises(BadConfiguration, match="'documents'"):
        await storage.initialize()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sidecar.db", "sidecar.db.closed"]


@pytest.mark.parametrize("is_on_disk", [True, False])
async def test_a_start_that_fails_with_an_open_database_leaves_no_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_on_disk: bool
) -> None:
    def fail(_: Work) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(message_finish, "fail_cut_off", fail)
    before = set(threading.enumerate())
    storage = UnifiedStorage.create([document_backend(DatabaseSettings(enabled=is_on_disk), tmp_path)])
    with pytest.raises(RuntimeError, match="broken"):
        await storage.initialize()
    for thread in set(threading.enumerate()) - before:
        thread.join(20)
        assert not thread.is_alive(), thread


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
