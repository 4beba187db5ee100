"""Pairs that float32 leaves open, against distances of NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from embviz.comparison import doubts
from embviz.comparison.doubts import Doubts
from embviz.comparison.measures import open_exact
from embviz.model import EmbeddingTable

VECTORS = np.random.default_rng(6).standard_normal((64, 5))
SQUARES = cdist(VECTORS, VECTORS, "sqeuclidean")


def test_pairs_in_doubt_are_counted_where_they_are_nearer_than_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doubts, "_HELD", 100)
    own = np.sort(SQUARES, axis=1)[:, [3, 20]] * (1 - 1e-9)
    rows = np.arange(64)[::-1]
    found = Doubts(open_exact(EmbeddingTable(VECTORS), "euclidean"), rows, own[rows])
    point, other = np.divmod(np.arange(64 * 64), 64)
    for limit in range(2):
        for part in np.array_split(np.flatnonzero(point % 2 == limit), 9):
            found.add(point[part], np.full(len(part), limit), other[part])
    counts, unknown = found.found()
    assert not unknown.any()
    expected = np.stack([(SQUARES[rows] < own[rows, limit, None]).sum(1) for limit in range(2)], 1)
    for limit in range(2):
        np.testing.assert_array_equal(counts[limit::2, limit], expected[limit::2, limit])
        assert not counts[1 - limit :: 2, limit].any()


def test_a_point_of_which_too_much_is_in_doubt_is_named() -> None:
    found = Doubts(open_exact(EmbeddingTable(VECTORS), "euclidean"), np.arange(64), np.ones((3, 1)))
    for _ in range(2):
        found.add(np.repeat([0, 2], [60, 3]), np.zeros(63, np.int64), np.arange(63))
    assert found.found()[1].tolist() == [True, False, False]
