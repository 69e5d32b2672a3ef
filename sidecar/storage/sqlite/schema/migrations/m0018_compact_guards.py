"""The guards in a compact form.

Every connection parses the whole schema when it opens, and keeps it. The guards so far had the SQL that reads a time up
to four times for each column, and that was 1.5 MB and 4 ms of each connection. Now the rules stand once, in the trigger
of `guard_values`: a guard that meets an unusual value puts the values of its row there, takes what they become, and
removes them, so that the table is empty after each statement.

One guard for inserts and one for changes has all columns of its table. What they let pass, change and refuse is what it
was.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sidecar.storage.resources.rows.names import quoted
from sidecar.storage.resources.rows.times import SHAPE, normalised
from sidecar.storage.sqlite.schema.making_room import make_room


class Kind(NamedTuple):
    """A kind of values: SQL for the usual value and for what another one becomes, and the words of a refusal."""

    usual: str
    must_be: str
    becomes: str = ""
    """SQL that is NULL for a value that is refused; without it, every value that is not usual is refused."""


_MOST = 10**12

_TRUTH = """CASE
    WHEN typeof({c}) IN ('integer', 'real') THEN {c} != 0
    WHEN lower(trim({c})) IN ('true', 't', 'yes', '1') THEN 1
    WHEN lower(trim({c})) IN ('false', 'f', 'no', '0') THEN 0 END"""


def _key(longest: int) -> Kind:
    # The length of a text ends at its first NUL character, that of bytes does not.
    usual = f"typeof({{c}}) = 'text' AND length(CAST({{c}} AS BLOB)) > 0 AND length({{c}}) <= {longest}"
    return Kind(usual, f"a text of 1 to {longest} characters")


KINDS = {
    "time": Kind(f"{{c}} GLOB {SHAPE}", "a time, such as 2026-01-31T09:30:00.000Z", normalised("{c}")),
    "boolean": Kind("{c} IN (0, 1)", "0 or 1", _TRUTH),
    "integer": Kind("typeof({c}) = 'integer'", "a whole number"),
    "count": Kind("typeof({c}) = 'integer' AND {c} >= 0", "a whole number from 0 on"),
    "tokens": Kind(f"typeof({{c}}) = 'integer' AND {{c}} BETWEEN 0 AND {_MOST}", f"a whole number from 0 to {_MOST}"),
    "cost": Kind(f"typeof({{c}}) = 'real' AND {{c}} BETWEEN 0 AND {_MOST}", f"a number from 0 to {_MOST}"),
    "share": Kind("{c} BETWEEN 0 AND 1", "a number from 0 to 1"),
    "key_500": _key(500),
    "key_200": _key(200),
}


class Column(NamedTuple):
    """A guarded column."""

    name: str
    kind_name: str
    is_optional: bool

    @property
    def kind(self) -> Kind:
        return KINDS[self.kind_name]

    @property
    def is_changed(self) -> bool:
        """True if the guard may store another value."""
        return bool(self.kind.becomes) or self.is_home

    @property
    def is_home(self) -> bool:
        """True for the folder in which a row lies; one that is put into itself lies at the top."""
        return self.name == "parent_id"

    @property
    def usual(self) -> str:
        """SQL that is true for a new value that may stay as it is."""
        usual = self.kind.usual.format(c=self.new)
        if self.is_optional:
            usual = f"{self.new} IS NULL OR {usual}"
        return f"(({usual}) AND {self.new} IS NOT new.id)" if self.is_home else f"({usual})"

    @property
    def is_kept(self) -> str:
        """SQL that is true where the value was the same before."""
        return f"{self.new} IS old.{quoted(self.name)}"

    @property
    def value(self) -> str:
        """SQL for the name, the kind and the new value. A time may be NULL: its table says whether it must not."""
        kind = f"{self.kind_name}{'?' * (self.is_optional or self.kind_name == 'time')}"
        given = f"nullif({self.new}, new.id)" if self.is_home else self.new
        return f"'{self.name}', '{kind}', {given}"

    @property
    def new(self) -> str:
        return f"new.{quoted(self.name)}"


_SESSION_COUNTERS = (
    "model_calls prompt_tokens completion_tokens total_tokens stage_runs stage_errors data_count processor_runs "
    "processor_errors errors"
)

GUARDED = {
    "vaults": {
        "time": "created_at updated_at",
        "integer": "parent_id? sort_order deleted_with?",
        "boolean": "is_folder is_deleted",
    },
    "todo": {"time": "created_at start_time? end_time? completed_at?", "integer": "urgency end_is_completion?"},
    "activity": {"time": "start_time end_time created_at?"},
    "tips": {"time": "created_at"},
    "conversations": {"time": "created_at updated_at", "boolean": "is_pinned"},
    "messages": {
        "tokens": "prompt_tokens? completion_tokens?",
        "cost": "cost?",
        "time": "created_at updated_at completed_at?",
        "integer": "latency_ms?",
        "count": "token_count",
    },
    "message_chunks": {"count": "sequence token_count"},
    "message_thinking": {"time": "created_at", "count": "sequence", "share": "progress"},
    "chats": {"time": "created_at updated_at", "key_500": "id"},
    "chat_histories": {"time": "updated_at"},
    "exchanges": {"time": "start end?"},
    "processed_contexts": {
        "time": "create_time event_time update_time",
        "count": "call_count merge_count duration_count",
        "share": "confidence?",
        "key_200": "context_id",
    },
    "monitoring_token_usage": {
        "time": "time_bucket created_at",
        "count": "prompt_tokens completion_tokens total_tokens",
    },
    "monitoring_stage_timing": {
        "time": "time_bucket created_at",
        "integer": "min_duration_ms? max_duration_ms?",
        "count": "count total_duration_ms success_count error_count",
    },
    "monitoring_data_stats": {"time": "time_bucket created_at", "count": "count"},
    "monitoring_errors": {"time": "time_bucket created_at updated_at", "count": "count"},
    "monitoring_runs": {"time": "start_time end_time created_at"},
    "monitoring_session": {"time": "started_at", "count": _SESSION_COUNTERS},
    "jobs": {
        "time": "created_at started_at? finished_at?",
        "count": "done attempts failures crashes",
        "boolean": "is_cancelling is_repeatable",
    },
}
"""The guarded columns of each table by kind; the names of those that may be NULL end with `?`."""

_COMPLETED = "new.end_is_completion IS NULL AND new.status = 1 AND new.completed_at IS NULL"
_NOTE_COMPLETION = """
    UPDATE todo SET completed_at = end_time, end_is_completion = end_time IS NOT NULL
    WHERE rowid = new.rowid AND end_is_completion IS NULL AND status = 1 AND completed_at IS NULL;
