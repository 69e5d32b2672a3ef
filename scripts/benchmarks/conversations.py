"""Rows about conversations: reading a long one, streaming into one, taking a million messages out and in again."""

import sqlite3
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from shutil import copyfileobj
from time import perf_counter, sleep

from toolbox import Failure

from benchmarks import databases
from benchmarks.operations import MESSAGE, in_turns
from benchmarks.processes import QUIET, Client, Running, client, resident_mb, sidecar
from benchmarks.table import Pair, Result, Scale, compare, rounds

MESSAGES, STEPS = 500, 3
CHUNKS = 10_000
SPARE_MB = 40


def conversation(scale: Scale) -> Iterator[Result]:
    with quiet_sidecar() as (directory, calling):
        number = filled_conversation(calling)
        pairs = rounds(scale.rounds, lambda: read_conversation_ms(calling, directory / "sidecar.db", number))
    yield compare(f"conversation of {MESSAGES} by {STEPS}", "its two queries in process", "ms", 2.0, pairs)


@contextmanager
def quiet_sidecar() -> Iterator[tuple[Path, Client]]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with sidecar(directory, QUIET) as running, client(running) as calling:
            yield directory, calling


def filled_conversation(calling: Client) -> int:
    number: int = calling.call("POST", "/conversations", {"page_name": "bench"})["id"]
    for _ in range(MESSAGES):
        message = calling.call("POST", f"/conversations/{number}/messages", MESSAGE)["id"]
        for _ in range(STEPS):
            step = {"content": "a step of some length " * 9, "progress": 0.5}
            calling.call("POST", f"/messages/{message}/thinking", step)
    return number


def read_conversation_ms(calling: Client, database: Path, number: int) -> Pair:
    """Medians of reading it over HTTP, and of fetching the same rows with two plain queries; in turns."""
    with closing(sqlite3.connect(database)) as connection:

        def queried() -> float:
            began = perf_counter()
            connection.execute("SELECT * FROM messages WHERE conversation_id = ? ORDER BY id", (number,)).fetchall()
            connection.execute(
                """
                SELECT message_thinking.* FROM message_thinking JOIN messages ON messages.id = message_id
                WHERE conversation_id = ? ORDER BY message_id, sequence
                """,
                (number,),
            ).fetchall()
            return (perf_counter() - began) * 1000

        path = f"/conversations/{number}/messages?limit={MESSAGES}"
        read, fetched = in_turns(30, lambda: calling.timed("GET", path), queried)
    return read, fetched


def append(scale: Scale) -> Iterator[Result]:
    """A chunk for a message that has none yet, one for a message that has 9,000, and a todo; in turns."""
    turns = CHUNKS // 10
    with quiet_sidecar() as (_, calling):
        number = calling.call("POST", "/conversations", {"page_name": "bench"})["id"]

        def new_message() -> str:
            message = calling.call("POST", f"/conversations/{number}/messages/stream", {})
            return f"/messages/{message['id']}/append"

        chunk = {"content_chunk": "x" * 48}
        short, long = new_message(), new_message()
        for _ in range(CHUNKS - turns):
            calling.call("POST", long, chunk)
        rows = []
        for _ in range(turns):
            first, last = calling.timed("POST", short, chunk), calling.timed("POST", long, chunk)
            rows.append((first, last, calling.timed("POST", "/todos", {"content": "x" * 48})))
    parts = [rows[start :: scale.rounds] for start in range(scale.rounds)]
    medians = [[statistics.median(column) for column in zip(*part, strict=True)] for part in parts]
    lasts = [(last, first) for first, last, _ in medians]
    yield compare(f"append, last tenth of {CHUNKS:,}", "the first tenth", "ms", 1.15, lasts)
    firsts = [(first, create) for first, _, create in medians]
    yield compare("append, first tenth", "creating a todo", "ms", 1.3, firsts)


def transfer(scale: Scale) -> Iterator[Result]:
    """The most memory that an export and an import took, against an idle sidecar and what they may take beside it."""
    made = databases.messages(scale.messages)
    with tempfile.TemporaryDirectory(dir=databases.CACHE) as scratch:
        archive = Path(scratch) / "export.zip"
        with sidecar(databases.copied(made, Path(scratch) / "source"), QUIET) as running:
            idle = idle_mb(running)
            request(running, "GET", "/transfer/export", archive)
            yield within_spare(f"export of {scale.messages:,} messages", running, idle)
        with sidecar(Path(scratch) / "target", QUIET) as running:
            idle = idle_mb(running)
            request(running, "POST", "/transfer/import", archive)
            yield within_spare(f"import of {scale.messages:,} messages", running, idle)


def idle_mb(running: Running) -> float:
    with client(running) as calling:
        calling.call("GET", "/health/live")
        calling.call("GET", "/health/ready")
    sleep(1)
    return resident_mb(running.pid)


def within_spare(name: str, running: Running, idle: float) -> Result:
    most = resident_mb(running.pid, "VmHWM")
    return compare(f"{name}, memory", f"idle + {SPARE_MB} MB", "MB", 1, [(most, idle + SPARE_MB)])


def request(running: Running, method: str, path: str, archive: Path) -> None:
    """Takes an archive out of a sidecar, or gives it one."""
    headers = {"Authorization": f"Bearer {running.token}", "Content-Type": "application/zip"}
    with closing(HTTPConnection(running.url.removeprefix("http://"))) as connection:
        if method == "GET":
            connection.request(method, path, headers=headers)
        else:
            with archive.open("rb") as file:
                headers["Content-Length"] = str(archive.stat().st_size)
                connection.request(method, path, file, headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise Failure(f"{method} {path} was refused: {answer.read(300).decode()}")
        if method == "GET":
            with archive.open("wb") as file:
                copyfileobj(answer, file)
        else:
            answer.read()
