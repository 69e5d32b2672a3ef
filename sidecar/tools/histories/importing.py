"""The way of a chat history into the store: in batches, each of which is added as a whole or not at all.

A second import of the same file finds conversations and messages by their external ids, and changes nothing. A batch
that the store refuses is halved, so that one conversation that does not fit does not keep the others away.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from pydantic import ValidationError

from sidecar.errors import BodyTooLarge, RequestRefused
from sidecar.models.histories import ConversationHistory, HistoryImported, HistoryMessage
from sidecar.sentences import counted, first_finding
from sidecar.terminal import say
from sidecar.tools.histories.batches import AddBatch, batches
from sidecar.tools.histories.formats import Format
from sidecar.tools.histories.notes import Note, Notes
from sidecar.tools.histories.source import FORMATS, conversations_in
from sidecar.tools.progress import ProgressLine

LISTED = 20
"""Conversations left out that the report names."""


class HistoryStore(Protocol):
    """A store that takes whole conversations."""

    def adding_histories(self, *, dry_run: bool) -> AbstractContextManager[AddBatch]:
        """Open the store for a number of batches; with `dry_run` each is only tried."""


class Owner(NamedTuple):
    """Where the conversations of an import appear in the app. Default: on a page that has the name of the format."""

    page_name: str | None = None
    user_id: str | None = None


@dataclass
class Result:
    """The conversations of a file, counted by what was done with them."""

    added: int = 0
    added_messages: int = 0
    changed: int = 0
    new_messages: int = 0
    replaced_messages: int = 0
    unchanged: int = 0
    notes: Notes = field(default_factory=Notes)


def import_history(
    store: HistoryStore, path: Path, system: str | None, dry_run: bool, data_directory: Path, owner: Owner
) -> None:
    """Add the conversations of a file, and print a report; with `dry_run` add nothing.

    Raises `ArchiveRefused`, which says what to do, for a file that is not an export of `system`.
    """
    result = Result()
    wanted = None if system is None else FORMATS[system]
    with conversations_in(path, wanted, data_directory, result.notes) as (found, items):
        if wanted is None:
            say(f"{path} is an export of {found.program}.")
        with ProgressLine() as progress, store.adding_histories(dry_run=dry_run) as add:
            histories = _read(items, found, owner, result.notes)
            for batch in batches(histories):
                _add(batch, add, result, dry_run)
                progress(result.added + result.changed + result.unchanged, None, "importing conversations")
    for line in lines(result, dry_run):
        say(line)


def _read(items: Iterator[dict[str, Any]], found: Format, owner: Owner, notes: Notes) -> Iterator[ConversationHistory]:
    for number, item in enumerate(items, 1):
        try:
            history = found.read(item, notes)
        except ValidationError as error:
            name = next((str(item[key]) for key in ("title", "name", "id") if item.get(key)), f"number {number:,}")
            notes.refused.append((name[:100], first_finding(error)))
            continue
        if owner.page_name is not None:
            history.page_name = owner.page_name
        if owner.user_id is not None:
            history.user_id = owner.user_id
        yield history


def _add(batch: list[ConversationHistory], add: AddBatch, result: Result, dry_run: bool) -> None:
    try:
        imported = add(batch)
    except RequestRefused as refused:
        if len(batch) > 1:
            middle = len(batch) // 2
            _add(batch[:middle], add, result, dry_run)
            _add(batch[middle:], add, result, dry_run)
        elif isinstance(refused, BodyTooLarge):
            _add_in_pieces(batch[0], add, result, dry_run)
        else:
            _leave_out(batch[0], refused, result)
        return
    for each in imported:
        _count(each, result)


def _add_in_pieces(history: ConversationHistory, add: AddBatch, result: Result, dry_run: bool) -> None:
    """Add a conversation that is too large for one request; later pieces add to what the first has become.

    A message that is too large by itself is left out, and those after it follow the one before it.
    """
    left_out: dict[str | None, str | None] = {}
    done: list[HistoryImported] = []
    waiting = [history.messages]
    while waiting:
        messages = waiting.pop()
        for message in messages:
            while message.parent_external_id in left_out:
                message.parent_external_id = left_out[message.parent_external_id]
        if dry_run and done and done[0].created:
            _detach(messages)
        try:
            done += add([history.model_copy(update={"messages": messages})])
        except BodyTooLarge as refused:
            if not messages:
                _leave_out(history, refused, result)
            elif len(messages) == 1:
                left_out[messages[0].external_id] = messages[0].parent_external_id
                result.notes.add(Note.LARGE_MESSAGE)
            else:
                waiting += (messages[len(messages) // 2 :], messages[: len(messages) // 2])
        except RequestRefused as refused:
            _leave_out(history, refused, result)
    if done:
        sums = {
            name: sum(getattr(each, name) for each in done)
            for name in ("messages_added", "messages_replaced", "messages_unchanged")
        }
        _count(done[0].model_copy(update=sums), result)


def _detach(messages: list[HistoryMessage]) -> None:
    """Remove the parents that are in an earlier piece, of which a trial has left nothing."""
    names = {message.external_id for message in messages}
    for message in messages:
        if message.parent_external_id not in names:
            message.parent_external_id = None


def _leave_out(history: ConversationHistory, refused: RequestRefused, result: Result) -> None:
    name = history.title or history.external_id or "without a title"
    result.notes.refused.append((name[:100], refused.message))


def _count(imported: HistoryImported, result: Result) -> None:
    if imported.created:
        result.added += 1
        result.added_messages += imported.messages_added
    elif imported.messages_added or imported.messages_replaced:
        result.changed += 1
        result.new_messages += imported.messages_added
        result.replaced_messages += imported.messages_replaced
    else:
        result.unchanged += 1


def lines(result: Result, dry_run: bool) -> Iterator[str]:
    """Yield the lines of the report."""
    would = "Would add" if dry_run else "Added"
    messages = counted(result.added_messages, "message")
    yield f"{would} {counted(result.added, 'conversation')} with {messages}."
    if result.changed:
        yield (
            f"{'Would update' if dry_run else 'Updated'} {counted(result.changed, 'conversation')}: "
            f"{counted(result.new_messages, 'message')} added, {result.replaced_messages:,} replaced."
        )
    if result.unchanged:
        yield f"{'Would skip' if dry_run else 'Skipped'} {counted(result.unchanged, 'conversation')}: already stored."
    for name, reason in result.notes.refused[:LISTED]:
        yield f"Left out the conversation '{name}': {reason}"
    if len(result.notes.refused) > LISTED:
        yield f"Left out {counted(len(result.notes.refused) - LISTED, 'more conversation')}."
    yield from result.notes.lines()