"""
"""A completed todo that another program inserts; in the guard because a second trigger would cost every insert more."""


def migrate(connection: sqlite3.Connection) -> None:
    """Replace the guards."""
    for table in GUARDED:
        for subject in ("", "_times", "_organised", "_usage", "_all"):
            for event in ("inserted", "changed"):
                connection.execute(f"DROP TRIGGER IF EXISTS guard_{table}{subject}_{event}")
    make_room(connection, "guard_values")
    # Without a type, a column keeps every value as it is. Without a constraint, no conflict clause matters.
    connection.execute("CREATE TABLE guard_values (name, kind, given, is_kept, stored, is_refused)")
    connection.execute(_rules())
    for table, kinds in GUARDED.items():
        columns = list(_columns(kinds))
        connection.execute(_guard_of_inserts(table, columns))
        connection.execute(_guard_of_changes(table, columns))


def _columns(kinds: Mapping[str, str]) -> Iterator[Column]:
    for kind, names in kinds.items():
        for name in names.split():
            yield Column(name.rstrip("?"), kind, name.endswith("?"))


def _rules() -> str:
    """Return the trigger with the rules. It leaves a value that is kept as it is, and NULL where a column takes it."""
    cases = " ".join(f"WHEN '{name}' THEN {_stored(kind)}" for name, kind in KINDS.items())
    return f"""
        CREATE TRIGGER guard_values_rules AFTER INSERT ON guard_values BEGIN
            UPDATE guard_values
            SET stored = CASE WHEN new.is_kept THEN new.given ELSE CASE rtrim(new.kind, '?') {cases} END END
            WHERE rowid = new.rowid;
            UPDATE guard_values
            SET is_refused = NOT new.is_kept AND stored IS NULL AND (new.given IS NOT NULL OR new.kind NOT LIKE '%?')
            WHERE rowid = new.rowid;
        END
    """


def _stored(kind: Kind) -> str:
    return (kind.becomes or f"CASE WHEN {kind.usual} THEN {{c}} END").format(c="new.given")


def _guard_of_inserts(table: str, columns: Sequence[Column]) -> str:
    when = f"NOT coalesce({' AND '.join(column.usual for column in columns)}, 0)"
    values = ", ".join(f"({column.value}, 0)" for column in columns)
    head, body = f"CREATE TRIGGER guard_{table}_inserted AFTER INSERT ON {table}", _body(table, columns, values)
    if table == "todo":
        when, body = f"{when} OR ({_COMPLETED})", f"{body} {_NOTE_COMPLETION}"
    return f"{head} WHEN {when} BEGIN {body} END"


def _guard_of_changes(table: str, columns: Sequence[Column]) -> str:
    """A value that is there already, and that nobody can read, must not keep the rest of its row from being changed."""
    usual = " AND ".join(f"({column.usual} OR {column.is_kept})" for column in columns)
    values = ", ".join(f"({column.value}, {column.is_kept})" for column in columns)
    watched = ", ".join(quoted(column.name) for column in columns)
    head = f"CREATE TRIGGER guard_{table}_changed AFTER UPDATE OF {watched} ON {table}"
    return f"{head} WHEN NOT coalesce({usual}, 0) BEGIN {_body(table, columns, values)} END"


def _body(table: str, columns: Sequence[Column], values: str) -> str:
    """Return the statements of a guard, for `values` of its row with their names, kinds and whether they are kept."""
    refusals = " ".join(
        f"WHEN '{column.name}' THEN RAISE(ABORT, '{table}.{column.name} must be {column.kind.must_be}')"
        for column in columns
    )
    changes = ", ".join(
        f"{quoted(column.name)} = (SELECT stored FROM guard_values WHERE name = '{column.name}')"
        for column in columns
        if column.is_changed
    )
    change = f"UPDATE {table} SET {changes} WHERE rowid = new.rowid;" if changes else ""
    return f"""
        INSERT INTO guard_values (name, kind, given, is_kept) VALUES {values};
        SELECT CASE name {refusals} END FROM guard_values WHERE is_refused;
        {change}
        DELETE FROM guard_values;
    """
