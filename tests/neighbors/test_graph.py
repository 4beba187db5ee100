"""The neighbor graph of all points against exact neighbors."""

from __future__ import annotations

import os

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from embviz.errors import ParameterError
from embviz.kernels import calm_threads
from embviz.model import EmbeddingTable
from embviz.neighbors import build_graph, find_neighbors, graph
from embviz.neighbors.all_rows import find_most_neighbors
from embviz.neighbors.candidates import order_candidates
from embviz.neighbors.exact_rows import open_few_rows
from embviz.neighbors.known import shown_recall
from embviz.neighbors.rounded import round_rows
from embviz.space import open_space

DIGITS = load_digits().data.astype(np.float32)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_a_small_graph_is_exact(metric):
    found = build_graph(EmbeddingTable(DIGITS), 15, metric)
    truth = find_neighbors(EmbeddingTable(DIGITS), np.arange(len(DIGITS)), 15, metric)
    np.testing.assert_allclose(found.distances, truth.distances, rtol=1e-4, atol=1e-6)
    assert (found.indices == truth.indices).mean() > 0.98  # Ties of whole numbers.
    assert found.recall == 1.0


def test_distances_are_true_and_not_squared():
    found = build_graph(EmbeddingTable(DIGITS), 5, "euclidean")
    theirs, _ = NearestNeighbors(n_neighbors=6, algorithm="brute").fit(DIGITS).kneighbors(DIGITS)
    np.testing.assert_allclose(found.distances, theirs[:, 1:], rtol=1e-4)


def test_a_point_is_never_its_own_neighbor_even_among_many_duplicates():
    vectors = np.ones((300, 4), np.float32)
    found = build_graph(EmbeddingTable(vectors), 7, "euclidean")
    assert not (found.indices == np.arange(300)[:, None]).any()
    assert (found.distances == 0).all()
    assert all(len(set(row)) == 7 for row in found.indices.tolist())


@pytest.mark.parametrize("cost", [graph.FLAT_COST, 0])
def test_zero_vectors_are_no_hubs(large, cost, monkeypatch, caplog):
    monkeypatch.setattr(graph, "FLAT_COST", cost)
    vectors = large.vectors.copy()
    zero = np.array([7, 400, 3000])
    vectors[zero] = 0
    found = build_graph(EmbeddingTable(vectors), 10)
    others = np.delete(np.arange(len(vectors)), zero)
    assert not np.isin(found.indices[others], zero).any()
    assert found.indices[zero].tolist() == [[*range(7), 8, 9, 10], [*range(10)], [*range(10)]]
    assert (found.distances[zero] == 1).all()
    truth = find_neighbors(EmbeddingTable(vectors), others[:300], 10)
    share = (found.distances[others[:300]] <= truth.distances[:, -1:] * (1 + 1e-4)).mean()
    assert found.recall == pytest.approx(share, abs=0.02)
    assert [r.getMessage()[:16] for r in caplog.records if r.levelname == "WARNING"] == [
        "3 zero vectors h"
    ]


def test_few_points_beside_zero_vectors_have_those_as_neighbors():
    vectors = np.zeros((9, 3), np.float32)
    vectors[[2, 5]] = [[1, 0, 0], [-1, 0.5, 0]]
    found = build_graph(EmbeddingTable(vectors), 8)
    assert found.indices[2].tolist() == [0, 1, 3, 4, 6, 7, 8, 5]
    assert found.indices[5].tolist() == [0, 1, 3, 4, 6, 7, 8, 2]
    assert (found.distances[:, :7] == 1).all()
    alone = build_graph(EmbeddingTable(np.zeros((4, 3))), 3)
    assert alone.indices.tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]


@pytest.fixture(scope="module")
def large():
    rng = np.random.default_rng(3)
    centers = rng.normal(size=(40, 150)) * 2
    return EmbeddingTable(
        (centers[rng.integers(0, 40, 6000)] + rng.normal(size=(6000, 150))).astype(np.float32)
    )


