"""Notes are stored, listed, found and deleted, by a real sidecar."""

from sidecar.testing import Client, RunningSidecar


def create(client: Client, text: str) -> int:
    note_id: int = client.post("/x/notes/notes", {"text": text}).expect(201).json()["id"]
    return note_id


def listed(client: Client) -> list[str]:
    return [note["text"] for note in client.get("/x/notes/notes").expect(200).json()["items"]]


def test_the_newest_note_is_listed_first(client: Client) -> None:
    create(client, "water the plants")
    create(client, "buy bread")
    assert listed(client) == ["buy bread", "water the plants"]


def test_a_note_is_found(client: Client) -> None:
    note_id = create(client, "water the plants")
    (hit,) = client.get("/search", q="plants").expect(200).json()["items"]
    assert hit["id"] == f"notes.note:{note_id}"


def test_a_note_is_deleted_once(client: Client) -> None:
    note_id = create(client, "water the plants")
    client.request("DELETE", f"/x/notes/notes/{note_id}").expect(204)
    client.request("DELETE", f"/x/notes/notes/{note_id}").expect(404)
    assert listed(client) == []


def test_an_empty_note_is_refused(client: Client) -> None:
    refused = client.post("/x/notes/notes", {"text": ""}).expect(422)
    assert [error["field"] for error in refused.json()["errors"]] == ["body.text"]


def test_notes_survive_a_crash(sidecar: RunningSidecar) -> None:
    create(sidecar.client, "water the plants")
    sidecar.kill()
    sidecar.start()
    assert listed(sidecar.client) == ["water the plants"]
