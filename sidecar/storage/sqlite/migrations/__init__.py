"""The numbered migrations, one module each, in order.

A migration that has been released is never edited: what changes later is a new one. Each runs in one transaction with
its number, so it must not begin, commit or use `executescript`, which commits.
"""

import sqlite3
from importlib import import_module
from typing import NamedTuple


class Migration(NamedTuple):
    """One step of the schema; its module is imported only when it has to be applied."""

    version: int
    name: str
    module: str

    def apply(self, connection: sqlite3.Connection) -> None:
        """Change the schema and carry the rows over."""
        import_module(f"{__name__}.{self.module}").migrate(connection)


MIGRATIONS = (
    Migration(1, "the seed's tables", "m0001_seed_tables"),
    Migration(2, "streamed messages and conversation states", "m0002_streams_and_states"),
    Migration(3, "what an import remembers", "m0003_imported_rows"),
    Migration(4, "the full-text index", "m0004_search"),
    Migration(5, "contexts by meaning", "m0005_contexts"),
    Migration(6, "monitoring in lists", "m0006_monitoring"),
    Migration(7, "how old idempotency keys are found", "m0007_upkeep"),
    Migration(8, "rows set aside and adoptions", "m0008_set_aside"),
    Migration(9, "the sizes of streamed messages", "m0009_chunk_sizes"),
    Migration(10, "guards against values that cannot be read", "m0010_guards"),
    Migration(11, "bounded results of idempotency keys", "m0011_kept_results"),
)
