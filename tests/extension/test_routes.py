"""Routes of an extension: what FastAPI serves, with the problems and the exactly-once of the built-in operations."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException, UploadFile, WebSocket
from fastapi.responses import StreamingResponse

from sidecar.api.openapi import describe
from sidecar.api.operation import RESTRICTED
from sidecar.extension import Extension, Storage, Work, Write

from .conftest import Serving
from .flash_cards import flash_cards

CARD = {"front": "sea", "back": "mer"}


async def test_a_row_is_stored_and_read_by_the_routes(serve: Serving) -> None:
    async with serve(flash_cards()) as client:
        made = await client.post("/x/notes/cards", json=CARD)
        found = await client.get(f"/x/notes/cards/{made.json()['id']}")
    assert made.status_code == 201
    assert found.json() == {**CARD, "id": 1}


async def test_a_request_that_is_sent_again_with_its_key_is_done_once(serve: Serving) -> None:
    async with serve(flash_cards()) as client:
        answers = [
            await client.post("/x/notes/cards", json=CARD, headers={"Idempotency-Key": "same"}) for _ in range(2)
        ]
        other = await client.post("/x/notes/cards", json=CARD, headers={"Idempotency-Key": "other"})
    assert answers[0].content == answers[1].content
    assert (answers[1].status_code, other.json()["id"]) == (201, 2)


async def test_a_wrong_body_and_an_error_of_the_sidecar_get_problems(serve: Serving) -> None:
    async with serve(flash_cards()) as client:
        wrong = await client.post("/x/notes/cards", json={"front": 1})
        missing = await client.get("/x/notes/cards/7")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_input")
    assert [error["field"] for error in wrong.json()["errors"]] == ["body.front", "body.back"]
    assert (missing.status_code, missing.json()["detail"]) == (404, "There is no card with the id 7.")


async def test_an_http_exception_becomes_a_problem_with_a_code(serve: Serving) -> None:
    app = Extension("app_own")

    @app.router.get("/teapot")
    async def teapot() -> None:
        """Refuse to brew."""
        raise HTTPException(418, "short and stout")

    async with serve(app) as client:
        answer = await client.get("/x/app_own/teapot")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["detail"]) == (418, "short and stout")


async def test_an_exception_is_logged_with_its_traceback_and_answered_without_it(
    serve: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    app = Extension("app_own")

    @app.router.get("/broken")
    async def broken() -> None:
        """Fail."""
        raise ZeroDivisionError("secret")

    async with serve(app) as client:
        answer = await client.get("/x/app_own/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert "ZeroDivisionError: secret" in caplog.text


async def test_what_fastapi_offers_works(serve: Serving) -> None:
    app = Extension("app_own")
    told: list[str] = []

    def session() -> Iterator[str]:
        yield "a session"
        told.append("closed")

    @app.router.get("/dependency")
    async def dependency(session: Annotated[str, Depends(session)], page: int = 1) -> dict[str, str]:
        """Return what a dependency yields."""
        return {"session": session, "page": f"{page}"}

    @app.router.post("/upload")
    async def upload(file: UploadFile) -> dict[str, int]:
        """Return the size of a file."""
        return {"size": len(await file.read())}

    @app.router.get("/stream")
    async def stream(tasks: BackgroundTasks) -> StreamingResponse:
        """Stream some text."""
        tasks.add_task(told.append, "afterwards")

        async def pieces() -> AsyncIterator[str]:
            yield "one "
            yield "two"

        return StreamingResponse(pieces(), media_type="text/plain", background=tasks)

    async with serve(app) as client:
        assert (await client.get("/x/app_own/dependency?page=3")).json() == {"session": "a session", "page": "3"}
        assert (await client.post("/x/app_own/upload", files={"file": b"12345"})).json() == {"size": 5}
        assert (await client.get("/x/app_own/stream")).text == "one two"
    assert told == ["closed", "afterwards"]


async def test_a_second_unit_of_one_request_is_refused(serve: Serving, caplog: pytest.LogCaptureFixture) -> None:
    app = Extension("app_own")

    @app.router.post("/twice")
    async def twice(write: Write) -> int:
        """Write twice."""
        await write(lambda work: 1, returns=int)
        return await write(lambda work: 2, returns=int)

    async with serve(app) as client:
        assert (await client.post("/x/app_own/twice")).status_code == 500
    assert "a request writes once" in caplog.text


async def test_a_unit_has_to_say_what_it_returns(serve: Serving, caplog: pytest.LogCaptureFixture) -> None:
    app = Extension("app_own")

    @app.router.post("/unclear")
    async def unclear(write: Write) -> int:
        """Write something."""
        return await write(lambda work: 1)

    async with serve(app) as client:
        assert (await client.post("/x/app_own/unclear")).status_code == 500
    assert "does not say what it returns" in caplog.text


async def test_built_in_rows_are_at_hand(serve: Serving) -> None:
    app = Extension("app_own")

    @app.router.get("/count")
    async def count(storage: Storage) -> dict[str, int | None]:
        """Count the todos."""
        return {"todos": (await storage.get_todos(with_total=True)).total}

    @app.router.post("/todo", status_code=204)
    async def todo(write: Write) -> None:
        """Create a todo by SQL of its own."""

        def insert(work: Work) -> None:
            work.connection.execute("INSERT INTO todo (content) VALUES ('by hand')")

        await write(insert)

    async with serve(app) as client:
        assert (await client.post("/x/app_own/todo")).status_code == 204
        assert (await client.get("/x/app_own/count")).json() == {"todos": 1}


async def test_the_routes_are_in_the_openapi_document(serve: Serving) -> None:
    async with serve(flash_cards()) as client:
        document = (await client.get("/openapi.json")).json()
    assert document["paths"]["/x/notes/cards"]["post"]["operationId"] == "notes.create_card"


def topics_of(router: APIRouter) -> dict[str, Any]:
    document = describe(router.routes, is_extension=True)
    return {
        operation["operationId"]: operation.get("x-topics")
        for methods in document["paths"].values()
        for operation in methods.values()
    }


def test_a_reading_route_depends_on_the_topics_that_it_names_or_on_all_of_its_extension() -> None:
    notes = Extension("notes")

    async def read() -> None: ...

    notes.router.get("/all", operation_id="notes.all")(read)
    notes.router.get("/named", operation_id="notes.named", topics=["notes.cards", "todos"])(read)
    notes.router.get("/none", operation_id="notes.none", topics=[])(read)
    notes.router.get("/extra", operation_id="notes.extra", topics=["contexts"], openapi_extra=RESTRICTED)(read)
    notes.router.post("/search", operation_id="notes.search", topics=["notes.cards"])(read)
    notes.router.post("/change", operation_id="notes.change")(read)
    assert topics_of(notes.router) == {
        "notes.all": ["notes.*", "imports"],
        "notes.named": ["notes.cards", "todos", "imports"],
        "notes.none": None,
        "notes.extra": ["contexts"],
        "notes.search": ["notes.cards"],
        "notes.change": None,
    }


@pytest.mark.parametrize("topic", ["todo", "Notes.cards", "notes.*.x", ""])
def test_a_topic_that_does_not_exist_is_refused(topic: str) -> None:
    with pytest.raises(ValueError, match="there is no topic"):
        Extension("notes").router.get("/cards", topics=[topic])


def test_an_operation_id_outside_the_namespace_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'todos\.create' must begin with 'notes\.'"):
        Extension("notes").router.add_api_route("/", lambda: None, operation_id="todos.create")


def test_a_websocket_is_refused_with_what_to_do_instead() -> None:
    async def talk(socket: WebSocket) -> None:
        await socket.accept()

    with pytest.raises(ValueError, match="publish changes as events"):
        Extension("notes").router.websocket("/talk")(talk)
