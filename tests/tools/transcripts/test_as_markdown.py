"""Conversations as Markdown."""

import re
from typing import Any

import pytest

from sidecar.models.histories import ConversationHistory
from sidecar.tools.transcripts.markdown import contained, document, escaped, fenced

from .support import BRANCHED, history, message


def text_of(conversation: ConversationHistory) -> str:
    return "".join(document(conversation))


def test_a_message_has_its_number_author_model_and_time() -> None:
    text = text_of(history(message("a", role="assistant", model="gpt_4")))
    assert text.startswith("# A talk\n\n- Source: s\n- Messages: 1\n\n## 1. Assistant, gpt\\_4\n")
    assert "*2024-06-01T12:00:00.000Z*\n\ntext a\n" in text


def test_branches_are_marked_with_the_message_that_they_replace() -> None:
    text = text_of(history(*BRANCHED))
    headings = re.findall(r"^## (\d)|^\*Branch: (.*)\*$", text, re.MULTILINE)
    assert [number or note for number, note in headings] == [
        "1",
        "3",
        "6",
        "it follows message 1, instead of message 3.",
        "2",
        "4",
        "it follows message 3, instead of message 6.",
        "5",
    ]


def test_thinking_is_folded() -> None:
    text = text_of(history(message("a", thinking=[{"content": "hm\n```", "stage": "plan <b>"}])))
    assert "<details>\n<summary>Thinking: plan \\<b\\></summary>\n\nhm\n```\n```\n\n</details>" in text


def test_parts_are_shown_in_their_order() -> None:
    parts: list[dict[str, Any]] = [
        {"type": "image", "reference": "https://example.org/cat.png", "name": "a [cat]"},
        {"type": "image", "reference": "javascript:alert(1)"},
        {"type": "tool_call", "name": "add", "arguments": {"code": "```"}},
        {"type": "tool_result", "content": "3", "name": "add", "is_error": True},
        {"type": "text", "text": "It is 3."},
    ]
    text = text_of(history(message("a", parts=parts)))
    assert "[Image: a \\[cat\\]](https://example.org/cat.png)" in text
    assert "Image: image, javascript:alert(1)" in text
    assert '**Call of add**\n\n````json\n{\n  "code": "```"\n}\n````' in text
    assert "**Error of add**\n\n```\n3\n```" in text
    assert text.rstrip().endswith("It is 3.")


def test_a_message_that_failed_has_its_reason() -> None:
    text = text_of(history(message("a", status="failed", error_message="out of *memory*")))
    assert "*failed: out of \\*memory\\**" in text


@pytest.mark.parametrize("content", ["```", "a ``` b\n````python", "~~~", "`" * 9])
def test_nothing_ends_a_fence_around_a_text(content: str) -> None:
    lines = fenced(content).splitlines()
    fence = lines[0]
    assert lines[-1] == fence
    assert all(fence not in line for line in lines[1:-1])


@pytest.mark.parametrize(
    ("content", "closed"),
    [
        ("```python\nprint()", "```python\nprint()\n```"),
        ("````\n```\nx", "````\n```\nx\n````"),
        ("~~~\nx\n```", "~~~\nx\n```\n~~~"),
        ("```\nx\n```", "```\nx\n```"),
        ("```a`b\nx", "```a`b\nx"),
        ("# stays\n- a list", "# stays\n- a list"),
    ],
)
def test_an_open_fence_is_closed_at_the_end_of_its_message(content: str, closed: str) -> None:
    assert contained(content) == closed


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("</details>", "&lt;/details>"),
        ("<!-- ", "&lt;!-- "),
        ("a < b, and `<b>` is code", "a < b, and `<b>` is code"),
        ("``<a>`` <b> `<c>`", "``<a>`` &lt;b> `<c>`"),
        ("```html\n<b>\n```", "```html\n<b>\n```"),
        ("a` <b> ``c` <d>", "a` <b> ``c` &lt;d>"),
    ],
)
def test_html_is_text_outside_of_code(content: str, shown: str) -> None:
    assert contained(content) == shown


def test_many_backticks_take_linear_time() -> None:
    line = f"{'`' * 50_000}<b>{' '.join('`' * number for number in range(1, 400))}<c>"
    assert contained(f"x{line}").endswith("&lt;c>")


def test_a_title_is_one_line_of_plain_text() -> None:
    assert escaped("a\n# *b* [c](d) <e> `f` | g") == "a \\# \\*b\\* \\[c\\](d) \\<e\\> \\`f\\` \\| g"
