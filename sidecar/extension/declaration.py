"""The declaration of an extension: its namespace, its routes and the migrations of its tables."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from sidecar.extension.routes import ExtensionRouter
from sidecar.storage.interfaces import OwnMigration, OwnTables

F = TypeVar("F", bound=Callable[..., Any])

LONGEST_NAMESPACE = 40
_NAMESPACE = re.compile(rf"[a-z][a-z0-9_]{{0,{LONGEST_NAMESPACE - 1}}}")


class Extension:
    """The app's own part of a sidecar. A module that is loaded has exactly one."""

    def __init__(self, namespace: str) -> None:
        """`namespace` begins the names of tables, operations and topics: `notes_cards`, `notes.create`, `notes.cards`.

        Raises `ValueError` for a namespace that is not lower-case letters, digits and underscores.
        """
        if _NAMESPACE.fullmatch(namespace) is None or namespace.endswith("_"):
            raise ValueError(
                f"the namespace {namespace!r} must be 1 to {LONGEST_NAMESPACE} lower-case letters, digits and "
                "underscores, begin with a letter and not end with an underscore"
            )
        self.namespace = namespace
        self.router = ExtensionRouter(namespace)
        """Routes of the extension, a `fastapi.APIRouter` whose paths lie under `/x/<namespace>`."""
        self._migrations: dict[int, OwnMigration] = {}

    def migration(self, number: int) -> Callable[[F], F]:
        """Return a decorator for the function that brings the tables from version `number - 1` to `number`.

        The function gets a `sqlite3.Connection` inside a transaction that is open, and must not commit. Everything that
        it creates has a name that begins with the namespace. A migration that was released is never changed.

        Raises `ValueError` for a number that is taken.
        """

        def add(function: F) -> F:
            if number in self._migrations:
                raise ValueError(f"there are two migrations with the number {number}")
            self._migrations[number] = OwnMigration(number, function.__name__, function)
            return function

        return add

    @property
    def tables(self) -> OwnTables:
        """The migrations in their order. Raises `ValueError` where one is missing in between."""
        numbers = sorted(self._migrations)
        if numbers != list(range(1, len(numbers) + 1)):
            missing = next(number for number in range(1, numbers[-1] + 1) if number not in self._migrations)
            raise ValueError(f"the migration {missing} is missing; the last one is {numbers[-1]}")
        return OwnTables(self.namespace, tuple(self._migrations[number] for number in numbers))
