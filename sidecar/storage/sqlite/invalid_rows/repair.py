"""The repair of a table's invalid rows, and setting them aside, inside one unit of work.

The original of every row is kept among the rows set aside.
"""

from collections.abc import Sequence

from sidecar.errors import Conflict
from sidecar.models.invalid_rows import RepairAction
from sidecar.storage.resources import rows_set_aside as orphans
from sidecar.storage.resources.rows.declaration import Declaration
from sidecar.storage.sqlite.engine.encoding import any_text
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.sqlite.invalid_rows.scan import Invalid


def run(work: SQLiteWork, action: RepairAction, table: Declaration, found: Sequence[Invalid]) -> None:
    """Repair the invalid rows of a table, or set them aside.

    Raises `Conflict` for setting aside a row that others belong to.
    """
    with any_text(work.connection):
        for invalid in found:
            if action is RepairAction.REPAIR:
                _repair(work, table, invalid)
            else:
                _set_aside(work, table, invalid)


def _repair(work: SQLiteWork, table: Declaration, invalid: Invalid) -> None:
    """Store the safe values in the row."""
    _keep(work, table, invalid, is_carried=True)
    safe = {name: table.columns[name].write(invalid.values[name]) for name in invalid.names}
    assignments = ", ".join(f'"{name}" = ?' for name in safe)
    work.connection.execute(f"UPDATE {table.name} SET {assignments} WHERE rowid = ?", (*safe.values(), invalid.row_id))
    table.note_change(work, {**invalid.stored, **safe})


def _set_aside(work: SQLiteWork, table: Declaration, invalid: Invalid) -> None:
    """Remove the row from its table."""
    key = invalid.stored[table.key]
    belonging = table.belonging
    if belonging is not None:
        child, column = belonging
        if work.connection.execute(f"SELECT 1 FROM {child} WHERE {column} = ? LIMIT 1", (key,)).fetchone() is not None:
            raise Conflict(f"Rows of {child} belong to the row {key!r} of {table.name}; repair it instead.")
    _keep(work, table, invalid, is_carried=False)
    work.connection.execute(f"DELETE FROM {table.name} WHERE rowid = ?", (invalid.row_id,))
    table.note_change(work, invalid.stored)


def _keep(work: SQLiteWork, table: Declaration, invalid: Invalid, *, is_carried: bool) -> None:
    reason = orphans.unreadable(invalid.names)
    orphans.keep(work.connection, table.name, invalid.stored, reason, work.now, is_carried=is_carried, origin="repair")
