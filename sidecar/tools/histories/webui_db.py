"""The database of Open WebUI, `webui.db`: its table `chat` has a row for each chat, with the chat as JSON."""

import json
import sqlite3
from collections.abc import Iterator

from sidecar.tools.histories import deep_json
from sidecar.tools.histories.formats import Item
from sidecar.tools.histories.tables import columns_of

_COLUMNS = ("id", "user_id", "title", "chat", "created_at", "updated_at", "archived", "pinned", "meta", "folder_id")


def is_database(tables: set[str]) -> bool:
    """Return whether a database with these tables is one of Open WebUI."""
    return {"chat", "user"} <= tables and "responses" not in tables


def items(connection: sqlite3.Connection) -> Iterator[Item]:
    """Yield each chat as an entry of an export."""
    columns = [name for name in _COLUMNS if name in columns_of(connection, "chat")]
    for row in connection.execute(f"SELECT {', '.join(columns)} FROM chat ORDER BY rowid"):
        item = dict(row)
        for name in ("chat", "meta"):
            if isinstance(item.get(name), str):
                item[name] = _parsed(item[name])
        yield item


def _parsed(text: str) -> object:
    """Return what the JSON says; a damaged one stays text, and is then no conversation."""
    try:
        return json.loads(text)
    except RecursionError:
        return deep_json.raw_decode(text, 0)[0]
    except ValueError:
        return text
