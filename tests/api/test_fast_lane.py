"""The fast lane understands every operation of this project, and leaves to FastAPI what it does not understand."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, cast

import pytest
from fastapi import APIRouter, BackgroundTasks, Body, Depends, FastAPI, Header, HTTPException, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sidecar.api.app import OPERATIONS, create_app, openapi_document
from sidecar.api.context import Context
from sidecar.api.fast_lane import FastLane
from sidecar.api.fast_lane.compiled import NotUnderstoodError, compiled
from sidecar.api.operation import OperationRoute, tree_of
from sidecar.api.reading import content_of
from sidecar.errors import Conflict
from tests.lanes import Answer, Sent, answer_of

JSON = (("content-type", "application/json"),)


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    size: float = 0


class Aliased(BaseModel):
    big_name: str = Field(serialization_alias="bigName")


class Filter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    least: int = 0


router = APIRouter(route_class=OperationRoute)
closed: list[str] = []


async def lasting() -> AsyncIterator[str]:
    yield "open"
    closed.append("closed")


async def signature(content: Annotated[bytes, Depends(content_of)], request: Request) -> str:
    return f"{request.method} {len(content)}"


async def locked(key: Annotated[str | None, Header(alias="Key", max_length=3)] = None) -> str:
    if key == "no":
        raise HTTPException(403, "The key does not fit.")
    return key or "none"


@router.get("/yield", operation_id="t.yield", status_code=200)
async def with_yield(resource: Annotated[str, Depends(lasting)]) -> Thing:
    return Thing(name=resource)


@router.get("/scalar", operation_id="t.scalar", status_code=200)
async def scalar(limit: int, tags: Annotated[list[str], Query()] = []) -> Thing:  # noqa: B006 - FastAPI copies it
    return Thing(name=",".join(tags), size=limit)


@router.get("/http-error", operation_id="t.http_error", status_code=200)
async def http_error() -> Thing:
    raise HTTPException(418, "Short and stout.", headers={"X-Pot": "tea"})


@router.get("/conflict", operation_id="t.conflict", status_code=200)
async def conflict() -> Thing:
    raise Conflict("There are two of them.")


@router.get("/bug", operation_id="t.bug", status_code=200)
async def bug() -> Thing:
    raise RuntimeError("secret inside")


@router.get("/dict", operation_id="t.dict", status_code=200)
async def a_dict() -> dict[str, Any]:
    return {"name": "walrus", "size": 1.5}


@router.get("/promised", operation_id="t.promised", status_code=200)
async def promised() -> Thing:
    return {"name": "walrus", "size": "2"}  # type: ignore[return-value]


@router.get("/response", operation_id="t.response", status_code=200)
async def a_response() -> Response:
    return PlainTextResponse("plain", 202, {"X-Kind": "plain"})


@router.get("/plain", operation_id="t.plain", status_code=200)
def not_async() -> Thing:
    return Thing(name="thread")


@router.delete("/nothing", operation_id="t.nothing", status_code=204)
async def nothing() -> None:
    return None


@router.post("/optional", operation_id="t.optional", status_code=201)
async def optional(body: Thing | None = None) -> Thing:
    return body or Thing(name="absent")


@router.post("/embedded", operation_id="t.embedded", status_code=201)
async def embedded(one: Thing, other: Annotated[int, Body()]) -> Thing:
    return Thing(name=one.name, size=other)


@router.post("/later", operation_id="t.later", status_code=201)
async def later(tasks: BackgroundTasks) -> Thing:
    tasks.add_task(closed.append, "later")
    return Thing(name="later")


@router.get("/cookie", operation_id="t.required_header", status_code=200)
async def required_header(x_name: Annotated[str, Header()]) -> Thing:
    return Thing(name=x_name)


@router.put("/things/{number}", operation_id="t.all", status_code=200)
async def everything(
    number: Annotated[int, Path(ge=1)],
    query: Annotated[Filter, Query()],
    body: Thing,
    key: Annotated[str, Depends(locked)],
    signed: Annotated[str, Depends(signature)],
    other: Annotated[str | None, Header(alias="Other", min_length=2)] = None,
) -> Thing:
    return Thing(name=f"{number} {query.name} {query.least} {body.name} {key} {signed} {other}", size=body.size)


@router.get("/named", operation_id="t.named", status_code=200, response_model_by_alias=False)
async def named() -> Aliased:
    return Aliased(big_name="x")


@router.get("/narrow", operation_id="t.narrow", status_code=200, response_model=Filter)
async def narrow() -> Thing:
    return Thing(name="x")


@router.get("/odd", operation_id="t.odd", status_code=200)
async def odd() -> Response:
    return {"a": 1}  # type: ignore[return-value]


UNDERSTOOD = {"t.odd", "t.http_error", "t.conflict", "t.bug", "t.promised", "t.response", "t.nothing", "t.all"}
ROUTES = [route for route in router.routes if isinstance(route, OperationRoute)]


def app() -> FastAPI:
    made = create_app(cast("Context", None))  # these operations need no storage
    made.router.routes[:] = ROUTES
    made.state.paths = tree_of(ROUTES)
    return made


async def both(sent: Sent) -> Answer:
    """The answer, which is the same by either lane."""
    closed.clear()
    slow = await answer_of(app(), sent)
    effects = list(closed)
    closed.clear()
    fast = await answer_of(FastLane(app()), sent)
    assert (fast, closed) == (slow, effects)
    return fast


def test_every_operation_of_this_project_is_understood_before_and_after_fastapi_has_built_it() -> None:
    for _ in range(2):
        for route in OPERATIONS:
            compiled(route)
        openapi_document()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_the_rest_is_left_to_fastapi(route: OperationRoute) -> None:
    try:
        compiled(route)
        understood = True
    except NotUnderstoodError:
        understood = False
    assert understood == (route.operation_id in UNDERSTOOD)


@pytest.mark.parametrize(
    ("sent", "status", "content"),
    [
        (Sent("GET", "/yield"), 200, b'{"name":"open","size":0.0}'),
        (Sent("GET", "/scalar", "limit=3&tags=a&tags=b"), 200, b'{"name":"a,b","size":3.0}'),
        (Sent("GET", "/scalar", "limit=x"), 422, b"query.limit"),
        (Sent("GET", "/http-error"), 418, b"Short and stout."),
        (Sent("GET", "/conflict"), 409, b"There are two of them."),
        (Sent("GET", "/bug"), 500, b"internal_error"),
        (Sent("GET", "/dict"), 200, b'{"name":"walrus","size":1.5}'),
        (Sent("GET", "/promised"), 200, b'{"name":"walrus","size":2.0}'),
        (Sent("GET", "/named"), 200, b'{"big_name":"x"}'),
        (Sent("GET", "/narrow"), 200, b'{"name":"x","least":0}'),
        (Sent("GET", "/odd"), 200, b'{"a":1}'),
        (Sent("GET", "/response"), 202, b"plain"),
        (Sent("GET", "/plain"), 200, b'{"name":"thread","size":0.0}'),
        (Sent("DELETE", "/nothing"), 204, b""),
        (Sent("POST", "/optional"), 201, b'{"name":"absent","size":0.0}'),
        (Sent("POST", "/optional", headers=JSON, content=b'{"name":"x"}'), 201, b'{"name":"x","size":0.0}'),
        (Sent("POST", "/optional", headers=JSON, content=b"{"), 400, b"malformed_request"),
        (Sent("POST", "/embedded", headers=JSON, content=b'{"one":{"name":"x"},"other":2}'), 201, b'"size":2.0'),
        (Sent("POST", "/embedded", headers=JSON, content=b'{"one":{},"other":2}'), 422, b"body.one.name"),
        (Sent("POST", "/later"), 201, b"later"),
        (Sent("GET", "/cookie", headers=(("x-name", "ada"),)), 200, b"ada"),
        (Sent("GET", "/cookie"), 422, b"header.x-name"),
        (Sent("GET", "/nowhere"), 404, b"There is nothing at /nowhere."),
        (Sent("POST", "/yield"), 405, b"method_not_allowed"),
        (Sent("HEAD", "/yield"), 405, b"method_not_allowed"),
        (Sent("GET", "/yield/"), 404, b"not_found"),
        (Sent("GET", "/yield%0A"), 404, b"not_found"),
        (Sent("GET", "/%79ield"), 200, b"open"),
    ],
)
async def test_both_lanes_answer_alike(sent: Sent, status: int, content: bytes) -> None:
    answer = await both(sent)
    assert answer.status == status
    assert content in answer.content
    assert b"secret" not in answer.content


@pytest.mark.parametrize("number", ["1", "0", "1.0", "1%2F2"])
@pytest.mark.parametrize("query", ["", "least=2&name=a", "name=a&name=b", "other=1"])
@pytest.mark.parametrize(
    "content", [b'{"name":"n","size":1e3}', b"{}", b"{", b'{"name":1}', b'{"name":"\\ud800"}', b""]
)
async def test_the_same_argument_is_reported_first(number: str, query: str, content: bytes) -> None:
    for headers in ((), (("key", "no"),), (("key", "long"), ("other", "x")), (("other", "x"),)):
        for kind in (JSON, (("content-type", "Application/JSON; charset=x"),), (("content-type", "a/b"),), ()):
            await both(Sent("PUT", f"/things/{number}", query, (*headers, *kind), content))


async def test_an_argument_is_reported_in_its_turn() -> None:
    wrong = Sent("PUT", "/things/x", "least=x", (*JSON, ("key", "long")), b"{}")
    for place, repaired in (
        (b"path.number", wrong),
        (b"query.least", wrong._replace(path="/things/1")),
        (b"body.name", wrong._replace(path="/things/1", query="")),
        (b"header.Key", wrong._replace(path="/things/1", query="", content=b'{"name":"x"}')),
    ):
        assert place in (await both(repaired)).content


async def test_an_overridden_dependency_is_overridden_in_both_lanes() -> None:
    async def other() -> str:
        return "other"

    sent = Sent("PUT", "/things/1", "", JSON, b'{"name":"x"}')
    for lane in (FastLane, lambda made: made):
        made = app()
        included = APIRouter()
        included.add_api_route("/included", with_yield)
        made.include_router(included)
        made.dependency_overrides[lasting] = other
        assert b"other" in (await answer_of(lane(made), Sent("GET", "/included"))).content
        assert (await answer_of(lane(made), sent)).status == 200


async def test_an_exception_handler_of_the_app_is_used_in_both_lanes() -> None:
    async def handle(request: Request, error: Exception) -> Response:
        return PlainTextResponse(f"{type(error).__name__}", 599)

    for lane in (FastLane, lambda made: made):
        made = app()
        made.add_exception_handler(RuntimeError, handle)
        assert await answer_of(lane(made), Sent("GET", "/bug")) == Answer(
            599,
            ((b"content-length", b"12"), (b"content-type", b"text/plain; charset=utf-8")),
            b"RuntimeError",
        )
