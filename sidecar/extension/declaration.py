"""The declaration of an extension: its namespace, its routes, its tables, its preferences, and its tasks."""

import inspect
import re
from collections.abc import AsyncIterator, Callable
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

from pydantic import BaseModel

from sidecar.extension.parameters import parameters_of
from sidecar.extension.routes import ExtensionRouter
from sidecar.extension.tables import Exported, OwnTable, R, Searched, own_table
from sidecar.extension.tasks import Tasks
from sidecar.jobs import JobKind, RunIn, Running
from sidecar.storage.interfaces import OwnMigration, OwnTables
from sidecar.storage.resources.lines import EXPORTED
from sidecar.storage.resources.preference_models import require_usable
from sidecar.storage.resources.rows.columns import Columns

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
M = TypeVar("M", bound=type[BaseModel])

LONGEST_NAMESPACE = 40
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NAMESPACE = re.compile(rf"[a-z][a-z0-9_]{{0,{LONGEST_NAMESPACE - 1}}}")


class Extension(Tasks):
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
        super().__init__()
        self.namespace = namespace
        self.router = ExtensionRouter(namespace)
        """Routes of the extension, a `fastapi.APIRouter` whose paths lie under `/x/<namespace>`."""
        self.module: str | None = None
        """The name of the module, once it is loaded."""
        self.declared_lifespan: Callable[..., AsyncIterator[Any]] | None = None
        """The function that `lifespan` declared."""
        self._migrations: dict[int, OwnMigration] = {}
        self._jobs: dict[str, JobKind[Any, Any]] = {}
        self._tables: dict[str, OwnTable[Any]] = {}
        self._preferences: type[BaseModel] | None = None

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

    def job(
        self,
        *,
        run_in: Literal["loop", "thread", "process"] | None = None,
        at_once: int | None = None,
        retries: int = 0,
        retry_after_s: float = 1.0,
        is_repeatable: bool = False,
        grace_s: float = 5.0,
    ) -> Callable[[Callable[Concatenate[Running, P], T]], JobKind[P, T]]:
        """Return a decorator that makes a function durable long work, which `Jobs` queues.

        The function gets the running job and then its arguments, which are JSON values, as its result is; both are
        checked against its annotations. An async function runs in the event loop, any other in a thread, or for work
        that keeps a processor busy in a process of its own. `JobKind` describes the other options.

        Raises `ValueError` for a function that cannot be a job, and for a name that is taken.
        """

        def add(function: Callable[Concatenate[Running, P], T]) -> JobKind[P, T]:
            name = f"{self.namespace}.{function.__name__}"
            if name in self._jobs:
                raise ValueError(f"there are two jobs with the name {name}")
            if run_in not in (None, *RunIn):
                raise ValueError(f"the job {name} can run in the loop, in a thread or in a process, not in {run_in!r}")
            place = RunIn(run_in or (RunIn.LOOP if inspect.iscoroutinefunction(function) else RunIn.THREAD))
            kind = JobKind(
                name,
                function,
                run_in=place,
                at_once=at_once,
                retries=retries,
                retry_after_s=retry_after_s,
                is_repeatable=is_repeatable,
                grace_s=grace_s,
            )
            self._jobs[name] = kind
            return kind

        return add

    @property
    def jobs(self) -> tuple[JobKind[Any, Any], ...]:
        """The kinds of jobs."""
        return tuple(self._jobs.values())

    def table(
        self,
        name: str,
        record: type[R],
        columns: Columns,
        *,
        kind: str,
        searched: Searched | None = None,
        exported: Exported | None = None,
    ) -> OwnTable[R]:
        """Declare the table `<namespace>_<name>`, which the migrations make; return it for units of work and queries.

        `record` is the type of a row, a `StoredRecord` with an `id: int` and fields among the `columns`. `kind` is the
        name of one row, as in `card`. Changes are published under the topic `<namespace>.<name>`. With `searched`, rows
        are documents of the kind `<namespace>.<kind>`; with `exported`, archives hold them and imports add them.

        Raises `ValueError` for a name that is taken or that no column has.
        """
        for given in (name, kind):
            if _NAME.fullmatch(given) is None:
                raise ValueError(f"the name {given!r} must be lower-case letters, digits and underscores, at most 40")
        if name in self._tables or any(table.kind == kind for table in self._tables.values()):
            raise ValueError(f"there are two tables '{name}', or two kinds '{kind}'")
        self._require_known(exported, f"{self.namespace}.{name}")
        table = own_table(self.namespace, name, record, columns, kind, searched, exported)
        self._tables[name] = table
        return table

    def lifespan(self, function: F) -> F:
        """Run the function around the serving: an `async` generator function that yields once. A decorator.

        It begins when the storage is open, before the first request is answered, and goes on after the last one. A
        dictionary that it yields is the state of requests: its `model` is `request.state.model`. An error at the
        beginning refuses the start. Raises `ValueError` for a second one, and for another kind of function.
        """
        if self.declared_lifespan is not None:
            raise ValueError("there are two lifespans; do both in one")
        if not inspect.isasyncgenfunction(function):
            raise ValueError(f"the lifespan {function.__name__} must be an `async def` that yields once")
        self.declared_lifespan = function
        return function

    def preferences(self, model: M) -> M:
        """Declare the pydantic model of the preferences in this namespace; a decorator of the class.

        Only its fields can be set, to values that fit it, and what was not set has its default. Routes and tasks read
        them with `await storage.read_preferences(model)`.

        Raises `ValueError` for a second model, and for one with a field that has no default or has an alias.
        """
        if self._preferences is not None:
            raise ValueError(f"the preferences have a model already, {self._preferences.__name__}")
        require_usable(model)
        self._preferences = model
        return model

    def require_callable(self) -> None:
        """Raise `ValueError` for a task or a lifespan with a parameter that it cannot have."""
        _ = self.tasks
        if self.declared_lifespan is not None:
            parameters_of(self.declared_lifespan)

    def _require_known(self, exported: Exported | None, own_kind: str) -> None:
        """Raise `ValueError` for a reference to rows of a kind that is not there, or not there yet."""
        declared = {table.topic for table in self._tables.values() if table.exported is not None}
        for reference in () if exported is None else exported.references:
            if reference.kind not in EXPORTED.keys() | declared | {own_kind}:
                raise ValueError(
                    f"the reference '{reference.column}' names the kind '{reference.kind}', which is neither built in "
                    "nor that of an exported table declared before"
                )

    @property
    def tables(self) -> OwnTables:
        """Declared tables, and the migrations in their order. Raises `ValueError` where one is missing in between."""
        numbers = sorted(self._migrations)
        if numbers != list(range(1, len(numbers) + 1)):
            missing = next(number for number in range(1, numbers[-1] + 1) if number not in self._migrations)
            raise ValueError(f"the migration {missing} is missing; the last one is {numbers[-1]}")
        migrations = tuple(self._migrations[number] for number in numbers)
        return OwnTables(self.namespace, migrations, tuple(self._tables.values()), self._preferences)
