"""Every operation of the OpenAPI document either changes something or is read, and the populated store shows it all."""

from collections.abc import Iterator

import pytest

from sidecar.storage.resources.tips import Tips

from .everything import Answers, read_everything
from .operations import (
    BODIES,
    NOT_CALLED,
    NOT_COMPARED,
    ReadOperation,
    changes_something,
    document,
    read_operations,
)
from .populated import add_jobs, populate
from .records import KEYS, records
from .stores import opened

NEVER_NULL = {
    ("Preference", "updated_at"),
    ("ProcessedContext", "vector"),  # every context has one, and records are read with it
    ("StageTiming", "min_duration_ms"),  # only rows of other tools and of the seed's system lack them
    ("StageTiming", "max_duration_ms"),
    ("StageTiming", "avg_duration_ms"),
}


def declared() -> Iterator[tuple[str, str]]:
    for methods in document()["paths"].values():
        for method, operation in methods.items():
            yield method.upper(), operation["operationId"]


@pytest.fixture
async def populated() -> Answers:
    async with opened(None, add_jobs) as client:
        await populate(client)
        return await read_everything(client)


@pytest.mark.parametrize(("method", "operation_id"), list(declared()))
def test_an_operation_changes_something_or_is_read_or_has_a_reason(method: str, operation_id: str) -> None:
    is_read = operation_id in {operation.operation_id for operation in read_operations()}
    assert changes_something(method, operation_id) or is_read or operation_id in NOT_CALLED
    assert method in ("GET", "POST") or not is_read, "add its first word to CHANGING"
    assert method == "GET" or not is_read or operation_id in BODIES, "add its bodies to BODIES, or its word to CHANGING"


@pytest.mark.parametrize("operation_id", [*BODIES, *NOT_CALLED, *NOT_COMPARED])
def test_an_operation_that_is_treated_in_its_own_way_exists(operation_id: str) -> None:
    assert operation_id in {name for _, name in declared()}


@pytest.mark.parametrize("operation", read_operations(), ids=lambda operation: operation.operation_id)
def test_every_parameter_has_values(operation: ReadOperation) -> None:
    for name, parameter in operation.query.items():
        if not parameter.choices and name not in ("limit", "offset", "cursor"):
            operation.values(name)


async def test_every_read_operation_answers_for_some_row_of_a_populated_store(populated: Answers) -> None:
    found = {answer.operation.operation_id for answer in populated.values() if answer.status == 200}
    assert found == {operation.operation_id for operation in read_operations()}


async def test_a_populated_store_has_every_record_with_every_field_given_and_left_out(populated: Answers) -> None:
    found = records(populated)
    assert found.keys() == KEYS.keys()
    for model, rows in found.items():
        schema = document()["components"]["schemas"][model]["properties"]
        for field, described in schema.items():
            values = [row[field] for row in rows.values()]
            assert any(value is not None for value in values), (model, field)
            may_be_null = any(kind.get("type") == "null" for kind in described.get("anyOf", ()))
            assert not may_be_null or (model, field) in NEVER_NULL or None in values, (model, field)


async def test_a_server_error_fails_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Tips, "get_tips", fail)
    async with opened(None) as client:
        with pytest.raises(AssertionError, match=r"GET /tips.*500"):
            await read_everything(client)
