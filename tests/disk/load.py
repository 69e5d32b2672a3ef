"""A mixed load: rows of several kinds, alone and in batches, streamed messages, conversation states, a deletion."""

import asyncio
from functools import partial
from pathlib import Path

from sidecar.config import DatabaseSettings
from sidecar.models.todos import Todo, TodoCreate
from sidecar.models.vaults import VaultCreate
from sidecar.storage.unified import UnifiedStorage, document_backend

from .diary import Diary

DATA, OUT = "data", "out"
"""The folders of a scenario: the sidecar's data directory, and a place for exports."""


def store_in(directory: Path) -> UnifiedStorage:
    """The store of the scenario in this directory, not yet open."""
    return UnifiedStorage.create([document_backend(DatabaseSettings(), directory / DATA)])


def database_in(directory: Path) -> Path:
    return directory / DATA / "sidecar.db"


async def add_rows(storage: UnifiedStorage, diary: Diary, name: str) -> None:
    """Add single rows, some of them at the same time, and a batch."""
    await asyncio.gather(*(_add_todo(storage, diary, f"{name} todo {number}") for number in range(4)))
    tip = f"{name} tip"
    await diary.attempt("rows", lambda key: storage.insert_tip(tip, key=key), rows={"tips": [tip]})
    texts = [f"{name} batch {number} {'x' * 50 * number}" for number in range(20)]
    todos = [TodoCreate(text) for text in texts]
    await diary.attempt("rows", lambda key: storage.batch_insert_todos(todos, key=key), rows={"todo": texts})


async def add_everything(storage: UnifiedStorage, diary: Diary, name: str) -> None:
    """Add something of everything, and delete a row."""
    await add_rows(storage, diary, name)
    await _add_vaults(storage, diary, name)
    await _stream(storage, diary, name, finish=True)
    await _stream(storage, diary, name, finish=False)
    for version in range(1, 4):
        await _save_state(storage, diary, f"{name} thread", version)
    doomed = await _add_todo(storage, diary, f"{name} deleted")
    if doomed is not None:
        delete = partial(storage.delete_todo, doomed.id)
        await diary.attempt("delete", lambda key: delete(key=key), table="todo", text=doomed.content)


async def _add_todo(storage: UnifiedStorage, diary: Diary, text: str) -> Todo | None:
    return await diary.attempt("rows", lambda key: storage.insert_todo(text, key=key), rows={"todo": [text]})


async def _add_vaults(storage: UnifiedStorage, diary: Diary, name: str) -> None:
    document = f"{name} document"
    await diary.attempt(
        "rows",
        lambda key: storage.insert_vaults(document, content="long " * 2000, key=key),
        rows={"vaults": [document]},
    )
    titles = [f"{name} vault {number}" for number in range(5)]
    vaults = [VaultCreate(title, content="words " * 200) for title in titles]
    await diary.attempt("rows", lambda key: storage.batch_insert_vaults(vaults, key=key), rows={"vaults": titles})


async def _stream(storage: UnifiedStorage, diary: Diary, name: str, *, finish: bool) -> None:
    conversation = await diary.attempt(
        "conversation", lambda key: storage.create_conversation(page_name="home", title=name, key=key)
    )
    if conversation is None:
        return
    message = await diary.attempt(
        "message",
        lambda key: storage.create_streaming_message(conversation.id, "assistant", key=key),
        lambda made: {"message": made.id},
    )
    if message is None:
        return
    for number in range(6):
        chunk = f"<{name} {number} {'y' * 100}>"
        append = partial(storage.append_message_content, message.id, chunk)
        if await diary.attempt("chunk", lambda key: append(key=key), message=message.id, text=chunk) is None:  # noqa: B023
            return
    if finish:
        await diary.attempt(
            "finish", lambda key: storage.mark_message_finished(message.id, key=key), message=message.id
        )


async def _save_state(storage: UnifiedStorage, diary: Diary, thread: str, version: int) -> None:
    messages = [{"role": "user", "content": f"{version} {'z' * 300}"}]
    await diary.attempt(
        "state",
        lambda key: storage.save_conversation_state(thread, messages, key=key),
        thread=thread,
        version=version,
    )
