"""When a todo was completed and an activity recorded, and the indexes of lists by urgency and of totals.

`todo.completed_at` is a column of its own, so that `end_time` can hold a deadline. A todo without an end gets the time
of its completion there, too, as in the seed; `end_is_completion` says so, and reopening clears only such an end.

Other programs know neither column: they set `status` and, as the seed does, `end_time`. Triggers keep both columns for
them. In a row that such a program inserts, `end_is_completion` is NULL, which tells it from a row of this program.

A completed todo of before has had the time of its completion in `end_time`.

Activities can be changed now. `activity.created_at`, which the API does not show, tells imports which one a row is.
"""

import sqlite3

from sidecar.storage.sqlite.schema.migrations import m0010_guards
from sidecar.storage.sqlite.schema.migrations.m0010_guards import AtInsert, Guarded

ROWS_AT_ONCE = 2_000
"""SQLite keeps the old pages of one statement's rows in memory until it ends."""

COLUMNS = (
    "ALTER TABLE todo ADD COLUMN completed_at DATETIME",
    "ALTER TABLE todo ADD COLUMN end_is_completion INTEGER",
    "ALTER TABLE activity ADD COLUMN created_at DATETIME",
)

NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

INSERTED_TODO = AtInsert(
    Guarded("todo", "created_at start_time? end_time? completed_at?", "urgency end_is_completion?"),
    "new.end_is_completion IS NULL AND new.status = 1 AND new.completed_at IS NULL",
    """
    UPDATE todo SET completed_at = end_time, end_is_completion = end_time IS NOT NULL
    WHERE rowid = new.rowid AND end_is_completion IS NULL AND status = 1 AND completed_at IS NULL;
    """,
)

INSERTED_ACTIVITY = AtInsert(Guarded("activity", "start_time end_time created_at?", json="resources? metadata?"))

TRIGGERS = (
    f"""
    CREATE TRIGGER completion_todo_completed AFTER UPDATE OF status ON todo
    WHEN new.status = 1 AND old.status IS NOT 1 AND new.completed_at IS NULL
    BEGIN
        UPDATE todo SET
            completed_at = CASE WHEN end_time IS NULL OR new.end_time IS old.end_time THEN {NOW} ELSE end_time END,
            end_is_completion = end_time IS NOT NULL AND new.end_time IS NOT old.end_time
        WHERE rowid = new.rowid;
    END
    """,
    """
    CREATE TRIGGER completion_todo_reopened AFTER UPDATE OF status ON todo
    WHEN new.status IS NOT 1 AND old.status = 1 AND new.completed_at IS NOT NULL
    BEGIN
        UPDATE todo SET
            completed_at = NULL,
            end_time = CASE WHEN new.end_is_completion = 1 AND new.end_time IS old.end_time THEN NULL ELSE end_time END,
            end_is_completion = 0
        WHERE rowid = new.rowid;
    END
    """,
)

INDEXES = (
    "DROP INDEX IF EXISTS idx_todo_urgency",
    "CREATE INDEX idx_todo_urgency ON todo (urgency, created_at)",
    "CREATE INDEX idx_todo_status_urgency ON todo (status, urgency, created_at)",
    """
    CREATE INDEX idx_processed_contexts_raw ON processed_contexts (raw_type, raw_id, create_time)
        WHERE raw_id IS NOT NULL
    """,
    # Narrow, for totals: SQLite counts a table by the pages of its narrowest index, and of equals the one made last.
    # Todos, activities and tips come in batches, where another index is a fifth of the time; the ones that they have
    # count a million rows in 12 to 20 ms.
    "CREATE INDEX idx_vaults_count_types ON vaults (is_deleted, document_type)",
    "CREATE INDEX idx_vaults_count ON vaults (is_deleted)",
    # Ascending: backwards it has the order of the list, ids included. Descending, it left each page to be sorted, and
    # with statistics SQLite sorted the whole table instead.
    "DROP INDEX IF EXISTS idx_conversations_updated_at",
    "CREATE INDEX idx_conversations_updated_at ON conversations (updated_at)",
    "DROP INDEX IF EXISTS idx_conversations_user_page",
    "CREATE INDEX idx_conversations_user_page ON conversations (user_id, page_name, status)",
    "CREATE INDEX idx_conversations_count_pages ON conversations (page_name, status)",
    "CREATE INDEX idx_conversations_count ON conversations (id)",
    "CREATE INDEX idx_todo_completed_at ON todo (completed_at) WHERE completed_at IS NOT NULL",
)


def migrate(connection: sqlite3.Connection) -> None:
    """Add the columns, fill them, and add their guards, triggers and indexes."""
    for statement in COLUMNS:
        connection.execute(statement)
    _fill(connection)
    m0010_guards.add_for(connection, Guarded("todo", "completed_at?", "end_is_completion?"), "times", INSERTED_TODO)
    m0010_guards.add_for(connection, Guarded("activity", "created_at?"), "times", INSERTED_ACTIVITY)
    for statement in (*TRIGGERS, *INDEXES):
        connection.execute(statement)


def _fill(connection: sqlite3.Connection) -> None:
    """Take the ends of completed todos for the times of their completion, some rows a statement."""
    following = f"SELECT min(id), max(id) FROM (SELECT id FROM todo WHERE id > ? ORDER BY id LIMIT {ROWS_AT_ONCE})"
    change = """
        UPDATE todo SET completed_at = end_time, end_is_completion = 1
        WHERE id BETWEEN ? AND ? AND status = 1 AND end_time IS NOT NULL
    """
    (first, last) = connection.execute(following.replace("WHERE id > ?", "")).fetchone()
    while first is not None:
        connection.execute(change, (first, last))
        first, last = connection.execute(following, (last,)).fetchone()
