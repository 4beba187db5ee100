"""The farthest points, those of a subset, and those along a way, against all distances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable
from embviz.questions.search import TableSearch
from embviz.questions.ways import choose_along, way_points

RNG = np.random.default_rng(5)
POINTS = RNG.normal(size=(900, 7))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8])
def test_the_farthest_are_those_of_all_distances(metric, dtype):
    vectors = (POINTS * 20).astype(dtype)
    vectors[5] = 0
    vectors[7] = vectors[8]
    queries = vectors[[0, 3]].astype(float)
    found = TableSearch(EmbeddingTable(vectors)).find_farthest(queries, 40, metric, exclude=[0, 3])
    d = np.nan_to_num(cdist(queries, vectors.astype(float), metric), nan=1.0)
    d[:, [0, 3]] = -np.inf
    np.testing.assert_allclose(found.distances, -np.sort(-d, axis=1)[:, :40], rtol=1e-6)
    assert not np.isin(found.indices, [0, 3]).any()
    taken = np.take_along_axis(d, found.indices.astype(np.int64), axis=1)
    np.testing.assert_allclose(found.distances, taken, rtol=1e-6)


def test_of_equally_far_points_the_first_rows_come_first():
    vectors = np.repeat(np.array([[1.0, 0], [-1, 0]]), 6, axis=0)
    for metric in ("cosine", "euclidean"):
        found = TableSearch(EmbeddingTable(vectors)).find_farthest([[1.0, 0]], 4, metric)
        assert found.indices.tolist() == [[6, 7, 8, 9]]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_among_some_rows_the_nearest_of_them_are_found(metric):
    rows = np.array([800, 3, 44, 45, 46, 899, 0])
    found = TableSearch(EmbeddingTable(POINTS)).find_among(POINTS[[10]], 4, rows, metric)
    d = cdist(POINTS[[10]], POINTS[rows], metric)[0]
    assert found.indices[0].tolist() == rows[np.argsort(d)[:4]].tolist()
    with pytest.raises(ParameterError, match=r"must be 1 \.\. 7"):
        TableSearch(EmbeddingTable(POINTS)).find_among(POINTS[[10]], 8, rows, metric)
    with pytest.raises(ParameterError, match=r"rows 0 \.\. 899"):
        TableSearch(EmbeddingTable(POINTS)).find_among(POINTS[[10]], 1, [900], metric)


def test_places_on_an_arc_are_at_even_angles_and_on_a_line_at_even_steps():
    ends = np.array([[5.0, 0], [0, 0.1]])
    arc = way_points(ends, 2, "cosine")
    np.testing.assert_allclose(np.degrees(np.arctan2(arc[:, 1], arc[:, 0])), [30, 60])
    np.testing.assert_allclose(way_points(ends, 3, "euclidean")[:, 0], [3.75, 2.5, 1.25])
    same = way_points(np.array([[2.0, 0], [4, 0]]), 2, "cosine")
    np.testing.assert_allclose(same, [[1, 0], [1, 0]])
    assert not way_points(np.array([[1.0, 0], [-3, 0]]), 2, "cosine").any()


def test_a_point_is_taken_for_one_place_only():
    table = EmbeddingTable(np.arange(10.0)[:, None] * [[1.0, 0]])
    places = way_points(np.array([[0.0, 0], [1, 0]]), 4, "euclidean")
    from embviz.neighbors.exact import find_neighbors_of_vectors

    along = choose_along(find_neighbors_of_vectors(table, places, 4, "euclidean", [0]))
    assert along.points.tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(along.shares, [0.2, 0.4, 0.6, 0.8])


@pytest.mark.parametrize(("scale", "dtype"), [(1e37, np.float32), (1e300, float), (1e-300, float)])
def test_the_farthest_of_huge_and_tiny_vectors_are_in_order(scale, dtype):
    vectors = (POINTS * scale).astype(dtype)
    found = TableSearch(EmbeddingTable(vectors)).find_farthest(vectors[[4]], 20, "euclidean", [4])
    d = cdist(vectors[[4]].astype(float) / scale, vectors.astype(float) / scale)[0]
    assert found.indices[0].tolist() == np.argsort(-d)[:20].tolist()
    assert np.isfinite(found.distances).all()


def test_farthest_distances_that_are_shown_as_equal_are_in_order_of_row():
    vectors = np.array([[-1, 1e-5], [-1, 1e-6], [-1, 0], [1, 0]])
    found = TableSearch(EmbeddingTable(vectors)).find_farthest([[1.0, 0]], 3)
    assert (found.indices.tolist(), found.distances.tolist()) == ([[0, 1, 2]], [[2, 2, 2]])


@pytest.mark.parametrize(
    ("queries", "told"),
    [
        ([[1.0, 2]], "2 dimensions where the points have 7"),
        ([[np.nan] * 7], "NaN"),
        ([[0.0] * 7], "no direction"),
    ],
)
def test_vectors_that_cannot_be_asked_for_are_refused(queries, told):
    search = TableSearch(EmbeddingTable(POINTS))
    with pytest.raises(ParameterError, match=told):
        search.find_farthest(queries, 3)
    with pytest.raises(ParameterError, match=told):
        search.find_among(queries, 3, np.arange(9))
