"""The states of messages against a model of them that fits on a page."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sidecar.config import DatabaseSettings
from sidecar.errors import Conflict
from sidecar.models.messages import MessageCreate, MessageStatus, Role
from sidecar.storage.unified import UnifiedStorage, document_backend

TEXT = st.text("aé\n'\"%_😀\0", max_size=5)
CHUNK = TEXT.filter(bool)
FINISHED = (MessageStatus.COMPLETED, MessageStatus.FAILED, MessageStatus.CANCELLED)


@dataclass
class Model:
    status: MessageStatus
    content: str
    chunks: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.status not in FINISHED

    def finish(self, status: MessageStatus) -> None:
        self.content += "".join(self.chunks)
        self.chunks = []
        self.status = status


class MessageStates(RuleBasedStateMachine):
    """Random creations, appends, updates and ends; after each, store and model hold the same messages."""

    on_disk = False

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = TemporaryDirectory()
        self.messages: dict[int, Model] = {}

    def open(self) -> None:
        config = document_backend(DatabaseSettings(enabled=self.on_disk), Path(self.directory.name))
        self.storage = UnifiedStorage.create([config])
        self.runner.run(self.storage.initialize())

    @initialize()
    def begin(self) -> None:
        self.open()
        self.conversation = self.runner.run(self.storage.create_conversation("chat", "a talk")).id

    def teardown(self) -> None:
        self.runner.run(self.storage.close())
        self.runner.close()
        self.directory.cleanup()

    def pick(self, data: st.DataObject) -> tuple[int, Model]:
        message = data.draw(st.sampled_from(sorted(self.messages)))
        return message, self.messages[message]

    @rule(content=TEXT, is_complete=st.booleans())
    def create(self, content: str, is_complete: bool) -> None:
        making = self.storage.create_message(self.conversation, "user", content, is_complete=is_complete)
        status = MessageStatus.COMPLETED if is_complete else MessageStatus.PENDING
        self.messages[self.runner.run(making).id] = Model(status, content)

    @rule(contents=st.lists(TEXT, min_size=1, max_size=3))
    def create_many(self, contents: list[str]) -> None:
        rows = [MessageCreate(role=Role.USER, content=content) for content in contents]
        making = self.storage.batch_create_messages(self.conversation, rows)
        for message, content in zip(self.runner.run(making), contents, strict=True):
            self.messages[message] = Model(MessageStatus.COMPLETED, content)

    @rule()
    def create_streaming(self) -> None:
        making = self.storage.create_streaming_message(self.conversation, "assistant")
        self.messages[self.runner.run(making).id] = Model(MessageStatus.STREAMING, "")

    @precondition(lambda self: self.messages)
    @rule(data=st.data(), text=CHUNK)
    def append_without_a_number(self, data: st.DataObject, text: str) -> None:
        message, model = self.pick(data)
        self.append(message, model, text, None)

    @precondition(lambda self: self.messages)
    @rule(data=st.data(), text=CHUNK)
    def append_with_a_number(self, data: st.DataObject, text: str) -> None:
        message, model = self.pick(data)
        self.append(message, model, text, data.draw(st.integers(0, len(model.chunks) + 1)))

    def append(self, message: int, model: Model, text: str, sequence: int | None) -> None:
        appending = self.storage.append_message_content(message, text, sequence=sequence)
        place = len(model.chunks) if sequence is None else sequence
        was_written = place < len(model.chunks)
        if not model.is_open or place > len(model.chunks) or (was_written and model.chunks[place] != text):
            self.must_conflict(appending)
            return
        assert self.runner.run(appending).next_sequence == place + 1
        model.status = MessageStatus.STREAMING
        if not was_written:
            model.chunks.append(text)

    @precondition(lambda self: self.messages)
    @rule(data=st.data(), status=st.sampled_from(FINISHED))
    def finish(self, data: st.DataObject, status: MessageStatus) -> None:
        message, model = self.pick(data)
        self.end(model, status, self.storage.mark_message_finished(message, status))

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def interrupt(self, data: st.DataObject) -> None:
        message, model = self.pick(data)
        self.end(model, MessageStatus.CANCELLED, self.storage.interrupt_message(message))

    def end(self, model: Model, status: MessageStatus, ending: Coroutine[Any, Any, Any]) -> None:
        if model.is_open:
            model.finish(status)
        elif model.status is not status:
            self.must_conflict(ending)
            return
        assert self.runner.run(ending).content == model.content

    @precondition(lambda self: self.messages)
    @rule(data=st.data(), content=TEXT, is_complete=st.booleans())
    def update(self, data: st.DataObject, content: str, is_complete: bool) -> None:
        message, model = self.pick(data)
        model.content, model.chunks = content, []
        if is_complete and model.is_open:
            model.finish(MessageStatus.COMPLETED)
        assert self.runner.run(self.storage.update_message(message, content, is_complete)).status is model.status

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        message, _ = self.pick(data)
        self.runner.run(self.storage.delete_message(message))
        del self.messages[message]

    @invariant()
    def store_and_model_agree(self) -> None:
        if not self.messages:
            return
        page = self.runner.run(self.storage.get_conversation_messages(self.conversation))
        alone = [self.runner.run(self.storage.get_message(message)) for message in sorted(self.messages)]
        assert page.items == alone
        assert {message.id: (message.status, message.content, message.next_sequence) for message in alone} == {
            message: (model.status, model.content + "".join(model.chunks), len(model.chunks))
            for message, model in self.messages.items()
        }

    def must_conflict(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            self.runner.run(work)
        except Conflict:
            return
        raise AssertionError("the model expected a conflict")


class MessageStatesOnDisk(MessageStates):
    """The same, with the store closed and opened in between, as by a sidecar that ends."""

    on_disk = True

    @rule()
    def restart(self) -> None:
        self.runner.run(self.storage.close())
        self.open()
        for model in self.messages.values():
            if model.status is MessageStatus.STREAMING:
                model.finish(MessageStatus.FAILED)


TestMessageStates = MessageStates.TestCase
TestMessageStates.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestMessageStatesOnDisk = MessageStatesOnDisk.TestCase
TestMessageStatesOnDisk.settings = settings(max_examples=6, stateful_step_count=30, deadline=None)
