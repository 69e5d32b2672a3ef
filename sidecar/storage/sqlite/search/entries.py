"""The entry of a document in the index: its words by column, folded and segmented.

The same text has always the same words: FTS5 removes an entry by the words that went in. So a change of these rules, or
of Python's tables of characters, needs a new index; see `VERSION`.
"""

import unicodedata

from sidecar.storage.sqlite.search.folding import folded
from sidecar.storage.sqlite.search.segmentation import pattern, segmented, signed_words

VERSION = f"1, Unicode {unicodedata.unidata_version}"
"""The version of the rules. An index that was filled by another one is filled again."""

INSERT = "INSERT INTO search_index (rowid, title, headings, content, tags, signs, facets) VALUES (?, ?, ?, ?, ?, ?, ?)"
DELETE = """
INSERT INTO search_index (search_index, rowid, title, headings, content, tags, signs, facets)
VALUES ('delete', ?, ?, ?, ?, ?, ?, ?)
"""

_HEADING = r"\n(?:#{1,6}[ \t]+(\S.*)|([A-Z][A-Z0-9 ,:&/()'-]{2,79}))(?![^\n])"
"""A line as Markdown marks it, or one all in capitals. The latter is how manuals and plain letters do it."""

Entry = tuple[object, str, str, str, str, str, str]


def entry(docid: object, title: object, content: object, tags: object, facets: object) -> Entry:
    """Return the values of `INSERT` or `DELETE` for what a search view says of a document."""
    text = _text(content)
    folded_title, folded_text = folded(_text(title)), folded(text)
    headings = _headings(text)
    signs = signed_words(folded_text)
    if folded_title:
        signs += signed_words(folded_title)
    return (
        docid,
        segmented(folded_title),
        segmented(folded(headings)) if headings else "",
        segmented(folded_text),
        segmented(folded(_text(tags))) if tags else "",
        " ".join({sign: None for _, sign in signs}) if signs else "",
        _text(facets),
    )


def _headings(text: str) -> str:
    if "\n" not in text and text[:1] != "#":
        return ""
    return "\n".join(marked or capitals for marked, capitals in pattern(_HEADING).findall(f"\n{text}"))


def _text(value: object) -> str:
    """Return a value as text: other programs may have stored a number, or a text that is not UTF-8."""
    if isinstance(value, str):
        return value
    return value.decode(errors="replace") if isinstance(value, bytes) else "" if value is None else str(value)
