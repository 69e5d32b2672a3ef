"""Every promise of `GUARANTEES.md` is one sentence and has a test, and every test that it names exists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PAGE = Path(__file__).with_name("GUARANTEES.md")


class Promise(NamedTuple):
    sentence: str
    proofs: tuple[str, ...]


def promises(page: str) -> Iterator[Promise]:
    """The list items of the page; a proof is a line of its own below its sentence, in backticks."""
    for item in re.split(r"^- ", page, flags=re.MULTILINE)[1:]:
        lines = item.split("\n\n")[0].split("\n")
        proofs = [line.strip().strip("`") for line in lines if line.startswith("  `")]
        sentence = " ".join(line.strip() for line in lines if not line.startswith("  `"))
        yield Promise(sentence.strip(), tuple(proofs))


def exists(proof: str) -> bool:
    """Whether the repository has the test `tests/file.py::Class::test`, or `electron-bridge/file.ts > group > test`."""
    if " > " in proof:
        file, *titles = proof.split(" > ")
        return (ROOT / file).is_file() and has_titles((ROOT / file).read_text(encoding="utf-8"), titles)
    file, *names = proof.split("::")
    return bool(names) and (ROOT / file).is_file() and has_names(ast.parse((ROOT / file).read_text("utf-8")), names)


def has_titles(source: str, titles: list[str]) -> bool:
    *groups, title = titles
    test = re.search(rf"""\btest(\.\w+(\([^)]*\))?)*\(\s*["'`]{re.escape(title)}["'`]""", source)
    return test is not None and all(f'describe("{group}"' in source for group in groups)


def has_names(scope: ast.Module | ast.ClassDef, names: list[str]) -> bool:
    first, *rest = names
    for node in scope.body:
        if isinstance(node, ast.ClassDef) and node.name == first and rest:
            return has_names(node, rest)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == first:
            return not rest and first.startswith("test")
        if isinstance(node, ast.Assign) and [getattr(target, "id", None) for target in node.targets] == [first]:
            return not rest and first.startswith("Test")
    return False


PROMISES = list(promises(PAGE.read_text(encoding="utf-8")))


@pytest.mark.parametrize("promise", PROMISES, ids=[promise.sentence for promise in PROMISES])
def test_a_promise_is_one_sentence_with_tests_that_exist(promise: Promise) -> None:
    assert re.fullmatch(r"[A-Z][^.]*\.", promise.sentence.replace("`stop()`", "it"))
    assert promise.proofs
    assert [proof for proof in promise.proofs if not exists(proof)] == []


def test_the_page_promises_something_under_every_heading() -> None:
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        assert list(promises(section)), section


def test_a_promise_without_a_test_is_noticed() -> None:
    bare, proven = promises("# Page\n\n- It holds.\n- It holds too,\n  for ever.\n  `tests/a.py::test_b`\n\n## More\n")
    assert bare == Promise("It holds.", ())
    assert proven == Promise("It holds too, for ever.", ("tests/a.py::test_b",))


@pytest.mark.parametrize(
    "proof",
    [
        "tests/nowhere.py::test_x",
        "tests/test_guarantees.py",
        "tests/test_guarantees.py::test_no_such",
        "tests/test_guarantees.py::promises",
        "tests/test_guarantees.py::Promise::test_x",
        "electron-bridge/test/nowhere.test.ts > x",
        "electron-bridge/test/main/pages/expose.test.ts > no such test",
        "electron-bridge/test/main/pages/expose.test.ts > no such group > do not include restricted ones",
    ],
)
def test_a_test_that_does_not_exist_is_noticed(proof: str) -> None:
    assert not exists(proof)
