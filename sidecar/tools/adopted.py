"""`sidecar adopted`: rows that were set aside, listed, exported, brought back and acknowledged."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sidecar.errors import BadConfiguration
from sidecar.models.adoption import AdoptionOverview, RowSetAside
from sidecar.sentences import counted
from sidecar.terminal import say
from sidecar.tools.commands import Store
from sidecar.tools.destination import writing

LONGEST_SHOWN = 160
"""Characters of a row's content in the list."""


def list_rows(store: Store, *, as_json: bool) -> None:
    """Print a line, or with `as_json` a JSON object, for each row set aside, as long as somebody reads them."""
    rows = rows_of(store)
    if as_json:
        for row in rows:
            if not say(row.model_dump_json()):
                return
        return
    overview = store.get_adoptions()
    for line in _headlines(overview):
        say(line)
    for row in rows:
        if not say(_line(row)):
            return


def rows_of(store: Store) -> Iterator[RowSetAside]:
    """Yield every row that is set aside; they are read page by page."""
    cursor = None
    while True:
        page = store.get_rows_set_aside(cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def export_rows(store: Store, path: Path, force: bool) -> None:
    """Write the rows to a file, one JSON object a line; an older file is replaced with `force` only."""
    count = 0
    with writing(path, store.place, force=force) as file:
        for row in rows_of(store):
            file.write(row.model_dump_json().encode() + b"\n")
            count += 1
    say(f"Exported {counted(count, 'row')} set aside to {path}.")


def restore_row(store: Store, row_id: int, values: Mapping[str, Any]) -> None:
    """Restore a row to its table, with these values instead of its own."""
    done = store.restore_row_set_aside(row_id, values)
    say(f"Restored the row to {done.table}; its id is {done.id}.")
    for needed in done.needed:
        say(f"Restored the row {needed.id} of {needed.table} as well, to which it belongs.")


def acknowledge(store: Store) -> None:
    """Acknowledge all rows that are set aside: health and doctor no longer name them."""
    store.acknowledge_rows_set_aside()
    say("Acknowledged. The rows stay set aside until they are restored.")


def values_of(assignments: Iterable[str]) -> dict[str, Any]:
    """Return the values of `column=value` texts: parsed where the value is JSON, and text otherwise.

    Raises `BadConfiguration` for a text without a column.
    """
    values: dict[str, Any] = {}
    for assignment in assignments:
        column, separator, value = assignment.partition("=")
        if not separator or not column:
            raise BadConfiguration(f"'{assignment}' is not COLUMN=VALUE; write, for example, --set status=completed.")
        try:
            values[column] = json.loads(value)
        except ValueError:
            values[column] = value
    return values


def _headlines(overview: AdoptionOverview) -> Iterator[str]:
    for adoption in overview.adoptions:
        yield (
            f"{adoption.source}, a database of {adoption.system}, was adopted at {adoption.adopted_at}; its local "
            f"times were read as those of {adoption.time_zone}."
        )
    total, unread = sum(overview.set_aside.values()), sum(overview.not_acknowledged.values())
    yield f"{counted(total, 'row')} set aside, {unread:,} not acknowledged." if total else "No row is set aside."


def _line(row: RowSetAside) -> str:
    content = json.dumps(row.row, ensure_ascii=False)
    shown = content if len(content) <= LONGEST_SHOWN else f"{content[: LONGEST_SHOWN - 1]}…"
    place = "values replaced" if row.is_carried else "in no table"
    return f"{row.id}  {row.table}  {row.origin}  {place}  {' '.join(row.reason.split())}  {' '.join(shown.split())}"
