"""Populated stores of every schema version, and the truth about what they answer today.

`tests/storage/versions/since-N.sql` are rows that a store may hold since version N, `since-N.json` what their records
are: by model, each whole. A store of version 5 gets the rows of the files up to 5 when it has had the migrations up to
5. `python -m tests.reading.versions N` prints the records that the truths before N do not have, as a draft to be
checked against the rows by eye.
"""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sidecar.clock import SYSTEM_CLOCK
from sidecar.models import timestamps
from sidecar.storage.sqlite.schema import upgrade
from sidecar.storage.sqlite.schema.migrations import MIGRATIONS

from .records import KEYS, Records, records
from .stores import database, read

DIRECTORY = Path(__file__).parent.parent / "storage" / "versions"
VERSIONS = [migration.version for migration in MIGRATIONS]

ANY_TIME = "<any time>"
ANY_NUMBER = "<any number>"
"""Stand in a truth for what the first start sets, at a time that nobody knows before."""


def rows_of(version: int) -> Path:
    return DIRECTORY / f"since-{version}.sql"


def truth_of(version: int) -> Path:
    return DIRECTORY / f"since-{version}.json"


def make(directory: Path, version: int) -> Path:
    """The file of a populated store of this version, in this directory."""
    directory.mkdir(exist_ok=True)
    path = database(directory)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA foreign_keys = ON")
        until = [migration for migration in MIGRATIONS if migration.version <= version]
        upgrade.bring_up_to_date(connection, None, lambda *_: None, until, clock=SYSTEM_CLOCK)
        for number in range(1, version + 1):
            connection.executescript(rows_of(number).read_text(encoding="utf-8"))
    return path


def truth(version: int) -> Records:
    """The records of a store of this version. A record in a later file replaces the one in an earlier file."""
    known: Records = {}
    for number in range(1, version + 1):
        file: dict[str, list[dict[str, Any]]] = json.loads(truth_of(number).read_text(encoding="utf-8"))
        for model, rows in file.items():
            known.setdefault(model, {}).update({row[KEYS[model]]: row for row in rows})
    return known


def deviations(true: Records, found: Records, *, may_have_more: bool = False) -> Iterator[str]:
    """Where the records that were found are not what the truth says."""
    for model in true.keys() | found.keys():
        expected, answered = true.get(model, {}), found.get(model, {})
        for key in expected.keys() | answered.keys():
            one, other = expected.get(key), answered.get(key)
            if one is None and may_have_more:
                continue
            if one is None or other is None:
                yield f"{model} {key} is {'not in the truth' if one is None else 'not answered'}"
            elif not _matches(one, other):
                shown = [json.dumps(row, ensure_ascii=False) for row in (other, one)]
                yield f"{model} {key} is\n  {shown[0]}, not\n  {shown[1]}"


def _matches(true: dict[str, Any], found: dict[str, Any]) -> bool:
    """Whether the record is equal in every field of the truth, and empty in every field that is younger than it."""
    is_equal = all(name in found and _fits(name, value, found[name]) for name, value in true.items())
    return is_equal and not any(value for name, value in found.items() if name not in true)


def _fits(name: str, true: Any, found: Any) -> bool:
    if true == ANY_TIME:
        return isinstance(found, str) and timestamps.canonical(found) == found
    if true == ANY_NUMBER:
        return isinstance(found, int)
    if name == "thinking":
        return len(true) == len(found) and all(map(_matches, true, found))
    # As text, since to Python True is 1 and 1.0.
    return json.dumps(true, sort_keys=True) == json.dumps(found, sort_keys=True)


def draft(version: int) -> str:
    """The records that the truths before this version do not have, as text."""
    with TemporaryDirectory() as directory:
        make(Path(directory), version)
        found = records(asyncio.run(read(Path(directory))))
    before = truth(version - 1)
    new = {
        model: [row for key, row in rows.items() if not _matches(before.get(model, {}).get(key, {"": None}), row)]
        for model, rows in found.items()
    }
    lines = [
        f'  "{model}": [\n' + ",\n".join(f"    {json.dumps(row, ensure_ascii=False)}" for row in rows) + "\n  ]"
        for model, rows in new.items()
        if rows
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    sys.stdout.write(draft(int(sys.argv[1])))
