"""The repair of a table's invalid rows, and setting them aside, inside one unit of work.

The original of every row is kept among the rows set aside.
"""

from collections.abc import Sequence

from sidecar.errors import Conflict
from sidecar.models.invalid_rows import RepairAction
from sidecar.storage.sqlite import orphans
from sidecar.storage.sqlite.encoding import any_text
from sidecar.storage.sqlite.invalid_row_scan import Invalid, key_of
from sidecar.storage.sqlite.row_changes import note_change
from sidecar.storage.sqlite.stored_columns import STORED
from sidecar.storage.sqlite.work import Work

_BELONGING = {
    "vaults": ("vaults", "parent_id"),
    "conversations": ("messages", "conversation_id"),
    "messages": ("message_thinking", "message_id"),
    "chats": ("chat_histories", "chat_id"),
    "todo": ("todo_embeddings", "todo_id"),
}
"""For each table, the table of the rows that belong to its rows, and the column that names them."""


def run(work: Work, action: RepairAction, table: str, found: Sequence[Invalid]) -> None:
    """Repair the invalid rows of a table, or set them aside.

    Raises `Conflict` for setting aside a row that others belong to.
    """
    with any_text(work.connection):
        for invalid in found:
            if action is RepairAction.REPAIR:
                _repair(work, table, invalid)
            else:
                _set_aside(work, table, invalid)


def _repair(work: Work, table: str, invalid: Invalid) -> None:
    """Store the safe values in the row."""
    _keep(work, table, invalid, is_carried=True)
    safe = {name: STORED[table][name].write(invalid.values[name]) for name in invalid.names}
    assignments = ", ".join(f'"{name}" = ?' for name in safe)
    work.connection.execute(f"UPDATE {table} SET {assignments} WHERE rowid = ?", (*safe.values(), invalid.row_id))
    note_change(work, table, {**invalid.stored, **safe})


def _set_aside(work: Work, table: str, invalid: Invalid) -> None:
    """Remove the row from its table."""
    key = invalid.stored[key_of(table)]
    if table in _BELONGING:
        child, column = _BELONGING[table]
        if work.connection.execute(f"SELECT 1 FROM {child} WHERE {column} = ? LIMIT 1", (key,)).fetchone() is not None:
            raise Conflict(f"Rows of {child} belong to the row {key!r} of {table}; repair it instead.")
    _keep(work, table, invalid, is_carried=False)
    work.connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (invalid.row_id,))
    note_change(work, table, invalid.stored)


def _keep(work: Work, table: str, invalid: Invalid, *, is_carried: bool) -> None:
    reason = orphans.unreadable(invalid.names)
    orphans.keep(work.connection, table, invalid.stored, reason, work.now, is_carried=is_carried, origin="repair")
