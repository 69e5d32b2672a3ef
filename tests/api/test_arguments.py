"""What an operation can take, and what it cannot."""

from typing import Annotated

import httpx
import pytest
from pydantic import Field

from sidecar.api.arguments import Depends, Header, content_of, readers_of, take_content


def test_a_parameter_that_no_request_has_is_refused_with_its_name() -> None:
    def endpoint(limit: int) -> None: ...

    with pytest.raises(TypeError, match="limit"):
        readers_of(endpoint, ())


def test_a_name_in_the_path_is_taken_from_there() -> None:
    def endpoint(todo_id: int) -> None: ...

    assert readers_of(endpoint, ["todo_id"]).keys() == {"todo_id"}


def test_a_body_is_waited_for_only_when_something_needs_it() -> None:
    def fingerprint(content: Annotated[bytes, Depends(content_of)]) -> int:
        return len(content)

    def signed(size: Annotated[int, Depends(fingerprint)]) -> None: ...
    def asked(name: Annotated[str | None, Header("Name"), Field(max_length=9)] = None) -> None: ...

    assert take_content(readers_of(signed, ()).values())
    assert not take_content(readers_of(asked, ()).values())


@pytest.mark.parametrize(
    ("path", "body"),
    [("/todos", {"content": "walrus", "urgent": 1}), ("/search/hybrid", {"query": "walrus", "limits": 1})],
)
async def test_a_misspelt_field_is_told_in_one_way_whatever_the_body_is_made_of(
    client: httpx.AsyncClient, path: str, body: dict[str, object]
) -> None:
    refused = await client.post(path, json=body)
    told = {error["field"]: error["message"] for error in refused.json()["errors"]}
    assert told[f"body.{list(body)[-1]}"] == "There is no such field"
