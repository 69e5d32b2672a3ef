"""The configurations that PACKAGING.md shows are those by which the example is packaged."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHOWN = re.compile(
    r"^```\w+\n(?://|<!--) (?P<file>electron-bridge/example/\S+)(?: -->)?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
PARTS = [(match["file"], match["text"]) for match in SHOWN.finditer((ROOT / "PACKAGING.md").read_text())]


@pytest.mark.parametrize(("file", "text"), PARTS)
def test_a_configuration_is_a_part_of_its_file(file: str, text: str) -> None:
    assert text in (ROOT / file).read_text()


def test_the_page_shows_both_packagers_and_the_entitlements() -> None:
    assert {Path(file).name for file, _ in PARTS} == {
        "electron-builder.js",
        "forge.config.js",
        "entitlements.mac.plist",
    }
