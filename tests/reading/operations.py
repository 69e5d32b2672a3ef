"""The read operations of the OpenAPI document: which there are, and what each is called with.

A new operation that takes nothing but paging, booleans and choices needs no line here. One that takes more needs a line
that says where its values come from, and one that is not to be compared needs a line that says why.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sidecar.api.app import openapi_document
from sidecar.models.contexts import ContextType
from sidecar.models.monitoring import MOST_HOURS
from sidecar.models.search import DataType
from sidecar.storage.resources.all import TABLES

VECTOR = (1.0, 0.5, -0.25, 0.0)
"""Has the dimension of all vectors in the stores that are tested."""

WORDS = ("word", "note* plan", '"fix it"', "日本", "-word ünïcode", "", "nothing-has-this")
MIDDLE = "2026-01-31T12:00:00.000Z"
BEGINNING, END = "0001-01-01T00:00:00.000Z", "9999-12-31T00:00:00.000Z"


@dataclass(frozen=True)
class Rows:
    """The values that a field has in the rows which these operations list."""

    field: str
    operations: tuple[str, ...]


@dataclass(frozen=True)
class Documents:
    """The ids of all rows as documents, such as `vault:12`: by kind, the operations that list its rows."""

    kinds: Mapping[str, str]
    searches: tuple[str, ...]
    """Operations that list documents; some ids are listed nowhere else."""


Values = tuple[Any, ...] | Rows | Documents

VALUES: dict[str, Values] = {
    # The parts of paths.
    "activity_id": Rows("id", ("activities.list",)),
    "context_id": Rows("id", ("contexts.list",)),
    "conversation_id": Rows("id", ("conversations.list",)),
    "document_id": Documents(
        {
            "vault": "vaults.list",
            "todo": "todos.list",
            "activity": "activities.list",
            "tip": "tips.list",
            "message": "messages.list",
            "conversation": "conversations.list",
        },
        ("search.query", "search.hybrid"),
    ),
    "message_id": Rows("id", ("messages.list",)),
    "thread_id": Rows("thread_id", ("states.list",)),
    "tip_id": Rows("id", ("tips.list",)),
    "todo_id": Rows("id", ("todos.list",)),
    "vault_id": Rows("id", ("vaults.list",)),
    # Filters. What follows an operation's id is for that operation only.
    "adoption.rows table": ("messages", "todo"),
    "before": (MIDDLE,),
    "context_types": tuple(ContextType),
    "completed_after": (MIDDLE,),
    "completed_before": (MIDDLE,),
    "conversations.export ids": Rows("id", ("conversations.list",)),
    "conversations.count folder": ("", "work"),
    "conversations.list folder": Rows("folder", ("conversations.folders",)),
    "created_after": (MIDDLE,),
    "created_before": (MIDDLE,),
    "document_type": Rows("document_type", ("vaults.list",)),
    "end_date": ("2026-12-31",),
    "end_time": (MIDDLE,),
    "ended_after": (MIDDLE,),
    "ended_before": (MIDDLE,),
    "external_id": Rows("external_id", ("conversations.list",)),
    "filter": ('{"keywords": "word"}', '{"metadata.project": "x", "create_time": {"before": "2026-06-01T00:00:00Z"}}'),
    "folder": Rows("id", ("vaults.folders",)),
    "from": (MIDDLE,),
    "group_by": ("model", "conversation,day"),
    "hours": (MOST_HOURS,),
    "interval_hours": (24,),
    "invalid_rows.list table": tuple(TABLES),
    "job_id": Rows("id", ("jobs.list",)),
    "jobs.list name": Rows("name", ("jobs.list",)),
    "kinds": tuple(DataType.declared),
    "messages.list after": (),  # followed as the next page
    "messages.list before": (),
    "messages.list external_id": Rows("external_id", ("messages.list",)),
    "model": ("large", "日本/ü"),
    "monitoring.data_stats_range end_time": (END,),
    "monitoring.data_stats_range start_time": (BEGINNING,),
    "monitoring.data_stats_trend hours": (999,),  # at most 1000 intervals
    "page_name": Rows("page_name", ("conversations.list",)),
    "processor_name": Rows("processor_name", ("monitoring.runs",)),
    "parent_id": Rows("id", ("vaults.list",)),
    "namespace": ("app",),
    "name": Rows("name", ("preferences.list",)),
    "q": WORDS,
    "start_date": ("2025-01-01",),
    "source": Rows("source", ("conversations.list",)),
    "start_time": (MIDDLE,),
    "started_after": (MIDDLE,),
    "started_before": (MIDDLE,),
    "tag": ("a", "b c"),
    "time_zone": ("Europe/Berlin",),
    "title": Rows("title", ("vaults.list",)),
    "updated_after": (MIDDLE,),
    "updated_before": (MIDDLE,),
    "user_id": Rows("user_id", ("conversations.list",)),
}

BODIES: dict[str, tuple[dict[str, Any], ...]] = {
    "contexts.search": (
        {"query": VECTOR, "top_k": 100},
        *({"query": VECTOR, "context_types": [kind]} for kind in ContextType),
        {"query": VECTOR, "filters": {"keywords": ["word", "plan"]}},
    ),
    "search.hybrid": (
        *({"query": word, "vector": VECTOR, "limit": 100} for word in WORDS),
        *({"query": "word", "vector": VECTOR, "kinds": [kind]} for kind in DataType.declared),
    ),
    "todos.similar": ({"query_embedding": VECTOR, "top_k": 100, "similarity_threshold": -1},),
}
"""Operations that only read although they are a POST, and the bodies with which they are called."""

CHANGING = frozenset(
    {
        *("acknowledge", "add", "append", "batch", "cancel", "cleanup", "clear", "create", "delete", "finish"),
        *("import", "interrupt", "move", "organize", "rebuild", "repair", "reset", "restore", "run", "save", "set"),
        *("toggle", "update", "upsert", "verify"),
    }
)
"""The first words of operations that change something: `set` of `todos.set_status`."""

NOT_CALLED = {
    "events.publish": "It answers nothing, and nothing is stored.",
    "events.stream": "It goes on until one side ends it.",
    "transfer.download": "It returns the archive of a job for an hour.",
    "transfer.export": "An archive names the time at which it was made; what it holds is compared after its import.",
}

WHOLE = "*"

NOT_COMPARED: dict[str, dict[str, str]] = {
    "backups.list": {WHOLE: "Backups come and go while the rows stay as they are."},
    "conversations.export": {WHOLE: "It names the store that a conversation comes from."},
    "doctor.report": {WHOLE: "It measures the disk, the files and the time that a check takes."},
    "health.live": {WHOLE: "It names the instance and its process."},
    "health.ready": {WHOLE: "It measures the load of the process and of the database."},
    "monitoring.errors": {"since": "The window begins with an hour that depends on the present one."},
    "monitoring.overview": {
        "since": "The window begins with an hour that depends on the present one.",
        "database": "How busy the database is.",
        "process": "How busy the process is.",
    },
    "monitoring.data_stats_trend": {
        "intervals without data": "How many there are depends on the present hour.",
    },
    "recovery.list": {WHOLE: "It tells what happened to the file."},
    "upkeep.list": {WHOLE: "It tells when tasks ran and are due."},
}
"""Operations of which only the status, or not every field, is compared, and why."""

REPORTING_FAILURE = frozenset({"health.ready"})
"""Their 503 is an answer."""


@dataclass(frozen=True)
class Parameter:
    name: str
    place: str
    required: bool
    schema: Mapping[str, Any]

    @property
    def choices(self) -> tuple[Any, ...]:
        """All values that there are, for a boolean, an enumeration or a list of one; otherwise none."""
        for alternative in self.schema.get("anyOf", [self.schema]):
            schema = _resolved(alternative.get("items", alternative))
            if schema.get("type") == "boolean":
                return (False, True)
            if "enum" in schema:
                return tuple(schema["enum"])
        return ()


@dataclass(frozen=True)
class ReadOperation:
    operation_id: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    result: Mapping[str, Any]
    """The schema of what it answers with."""

    @property
    def query(self) -> dict[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters if parameter.place == "query"}

    @property
    def path_names(self) -> list[str]:
        return [parameter.name for parameter in self.parameters if parameter.place == "path"]

    def values(self, name: str) -> Values:
        """Where the values of a parameter come from. Raises `LookupError` for one that `VALUES` does not know."""
        for known in (f"{self.operation_id} {name}", name):
            if known in VALUES:
                return VALUES[known]
        raise LookupError(f"tests/reading/operations.py: add to VALUES where '{name}' of {self.operation_id} is from")


@cache
def document() -> dict[str, Any]:
    return openapi_document()


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that a reference names."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Mapping[str, Any] = document()["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        for method, declared in methods.items():
            yield method.upper(), path, declared


def changes_something(method: str, operation_id: str) -> bool:
    return method != "GET" and operation_id.partition(".")[2].partition("_")[0] in CHANGING


@cache
def read_operations() -> tuple[ReadOperation, ...]:
    """Every operation of the document that only reads and is called."""
    return tuple(
        ReadOperation(
            declared["operationId"],
            method,
            path,
            tuple(_parameters(declared)),
            declared["responses"]["200"]["content"]["application/json"]["schema"],
        )
        for method, path, declared in _operations()
        if not changes_something(method, declared["operationId"]) and declared["operationId"] not in NOT_CALLED
    )


def _parameters(declared: Mapping[str, Any]) -> Iterator[Parameter]:
    for parameter in declared.get("parameters", ()):
        if parameter["in"] != "header":
            yield Parameter(parameter["name"], parameter["in"], parameter["required"], parameter["schema"])


def records_in(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects inside an answer, outer ones first, each with the name of its model, by the answer's schema."""
    if "$ref" in schema and isinstance(value, dict):
        yield schema["$ref"].rpartition("/")[2], value
    schema = _resolved(schema)
    for alternative in schema.get("anyOf", ()):
        yield from records_in(alternative, value)
    if isinstance(value, list) and "items" in schema:
        for item in value:
            yield from records_in(schema["items"], item)
    if isinstance(value, dict):
        others = schema.get("additionalProperties")
        for name, inner in value.items():
            inside = schema.get("properties", {}).get(name, others)
            if isinstance(inside, dict):
                yield from records_in(inside, inner)
