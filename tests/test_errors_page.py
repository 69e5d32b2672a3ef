"""ERRORS.md: every code of both sides has an entry with its cause and its cure, and problems link to it."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from sidecar.api.problems import problem_response
from sidecar.errors import Conflict, SidecarError
from sidecar.errors.base import UNDOCUMENTED, type_of
from sidecar.errors.reference import described, entries, warnings
from sidecar.maintenance.folders import place
from sidecar.models.problems import Problem

ROOT = Path(__file__).parents[1]
BRIDGE = ROOT / "electron-bridge" / "src"
PAGE = (ROOT / "ERRORS.md").read_text(encoding="utf-8")

HEADINGS = re.findall(r"^### `(\w+)`$", PAGE, re.MULTILINE)


@pytest.fixture
def errors_page(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of the scripts that writes the page."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return import_module("errors_page")


class OwnConflict(Conflict):
    """An error of an extension, with a code of its own."""

    code = "deck_is_full"


class PlainConflict(Conflict):
    """An error of an extension, with the code of its base."""


def test_each_code_of_the_sidecar_has_an_entry() -> None:
    assert {entry.code for entry in [*entries(), *warnings()]} <= set(HEADINGS)


def test_a_code_has_one_entry() -> None:
    assert len(HEADINGS) == len(set(HEADINGS))


def test_each_code_that_the_bridge_gives_is_documented() -> None:
    sources = [path.read_text(encoding="utf-8") for path in BRIDGE.rglob("*.ts") if "generated" not in path.name]
    given = {code for text in sources for code in re.findall(r'(?:SidecarError|refusal)\(\s*"(\w+)"', text)}
    given |= {code for text in sources for code in re.findall(r'\bcode: "(\w+)"', text)}
    assert {"bridge_missing", "foreign_frame", "crash_loop"} <= given
    assert given <= set(HEADINGS)


def test_each_link_of_the_page_leads_to_an_entry() -> None:
    assert set(re.findall(r"\(#(\w+)\)", PAGE)) <= set(HEADINGS)


def test_an_error_without_a_cure_is_refused(errors_page: Any) -> None:
    with pytest.raises(ValueError, match="OwnConflict needs a summary"):
        described(OwnConflict)
    union = 'export type Code =\n  /**\n   * It fails.\n   *\n   * Cause: luck.\n   */\n  | "unlucky";\n'
    with pytest.raises(errors_page.UndocumentedError, match="unlucky"):
        errors_page.documented_codes(union, "Code")
    with pytest.raises(errors_page.UndocumentedError, match="unlucky"):
        errors_page.documented_codes('export type Code =\n  | "unlucky";\n', "Code")


@pytest.mark.parametrize(
    ("error", "link"),
    [
        (Conflict("."), "ERRORS.md#conflict"),
        (SidecarError("."), "ERRORS.md#internal_error"),
        (PlainConflict("."), "ERRORS.md#conflict"),
        (OwnConflict("."), UNDOCUMENTED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_problem_links_to_the_entry_of_its_code(error: SidecarError, link: str) -> None:
    assert Problem.model_validate_json(bytes(problem_response(error).body)).type == link


def test_a_status_of_http_alone_has_no_entry() -> None:
    assert type_of("im_a_teapot") == UNDOCUMENTED


def test_warnings_of_the_place_are_documented(tmp_path: Path) -> None:
    assert {finding.subject.replace(" ", "_") for finding in place(tmp_path)} <= {entry.code for entry in warnings()}
