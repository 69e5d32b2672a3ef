"""How many rows of a damaged table may be lost: never fewer than are.

Two sources know of rows that cannot be read. An index all of whose pages are sound has the id of every row. Without
one, the pages around the damaged ones tell which ids were on those, up to the last id that SQLite gave.
"""

import sqlite3
from collections.abc import Iterator, Sequence

from sidecar.models.base import MAX_INTEGER, MIN_INTEGER
from sidecar.storage.resources.rows.names import quoted
from sidecar.storage.sqlite.recovery.damaged_reader import READ_ERRORS, DamagedTable
from sidecar.storage.sqlite.recovery.page_scan import Range
from sidecar.storage.sqlite.recovery.repaired_copy import Condition


class LostRows:
    """Of one table with row ids, while its rows are merged into `target`."""

    def __init__(self, damaged: DamagedTable, target: sqlite3.Connection, condition: Condition) -> None:
        self._damaged = damaged
        self._target = target
        self._condition = condition
        tree = condition.tables.get(damaged.table.name)
        self._unknown = [Range(MIN_INTEGER, MAX_INTEGER)] if tree is None else list(tree.unknown)
        self.doubtful = set() if tree is None else set(tree.doubtful)
        """Ids of rows that can be read and that something contradicts."""
        self._has_complete_index = self._note_what_only_indexes_know()

    def cannot_be_read(self, ids: Range) -> None:
        """Note that there may have been rows with these ids."""
        self._unknown.append(ids)

    def may_have_been(self, row_id: int) -> bool:
        """Return whether there may have been a row with this id, which cannot be read."""
        return self._is_missed(row_id) or any(first <= row_id <= last for first, last in self._unknown)

    def known_to_indexes(self, ids: Range) -> list[int]:
        """Which of these ids only indexes have."""
        return [
            row_id for (row_id,) in self._target.execute("SELECT row_id FROM missed WHERE row_id BETWEEN ? AND ?", ids)
        ]

    def count(self) -> int | None:
        """The most rows that can be lost now that the others are in `target`; `None` if there is no end to them."""
        known = self._count_missed()
        if self._has_complete_index or not self._unknown:
            return known
        unknown = self._count_unknown()
        return None if unknown is None else known + unknown

    def _note_what_only_indexes_know(self) -> bool:
        """Fill `missed` with row ids that indexes have and the table has not; return whether one has all ids."""
        self._target.execute("CREATE TEMP TABLE IF NOT EXISTS missed (row_id INTEGER PRIMARY KEY)")
        self._target.execute("DELETE FROM missed")

        def note(row_id: int) -> None:
            self._target.execute("INSERT OR IGNORE INTO missed VALUES (?)", (row_id,))

        whole = [name for name in self._damaged.indexes() if name in self._condition.whole]
        complete = [index for index in whole if self._damaged.tell_ids(index, note) and self._is_complete(index)]
        if not whole and self._unknown:
            self._damaged.tell_some_ids(note)
            for ids in _between(self._unknown):
                self._target.execute("DELETE FROM missed WHERE row_id BETWEEN ? AND ?", ids)
        for piece in self._damaged.pieces():
            for row in piece.rows or ():
                self._target.execute("DELETE FROM missed WHERE row_id = ?", (row[0],))
        return bool(complete)

    def _is_complete(self, index: str) -> bool:
        """Return whether the index has every row that can be read; notes those that it has otherwise."""
        try:
            self.doubtful.update(self._damaged.contradicted_by(index))
            return self._damaged.has_all_keys(index)
        except READ_ERRORS:
            return False

    def _is_missed(self, row_id: int) -> bool:
        return self._target.execute("SELECT 1 FROM missed WHERE row_id = ?", (row_id,)).fetchone() is not None

    def _count_missed(self) -> int:
        """Rows that an index knows and nothing has."""
        name = quoted(self._damaged.table.name)
        sql = f"SELECT count(*) FROM missed WHERE row_id NOT IN (SELECT rowid FROM {name})"
        count: int = self._target.execute(sql).fetchone()[0]
        return count

    def _count_unknown(self) -> int | None:
        """Ids that may have been on damaged pages, and that nothing has."""
        name = quoted(self._damaged.table.name)
        sql = f"SELECT coalesce(min(rowid), 1), coalesce(max(rowid), 0) FROM {name}"
        least, most = self._target.execute(sql).fetchone()
        last_given = self._last_id_given()
        count = 0
        for first, last in self._unknown:
            if last == MAX_INTEGER:
                if last_given is None or last_given < most:
                    return None
                last = last_given
            first = max(first, min(least, 1))
            if first <= last:
                sql = f"SELECT count(*) FROM {name} WHERE rowid BETWEEN ? AND ?"
                count += last - first + 1 - self._target.execute(sql, (first, last)).fetchone()[0]
        return count

    def _last_id_given(self) -> int | None:
        """The largest id that any row of the table ever had, if SQLite keeps count of it and that can be read."""
        sequences = self._condition.tables.get("sqlite_sequence")
        if sequences is None or sequences.unknown:
            return None
        return self._damaged.last_id_given()


def _between(ranges: Sequence[Range]) -> Iterator[Range]:
    """The ids in none of these ranges."""
    first = MIN_INTEGER
    for given in sorted(ranges):
        if first < given.first:
            yield Range(first, given.first - 1)
        first = max(first, given.last + 1)
    if first <= MAX_INTEGER:
        yield Range(first, MAX_INTEGER)
