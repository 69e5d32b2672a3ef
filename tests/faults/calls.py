"""Every public method of storage: one call of each that changes something, or why there is none.

A method that is not named here fails `test_statements.py`; one that only reads needs no line when it begins with a word
of `READING`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from sidecar.models.activities import ActivityCreate
from sidecar.models.contexts import ProcessedContextInput
from sidecar.models.conversations import ConversationCreate
from sidecar.models.histories import ConversationHistory
from sidecar.models.jobs import JobProgress, JobStatus
from sidecar.models.messages import BatchMessage, MessageCreate, Role, ThinkingCreate
from sidecar.models.tips import TipCreate
from sidecar.models.todos import TodoCreate
from sidecar.models.vaults import VaultCreate
from sidecar.storage.resources.all import Resources
from sidecar.storage.unified import UnifiedStorage
from sidecar.storage.vectors.all import VectorResources
from tests.storage.test_unified import CAPABILITIES

from ..tools.conftest import set_aside

VECTOR = [1.0, 0.5, -0.25, 0.0]
LATER = "2099-01-01T00:00:00.000Z"


class Rows(NamedTuple):
    """The ids of rows for the calls; each call that removes a row has one of its own."""

    folder: int
    vault: int
    vault_to_delete: int
    vault_deleted: int
    vault_deleted_too: int
    todo: int
    todo_to_delete: int
    activity: int
    activity_to_delete: int
    tip: int
    tip_to_delete: int
    conversation: int
    conversation_to_delete: int
    conversation_deleted: int
    conversation_deleted_too: int
    message: int
    message_to_delete: int
    streaming: int
    streaming_too: int
    streaming_as_well: int
    set_aside: int
    job: int
    job_running: int


async def populate(store: UnifiedStorage) -> Rows:
    """Add a row for every call."""
    folder = await store.insert_vaults("Folder", is_folder=True)
    vaults = [await store.insert_vaults(f"Vault {number}", content="word") for number in range(4)]
    for vault in vaults[2:]:
        await store.delete_vault(vault.id)
    todos = [await store.insert_todo(f"todo {number}") for number in range(2)]
    activities = [await store.insert_activity(f"activity {number}", "word") for number in range(2)]
    tips = [await store.insert_tip(f"tip {number}") for number in range(2)]
    talks = [await store.create_conversation("home", title=f"talk {number}") for number in range(4)]
    for talk in talks[2:]:
        await store.delete_conversation(talk.id)
    messages = [
        await store.create_message(talks[0].id, "user", f"message {number}", model="large", cost=0.5)
        for number in range(2)
    ]
    streams = [await store.create_streaming_message(talks[0].id, "assistant") for _ in range(3)]
    await store.append_message_content(streams[1].id, "begun ")
    await store.add_message_thinking(messages[0].id, "hm")
    for thread in ("thread", "thread to clear", "thread to delete"):
        await store.save_conversation_state(thread, [{"role": "user"}], {"hits": 1})
    for name in ("context", "first to delete", "second to delete"):
        await store.upsert_processed_context(context(name))
    await store.set_preference("app", "to delete", 1)
    await store.upsert_todo_embedding(todos[0].id, embedding=VECTOR)
    await store.save_monitoring_token_usage("model", 1, 2)
    await set_aside(store, "tips", {"id": 5, "content": "of before", "created_at": LATER})
    (kept,) = (await store.get_rows_set_aside()).items
    jobs = [await store.create_job("notes.import", {"deck": 1}, run=run) for run in (None, "runner-1")]
    made = [folder, *vaults, *todos, *activities, *tips, *talks, *messages, *streams, kept, *jobs]
    return Rows._make(row.id for row in made)  # type: ignore[attr-defined]


def context(name: str) -> ProcessedContextInput:
    return ProcessedContextInput.model_validate(
        {"id": name, "extracted_data": {"context_type": "entity"}, "vector": VECTOR, "text": "word"}
    )


def history(content: str, **fields: Any) -> ConversationHistory:
    question = {"role": "user", "content": content, "external_id": "q", "thinking": [{"content": content}]}
    answer = {"role": "assistant", "external_id": content, "parent_external_id": "q", "model": "large", "cost": 0.5}
    given = {"page_name": "home", "source": "elsewhere", "messages": [question, answer], **fields}
    return ConversationHistory.model_validate(given)


Call = Callable[[UnifiedStorage, Rows], Awaitable[Any]]

UNITS: Mapping[str, Call] = {
    "insert_vaults": lambda store, rows: store.insert_vaults("New", content="word", parent_id=rows.folder),
    "batch_insert_vaults": lambda store, _: store.batch_insert_vaults([VaultCreate("a"), VaultCreate("b")]),
    "update_vault": lambda store, rows: store.update_vault(rows.vault, title="Other", content="other words"),
    "move_vault": lambda store, rows: store.move_vault(rows.vault, rows.folder),
    "delete_vault": lambda store, rows: store.delete_vault(rows.vault_to_delete),
    "restore_vault": lambda store, rows: store.restore_vault(rows.vault_deleted),
    "delete_vault_permanently": lambda store, rows: store.delete_vault_permanently(rows.vault_deleted_too),
    "insert_default_vault_document": lambda store, _: store.insert_default_vault_document(),
    "insert_todo": lambda store, _: store.insert_todo("new todo"),
    "batch_insert_todos": lambda store, _: store.batch_insert_todos([TodoCreate("a"), TodoCreate("b")]),
    "update_todo": lambda store, rows: store.update_todo(rows.todo, content="other words", urgency=3),
    "update_todo_status": lambda store, rows: store.update_todo_status(rows.todo, 1),
    "toggle_todo": lambda store, rows: store.toggle_todo(rows.todo),
    "delete_todo": lambda store, rows: store.delete_todo(rows.todo_to_delete),
    "insert_activity": lambda store, _: store.insert_activity("new", "words", start_time=LATER, end_time=LATER),
    "batch_insert_activities": lambda store, _: store.batch_insert_activities(
        [ActivityCreate("a", "", start_time=LATER, end_time=LATER)] * 2
    ),
    "update_activity": lambda store, rows: store.update_activity(rows.activity, title="other words", metadata={"a": 1}),
    "delete_activity": lambda store, rows: store.delete_activity(rows.activity_to_delete),
    "insert_tip": lambda store, _: store.insert_tip("new tip"),
    "batch_insert_tips": lambda store, _: store.batch_insert_tips([TipCreate("a"), TipCreate("b")]),
    "update_tip": lambda store, rows: store.update_tip(rows.tip, "other words"),
    "delete_tip": lambda store, rows: store.delete_tip(rows.tip_to_delete),
    "create_conversation": lambda store, _: store.create_conversation("home", title="new"),
    "create_conversation, of another program": lambda store, _: store.create_conversation(
        "home", source="elsewhere", external_id="stored"
    ),
    "batch_create_conversations": lambda store, _: store.batch_create_conversations([ConversationCreate("a")] * 2),
    "update_conversation": lambda store, rows: store.update_conversation(
        rows.conversation_to_delete, title="other words", status="deleted"
    ),
    "organize_conversations": lambda store, rows: store.organize_conversations(
        [rows.conversation], folder="work", add_tags=["a", "b"], is_pinned=True
    ),
    "restore_conversation": lambda store, rows: store.restore_conversation(rows.conversation_deleted),
    "delete_conversation_permanently": lambda store, rows: store.delete_conversation_permanently(
        rows.conversation_deleted_too
    ),
    "create_message": lambda store, rows: store.create_message(rows.conversation, "user", "new"),
    "batch_create_messages": lambda store, rows: store.batch_create_messages(
        rows.conversation,
        [
            MessageCreate(Role.USER, "a", external_id="q"),
            BatchMessage(Role.ASSISTANT, "b", external_id="m", parent_index=0),
        ],
    ),
    "import_histories": lambda store, _: store.import_histories([history("a"), history("b", external_id="c")]),
    "import_histories, again": lambda store, _: store.import_histories(
        [history("changed", external_id="c", remove_missing=True, title="Other")]
    ),
    "create_message, of another program": lambda store, rows: store.create_message(
        rows.conversation, "user", "changed", external_id="m", parent_message_id=rows.message
    ),
    "create_streaming_message": lambda store, rows: store.create_streaming_message(rows.conversation, "assistant"),
    "update_message": lambda store, rows: store.update_message(rows.streaming, "whole", is_complete=True),
    "append_message_content": lambda store, rows: store.append_message_content(rows.streaming_too, "more", 1),
    "update_message_metadata": lambda store, rows: store.update_message_metadata(rows.message, {"a": 1}),
    "mark_message_finished": lambda store, rows: store.mark_message_finished(rows.streaming_too),
    "mark_message_finished, with its usage": lambda store, rows: store.mark_message_finished(
        rows.message, model="small", cost=0.25
    ),
    "interrupt_message": lambda store, rows: store.interrupt_message(rows.streaming_as_well),
    "delete_message": lambda store, rows: store.delete_message(rows.message_to_delete),
    "add_message_thinking": lambda store, rows: store.add_message_thinking(rows.message, "hm", "plan"),
    "batch_add_message_thinking": lambda store, rows: store.batch_add_message_thinking(
        rows.message, [ThinkingCreate("a"), ThinkingCreate("b")]
    ),
    "clear_message_thinking": lambda store, rows: store.clear_message_thinking(rows.message),
    "save_conversation_state": lambda store, _: store.save_conversation_state("thread", [1, 2], {"hits": 2}),
    "update_cache_info": lambda store, _: store.update_cache_info("thread", {"more": 1}),
    "clear_conversation_state": lambda store, _: store.clear_conversation_state("thread to clear"),
    "delete_thread_permanently": lambda store, _: store.delete_thread_permanently("thread to delete"),
    "add_exchange": lambda store, _: store.add_exchange("thread", "model", "request", {"usd": 0.5}),
    "set_preference": lambda store, _: store.set_preference("app", "theme", {"dark": True}),
    "delete_preference": lambda store, _: store.delete_preference("app", "to delete"),
    "note_task_run": lambda store, _: store.note_task_run("notes.sync"),
    "delete_document": lambda store, rows: store.delete_document(f"vault:{rows.vault}"),
    "save_monitoring_token_usage": lambda store, _: store.save_monitoring_token_usage("model", 1, 2),
    "save_monitoring_stage_timing": lambda store, _: store.save_monitoring_stage_timing("stage", 5),
    "save_monitoring_data_stats": lambda store, _: store.save_monitoring_data_stats("kind", 2),
    "save_monitoring_error": lambda store, _: store.save_monitoring_error("stage", "out of paper", 2),
    "save_monitoring_run": lambda store, _: store.save_monitoring_run(
        "indexer", LATER, LATER, "error", {"documents": 1}, "out of ink"
    ),
    "reset_monitoring_session": lambda store, _: store.reset_monitoring_session(),
    "prune_monitoring": lambda store, _: store.prune_monitoring(LATER, 10),
    "prune_idempotency_keys": lambda store, _: store.prune_idempotency_keys(LATER, 10),
    "acknowledge_rows_set_aside": lambda store, _: store.acknowledge_rows_set_aside(),
    "restore_row_set_aside": lambda store, rows: store.restore_row_set_aside(rows.set_aside, {}),
    "create_job": lambda store, _: store.create_job("notes.import", {"deck": 2}, is_repeatable=True),
    "claim_jobs": lambda store, _: store.claim_jobs({"notes.import": 2}, 1, "runner-2"),
    "save_job_progress": lambda store, rows: store.save_job_progress(
        rows.job_running, "runner-1", JobProgress(done=1, total=3)
    ),
    "finish_job": lambda store, rows: store.finish_job(
        rows.job_running, "runner-1", JobStatus.DONE, JobProgress(done=3, total=3), {"cards": 3}
    ),
    "cancel_job": lambda store, rows: store.cancel_job(rows.job),
    "recover_jobs": lambda store, _: store.recover_jobs("runner-3"),
    "interrupt_jobs": lambda store, _: store.interrupt_jobs(),
    "prune_jobs": lambda store, _: store.prune_jobs(LATER, 10),
    "upsert_processed_context": lambda store, _: store.upsert_processed_context(context("new")),
    "batch_upsert_processed_context": lambda store, _: store.batch_upsert_processed_context(
        [context("a"), context("b")]
    ),
    "delete_processed_context": lambda store, _: store.delete_processed_context("context"),
    "delete_contexts": lambda store, _: store.delete_contexts(["first to delete", "second to delete"]),
    "upsert_todo_embedding": lambda store, rows: store.upsert_todo_embedding(rows.todo, embedding=VECTOR),
    "delete_todo_embedding": lambda store, rows: store.delete_todo_embedding(rows.todo),
    "delete_conversation": lambda store, rows: store.delete_conversation(rows.conversation),
}
"""Methods whose change is one unit of work: all of it is there, or nothing. In this order, all can be called."""

IN_STEPS: Mapping[str, Call] = {
    "cleanup_old_monitoring_data": lambda store, _: store.cleanup_old_monitoring_data(1),
    "repair_invalid_rows": lambda store, _: store.repair_invalid_rows(),
    "rebuild_search_index": lambda store, _: store.rebuild_search_index(),
    "fill_search_index": lambda store, _: store.fill_search_index(),
    "merge_search_index": lambda store, _: store.merge_search_index(10),
    "give_back_pages": lambda store, _: store.give_back_pages(10, 0),
    "refresh_statistics": lambda store, _: store.refresh_statistics("tips"),
    "checkpoint": lambda store, _: store.checkpoint(),
    "scan_for_invalid_rows": lambda store, _: store.scan_for_invalid_rows(100),
    "check_integrity": lambda store, _: store.check_integrity(),
    "acknowledge_recoveries": lambda store, _: store.acknowledge_recoveries(),
}
"""Methods that may be left in the midst and repeated: they change no row, or one after the other."""

ELSEWHERE: Mapping[str, str] = {
    "create_backup": "tests/chaos/test_backup.py",
    "delete_backup": "tests/chaos/test_backup.py",
    "verify_backup": "tests/chaos/test_backup.py",
    "restore_backup": "tests/chaos/test_restore.py",
    "import_rows": "tests/chaos/test_import.py",
    "export_rows": "tests/chaos/test_backup.py",
}
"""Methods with faults of their own kind, and the tests of these."""

READING = (
    *(
        "get_",
        "read_",
        "query",
        "search",
        "show_",
        "count_",
        "find_",
        "examine_",
        "integrity_check_is_due",
        "writer_is_idle",
    ),
    *("invalid_rows_scan_is_due", "has_changed_since_backup", "last_used_at", "database_file", "scratch_directory"),
)


def public_methods() -> list[str]:
    resources = (*Resources.__bases__, *VectorResources.__bases__)
    methods = {name for resource in resources for name in vars(resource) if not name.startswith("_")}
    return sorted(methods.union(*(capability.__abstractmethods__ for capability in CAPABILITIES)))
