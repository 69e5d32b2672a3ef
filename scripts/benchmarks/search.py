"""Rows about finding: lists and searches of large stores, search by word and by meaning, what its index costs."""

import json
import sqlite3
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from toolbox import Failure

from benchmarks import databases
from benchmarks.operations import WRITERS, in_turns
from benchmarks.processes import QUIET, Client, Running, client, load, posting, resident_mb, sidecar
from benchmarks.table import Pair, Result, Scale, compare, limit, rounds

LISTS = {
    "vaults": "/vaults?limit=20",
    "vaults of a type": "/vaults?limit=20&document_type=DailyReport",
    "vaults of a title": "/vaults?limit=20&title=title%207",
    "vaults since a time": "/vaults?limit=20&is_deleted=false&created_after=2026-01-01T00:30:00.000Z",
    "vaults in a folder": "/vaults/children?limit=20&parent_id=1",
    "folders": "/vaults/folders?limit=20",
    "reports": "/vaults/reports?limit=20",
    "todos": "/todos?limit=20",
    "todos of a status": "/todos?limit=20&status=1",
    "todos of a status since a time": "/todos?limit=20&status=0&start_time=2026-01-01T00:30:00.000Z",
    "activities": "/activities?limit=20",
    "activities since a time": "/activities?limit=20&start_time=2026-01-01T00:30:00.000Z",
    "tips": "/tips?limit=20",
    "conversations": "/conversations?limit=20",
    "conversations of a page": "/conversations?limit=20&page_name=page%201",
    "conversations of a user": "/conversations?limit=20&user_id=user%201",
    "conversations of a status": "/conversations?limit=20&status=archived",
    "messages": "/conversations/2/messages?limit=20",
    "threads": "/states?limit=20",
    "exchanges of a thread": "/states/thread%202/exchanges?limit=20",
    "contexts of a type": "/contexts?limit=20&context_types=semantic",
    "token usage": "/monitoring/token-usage?limit=20&hours=8784",
    "stage timings": "/monitoring/stage-timings?limit=20&hours=8784",
    "data statistics": "/monitoring/data-stats?limit=20&hours=8784",
    "search": "/search?q=rarebird",
    "search as one types": "/search?q=rarebi",
    "search among messages": "/search?q=rarebird&kinds=message",
}
TURNS = 20
TOP = 10
RECALL = 0.99
VECTOR_BYTES = 4 * databases.DIMENSIONS


def growth(scale: Scale) -> Iterator[Result]:
    """Each list, and searches that match the same number of rows, in a large and in a small store in turns."""
    small, large = databases.lists(scale.few_rows), databases.lists(scale.many_rows)
    with sidecar(small, QUIET) as few, sidecar(large, QUIET) as many, client(few) as at_few, client(many) as at_many:
        for name, path in LISTS.items():
            require_equally_many(path, at_few, at_many)

            def measure(path: str = path) -> Pair:
                in_large, in_small = in_turns(
                    TURNS, lambda: at_many.timed("GET", path), lambda: at_few.timed("GET", path)
                )
                return in_large, in_small

            pairs = rounds(scale.rounds, measure)
            yield compare(f"{name} of {scale.many_rows:,} rows", f"{scale.few_rows:,} rows", "ms", 1.3, pairs)


def require_equally_many(path: str, at_few: Client, at_many: Client) -> None:
    """Comparing answers of different lengths, or empty ones, would say nothing."""
    counts = [count_items(calling.call("GET", path)) for calling in (at_few, at_many)]
    if counts[0] != counts[1] or counts[0] == 0:
        raise Failure(f"{path} finds {counts[0]} and {counts[1]} rows; the bench needs equally many.")


def count_items(answer: dict[str, Any]) -> int:
    if "types" in answer:
        return sum(len(page["items"]) for page in answer["types"].values())
    return len(answer["items"])


def search(scale: Scale) -> Iterator[Result]:
    """By word: rare terms, rare beginnings of words as one types, and terms that everything has."""
    made = databases.documents(scale.documents)
    with sidecar(made, QUIET) as running, client(running) as calling:
        for kind, most, queries in (
            (
                "rare words",
                10,
                ["topic17", "subject00123", "common topic42", '"common topic99"', "topic05 -subject00005"],
            ),
            ("rare, as one types", 10, ["subject0012", "common subject0031", "topic17 subject0001", "subject007"]),
            ("what all have", 150, ["common", "com", "comm", "topic"]),
        ):
            values = [searched_ms(calling, queries) for _ in range(scale.rounds)]
            yield limit(f"search {scale.documents:,} documents: {kind}", "ms", most, values)