def test_a_large_graph_says_how_many_true_neighbors_it_has(large, monkeypatch):
    monkeypatch.setattr(graph, "FLAT_COST", 0)
    found = build_graph(large, 20, "euclidean", seed=1)
    truth = build_exact(large, 20)
    share = np.mean(
        [len(np.intersect1d(a, b)) / 20 for a, b in zip(found.indices, truth, strict=True)]
    )
    assert found.recall == pytest.approx(share, abs=0.01)
    assert found.recall >= 0.97
    assert found.recall < 1


def build_exact(table, k):
    distances = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(table.vectors)
    return distances.kneighbors(table.vectors, return_distance=False)[:, 1:]


def test_points_whose_cells_hold_few_others_have_as_many_neighbors(large, monkeypatch):
    monkeypatch.setattr(graph, "FLAT_COST", 0)
    vectors = large.vectors.copy()
    far = np.linspace(1e3, 1e6, 20, dtype=np.float32)[:, None]
    vectors[:20] = far * np.random.default_rng(1).standard_normal((20, vectors.shape[1]))
    found = build_graph(EmbeddingTable(vectors), 60, "euclidean")
    truth = find_neighbors(EmbeddingTable(vectors), np.arange(20), 60, "euclidean")
    assert all(len(set(row)) == 60 for row in found.indices[:20].tolist())
    assert (found.distances[:20] <= 3 * truth.distances[:, -1:]).all()


def test_candidates_are_in_order_and_equally_near_ones_by_row_number():
    rng = np.random.default_rng(0)
    half = rng.integers(0, 3, (100, 4)).astype(np.float32)
    vectors = np.concatenate([half, -half])  # About 0, so that nothing is rounded.
    exact = open_few_rows(open_space(EmbeddingTable(vectors)), "euclidean")
    places = rng.permutation(200)[:50]
    candidates = rng.permuted(np.tile(np.arange(200), (50, 1)), axis=1)[:, :90]
    candidates[:, 7] = -1
    rows, distances, _ = order_candidates(exact, round_rows(exact), places, candidates, 60)
    for place, mine, row, distance in zip(places, candidates, rows, distances, strict=True):
        mine = mine[(mine >= 0) & (mine != place)]
        apart = np.linalg.norm(vectors[mine].astype(np.float64) - vectors[place], axis=1)
        order = np.lexsort((mine, apart))[:60]
        assert row.tolist() == mine[order].tolist()
        np.testing.assert_allclose(distance, apart[order], rtol=1e-6)


def test_the_same_seed_gives_the_same_bytes(large, monkeypatch):
    monkeypatch.setattr(graph, "FLAT_COST", 0)
    first, again, other = (build_graph(large, 10, "cosine", seed=s) for s in (4, 4, 5))
    assert first.indices.tobytes() == again.indices.tobytes()
    assert first.distances.tobytes() == again.distances.tobytes()
    assert first.distances.tobytes() != other.distances.tobytes()


@pytest.mark.parametrize("normalize", ["center", "sphere"])
def test_normalized_vectors_have_the_neighbors_of_normalized_vectors(normalize):
    vectors = DIGITS[:400] + 100
    space = open_space(EmbeddingTable(vectors), normalize)
    plain = EmbeddingTable(np.concatenate([block for _, block in space.blocks()]))
    found = build_graph(EmbeddingTable(vectors), 6, "cosine", normalize)
    truth = find_neighbors(plain, np.arange(400), 6, "cosine")
    np.testing.assert_allclose(found.distances, truth.distances, atol=2e-5)


def test_values_whose_squares_overflow_keep_their_neighbors():
    found = build_graph(EmbeddingTable(DIGITS[:200] * np.float32(1e30)), 5, "euclidean")
    same = build_graph(EmbeddingTable(DIGITS[:200]), 5, "euclidean")
    np.testing.assert_allclose(found.distances, same.distances * np.float64(1e30), rtol=1e-5)


