"""The statements that are SQLite's own: see `sidecar.storage.interfaces.Dialect`."""

import sqlite3

from sidecar.storage.interfaces import MessageAsJson, MessageSpan
from sidecar.storage.sqlite import message_json


class SQLiteDialect:
    """The dialect of every database of this engine."""

    def read_message(
        self, connection: sqlite3.Connection, message_id: int, *, include_thinking: bool
    ) -> MessageAsJson | None:
        """Return one message with its chunks; `None` if it is not there."""
        return message_json.read_message(connection, message_id, include_thinking=include_thinking)

    def read_messages(
        self, connection: sqlite3.Connection, span: MessageSpan, *, include_thinking: bool
    ) -> list[MessageAsJson]:
        """Return the messages of the span with their chunks, in its order."""
        return message_json.read_messages(connection, span, include_thinking=include_thinking)

    def unindexed(self, column: str) -> str:
        """Return SQL for a column that no index is to be used for; see https://sqlite.org/optoverview.html."""
        return f"+{column}"

    def whole_number(self, column: str) -> str:
        """Return SQL for a column's whole number; 0 for what another program stored in its place."""
        return f"CASE typeof({column}) WHEN 'integer' THEN {column} WHEN 'null' THEN NULL ELSE 0 END"


DIALECT = SQLiteDialect()
