"""What a program tried and was answered, and whether what a store holds agrees with it.

All that was answered is there. What was tried is there as a whole or not at all, and once. After a restore, all this
holds for what the backup held and for what came after it, and nothing is there of what it replaced. A restore that was
tried and not answered may have happened.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .contents import Contents
from .recording import Mark


class Unit(NamedTuple):
    """One change that was tried."""

    what: str
    details: dict[str, Any]
    is_answered: bool
    answer: dict[str, Any]


class Ledger:
    """The changes that the marks tell of, in their order."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        answers = {mark["answered"]: mark for mark in marks if "answered" in mark}
        self.units = [
            Unit(mark["what"], mark, mark["tried"] in answers, answers.get(mark["tried"], {}))
            for mark in marks
            if "tried" in mark
        ]

    def answered(self, what: str) -> list[Unit]:
        return [unit for unit in self.units if unit.what == what and unit.is_answered]

    def deviations(self, contents: Contents) -> list[str]:
        """Say how the contents differ from what they must be; nothing when they agree."""
        restore = next((place for place, unit in enumerate(self.units) if unit.what == "restore"), None)
        if restore is None:
            return list(_deviations(self.units, contents))
        before, after = self.units[:restore], self.units[restore + 1 :]
        backup = next(place for place, unit in enumerate(before) if _is_backup(unit, self.units[restore]))
        replaced = list(_leftovers(before[backup:], contents))
        restored = [*_deviations([*before[:backup], *after], contents), *replaced]
        if self.units[restore].is_answered or not restored:
            return restored
        kept = list(_deviations([*before, *after], contents))
        return [f"neither restored ({restored[0]}) nor as before ({kept[0]})"] if kept else []


def _is_backup(unit: Unit, restore: Unit) -> bool:
    return unit.what == "backup" and unit.answer.get("name") == restore.details["name"]


def _deviations(units: Sequence[Unit], contents: Contents) -> Iterator[str]:
    yield from contents.problems
    chunks: dict[int, list[Unit]] = defaultdict(list)
    states: dict[str, list[Unit]] = defaultdict(list)
    deleted = {unit.details["text"]: unit for unit in units if unit.what == "delete"}
    for unit in units:
        match unit.what:
            case "held":
                yield from _held(unit, contents)
            case "rows" if not deleted.keys() & {text for _, text in _texts(unit)}:
                yield from _rows(unit, contents)
            case "delete":
                count = contents.rows[unit.details["table"]][unit.details["text"]]
                if count > 1 or (unit.is_answered and count):
                    yield f"{unit.details['text']} was deleted and is there {count} times"
            case "chunk":
                chunks[unit.details["message"]].append(unit)
            case "finish" if unit.is_answered:
                status, _ = contents.messages.get(unit.details["message"], ("gone", ""))
                if status != "completed":
                    yield f"the message {unit.details['message']} was finished and is {status}"
            case "state":
                states[unit.details["thread"]].append(unit)
    for message, appended in chunks.items():
        yield from _stream(message, appended, contents)
    for thread, saved in states.items():
        yield from _state(thread, saved, contents)


def _held(unit: Unit, contents: Contents) -> Iterator[str]:
    for table, counts in unit.details["rows"].items():
        for text, count in counts.items():
            if contents.rows[table][text] != count:
                yield f"{table} has {text!r} {contents.rows[table][text]} times instead of {count}"


def _rows(unit: Unit, contents: Contents) -> Iterator[str]:
    texts = _texts(unit)
    counts = [contents.rows[table][text] for table, text in texts]
    if set(counts) == {1} or (set(counts) == {0} and not unit.is_answered):
        return
    answered = "answered" if unit.is_answered else "not answered"
    yield f"of {len(texts)} rows from {texts[0]}, {answered}, there are {sum(counts)}, at most {max(counts)} each"


def _texts(unit: Unit) -> list[tuple[str, str]]:
    """The table and the text of each row that the unit adds."""
    return [(table, text) for table, texts in unit.details["rows"].items() for text in texts]


def _stream(message: int, appended: Sequence[Unit], contents: Contents) -> Iterator[str]:
    _, text = contents.messages.get(message, ("gone", ""))
    answered = "".join(unit.details["text"] for unit in appended if unit.is_answered)
    tried = "".join(unit.details["text"] for unit in appended)
    if not text.startswith(answered) or not tried.startswith(text):
        yield f"the message {message} holds {len(text)} characters of {len(answered)} that were answered: {text!r:.60}"


def _state(thread: str, saved: Sequence[Unit], contents: Contents) -> Iterator[str]:
    answered = max((unit.details["version"] for unit in saved if unit.is_answered), default=0)
    tried = max(unit.details["version"] for unit in saved)
    found = contents.threads.get(thread, 0)
    if not answered <= found <= tried:
        yield f"the thread {thread} has version {found}; {answered} was answered, {tried} tried"


def _leftovers(units: Sequence[Unit], contents: Contents) -> Iterator[str]:
    for unit in units:
        if unit.what == "rows":
            found = [text for table, text in _texts(unit) if contents.rows[table][text]]
            if found:
                yield f"{found[0]!r} is there although it was replaced"
