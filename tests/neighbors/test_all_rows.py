"""The neighbors of all points against NumPy's float64 and against those of single rows."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from sklearn.datasets import load_digits

from embviz.errors import LoadError, ParameterError
from embviz.model import EmbeddingTable
from embviz.neighbors import all_rows, exact_rows, find_neighbors, graph
from embviz.neighbors.all_rows import find_all_neighbors, find_most_neighbors

RNG = np.random.default_rng(11)
METRICS = pytest.mark.parametrize("metric", ["cosine", "euclidean"])


def measured(vectors, metric):
    """Distances of all pairs from differences in long double, rounded to float32; own are inf."""
    rows = np.asarray(vectors, dtype=np.longdouble)
    if metric == "cosine":
        norms = np.sqrt((rows**2).sum(axis=1, keepdims=True))
        rows = rows / np.where(norms > 0, norms, 1)
    squares = np.array([((rows - row) ** 2).sum(axis=1) for row in rows])
    found = squares / 2 if metric == "cosine" else np.sqrt(squares)
    if metric == "cosine":
        zero = ~np.asarray(vectors).any(axis=1)
        found[zero] = found[:, zero] = 1
    np.fill_diagonal(found, np.inf)
    return found.astype(np.float32)


def spread(name):
    """Vectors that are hard to compare in float32."""
    normal = RNG.normal(size=(700, 10))
    outlier = normal.copy()
    outlier[5] *= 1e12
    return {
        "plain": normal,
        "offset": 1e5 * np.arange(1, 11) + normal,
        "offset float32": (1e5 * np.arange(1, 11) + normal).astype(np.float32),
        "whole numbers": RNG.integers(-3, 4, (1500, 5)),
        "bytes": RNG.integers(0, 2, (900, 12)).astype(np.uint8),
        "outlier": outlier,
        "small": normal * 1e-30,
        "half": normal.astype(np.float16),
        "one-hot": np.eye(250),
        "one place": np.ones((500, 4), np.float32),
        "digits": load_digits().data[:600].astype(np.float32),
    }[name]


CASES = ["plain", "offset", "offset float32", "whole numbers", "bytes", "outlier", "small", "half"]
CASES += ["one-hot", "one place", "digits"]


@METRICS
@pytest.mark.parametrize("name", CASES)
def test_all_neighbors_are_those_of_every_single_row(name, metric):
    table = EmbeddingTable(spread(name))
    found = find_all_neighbors(table, 7, metric)
    truth = find_neighbors(table, np.arange(table.n_points), 7, metric)
    np.testing.assert_array_equal(found.indices, truth.indices)
    np.testing.assert_array_equal(found.distances, truth.distances)
    nearest = np.sort(measured(table.vectors, metric), axis=1)[:, :7]
    np.testing.assert_allclose(found.distances, nearest, rtol=3e-7, atol=1e-18)
    assert found.recall == 1


def test_equal_distances_are_in_the_order_of_rows():
    vectors = RNG.integers(-3, 4, (1200, 5))
    squares = ((vectors[:, None] - vectors) ** 2).sum(axis=2)  # Whole numbers have no rounding.
    np.fill_diagonal(squares, 1000)
    found = find_all_neighbors(EmbeddingTable(vectors), 9, "euclidean")
    np.testing.assert_array_equal(found.indices, squares.argsort(axis=1, kind="stable")[:, :9])


def test_a_zero_vector_is_at_distance_1_from_all_others(caplog):
    vectors = RNG.normal(size=(500, 50))
    vectors[[7, 400]] = 0
    with caplog.at_level(logging.WARNING):
        found = find_all_neighbors(EmbeddingTable(vectors), 5)
    order = measured(vectors, "cosine").argsort(axis=1, kind="stable")[:, :5]
    np.testing.assert_array_equal(found.indices, order)
    assert found.indices[7].tolist() == found.indices[400].tolist() == [0, 1, 2, 3, 4]
    assert (found.distances[[7, 400]] == 1).all()
    assert [r.getMessage()[:35] for r in caplog.records] == ["2 zero vectors have no direction: a"]


@pytest.mark.parametrize("n_other", [0, 1, 2, 40])
def test_zero_vectors_are_listed_where_nothing_is_nearer(n_other):
    vectors = np.zeros((60, 8))
    vectors[RNG.permutation(60)[:n_other]] = RNG.normal(size=(n_other, 8))
    found = find_all_neighbors(EmbeddingTable(vectors), 59)
    truth = measured(vectors, "cosine")
    order = truth.argsort(axis=1, kind="stable")[:, :59]
    np.testing.assert_array_equal(found.indices, order)
    np.testing.assert_allclose(found.distances, np.take_along_axis(truth, order, 1), rtol=3e-7)


def test_rows_that_are_read_again_have_the_same_neighbors(monkeypatch):
    vectors = RNG.integers(-3, 4, (900, 5))
    kept = find_all_neighbors(EmbeddingTable(vectors), 6)
    monkeypatch.setattr(all_rows, "HELD_NUMBERS", 0)
    monkeypatch.setattr(exact_rows, "SCANNED_TOGETHER", 50)
    again = find_all_neighbors(EmbeddingTable(vectors), 6)
    assert kept.indices.tobytes() == again.indices.tobytes()
    assert kept.distances.tobytes() == again.distances.tobytes()


def test_few_rows_of_common_data_are_compared_twice(monkeypatch):
    again = []
    real = all_rows._multiply_rows
    monkeypatch.setattr(all_rows, "_multiply_rows", lambda *a: again.append(len(a[2])) or real(*a))
    find_all_neighbors(EmbeddingTable(RNG.normal(size=(3000, 100)).astype(np.float32)), 10)
    assert sum(again) <= 30


@METRICS
def test_neighbors_from_cells_say_how_many_are_true(metric, monkeypatch):
    monkeypatch.setattr(graph, "FLAT_COST", 0)
    rng = np.random.default_rng(3)
    centers = rng.normal(size=(40, 90))
    vectors = centers[rng.integers(0, 40, 5000)] + rng.normal(size=(5000, 90))
    vectors[[3, 77]] = 0
    table = EmbeddingTable(vectors)
    found = find_most_neighbors(table, 8, metric)
    truth = find_all_neighbors(table, 8, metric)
    kept = np.delete(np.arange(5000), [3, 77])
    share = (found.distances <= truth.distances[:, -1:])[kept].mean()
    assert found.recall == pytest.approx(share, abs=0.01)
    assert 0.95 < found.recall <= 1
    same = found.indices[:, 0] == truth.indices[:, 0]
    assert (found.distances[same, 0] == truth.distances[same, 0]).all()


def test_what_cannot_be_asked_of_all_rows_is_refused():
    table = EmbeddingTable(np.ones((5, 2)))
    with pytest.raises(ParameterError, match=r"must be 1 \.\. 4"):
        find_all_neighbors(table, 5)
    with pytest.raises(ParameterError, match="metric"):
        find_all_neighbors(table, 2, "manhattan")
    with pytest.raises(LoadError, match="NaN"):
        find_all_neighbors(EmbeddingTable(np.array([[1.0, np.nan], [1, 2], [3, 4]])), 1)
