"""The bridge's generated files, as the script writes them out of a client table."""

import sys
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "generate-client"


@pytest.fixture(scope="module")
def script() -> Iterator[Any]:
    sys.path.insert(0, str(SCRIPT.parent))  # as for a program that Python runs
    loader = SourceFileLoader("generate_client", str(SCRIPT))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    yield module
    sys.path.remove(str(SCRIPT.parent))


def test_each_operation_is_one_line_of_the_table(script: Any) -> None:
    table = script.operation_table({"rows.list": {"method": "GET", "path": "/rows", "flat": None}})
    assert '  "rows.list": {"method": "GET", "path": "/rows", "flat": null},\n' in table


def test_topics_come_with_the_types_of_their_events(script: Any) -> None:
    table = script.topic_table({"messages": "RowChanged", "todos": "RowChanged"})
    assert 'topics = [\n  "messages",\n  "todos",\n] as const' in table
    assert '  "todos": components["schemas"]["RowChanged"];\n' in table
