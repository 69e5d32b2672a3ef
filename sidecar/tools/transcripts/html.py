"""Conversations as one page of HTML that needs nothing else: no script, no image and no style from elsewhere.

Every text is escaped, and only addresses of the web become links. A policy in the page forbids what could be missed.
"""

import json
import re
from collections.abc import Iterable, Iterator
from html import escape
from itertools import chain

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

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Content security policy of the page."""

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --user: #38f; --assistant: #10a37f; --other: #a78bfa }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }
h1 { line-height: 1.25; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; font-size: .875rem; opacity: .8 }
dd { margin: 0 }
article { border-left: 3px solid var(--other); padding: .1rem 0 .1rem 1rem; margin: 1.25rem 0 }
article.user { border-color: var(--user) }
article.assistant { border-color: var(--assistant) }
h2 { font-size: 1rem; margin: 0 0 .25rem }
time, .note { font-size: .8125rem; opacity: .7 }
p { margin: .5rem 0; white-space: pre-wrap; overflow-wrap: anywhere }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: .375rem; padding: .75rem; overflow: auto }
code { font: .875em/1.5 ui-monospace, monospace; background: var(--soft); border-radius: .2rem }
pre code { background: none }
details { background: var(--soft); border-radius: .375rem; padding: .5rem .75rem; margin: .5rem 0 }
summary { cursor: pointer; opacity: .8 }
section.branch { border-top: 1px dashed var(--line); margin: 2rem 0 0 1.5rem }
"""

_FENCED = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n`]*)\n(.*?)(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`|(https?://[^\s<>\"'`]+[^\s<>\"'`.,;:!?)\]}])")


def document(histories: Iterable[ConversationHistory]) -> Iterator[str]:
    """Yield the pieces of the page, which has the title of its first conversation."""
    remaining = iter(histories)
    first = next(remaining, None)
    title = (first.title if first is not None else None) or "Conversations"
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
    )
    for history in chain([] if first is None else [first], remaining):
        yield from conversation(history)
    yield "</body>\n</html>\n"


def conversation(history: ConversationHistory) -> Iterator[str]:
    """Yield the pieces of a conversation."""
    yield f"<main>\n<h1>{escape(history.title or 'Conversation')}</h1>\n<dl>"
    yield "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in about(history))
    yield "</dl>\n"
    for branch in branches_of(history):
        yield from _branch(branch)
    yield "</main>\n"


def _branch(branch: Branch) -> Iterator[str]:
    if branch.instead_of is not None:
        begins = f"follows message {branch.after}" if branch.after is not None else "begins the conversation"
        yield '<section class="branch">\n'
        yield f'<p class="note">Branch: it {begins}, instead of message {branch.instead_of}.</p>'
    for number, message in branch.messages:
        yield f'\n<article class="{message.role.value}">\n<h2>{number}. {escape(heading(message))}</h2>\n'
        yield from _message(message)
        yield "</article>\n"
    if branch.instead_of is not None:
        yield "</section>\n"


def _message(message: HistoryMessage) -> Iterator[str]:
    if message.created_at is not None:
        yield f"<time>{escape(str(message.created_at))}</time>\n"
    for step in message.thinking:
        yield f"<details><summary>{escape(stage_of(step))}</summary>{text(step.content)}</details>\n"
    if message.parts:
        for part in message.parts:
            yield f"{_part(part)}\n"
    elif message.content:
        yield f"{text(message.content)}\n"
    if message.status is not MessageStatus.COMPLETED:
        reason = f": {message.error_message}" if message.error_message else ""
        yield f'<p class="note">{escape(message.status.value + reason)}</p>\n'


def _part(part: MessagePart) -> str:
    if isinstance(part, TextPart):
        return text(part.text)
    if isinstance(part, ImagePart):
        name = f"{part.name}, {part.reference}" if part.name else part.reference
        return f"<p>Image: {_inline(name)}</p>"
    if isinstance(part, ToolCallPart):
        return f"<details open><summary>Call of {escape(part.name)}</summary>{_value(part.arguments)}</details>"
    whose = f" of {part.name}" if part.name else ""
    said = f"{'Error' if part.is_error else 'Result'}{whose}"
    return f"<details><summary>{escape(said)}</summary>{_value(part.content)}</details>"


def _value(value: JsonValue) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return f"<pre><code>{escape(shown)}</code></pre>"


def text(content: str) -> str:
    """Return a text with its blocks of code, its code and its addresses; everything else is shown as it is written."""
    pieces: list[str] = []
    position = 0
    for found in _FENCED.finditer(content):
        pieces += (_paragraph(content[position : found.start()]), f"<pre><code>{escape(found[3])}</code></pre>")
        position = found.end()
    pieces.append(_paragraph(content[position:]))
    return "".join(pieces)


def _paragraph(content: str) -> str:
    return f"<p>{_inline(content.strip())}</p>" if content.strip() else ""


def _inline(content: str) -> str:
    pieces: list[str] = []
    position = 0
    for found in _INLINE.finditer(content):
        pieces.append(escape(content[position : found.start()]))
        if found[1] is not None:
            pieces.append(f"<code>{escape(found[1])}</code>")
        else:
            address = escape(found[2])
            pieces.append(f'<a href="{address}" rel="noopener noreferrer">{address}</a>')
        position = found.end()
    pieces.append(escape(content[position:]))
    return "".join(pieces)
