"""Exact neighbors against all distances in float64."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import cdist

from embviz.errors import LoadError, ParameterError
from embviz.model import BLOCK_BYTES, EmbeddingTable
from embviz.neighbors import row_blocks, scan
from embviz.neighbors.exact import find_neighbors, find_neighbors_of_vectors

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(600, 12))


def all_distances(vectors, rows, metric):
    """Distances in float64 by SciPy, after a division that keeps squares in range."""
    scale = np.abs(vectors.astype(np.float64)).max() or 1.0
    x = vectors.astype(np.float64) / scale
    d = cdist(x[rows], x, metric)
    return np.nan_to_num(d, nan=1.0) if metric == "cosine" else d * scale


def oracle(vectors, rows, k, metric):
    d = all_distances(vectors, rows, metric)
    d[np.arange(len(rows)), rows] = np.inf
    return np.sort(d, axis=1)[:, :k], d


CASES = {
    "float64": POINTS,
    "float32": POINTS.astype(np.float32),
    "float16 near its limit": np.clip(POINTS * 3e4, -6e4, 6e4).astype(np.float16),
    "bfloat16": (POINTS * 1e30).astype(ml_dtypes.bfloat16),
    "int8": np.clip(POINTS * 60, -128, 127).astype(np.int8),
    "uint64": RNG.integers(0, 2**63, (200, 4)).astype(np.uint64),
    "big-endian": POINTS.astype(">f4"),
    "Fortran order": np.asfortranarray(POINTS.astype(np.float32)),
    "far from the origin": (POINTS * 0.01 + 1e4).astype(np.float32),
    "1e30": (POINTS * 1e30).astype(np.float32),
    "one dimension": POINTS[:, :1],
}


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("case", CASES)
def test_neighbors_are_those_of_all_distances_in_float64(case, metric):
    vectors = CASES[case]
    if metric == "cosine" and vectors.shape[1] == 1:
        pytest.skip("every angle is 0 or 180 degrees")
    rows = np.arange(0, len(vectors), 37)
    rows = rows[vectors[rows].astype(np.float64).any(axis=1)]
    found = find_neighbors(EmbeddingTable(vectors), rows, 9, metric)
    nearest, distances = oracle(vectors, rows, 9, metric)
    np.testing.assert_allclose(found.distances, nearest, rtol=1e-6, atol=1e-9)
    listed = np.take_along_axis(distances, found.indices.astype(np.int64), axis=1)
    np.testing.assert_allclose(listed, nearest, rtol=1e-6, atol=1e-9)
    assert found.indices.dtype == np.int32
    assert found.distances.dtype == np.float32


@given(
    vectors=hnp.arrays(
        np.int8, st.tuples(st.integers(2, 40), st.integers(1, 4)), elements=st.integers(-3, 3)
    ),
    k=st.integers(1, 39),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_ties_are_in_order_of_row_number(vectors, k, data):
    k = min(k, len(vectors) - 1)
    row = data.draw(st.integers(0, len(vectors) - 1))
    found = find_neighbors(EmbeddingTable(vectors), [row], k, "euclidean")
    squares = ((vectors.astype(int) - vectors[row].astype(int)) ** 2).sum(axis=1)
    others = [i for i in range(len(vectors)) if i != row]
    expected = sorted(others, key=lambda i: (squares[i], i))[:k]
    assert found.indices[0].tolist() == expected


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_rows_does_not_change_the_distances(seed):
    order = np.random.default_rng(seed).permutation(len(POINTS))
    straight = find_neighbors(EmbeddingTable(POINTS), order[:5], 7)
    shuffled = find_neighbors(EmbeddingTable(POINTS[order]), np.arange(5), 7)
    np.testing.assert_array_equal(shuffled.distances, straight.distances)
    np.testing.assert_array_equal(order[shuffled.indices], straight.indices)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_duplicates_are_neighbors_at_distance_zero_and_the_row_itself_is_not(metric):
    vectors = np.repeat(POINTS[:50].astype(np.float32), 4, axis=0)
    found = find_neighbors(EmbeddingTable(vectors), [9], 4, metric)
    assert found.indices[0, :3].tolist() == [8, 10, 11]
    assert found.distances[0, :3].tolist() == [0, 0, 0]
    assert found.distances[0, 3] > 0


def test_multiples_of_a_vector_are_at_cosine_distance_zero_and_two():
    vectors = np.array([[1, 2, 3], [2, 4, 6], [-1, -2, -3], [3, 0, -1]], np.float32)
    found = find_neighbors(EmbeddingTable(vectors), [0], 3, "cosine")
    assert found.indices[0].tolist() == [1, 3, 2]
    np.testing.assert_allclose(found.distances[0], [0, 1, 2], atol=1e-7)


def test_a_zero_vector_is_at_cosine_distance_one():
    vectors = np.array([[1, 0], [0, 0], [-1, 0], [1, 1]], np.float32)
    found = find_neighbors(EmbeddingTable(vectors), [0], 3, "cosine")
    assert found.indices[0].tolist() == [3, 1, 2]
    np.testing.assert_allclose(found.distances[0], [1 - 0.5**0.5, 1, 2], rtol=1e-6)


def test_the_neighbors_of_a_zero_vector_are_refused_under_cosine_only():
    vectors = POINTS.copy()
    vectors[5] = 0
    table = EmbeddingTable(vectors, {"word": tuple(f"w{i}" for i in range(len(vectors)))})
    with pytest.raises(ParameterError, match=r"row 5 \(w5\): a zero vector"):
        find_neighbors(table, [4, 5], 3, "cosine")
    assert find_neighbors(table, [5], 3, "euclidean").indices.shape == (1, 3)


def test_many_blocks_give_what_one_block_gives(monkeypatch):
    table = EmbeddingTable(POINTS.astype(np.float32))
    whole = find_neighbors(table, np.arange(0, 600, 7), 20, "euclidean")
    monkeypatch.setattr(row_blocks, "BLOCK_BYTES", 48 * 31)
    monkeypatch.setattr(scan, "BATCH", 100)
    parts = find_neighbors(table, np.arange(0, 600, 7), 20, "euclidean")
    assert BLOCK_BYTES > 48 * 600
    np.testing.assert_array_equal(parts.indices, whole.indices)
    np.testing.assert_array_equal(parts.distances, whole.distances)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_values_whose_squares_leave_float64_keep_the_order_of_their_neighbors(scale):
    found = find_neighbors(EmbeddingTable(POINTS * scale), [3, 40], 8, "euclidean")
    same = find_neighbors(EmbeddingTable(POINTS), [3, 40], 8, "euclidean")
    np.testing.assert_array_equal(found.indices, same.indices)
    np.testing.assert_allclose(found.distances / scale, same.distances, rtol=1e-6)
    assert found.distances.dtype == np.float64


@pytest.mark.parametrize("k", [0, -1, 600, 10**9])
def test_more_neighbors_than_there_are_others_are_refused(k):
    with pytest.raises(ParameterError, match=r"must be 1 \.\. 599"):
        find_neighbors(EmbeddingTable(POINTS), [0], k)


@pytest.mark.parametrize("row", [-1, 600])
def test_a_row_that_does_not_exist_is_refused(row):
    with pytest.raises(ParameterError, match=rf"row {row} is not in 0 \.\. 599"):
        find_neighbors(EmbeddingTable(POINTS), [row], 3)


def test_an_unknown_metric_is_refused_with_the_choices():
    with pytest.raises(ParameterError, match="cosine, euclidean"):
        find_neighbors(EmbeddingTable(POINTS), [0], 3, "manhattan")


def test_a_table_with_nan_is_refused_with_its_row():
    vectors = POINTS.copy()
    vectors[17, 3] = np.nan
    with pytest.raises(LoadError, match="the first is row 17"):
        find_neighbors(EmbeddingTable(vectors), [0], 3)


def test_neighbors_of_a_vector_leave_out_the_excluded_rows():
    query = POINTS[10] - POINTS[20] + POINTS[30]
    found = find_neighbors_of_vectors(EmbeddingTable(POINTS), query, 5, "cosine", [10, 20, 30])
    d = cdist(query[None], POINTS, "cosine")[0]
    d[[10, 20, 30]] = np.inf
    assert found.indices[0].tolist() == np.argsort(d)[:5].tolist()
    np.testing.assert_allclose(found.distances[0], np.sort(d)[:5], rtol=1e-6)


def test_a_vector_of_another_width_is_refused():
    with pytest.raises(ParameterError, match="3 dimensions where the points have 12"):
        find_neighbors_of_vectors(EmbeddingTable(POINTS), [1.0, 2.0, 3.0], 5)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("n_queries", [1, 5])
def test_several_threads_find_what_one_finds(monkeypatch, metric, n_queries):
    vectors = np.repeat(POINTS, 5, axis=0).astype(np.float32)
    table = EmbeddingTable(vectors)
    rows = np.arange(n_queries) * 70
    monkeypatch.setattr(row_blocks, "count_cores", lambda: 1)
    alone = find_neighbors(table, rows, 30, metric)
    monkeypatch.setattr(row_blocks, "count_cores", lambda: 4)
    monkeypatch.setattr(row_blocks, "CACHED_BYTES", 48 * 37)
    assert len(row_blocks.table_blocks(table, n_queries)) == 4
    together = find_neighbors(table, rows, 30, metric)
    np.testing.assert_array_equal(together.indices, alone.indices)
    np.testing.assert_array_equal(together.distances, alone.distances)
    broken = vectors.copy()
    broken[2999, 3] = np.nan
    with pytest.raises(LoadError, match=r"1 of 3000 rows .* the first is row 2999"):
        find_neighbors(EmbeddingTable(broken), rows, 3, metric)


def test_the_threads_are_as_many_as_the_user_allows(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert row_blocks.count_cores() == 1


def test_small_vectors_beside_huge_ones_keep_their_neighbors():
    size = 10.0 ** RNG.uniform(-40, 37, (len(POINTS), 1))
    vectors = (POINTS * size).astype(np.float32)
    rows = np.argsort(size[:, 0])[[0, 100, 300]]
    found = find_neighbors(EmbeddingTable(vectors), rows, 9, "euclidean")
    wide = vectors.astype(np.float64)
    for i, row in enumerate(rows):
        apart = np.linalg.norm(wide - wide[row], axis=1)
        apart[row] = np.inf
        np.testing.assert_allclose(found.distances[i], np.sort(apart)[:9], rtol=1e-6, atol=1e-44)
