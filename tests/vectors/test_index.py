"""The index in memory: which vectors are nearest, whatever was put, replaced and discarded before."""

import random
import sys

import pytest

from sidecar.errors import NotAvailable
from sidecar.storage.vectors import index as index_module
from sidecar.storage.vectors.cache import STRETCH, Candidates
from sidecar.storage.vectors.index import BLOCK, VectorIndex, cosines, libraries
from sidecar.storage.vectors.vector import pack
from tests.vectors.contexts import cosine

DIMENSION = 24


def random_vector(source: random.Random) -> list[float]:
    return [source.gauss(0, 10) for _ in range(DIMENSION)]


def scores_of(index: VectorIndex, query: list[float]) -> dict[int, float]:
    numbers, scores = index.scan(pack("query", query))
    return dict(zip(numbers.tolist(), scores.tolist(), strict=True))


def test_scores_are_nearly_the_cosines() -> None:
    source = random.Random(1)
    vectors = {number: random_vector(source) for number in range(200)}
    index = VectorIndex()
    assert index.put([(number, pack("vector", vector)) for number, vector in vectors.items()])
    query = random_vector(source)
    scores = scores_of(index, query)
    assert scores.keys() == vectors.keys()
    for number, vector in vectors.items():
        assert scores[number] == pytest.approx(cosine(vector, query), abs=0.01)


def test_length_does_not_matter_however_small_or_large() -> None:
    index = VectorIndex()
    index.put([(1, pack("vector", [1e-44, 0])), (2, pack("vector", [3e38, 3e38])), (3, pack("vector", [-5, 0]))])
    assert scores_of(index, [1e30, 0]) == pytest.approx({1: 1.0, 2: 0.5**0.5, 3: -1.0}, abs=0.01)


def test_it_follows_any_order_of_puts_and_discards_over_block_boundaries() -> None:
    source = random.Random(2)
    index, model = VectorIndex(), dict[int, list[float]]()

    def put(numbers: list[int]) -> None:
        rows = {number: random_vector(source) for number in numbers}
        model.update(rows)
        assert index.put([(number, pack("vector", vector)) for number, vector in rows.items()])

    put(list(range(BLOCK + 10)))
    for number in source.sample(sorted(model), BLOCK // 2):
        index.discard(number)
        del model[number]
    index.discard(10**9)
    put(source.sample(sorted(model), 100))
    put(list(range(10**6, 10**6 + BLOCK)))
    query = random_vector(source)
    scores = scores_of(index, query)
    assert len(index) == len(model)
    assert scores.keys() == model.keys()
    for number in source.sample(sorted(model), 500):
        assert scores[number] == pytest.approx(cosine(model[number], query), abs=0.02)


def test_another_dimension_does_not_fit_until_all_is_gone() -> None:
    index = VectorIndex()
    assert index.put([(1, pack("vector", [1, 2]))])
    assert not index.put([(2, pack("vector", [1, 2, 3]))])
    index.discard(1)
    assert index.put([(2, pack("vector", [1, 2, 3]))])
    assert scores_of(index, [1, 2, 3]) == pytest.approx({2: 1.0}, abs=0.01)


def test_cosines_of_true_vectors_are_exact() -> None:
    source = random.Random(3)
    query, vectors = random_vector(source), [random_vector(source) for _ in range(10)]
    packed = [pack("vector", vector) for vector in vectors]
    expected = [cosine(vector, query) for vector in vectors]
    assert cosines(pack("query", query), packed) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("count", [0, 1, 5, STRETCH * 7 + 3, STRETCH * 300 + 1])
@pytest.mark.parametrize("levels", [1, 3, 10**9])
def test_candidates_widen_from_the_nearest_to_all_each_once(count: int, levels: int) -> None:
    np = libraries().numpy
    scores = np.random.default_rng(count).integers(0, levels, count).astype(np.float32)
    parts = list(Candidates(np.arange(count), scores).widening(5))
    assert sorted(number for part in parts for number in part) == list(range(count))
    assert min(5, count) <= len(parts[0]) <= max(20, STRETCH * 5)
    best = sorted(scores.tolist(), reverse=True)[:5]
    assert sorted((scores[number] for number in parts[0]), reverse=True)[:5] == best


def test_without_the_libraries_the_error_says_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "simsimd", None)
    index_module.libraries.cache_clear()
    with pytest.raises(NotAvailable, match=r"pip install 'electron-sidecar\[vectors\]'"):
        VectorIndex()
