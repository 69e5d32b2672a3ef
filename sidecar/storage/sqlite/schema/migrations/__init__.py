"""The numbered migrations, one module each, in the order of their names: `m0019_bookmarks`.

A migration that has been released is never edited: what changes later is a new one. Each runs in one transaction with
its number, so it must not begin, commit or use `executescript`, which commits.
"""

import sqlite3
from importlib import import_module
from pkgutil import iter_modules
from typing import NamedTuple


class Migration(NamedTuple):
    """One step of the schema; its module is imported only when it has to be applied."""

    version: int
    name: str
    module: str

    def apply(self, connection: sqlite3.Connection) -> None:
        """Change the schema and carry the rows over."""
        import_module(f"{__name__}.{self.module}").migrate(connection)


_NAMES = {
    1: "the seed's tables",
    2: "streamed messages and conversation states",
    3: "what an import remembers",
    4: "the full-text index",
    5: "contexts by meaning",
    6: "monitoring in lists",
    7: "how old idempotency keys are found",
    8: "rows set aside and adoptions",
    9: "the sizes of streamed messages",
    10: "guards against values that cannot be read",
    11: "bounded results of idempotency keys",
}
"""The names of migrations that are not those of their modules; the history of a database has them."""


def _found(module: str) -> Migration:
    number, _, words = module.removeprefix("m").partition("_")
    version = int(number)
    return Migration(version, _NAMES.get(version, words.replace("_", " ")), module)


MIGRATIONS = tuple(_found(module) for module in sorted(name for _, name, _ in iter_modules(__path__)))
