"""The return of a row that was set aside to its table, inside one unit of work.

A missing row that it belongs to is brought back before it. A conversation, a thread or a message that is not set aside
either is made. The conversion and the checks of values are in `set_aside_values.py`.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.models.adoption import RowPlace, RowRestored
from sidecar.models.messages import MessageStatus
from sidecar.models.states import MAX_THREAD_ID
from sidecar.storage.resources import rows_set_aside as orphans
from sidecar.storage.resources import vault_tree
from sidecar.storage.resources.rows.columns import read_row
from sidecar.storage.resources.rows.declaration import Reference
from sidecar.storage.resources.rows.names import folded, quoted
from sidecar.storage.resources.rows_set_aside import ORPHANS, TOPIC
from sidecar.storage.resources.vault_tree import VAULTS
from sidecar.storage.sqlite.adoption.set_aside_values import Form, forms_of
from sidecar.storage.sqlite.engine.unit_of_work import SQLiteWork
from sidecar.storage.sqlite.transfer.ids import LARGEST_KEPT_ID
from sidecar.storage.sqlite.transfer.kinds import Kind, TransferKinds
from sidecar.storage.sqlite.transfer.store import CUT_OFF

RESTORED_MESSAGES = "Restored messages: their conversation was lost"
RESTORED_THINKING = "Restored thinking: its message was lost"
RESTORED_THREAD = "Restored: what was known about this thread was lost"

DEEPEST = 50
"""Largest number of rows, each belonging to the next, that are brought back together."""


def run(work: SQLiteWork, entry_id: int, values: Mapping[str, Any], kinds: TransferKinds) -> RowRestored:
    """Bring the row back, remove it from the rows set aside, and return its place.

    Raises the errors of `IAdoptions.restore_row_set_aside`.
    """
    restoring = _Restoring(work, kinds)
    place = restoring.entry(entry_id, {folded(name): value for name, value in values.items()})
    return RowRestored(table=place.table, id=place.id, needed=restoring.needed)


class _Restoring:
    """The return of one row, and of the rows that it needs."""

    def __init__(self, work: SQLiteWork, kinds: TransferKinds) -> None:
        self.needed: list[RowPlace] = []
        self._kinds = kinds
        self._work = work
        self._connection = work.connection
        self._depth = 0

    def entry(self, entry_id: int, values: Mapping[str, Any]) -> RowPlace:
        """Bring back the row that is set aside under this id."""
        found = self._connection.execute(f"SELECT * FROM {ORPHANS} WHERE id = ?", (entry_id,)).fetchone()
        if found is None:
            raise NotFound(f"There is no row set aside with the id {entry_id}.")
        # The entry is removed first, so that rows that lie in one another do not bring each other back without end.
        self._connection.execute(f"DELETE FROM {ORPHANS} WHERE id = ?", (entry_id,))
        self._work.changed(TOPIC, entry_id)
        forms = forms_of(
            self._connection,
            found["table_name"],
            orphans.stored(found["row"]),
            values,
            is_seeds=found["origin"] == "adoption",
            now=self._work.clock.now(),
            zone=_zone(self._connection, found["adoption_id"]),
            kinds=self._kinds,
        )
        places: list[RowPlace] = []
        for form in forms:
            if places and "chat_id" in form.columns:
                form.columns["chat_id"] = places[0].id  # the thread may have had to take another id
            there = self._there(form) if found["is_carried"] else None
            places.append(self._insert(form, values) if there is None else self._update(form, there, values))
        return places[0]

    def _there(self, form: Form) -> dict[str, Any] | None:
        """Return the row of the same key by the folded names of its columns, if it is in its table."""
        if form.key is None or form.key not in form.columns:
            return None
        sql = f"SELECT * FROM {quoted(form.table)} WHERE {quoted(form.key)} = ?"
        found = self._connection.execute(sql, (form.columns[form.key],)).fetchone()
        return None if found is None else {folded(name): found[name] for name in found.keys()}  # noqa: SIM118

    def _update(self, form: Form, there: dict[str, Any], values: Mapping[str, Any]) -> RowPlace:
        """Give a carried row its replaced values back, in the columns that still hold their stand-ins."""
        replaced = {
            name
            for name in form.columns.keys() | form.misfits.keys()
            if name in values or there.get(name) == form.stand_ins.get(name)
        }
        form.misfits = {name: why for name, why in form.misfits.items() if name in replaced}
        form.require_fit()
        key = form.columns[form.key or ""]
        changed = {
            name: form.columns[name]
            for name in replaced
            if name != form.key and (form.columns[name] is not None or name in values)
        }
        form.columns = {**there, **changed}
        self._require_parents(form, values, changed)
        changed = {name: form.columns[name] for name in changed}
        if changed:
            assignments = ", ".join(f"{quoted(name)} = ?" for name in changed)
            sql = f"UPDATE {quoted(form.table)} SET {assignments} WHERE {quoted(form.key or '')} = ?"
            self._execute(sql, (*changed.values(), key))
        return self._finish(form, key)

    def _insert(self, form: Form, values: Mapping[str, Any]) -> RowPlace:
        self._require_parents(form, values, form.columns)
        form.require_fit()
        columns = form.columns
        if form.key in columns and form.key is not None:
            self._choose_key(form, form.key, values)
        if form.table == "messages" and columns.get("status") == MessageStatus.STREAMING:
            # Nobody is left who could go on writing it.
            columns.update(status=MessageStatus.FAILED, error_message=CUT_OFF, completed_at=self._work.now)
        names, places = ", ".join(map(quoted, columns)), ", ".join("?" for _ in columns)
        returned = quoted(form.key) if form.key else "0"
        sql = f"INSERT INTO {quoted(form.table)} ({names}) VALUES ({places}) RETURNING {returned}"
        return self._finish(form, self._execute(sql, tuple(columns.values())))

    def _choose_key(self, form: Form, key: str, values: Mapping[str, Any]) -> None:
        """Leave the row its key if that is free; otherwise an id is left to the table, and a name gets a suffix."""
        wanted = form.columns[key]
        sql = f"SELECT 1 FROM {quoted(form.table)} WHERE {quoted(key)} = ?"

        def is_taken(name: Any) -> bool:
            return self._connection.execute(sql, (name,)).fetchone() is not None

        if isinstance(wanted, int):
            if is_taken(wanted) or wanted > LARGEST_KEPT_ID:
                del form.columns[key]
            return
        number = 1
        while is_taken(form.columns[key]):
            number += 1
            form.columns[key] = f"{wanted[: MAX_THREAD_ID - 20]} (restored {number})"
        if form.columns[key] != wanted:
            self._require_parents(form, values, form.columns)  # its thread has its name

    def _require_parents(self, form: Form, values: Mapping[str, Any], changed: Mapping[str, Any]) -> None:
        """Bring back or make each missing row that this one belongs to.

        Raises `InvalidInput` where there is no such row and none can be made.
        """
        for reference in form.kind.references if form.kind else ():
            if reference.column in changed and form.columns.get(reference.column) is not None:
                problem = self._require_parent(form, reference, is_given=reference.column in values)
                if problem is not None:
                    raise InvalidInput.field(reference.column, problem)

    def _require_parent(self, form: Form, reference: Reference, *, is_given: bool) -> str | None:
        parent = self._kinds.named[reference.kind]
        wanted = form.columns[reference.column]
        if self._has(parent, wanted):
            problem = self._unsuitable(form, reference)
            if problem is not None and not reference.required and not is_given:
                form.columns[reference.column] = None
                return None
            return problem
        if not reference.required and not is_given:
            form.columns[reference.column] = None
            return None
        place = self._brought_back(parent, wanted) or self._made(parent, wanted)
        if place is None:
            return f"there is no row {wanted!r} in {parent.table}; give another one"
        self.needed.append(place)
        form.columns[reference.column] = place.id
        return None

    def _has(self, parent: Kind, key: Any) -> bool:
        sql = f"SELECT 1 FROM {parent.table} WHERE {quoted(parent.key)} = ?"
        return self._connection.execute(sql, (key,)).fetchone() is not None

    def _unsuitable(self, form: Form, reference: Reference) -> str | None:
        """Return the reason why an existing row cannot be the parent; `None` if it can."""
        wanted = form.columns[reference.column]
        if form.table == "vaults" and reference.column == "parent_id":
            if not VAULTS.get(self._connection, wanted).is_folder:
                return f"the vault {wanted} is a document, not a folder"
            own = form.columns.get("id")
            if own is not None and vault_tree.lies_in(self._connection, wanted, own):
                return f"the folder {wanted} lies in the vault itself"
        if reference.column == "parent_message_id":
            sql = "SELECT conversation_id FROM messages WHERE id = ?"
            (conversation,) = self._connection.execute(sql, (wanted,)).fetchone()
            if conversation != form.columns.get("conversation_id"):
                return f"the message {wanted} belongs to another conversation"
        return None

    def _brought_back(self, parent: Kind, key: Any) -> RowPlace | None:
        """Bring back the parent if it is itself set aside; return its place, or `None`."""
        names = (parent.key, "chat_id") if parent.table == "chats" else (parent.key,)
        equal = " OR ".join(f"""json_extract(row, '$."{name}"') = ?""" for name in names)
        sql = f"""
            SELECT id FROM {ORPHANS} WHERE table_name = ? AND NOT is_carried
            AND CASE WHEN json_valid(row) THEN {equal} END ORDER BY id LIMIT 1
        """
        found = self._connection.execute(sql, (parent.table, *[key for _ in names])).fetchone()
        if found is None:
            return None
        self._depth += 1
        if self._depth > DEEPEST:
            raise Conflict(f"More than {DEEPEST} rows belong to one another; bring the outermost one back first.")
        try:
            return self.entry(found["id"], {})
        except InvalidInput as misfit:
            misfit.locate(parent.table)
            raise
        finally:
            self._depth -= 1

    def _made(self, parent: Kind, key: Any) -> RowPlace | None:
        """Make a row in place of a lost conversation, thread or message; return its place, or `None`."""
        now = self._work.now
        times = {"created_at": now, "updated_at": now}
        if parent.table == "conversations":
            return self._make("conversations", {"id": key, "title": RESTORED_MESSAGES, "page_name": "home", **times})
        if parent.table == "chats":
            return self._make("chats", {"id": key, "initial_request": RESTORED_THREAD, **times})
        if parent.table == "messages":
            title = {"title": RESTORED_THINKING, "page_name": "home"}
            conversation = self._make("conversations", {**title, **times})
            self.needed.append(conversation)
            message = {"id": key, "conversation_id": conversation.id, "role": "assistant", "status": "completed"}
            return self._make("messages", {**message, "completed_at": now, **times})
        return None

    def _make(self, table: str, columns: dict[str, Any]) -> RowPlace:
        kind = self._kinds.of_table[table]
        return self._insert(Form(table, kind.key, columns, kind), {})

    def _execute(self, sql: str, values: tuple[Any, ...]) -> Any:
        """Return the first column of the first row. Raises `InvalidInput` for values that a constraint refuses."""
        try:
            row = self._connection.execute(sql, values).fetchone()
        except sqlite3.IntegrityError as refusal:
            raise _refused(refusal) from None
        return None if row is None else row[0]

    def _finish(self, form: Form, key: Any) -> RowPlace:
        """Note the change and return the row's place. Raises `InvalidInput` if a stored value cannot be read."""
        declared = self._kinds.tables.get(form.table)
        if declared is not None and key is not None:
            sql = f"SELECT * FROM {quoted(form.table)} WHERE {quoted(form.key or '')} = ?"
            row = dict(self._connection.execute(sql, (key,)).fetchone())
            _, invalid = read_row({name: column for name, column in declared.columns.items() if name in row}, row)
            if invalid:
                raise InvalidInput.fields((name, "has a value that cannot be read") for name in invalid)
            declared.note_change(self._work, row)
        return RowPlace(table=form.table, id=key)


def _zone(connection: sqlite3.Connection, adoption_id: int | None) -> ZoneInfo | None:
    """Return the zone of a row's local times, which its adoption names: without an id, the store's own adoption."""
    sql = "SELECT time_zone FROM adoptions WHERE id = coalesce(?, (SELECT min(id) FROM adoptions))"
    found = connection.execute(sql, (adoption_id,)).fetchone()
    try:
        return None if found is None else ZoneInfo(found["time_zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _refused(refusal: sqlite3.IntegrityError) -> InvalidInput:
    """Return a broken constraint as an error that names the columns."""
    kind, _, names = str(refusal).partition(" constraint failed: ")
    columns = [name.rpartition(".")[2] for name in names.split(", ")]
    match kind:
        case "UNIQUE" | "PRIMARY KEY":
            return InvalidInput.fields((name, "another row has the same value") for name in columns)
        case "NOT NULL":
            return InvalidInput.fields((name, "is missing") for name in columns)
        case "FOREIGN KEY constraint failed":
            return InvalidInput.field("row", "a row that it refers to is missing")
        case _:
            return InvalidInput.field("row", str(refusal))
