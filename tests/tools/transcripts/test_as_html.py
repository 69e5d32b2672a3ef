"""Conversations as HTML: a page that shows every text, and runs none."""

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.models.histories import ConversationHistory
from sidecar.tools.transcripts.html import document, text

from .support import BRANCHED, history, message

TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "h1", "dl", "dt", "dd", "article", "h2", "time"),
    *("p", "pre", "code", "a", "details", "summary", "section"),
}
"""The tags that a page may have."""

ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "href", "rel", "open"}

HOSTILE = [
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</p><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "javascript:alert(1)",
    "[x](javascript:alert(1))",
    'https://example.org/"onclick=alert(1)//',
    "https://example.org/'><script>",
    "```</code></pre><script>\n<b>\n```",
    "`<i>`",
    "data:text/html,<script>alert(1)</script>",
    "<!-- ",
    "&lt;script&gt;",
    "]]>",
    "</style><script>",
    "\x00<svg/onload=alert(1)>",
]


class Page(HTMLParser):
    """The tags, attributes and texts of a page, as a browser reads them."""

    def __init__(self, content: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.comments: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(content)
        self.close()
        assert self._open == [], "every tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.text += data


def page_of(*conversations: ConversationHistory) -> Page:
    return Page("".join(document(conversations)))


def everywhere(content: str) -> ConversationHistory:
    """A conversation with the text in every place that has one."""
    parts: list[dict[str, Any]] = [
        {"type": "text", "text": content},
        {"type": "image", "reference": content, "name": content, "media_type": content},
        {"type": "tool_call", "name": content, "call_id": content, "arguments": {content: content}},
        {"type": "tool_result", "content": [content], "name": content},
        {"type": "tool_result", "content": content},
    ]
    thinking = [{"content": content or "x", "stage": content}]
    return history(
        message("a", content=content, thinking=thinking, model=content),
        message("b", parts=parts, status="failed", error_message=content),
        title=content,
        source=content,
    )


@pytest.mark.parametrize("content", HOSTILE)
def test_a_hostile_text_is_shown_and_adds_no_tag_attribute_or_link(content: str) -> None:
    page = page_of(everywhere(content))
    assert page.tags <= TAGS
    assert page.attributes <= ATTRIBUTES
    assert page.comments == []
    assert all(link.startswith(("https://", "http://")) for link in page.links)
    assert content.replace("`", "") in page.text.replace("`", "") or "```" in content


@settings(max_examples=100, deadline=None)
@given(content=st.text(alphabet=st.sampled_from("<>&\"'`/=:!- \nhtps.escriptonlax"), max_size=60))
def test_no_text_adds_a_tag_attribute_or_comment(content: str) -> None:
    page = page_of(everywhere(content))
    assert page.tags <= TAGS
    assert page.attributes <= ATTRIBUTES
    assert page.comments == []


def test_a_page_forbids_scripts_and_everything_from_elsewhere() -> None:
    content = "".join(document([history()]))
    assert "default-src &#x27;none&#x27;; style-src &#x27;unsafe-inline&#x27;" in content
    assert "src=" not in content
    assert "url(" not in content


def test_a_page_is_readable_in_light_and_dark() -> None:
    assert "color-scheme: light dark" in "".join(document([history()]))


def test_code_and_addresses_are_marked_up() -> None:
    assert text("see `x` at https://example.org/a?b=1&c=2, then:\n```py\nif a < b:\n```\nend") == (
        "<p>see <code>x</code> at "
        '<a href="https://example.org/a?b=1&amp;c=2" rel="noopener noreferrer">https://example.org/a?b=1&amp;c=2</a>, '
        "then:</p><pre><code>if a &lt; b:\n</code></pre><p>end</p>"
    )


def test_a_block_of_code_without_an_end_goes_to_the_end() -> None:
    assert text("```\n<b>") == "<pre><code>&lt;b&gt;</code></pre>"


def test_many_fences_take_linear_time() -> None:
    assert text("```\n" * 20_000).count("<pre>") == 10_000


def test_branches_are_sections_that_name_their_place() -> None:
    content = "".join(document([history(*BRANCHED)]))
    assert content.count('<section class="branch">') == content.count("</section>") == 2
    assert "Branch: it follows message 1, instead of message 3." in content


def test_several_conversations_are_one_page() -> None:
    page = page_of(history(title="one"), history(title="two"))
    assert "one" in page.text
    assert "two" in page.text
