"""Rows about requests: how many a second, and how long one takes, each beside a server that does nothing."""

import json
import sqlite3
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from time import perf_counter

from benchmarks.processes import BARE, EMPTY_ROUTE, QUIET, Running, client, load, posting, server, sidecar
from benchmarks.start import A_TODO
from benchmarks.table import Pair, Result, Scale, compare, rounds

READERS, WRITERS = 16, 64
DEAF_SUBSCRIBERS = 100
BATCH = 10_000
BARE_NAME = "a bare ASGI function"
TIME = "2026-01-31T09:30:00.000Z"
ACTIVITY = {
    "title": "writing",
    "content": "a chapter about tides and the moon",
    "resources": [{"type": "file", "path": "/home/ada/tides.md"}],
    "start_time": TIME,
    "end_time": TIME,
}
MESSAGE = {"role": "user", "content": "a sentence of some length " * 12}


@contextmanager
def serving(app: str) -> Iterator[tuple[Running, str]]:
    """A sidecar with a conversation and a hundred todos, and the URL of a yardstick."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running = stack.enter_context(sidecar(directory, QUIET))
        with client(running) as calling:
            calling.call("POST", "/conversations", {"page_name": "bench"})
            for _ in range(100):
                calling.call("POST", "/todos", A_TODO)
        yield running, stack.enter_context(server(app))


def reads(scale: Scale) -> Iterator[Result]:
    with serving(BARE) as (running, bare):
        for name, path, bound in (("one row by id", "/todos/50", 0.25), ("list of 20", "/todos?limit=20", 0.10)):

            def measure(path: str = path) -> Pair:
                rows = load(running.url + path, READERS, scale.load_seconds, token=running.token)
                return rows.rate, load(bare + path, READERS, scale.load_seconds).rate

            pairs = rounds(scale.rounds, measure)
            yield compare(f"{name}, {READERS} clients", BARE_NAME, "requests/s", bound, pairs, more_is_better=True)


def create(scale: Scale) -> Iterator[Result]:
    """Many clients, against a function and against a route that do nothing; one client, against a commit."""
    with serving(BARE) as (running, bare), server(EMPTY_ROUTE) as empty:
        seconds = scale.load_seconds

        def rate(path: str, body: object) -> float:
            return load(running.url + path, WRITERS, seconds, token=running.token, script=posting(body)).rate

        for name, path, body, bound in (
            ("todo", "/todos", A_TODO, 0.18),
            ("message", "/conversations/1/messages", MESSAGE, 0.15),
            ("activity", "/activities", ACTIVITY, 0.18),
        ):

            def measure(path: str = path, body: object = body) -> Pair:
                return rate(path, body), load(bare + path, WRITERS, seconds, script=posting(body)).rate

            label = f"durable create, {name}, {WRITERS} clients"
            yield compare(label, BARE_NAME, "requests/s", bound, rounds(scale.rounds, measure), more_is_better=True)

        def todos() -> Pair:
            return rate("/todos", A_TODO), load(empty + "/todos", WRITERS, seconds, script=posting(A_TODO)).rate

        name = f"durable creates, {WRITERS} clients"
        pairs = rounds(scale.rounds, todos)
        yield compare(name, "an empty FastAPI route", "requests/s", 0.5, pairs, more_is_better=True)
        pairs = rounds(scale.rounds, lambda: one_client_ms(running))
        yield compare("durable create, 1 client", "one commit in process (WAL, FULL)", "ms", 4, pairs)


def lanes(scale: Scale) -> Iterator[Result]:
    """A sidecar with its fast lane against one whose requests FastAPI answers by itself."""
    with serving(BARE) as (fast, _), ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        slow = stack.enter_context(sidecar(directory, {**QUIET, "server": {"fast_lane": False}}))
        with client(slow) as calling:
            for _ in range(100):
                calling.call("POST", "/todos", A_TODO)
        for name, path, clients, script in (
            ("one row by id", "/todos/50", READERS, ""),
            ("durable create, todo", "/todos", WRITERS, posting(A_TODO)),
        ):

            def measure(path: str = path, clients: int = clients, script: str = script) -> Pair:
                rates = [
                    load(each.url + path, clients, scale.load_seconds, token=each.token, script=script).rate
                    for each in (fast, slow)
                ]
                return rates[0], rates[1]

            pairs = rounds(scale.rounds, measure)
            label = f"fast lane, {name}, {clients} clients"
            yield compare(label, "FastAPI by itself", "requests/s", 1.4, pairs, more_is_better=True)


def one_client_ms(running: Running) -> Pair:
    """Medians of creating a todo over HTTP, and of committing the row that this stores; in turns."""
    with yardstick_database() as connection, client(running) as calling:
        connection.execute("CREATE TABLE todo (id INTEGER PRIMARY KEY, content, urgency, created_at)")
        created, committed = in_turns(
            300, lambda: calling.timed("POST", "/todos", A_TODO), lambda: commit_ms(connection)
        )
    return created, committed


@contextmanager
def yardstick_database() -> Iterator[sqlite3.Connection]:
    """An empty one that commits as durably as the sidecar."""
    with ExitStack() as stack:
        file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "yardstick.db"
        connection = stack.enter_context(closing(sqlite3.connect(file, isolation_level=None)))
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        yield connection


def commit_ms(connection: sqlite3.Connection) -> float:
    began = perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        "INSERT INTO todo (content, urgency, created_at) VALUES (?, ?, ?)", (A_TODO["content"], A_TODO["urgency"], TIME)
    )
    connection.execute("COMMIT")
    return (perf_counter() - began) * 1000


def batch(scale: Scale) -> Iterator[Result]:
    """All in one request, against all in one transaction of a table with the same columns and index."""
    body = {"activities": [ACTIVITY] * BATCH}

    def measure() -> Pair:
        with ExitStack() as stack:
            directory = stack.enter_context(tempfile.TemporaryDirectory())
            running = stack.enter_context(sidecar(Path(directory), QUIET))
            took = stack.enter_context(client(running)).timed("POST", "/activities/batch", body) / 1000
        return BATCH / took, BATCH / inserted_s()

    pairs = rounds(4 * scale.rounds, measure)  # a turn takes a tenth of a second, as a disturbance may
    name = f"batch of {BATCH:,} activities"
    yield compare(name, "executemany in process", "rows/s", 0.25, pairs, more_is_better=True)


def inserted_s() -> float:
    with yardstick_database() as connection:
        connection.execute(
            "CREATE TABLE activity (id INTEGER PRIMARY KEY, title, content, resources, start_time, end_time)"
        )
        connection.execute("CREATE INDEX idx_activity_time ON activity (start_time, end_time)")
        row = {**ACTIVITY, "resources": json.dumps(ACTIVITY["resources"])}
        sql = "INSERT INTO activity VALUES (NULL, :title, :content, :resources, :start_time, :end_time)"
        began = perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(sql, [row] * BATCH)
        connection.execute("COMMIT")
        return perf_counter() - began


def deaf(scale: Scale) -> Iterator[Result]:
    """Subscribers that never read must not slow those who write."""
    with serving(BARE) as (running, _):

        def creates() -> float:
            return load(f"{running.url}/todos", WRITERS, 1, token=running.token, script=posting(A_TODO)).rate

        def measure() -> Pair:
            with deaf_subscribers(running):
                before_the_deaf = creates()
            return before_the_deaf, creates()

        creates()
        # Many short turns: the two are so close that a disturbance in one of a few long ones would decide.
        pairs = rounds(4 * scale.rounds, measure)
        name = f"creates, {DEAF_SUBSCRIBERS} deaf subscribers"
        yield compare(name, "creates without subscribers", "requests/s", 0.9, pairs, more_is_better=True)


@contextmanager
def deaf_subscribers(running: Running) -> Iterator[None]:
    """Subscribers to all live events whose streams have begun, and that never take a byte of them."""
    with ExitStack() as stack:
        for _ in range(DEAF_SUBSCRIBERS):
            next(stack.enter_context(client(running)).stream("/events"))
        yield


def in_turns(count: int, *measures: Callable[[], float]) -> list[float]:
    """The median of each, measured one after the other again and again."""
    turns = [[measure() for measure in measures] for _ in range(count)]
    return [statistics.median(column) for column in zip(*turns, strict=True)]
