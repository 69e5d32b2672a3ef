"""The rules of English in CONTRIBUTING.md that a machine can check.

Public text is what a user reads without opening the code: the OpenAPI document, settings, error messages, `--help`, the
bridge's comments in an editor, and the pages.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sidecar.api.app import openapi_document
from sidecar.config import Settings

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "sidecar").rglob("*.py"))
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("tests/*.md"), *ROOT.glob("electron-bridge/*.md")])

VERBS = frozenset(
    re.split(
        r"\s+",
        "Acknowledge Add Append Cancel Check Complete Count Create Delete Export Finish Import List Merge Move Open "
        "Publish Rebuild Repair Replace Report Reset Restore Return Run Search Store Stream Update",
    )
)
"""The verbs that a description of an operation may begin with. Add one when an operation does something new."""

DIALECT = {
    r"\btold\b|\btells\b": "report, say, or name the reader's next step",
    r"\banew\b": "again; rebuild",
    r"\bmend(s|ed|ing)?\b": "repair, recover, correct",
    r"\bseldom\b": "rarely",
    r"\bwhoever\b": "name the person or program",
    r"\bpatience\b": "timeout",
    r"\bmidst\b": "during",
    r"\bsees? to\b": "name the action",
    r"\bso many\b": "number of",
    r"\btakes? note\b": "acknowledge",
    r"\bbr(ing|ings|ought) (\w+ )?back\b": "restore",
    r"\bgo(es)? on\b": "continue",
    r"\bthere already\b": "existing, exists",
    r"\bnot there\b": "missing",
    r"\bif left out\b": "Default: …",
}
"""Words of an old dialect, and the words of the field that replace them."""


def constants(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Yield the line and value of every text in the code, and whether it stands alone, as a docstring does."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value, id(node) in alone


def texts(value: Any, keys: tuple[str, ...] = ("title", "summary", "description")) -> Iterator[str]:
    """Yield the texts for people in a document of OpenAPI or JSON Schema."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in keys and isinstance(inner, str):
                yield inner
            yield from texts(inner, keys)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, keys)


def operations() -> Iterator[tuple[str, str]]:
    """Yield the id and the description of every operation."""
    for path in openapi_document()["paths"].values():
        for operation in path.values():
            yield operation["operationId"], operation["description"]


def public_texts() -> Iterator[tuple[str, str]]:
    """Yield every public text with its place."""
    for text in texts(openapi_document()):
        yield "OpenAPI document", text
    for text in texts(Settings.model_json_schema()):
        yield "settings", text
    for path in SOURCES:
        for line, text, alone in constants(path):
            if " " in text and not alone:  # messages and help; SQL is among them, and has none of these words
                yield f"{path.relative_to(ROOT)}:{line}", text
    for path in (ROOT / "sidecar" / "errors").glob("*.py"):
        for line, text, _ in constants(path):
            yield f"{path.relative_to(ROOT)}:{line}", text
    for path in sorted((ROOT / "electron-bridge" / "src").rglob("*.ts")):  # an editor shows its comments to a user
        yield path.name, path.read_text(encoding="utf-8")
    for path in PAGES:
        yield path.name, re.sub(r"^```.*?^```$|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)


def test_no_docstring_begins_with_a_question() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text[:60]}"
        for path in SOURCES
        for line, text, alone in constants(path)
        if alone and re.match(r"(What|Whether)\b", text)
    ]
    assert not found, "begin with a verb or a noun instead:\n" + "\n".join(found)


def test_the_description_of_each_operation_begins_with_its_verb() -> None:
    found = [f"{name}: {text[:60]}" for name, text in operations() if re.split(r"\W", text)[0] not in VERBS]
    assert not found, "begin with one of VERBS instead:\n" + "\n".join(found)


@pytest.mark.parametrize("word", DIALECT)
def test_public_text_uses_the_words_of_the_field(word: str) -> None:
    found = [
        f"{place}: {text[max(0, match.start() - 60) : match.end() + 40]!r}"
        for place, text in public_texts()
        for match in re.finditer(word, text, re.IGNORECASE)
    ]
    assert not found, f"better: {DIALECT[word]}\n" + "\n".join(found)


@pytest.mark.parametrize("text", ["It is made anew.", "Rows are told.", "The log was mended.", "All, if left out."])
def test_the_check_finds_the_dialect(text: str) -> None:
    assert any(re.search(word, text, re.IGNORECASE) for word in DIALECT)
