"""Any order of upserts, deletions and searches finds what a search through all rows would."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.config import DatabaseSettings, Settings
from sidecar.models.contexts import ContextType
from sidecar.storage.unified import UnifiedStorage, configured_backends
from tests.vectors.contexts import context, cosine

NAMES = st.sampled_from("abcdefgh")
TYPES = st.sampled_from([ContextType.STATE, ContextType.KNOWLEDGE])
VECTORS = st.tuples(*[st.integers(-4, 4)] * 3).filter(any)
GROUPS = st.integers(0, 2)

UPSERT = st.tuples(st.just("upsert"), st.lists(st.tuples(NAMES, TYPES, VECTORS, GROUPS), min_size=1, max_size=4))
DELETE = st.tuples(st.just("delete"), NAMES)
SEARCH = st.tuples(st.just("search"), VECTORS, st.none() | TYPES, st.none() | GROUPS)
STEPS = st.lists(UPSERT | DELETE | SEARCH, max_size=25)

Model = dict[str, tuple[ContextType, tuple[int, ...], int]]


@given(STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_search_finds_what_looking_at_every_row_would(steps: list[tuple[object, ...]]) -> None:
    asyncio.run(follow(steps))


async def follow(steps: list[tuple[object, ...]]) -> None:
    in_memory = Settings(database=DatabaseSettings(enabled=False))
    storage = UnifiedStorage.create(configured_backends(in_memory, Path(tempfile.gettempdir())))
    await storage.initialize()
    model: Model = {}
    for step in steps:
        match step:
            case ("upsert", list(rows)):
                model |= {name: (kind, vector, group) for name, kind, vector, group in rows}
                await storage.batch_upsert_processed_context(
                    [context(name, *vector, kind=kind, metadata={"g": group}) for name, kind, vector, group in rows]
                )
            case ("delete", str(name)) if name in model:
                del model[name]
                await storage.delete_processed_context(name)
            case ("search", tuple(query), wanted, group):
                assert await found(storage, query, wanted, group) == expected(model, query, wanted, group)
    await storage.close()


async def found(storage: UnifiedStorage, query: tuple[int, ...], wanted: object, group: object) -> dict[str, float]:
    types = None if wanted is None else [str(wanted)]
    filters = None if group is None else {"metadata.g": group}
    return {hit.id: round(score, 6) for hit, score in await storage.search(query, 100, types, filters)}


def expected(model: Model, query: tuple[int, ...], wanted: object, group: object) -> dict[str, float]:
    return {
        name: round(cosine(vector, query), 6) + 0.0
        for name, (kind, vector, number) in model.items()
        if wanted in (None, kind) and group in (None, number)
    }