@pytest.mark.parametrize("scale", [2.0**700, 2.0**-700])
def test_distances_beyond_float32_are_in_the_vectors_unit_in_float64(scale):
    found = build_graph(EmbeddingTable(DIGITS[:50].astype(float) * scale), 5, "euclidean")
    same = build_graph(EmbeddingTable(DIGITS[:50]), 5, "euclidean")
    np.testing.assert_array_equal(found.indices, same.indices)
    np.testing.assert_allclose(found.distances / scale, same.distances, rtol=1e-6)


def test_distances_beyond_float64_are_refused():
    with pytest.raises(ParameterError, match="beyond the range of numbers"):
        build_graph(EmbeddingTable(np.array([[1.7e308], [-1.7e308], [0]])), 2, "euclidean")


def distances_in_float64(vectors, metric):
    """Of all pairs, own at infinity."""
    rows = vectors.astype(np.float64)
    if metric == "cosine":
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    apart = np.array([np.linalg.norm(rows - row, axis=1) for row in rows])
    np.fill_diagonal(apart, np.inf)
    return apart**2 / 2 if metric == "cosine" else apart


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("case", ["offset", "offset float32", "clusters", "one huge row"])
def test_a_recall_of_1_is_said_only_where_no_other_point_is_nearer(case, metric):
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(900, 30))
    if case.startswith("offset"):
        vectors += rng.choice([-1e6, 1e6], 30)
    if case == "offset float32":
        vectors = vectors.astype(np.float32)
    if case == "clusters":
        vectors += rng.normal(size=(3, 30))[rng.integers(0, 3, 900)] * 1e7
    if case == "one huge row":
        vectors[7] *= 1e30
    found = build_graph(EmbeddingTable(vectors), 10, metric)
    truth = distances_in_float64(vectors, metric)
    last = np.sort(truth, axis=1)[:, 9:10]
    share = (np.take_along_axis(truth, found.indices, 1) <= last * (1 + 1e-5)).mean()
    assert found.recall == 1
    assert share == 1


@pytest.mark.parametrize("search", [build_graph, find_most_neighbors])
def test_a_sample_without_a_miss_is_no_proof(search, monkeypatch):
    monkeypatch.setattr(graph, "FLAT_COST", 0)
    monkeypatch.setattr(graph, "WANTED_RECALL", 1)  # Until the sample has no miss.
    rng = np.random.default_rng(0)
    found = search(EmbeddingTable(rng.normal(size=(4500, 3)).astype(np.float32)), 5, "euclidean")
    assert 0.999 < found.recall < 1
    assert shown_recall(found.recall) < 1


def test_rows_that_rounding_leaves_unsure_are_estimated_where_they_are_many(monkeypatch):
    monkeypatch.setattr(graph, "CERTAIN_COST", 0)
    monkeypatch.setattr(
        graph.RoundedRows, "nearest", spoiled(graph.RoundedRows.nearest, share=0.005)
    )
    found = build_graph(EmbeddingTable(DIGITS), 20, "euclidean")
    truth = distances_in_float64(DIGITS, "euclidean")
    last = np.sort(truth, axis=1)[:, 19:20]
    share = (np.take_along_axis(truth, found.indices, 1) <= last * (1 + 1e-5)).mean()
    assert share < 1
    assert found.recall == pytest.approx(share, abs=0.003)


def spoiled(nearest, share):
    """A search that loses a share of what it finds, and is sure of nothing."""

    def search(self, places, wanted):
        found, reach = nearest(self, places, wanted)
        rng = np.random.default_rng(0)
        found = np.where(rng.random(found.shape) < share, -1, found)
        return found, np.zeros_like(reach)

    return search


def test_a_graph_of_more_neighbors_than_points_is_refused():
    with pytest.raises(ParameterError, match=r"must be 1 \.\. 49"):
        build_graph(EmbeddingTable(DIGITS[:50]), 50)


def test_the_users_thread_setting_is_kept(monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    with calm_threads():
        assert os.environ["OMP_WAIT_POLICY"] == "active"
    monkeypatch.delenv("OMP_WAIT_POLICY")
    with calm_threads():
        assert os.environ["OMP_WAIT_POLICY"] == "passive"
    assert "OMP_WAIT_POLICY" not in os.environ
