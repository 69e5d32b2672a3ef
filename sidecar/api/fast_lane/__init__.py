"""The fast lane: operations as direct calls, in front of FastAPI.

FastAPI interprets a route's parameters again for each request. The fast lane compiles a route once, when it is first
called, from the endpoint's signature and FastAPI's own parameter classes. Measured inside the process, in time of the
event loop: one row takes 71 µs instead of 320, a list of 20 takes 115 instead of 355, a create 162 instead of 382.
Everything that it does not understand goes to FastAPI, which can answer every operation: paths and methods that no
operation has, included routers, and each route that uses something else than the subset below. Both lanes give the
same answers, which a property test compares. `[server] fast_lane = false` switches this one off.

The subset is an `OperationRoute` whose `async def` endpoint takes

    body: TodoCreate                                         a model or a dataclass: the JSON body
    query: Annotated[TodoQuery, Query()]                     the whole query string: a model that refuses other names
    todo_id: UrlIdentifier                                   a name in the path; `Path(...)` may stand beside it
    key: Annotated[str | None, Header(alias="Key")] = None   a text in a header, with limits
    request: Request                                         the request itself
    storage: Annotated[Storage, Depends(function)]           the result of an `async def` function that takes headers,
                                                             the request, and more such dependencies
    content: Annotated[bytes, Depends(content_of)]           the body as it came

and returns a pydantic model, a `Response`, or `None` with the status 204. A body or a query with a default value, a
dependency that is used twice, and one with `yield` are not in it.
"""

from sidecar.api.fast_lane.lane import FastLane

__all__ = ["FastLane"]
