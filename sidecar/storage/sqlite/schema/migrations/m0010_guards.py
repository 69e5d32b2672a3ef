"""Guards: triggers that keep other programs from storing a value that no reader can read.

A time in any form that SQLite knows is accepted and brought to the stored form, so that lists, which are ordered by the
text, stay in order. What is no time, a text in a column of numbers, and an id that nobody could ask for is refused. A
folder that is put into itself lies at the top. Statuses and roles are not guarded: a newer program may know more of
them than this one. Neither is JSON, because an SQLite of 2020 need not have its functions.

Rows that are there already are brought to the stored form as far as their values can be read, and every JSON `null`
becomes NULL, or empty where a column must have a value. The rest is left as it is: `invalid_rows.list` shows it.

Triggers and not CHECK constraints: a constraint could only be added by copying every table, and a row that was invalid
before could then not be changed at all.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sidecar.storage.resources.rows.times import SHAPE, normalised

ROWS_AT_ONCE = 500
"""SQLite keeps the old pages of one statement's rows in memory until it ends."""


class Guarded(NamedTuple):
    """The columns of one table by what they hold; the names of those that may be NULL end with `?`."""

    table: str
    times: str = ""
    integers: str = ""
    counts: str = ""
    """Whole numbers from 0 on."""
    booleans: str = ""
    shares: str = ""
    """Numbers from 0 to 1."""
    keys: tuple[tuple[str, int], ...] = ()
    """Texts by which rows are asked for, with their greatest length in characters."""
    json: str = ""
    lies_in: str | None = None
    """The column that names a row of the same table in which this one lies."""


_HOUR_COUNTS = "prompt_tokens completion_tokens total_tokens"

GUARDED = (
    Guarded(
        "vaults",
        "created_at updated_at",
        "parent_id? sort_order deleted_with?",
        booleans="is_folder is_deleted",
        lies_in="parent_id",
    ),
    Guarded("todo", "created_at start_time? end_time?", "urgency"),
    Guarded("activity", "start_time end_time", json="resources? metadata?"),
    Guarded("tips", "created_at"),
    Guarded("conversations", "created_at updated_at", json="metadata?"),
    Guarded("messages", "created_at updated_at completed_at?", "latency_ms?", "token_count", json="metadata?"),
    Guarded("message_chunks", counts="sequence token_count"),
    Guarded("message_thinking", "created_at", counts="sequence", shares="progress", json="metadata?"),
    Guarded("chats", "created_at updated_at", keys=(("id", 500),), json="metadata?"),
    Guarded("chat_histories", "updated_at", json="messages=[] cache_info={}"),
    Guarded("exchanges", "start end?", json="cost={}"),
    Guarded(
        "processed_contexts",
        "create_time event_time update_time",
        counts="call_count merge_count duration_count",
        shares="confidence?",
        keys=(("context_id", 200),),
        json="keywords=[] entities=[] metadata={}",
    ),
    Guarded("todo_embeddings", json="metadata={}"),
    Guarded("monitoring_token_usage", "time_bucket created_at", counts=_HOUR_COUNTS),
    Guarded(
        "monitoring_stage_timing",
        "time_bucket created_at",
        "min_duration_ms? max_duration_ms?",
        "count total_duration_ms success_count error_count",
        json="metadata?",
    ),
    Guarded("monitoring_data_stats", "time_bucket created_at", counts="count", json="metadata?"),
)


_TRUTH = """CASE
    WHEN typeof({c}) IN ('integer', 'real') THEN {c} != 0
    WHEN lower(trim({c})) IN ('true', 't', 'yes', '1') THEN 1
    WHEN lower(trim({c})) IN ('false', 'f', 'no', '0') THEN 0 END"""
"""SQL for 1 or 0; NULL for what is neither true nor false."""


_TIME = f"GLOB '{'-'.join(('[0-9]' * 4, '[0-9]' * 2, '[0-9]' * 2))}T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z'"
_OBJECT = """(metadata IS NULL OR (
    metadata >= '{' AND metadata < '|' AND NOT metadata GLOB '*[0-9][eE][+0-9][0-9][0-9]*'
    AND NOT metadata GLOB '*\\u[dD][89abAB]*'
))"""

_ODD_MESSAGE = f"""NOT coalesce(
    {_OBJECT} AND typeof(conversation_id) = 'integer' AND role IN ('user', 'assistant', 'system', 'tool')
    AND status IN ('pending', 'streaming', 'completed', 'failed', 'cancelled')
    AND created_at {_TIME} AND updated_at {_TIME} AND (completed_at IS NULL OR completed_at {_TIME})
    AND typeof(token_count) = 'integer' AND token_count >= 0 AND typeof(latency_ms) IN ('integer', 'null')
    AND (parent_message_id IS NULL OR CAST(CAST(parent_message_id AS INTEGER) AS TEXT) = parent_message_id), 0)"""
