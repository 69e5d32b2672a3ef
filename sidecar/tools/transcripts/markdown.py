"""Conversations as Markdown.

The text of a message is Markdown already, and stays. Only what would reach beyond the message is closed or escaped,
such as a fence of code. Other texts, such as titles, are escaped as a whole.
"""

import json
import re
from collections.abc import Iterator

from pydantic import JsonValue

from sidecar.models.histories import (
    ConversationHistory,
    HistoryMessage,
    ImagePart,
    MessagePart,
    TextPart,
    ToolCallPart,
)
from sidecar.models.messages import MessageStatus
from sidecar.tools.transcripts.branches import Branch, branches_of
from sidecar.tools.transcripts.words import about, heading, stage_of

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_BACKTICKS = re.compile(r"`+")


def document(history: ConversationHistory) -> Iterator[str]:
    """Yield the pieces of the conversation's text."""
    yield f"# {escaped(history.title or 'Conversation')}\n\n"
    yield "".join(f"- {name}: {escaped(value)}\n" for name, value in about(history))
    for branch in branches_of(history):
        yield from _branch(branch)
    yield "\n"


def _branch(branch: Branch) -> Iterator[str]:
    if branch.instead_of is not None:
        begins = f"follows message {branch.after}" if branch.after is not None else "begins the conversation"
        yield f"\n---\n\n*Branch: it {begins}, instead of message {branch.instead_of}.*\n"
    for number, message in branch.messages:
        yield f"\n## {number}. {escaped(heading(message))}\n\n"
        yield from _message(message)


def _message(message: HistoryMessage) -> Iterator[str]:
    if message.created_at is not None:
        yield f"*{message.created_at}*\n\n"
    for step in message.thinking:
        yield f"<details>\n<summary>{escaped(stage_of(step))}</summary>\n\n{contained(step.content)}\n\n</details>\n\n"
    if message.parts:
        for part in message.parts:
            yield f"{_part(part)}\n\n"
    elif message.content:
        yield f"{contained(message.content)}\n\n"
    if message.status is not MessageStatus.COMPLETED:
        yield f"*{message.status.value}{': ' + escaped(message.error_message) if message.error_message else ''}*\n\n"


def _part(part: MessagePart) -> str:
    if isinstance(part, TextPart):
        return contained(part.text)
    if isinstance(part, ImagePart):
        name = escaped(part.name or "image")
        if re.fullmatch(r"https?://[^\s()<>\\]+", part.reference):
            return f"[Image: {name}]({part.reference})"
        return f"Image: {name}, {escaped(part.reference)}"
    if isinstance(part, ToolCallPart):
        return f"**Call of {escaped(part.name)}**\n\n{_value(part.arguments)}"
    whose = f" of {escaped(part.name)}" if part.name else ""
    return f"**{'Error' if part.is_error else 'Result'}{whose}**\n\n{_value(part.content)}"


def _value(value: JsonValue) -> str:
    if isinstance(value, str):
        return fenced(value)
    return fenced(json.dumps(value, ensure_ascii=False, indent=2), "json")


def fenced(text: str, language: str = "") -> str:
    """Return a block of code that nothing in the text can end."""
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def escaped(text: str) -> str:
    """Return one line of plain text as Markdown that says the same."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def contained(text: str) -> str:
    """Return Markdown that cannot change what comes after it: its HTML is escaped, its last fence closed."""
    lines: list[str] = []
    fence = ""
    for line in text.splitlines():
        found = _FENCE.match(line)
        if fence:
            if found is not None and found[1].startswith(fence) and not found[2].strip():
                fence = ""
            lines.append(line)
        elif found is not None and ("`" not in found[2] or found[1][0] == "~"):
            fence = found[1]
            lines.append(line)
        else:
            lines.append(_without_tags(line))
    if fence:
        lines.append(fence)
    return "\n".join(lines)


def _without_tags(line: str) -> str:
    """Escape the tags of a line, but for those in code."""
    if "<" not in line:
        return line
    pieces: list[str] = []
    position = 0
    for begin, end in _code_spans(line):
        pieces += (_TAG.sub("&lt;", line[position:begin]), line[begin:end])
        position = end
    pieces.append(_TAG.sub("&lt;", line[position:]))
    return "".join(pieces)


def _code_spans(line: str) -> Iterator[tuple[int, int]]:
    """Yield where code in a line begins and ends: from a run of backticks to the next one of the same length."""
    runs = list(_BACKTICKS.finditer(line))
    closing: list[int | None] = [None] * len(runs)
    next_of_length: dict[int, int] = {}
    for index in range(len(runs) - 1, -1, -1):
        length = len(runs[index][0])
        closing[index] = next_of_length.get(length)
        next_of_length[length] = index
    index = 0
    while index < len(runs):
        end = closing[index]
        if end is not None:
            yield runs[index].start(), runs[end].end()
            index = end
        index += 1