def searched_ms(calling: Client, queries: Sequence[str]) -> float:
    """The median of what searches take whose answers are the first page."""
    return statistics.median(calling.timed("GET", f"/search?q={quote(query)}") for query in [*queries] * 5)


def vectors(scale: Scale) -> Iterator[Result]:
    """By meaning: how many of the truly nearest are found, how fast, and what memory this takes."""
    made = databases.vectors(scale.vectors)
    queries = json.loads((made / databases.QUERIES).read_text())
    recalls, medians, taken = [], [], []
    for _ in range(scale.rounds):
        with sidecar(made, QUIET) as running, client(running) as calling:
            calling.call("GET", "/health/ready")
            idle = resident_mb(running.pid)
            nearest(calling, queries[0]["vector"])
            found = [nearest(calling, query["vector"]) for query in queries]
            shared = [len(set(query["nearest"]) & set(ids)) for query, ids in zip(queries, found, strict=True)]
            recalls.append(sum(shared) / (TOP * len(queries)))
            medians.append(statistics.median(calling.timed("POST", *asking(query["vector"])) for query in queries))
            taken.append((resident_mb(running.pid) - idle, scale.vectors * VECTOR_BYTES / 1e6))
    name = f"search {scale.vectors:,} vectors"
    yield compare(f"{name}: recall", "exact", "", RECALL, [(recall, 1) for recall in recalls], more_is_better=True)
    yield limit(f"{name}: top {TOP}", "ms", 10, medians)
    yield compare(f"{name}: memory", "the vectors themselves", "MB", 1.5, taken)


def asking(vector: Sequence[float]) -> tuple[str, dict[str, object]]:
    return "/contexts/search", {"query": vector, "top_k": TOP, "context_types": ["semantic"]}


def nearest(calling: Client, vector: Sequence[float]) -> list[int]:
    return [int(item["context"]["id"]) for item in calling.call("POST", *asking(vector))["items"]]


def indexing(scale: Scale) -> Iterator[Result]:
    """What a vault of 1 kB costs in a store whose triggers note it for the index, and in one that has none of them."""
    made = databases.documents(scale.documents)
    with tempfile.TemporaryDirectory(dir=databases.CACHE) as scratch:
        plain = databases.copied(made, Path(scratch) / "plain")
        indexed = databases.copied(made, Path(scratch) / "indexed")
        with closing(sqlite3.connect(plain / "sidecar.db")) as connection:
            triggers = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
            for (name,) in triggers:
                connection.execute(f"DROP TRIGGER {name}")
        with sidecar(indexed, QUIET) as with_index, sidecar(plain, QUIET) as without_index:

            def measure() -> Pair:
                took = created_ms(with_index, scale), created_ms(without_index, scale)
                # What upkeep does when nobody waits; it is switched off so that the turns are alike.
                with client(with_index) as calling:
                    calling.call("POST", "/upkeep/run", {"task": "search_index"})
                return took

            measure()
            pairs = rounds(scale.rounds, measure)
            with closing(sqlite3.connect(f"file:{plain / 'sidecar.db'}?mode=ro", uri=True)) as connection:
                if connection.execute("SELECT 1 FROM sqlite_schema WHERE type = 'trigger'").fetchone():
                    raise Failure("the sidecar has put the triggers back: there is no writing without the index.")
    yield compare("durable create with full-text index", "without", "ms", 1.5, pairs)


def created_ms(running: Running, scale: Scale) -> float:
    """What one takes on average while many clients write."""
    script = posting({}) + VAULTS
    return 1000 / load(running.url, WRITERS, scale.load_seconds, token=running.token, script=script).rate


VAULTS = f"""
local texts = {{ {json.dumps(list(databases.texts(1000)))[1:-1]} }}
local made = 0
request = function()
  made = made + 1
  local body = '{{"title":"vault ' .. made .. '","content":"' .. texts[made % #texts + 1] .. '"}}'
  return wrk.format(nil, "/vaults", nil, body)
end
"""