_ODD_STEP = f"""NOT coalesce({_OBJECT} AND created_at {_TIME} AND progress BETWEEN 0 AND 1
    AND typeof(sequence) = 'integer' AND sequence >= 0, 0)"""
"""Messages and steps that a reader must look at closely, as this version defines them; later ones may know more."""

_INDEXES = (
    f"CREATE INDEX IF NOT EXISTS idx_messages_odd ON messages (id) WHERE {_ODD_MESSAGE}",
    f"CREATE INDEX IF NOT EXISTS idx_message_thinking_odd ON message_thinking (id) WHERE {_ODD_STEP}",
)
"""A conversation is read a third faster when its rows need not be looked at one by one."""


class _Rule(NamedTuple):
    """One guarded column: SQL for the usual value, for a value that is refused, and for what becomes of the others."""

    column: str
    usual: str
    refused: str
    becomes: str
    must_be: str


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the rows to the stored form, then add the guards."""
    for guarded in GUARDED:
        _bring_to_stored_form(connection, guarded)
    add(connection)
    for index in _INDEXES:
        connection.execute(index)


def add(connection: sqlite3.Connection) -> None:
    """Add the guards."""
    for guarded in GUARDED:
        for statement in _triggers(guarded):
            connection.execute(statement)


class AtInsert(NamedTuple):
    """One trigger for all that is guarded and changed when a row is inserted: a second one costs every insert more."""

    guarded: Guarded
    """All guarded columns of the table."""
    when: str = "FALSE"
    """SQL about `new` that is true for rows which are changed besides."""
    then: str = ""
    """The statements that do so; they see values that are in the stored form."""


def add_for(connection: sqlite3.Connection, guarded: Guarded, subject: str, at_insert: AtInsert | None = None) -> None:
    """Add the guards of columns that came later; `subject` tells them from the table's other guards.

    `at_insert` replaces the table's first guard of inserted rows.
    """
    inserted, changed = _triggers(guarded, f"_{subject}")
    if at_insert is not None:
        connection.execute(f"DROP TRIGGER IF EXISTS guard_{guarded.table}_inserted")
        inserted, _ = _triggers(at_insert.guarded, f"_{subject}", at_insert)
    for statement in (inserted, changed):
        connection.execute(statement)


def guard_of_inserts(guarded: Guarded) -> str:
    """Return the statement that adds the guard of inserted rows."""
    return next(_triggers(guarded))


def _triggers(guarded: Guarded, subject: str = "", at_insert: AtInsert | None = None) -> Iterator[str]:
    rules = list(_rules(guarded))
    if not rules:
        return
    watched = ", ".join(_quoted(rule.column) for rule in rules)
    yield _trigger(guarded, f"{guarded.table}{subject}_inserted", "AFTER INSERT", rules, at_insert)
    # A value that is there already, and that nobody can read, must not keep the rest of its row from being changed.
    rules = [_unless_unchanged(rule) for rule in rules]
    yield _trigger(guarded, f"{guarded.table}{subject}_changed", f"AFTER UPDATE OF {watched}", rules)


def _unless_unchanged(rule: _Rule) -> _Rule:
    is_unchanged = f"{{c}} IS old.{_quoted(rule.column)}"
    return rule._replace(
        usual=f"({rule.usual}) OR {is_unchanged}",
        refused=f"({rule.refused}) AND NOT {is_unchanged}",
        becomes=rule.becomes and f"CASE WHEN {is_unchanged} THEN {{c}} ELSE {rule.becomes} END",
    )


def _trigger(guarded: Guarded, name: str, event: str, rules: Sequence[_Rule], more: AtInsert | None = None) -> str:
    usual = " AND ".join(f"({rule.usual.format(c=f'new.{_quoted(rule.column)}')})" for rule in rules)
    refusals = "".join(
        f"SELECT RAISE(ABORT, '{guarded.table}.{rule.column} must be {rule.must_be}') "
        f"WHERE {rule.refused.format(c=f'new.{_quoted(rule.column)}')};\n"
        for rule in rules
    )
    changed = [rule for rule in rules if rule.becomes]
    changes = ", ".join(
        f"{_quoted(rule.column)} = {rule.becomes.format(c=f'new.{_quoted(rule.column)}')}" for rule in changed
    )
    change = f"UPDATE {guarded.table} SET {changes} WHERE rowid = new.rowid;" if changes else ""
    head = f"CREATE TRIGGER guard_{name} {event} ON {guarded.table}"
    when, then = (f" OR ({more.when})", f"\n{more.then}") if more is not None else ("", "")
    return f"{head} WHEN NOT coalesce({usual}, 0){when} BEGIN\n{refusals}{change}{then}\nEND"


def _rules(guarded: Guarded) -> Iterator[_Rule]:
    for name, optional in _names(guarded.times):
        usual = f"{{c}} GLOB {SHAPE}"
        refused = f"{{c}} IS NOT NULL AND {normalised('{c}')} IS NULL"
        must_be = "a time, such as 2026-01-31T09:30:00.000Z"
        yield _Rule(name, _or_null(usual, optional), refused, normalised("{c}"), must_be)
    for names, least, must_be in (
        (guarded.integers, "", "a whole number"),
        (guarded.counts, " AND {c} >= 0", "a whole number from 0 on"),
    ):
        for name, optional in _names(names):
            usual = _or_null(f"typeof({{c}}) = 'integer'{least}", optional)
            becomes = "nullif({c}, new.id)" if name == guarded.lies_in else ""
            is_usual = f"({usual}) AND {{c}} IS NOT new.id" if becomes else usual
            yield _Rule(name, is_usual, f"NOT ({usual})", becomes, must_be)
    for name, _ in _names(guarded.booleans):
        yield _Rule(name, "{c} IN (0, 1)", f"{_TRUTH} IS NULL", _TRUTH, "0 or 1")
    for name, optional in _names(guarded.shares):
        usual = _or_null("{c} BETWEEN 0 AND 1", optional)
        yield _Rule(name, usual, f"NOT ({usual})", "", "a number from 0 to 1")
    for name, longest in guarded.keys:
        # The length of a text ends at its first NUL character, that of bytes does not.
        usual = f"typeof({{c}}) = 'text' AND length(CAST({{c}} AS BLOB)) > 0 AND length({{c}}) <= {longest}"
        yield _Rule(name, usual, f"NOT ({usual})", "", f"a text of 1 to {longest} characters")


def _bring_to_stored_form(connection: sqlite3.Connection, guarded: Guarded) -> None:
    """Normalise the values of rows that are there already, a few rows a statement."""
    changes = dict(_repairs(guarded))
    if not changes:
        return
    odd = " OR ".join(f"({condition})" for condition, _ in changes.values())
    values = ", ".join(
        f"{column} = CASE WHEN {condition} THEN {value} ELSE {column} END"
        for column, (condition, value) in changes.items()
    )
    sql = f"UPDATE {guarded.table} SET {values} WHERE rowid > ? AND rowid <= ? AND ({odd})"
    for after, last in _stretches(connection, guarded.table):
        connection.execute(sql, (after, last))


def _repairs(guarded: Guarded) -> Iterator[tuple[str, tuple[str, str]]]:
    """For each column: SQL for a value that is to become another, and for that other."""
    for name, _ in _names(guarded.times):
        column = _quoted(name)
        # Words without a digit, such as `now`, are no time when they are read.
        is_readable = f"{column} GLOB '*[0-9]*' AND {normalised(column)} IS NOT NULL"
        yield column, (f"{column} NOT GLOB {SHAPE} AND {is_readable}", normalised(column))
    for name, _ in _names(guarded.booleans):
        # One that is neither is false to every reader, and lists look for 0.
        yield name, (f"{name} NOT IN (0, 1)", f"coalesce({_TRUTH.format(c=name)}, 0)")
    for part in guarded.json.split():
        name, _, empty = part.partition("=")
        yield _quoted(name.rstrip("?")), (f"{name.rstrip('?')} = 'null'", f"'{empty}'" if empty else "NULL")
    if guarded.lies_in is not None:
        yield guarded.lies_in, (f"{guarded.lies_in} = id", "NULL")


def _stretches(connection: sqlite3.Connection, table: str) -> Iterator[tuple[int, int]]:
    """The range of a table's row ids in pieces."""
    (first,) = connection.execute(f"SELECT min(rowid) FROM {table}").fetchone()
    after = None if first is None else first - 1
    while after is not None:
        sql = f"SELECT max(rowid) FROM (SELECT rowid FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT {ROWS_AT_ONCE})"
        (last,) = connection.execute(sql, (after,)).fetchone()
        if last is not None:
            yield after, last
        after = last


def _names(names: str) -> Iterator[tuple[str, bool]]:
    for name in names.split():
        yield name.rstrip("?"), name.endswith("?")


def _or_null(usual: str, optional: bool) -> str:
    return f"{{c}} IS NULL OR {usual}" if optional else usual


def _quoted(name: str) -> str:
    return f'"{name}"'
