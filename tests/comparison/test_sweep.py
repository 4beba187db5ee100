"""The pass over all pairs that many points are compared by, against that of few points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import embviz
from embviz.comparison import sweep
from embviz.model import Metric
from embviz.neighbors import nearest_pairs, pairs

RNG = np.random.default_rng(8)
N = 900


def sides(name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    a = RNG.standard_normal((N, 12))
    b = np.concatenate([a + RNG.standard_normal(a.shape), RNG.standard_normal((N, 7))], 1)
    if name == "zero rows":
        a[::90], b[5::60] = 0, 0
    if name == "duplicates":
        a[1::7], b[2::5] = a[::7][: len(a[1::7])], b[2]
    if name == "whole numbers":
        a, b = RNG.integers(0, 4, (N, 5)).astype(float), RNG.integers(0, 3, (N, 8)).astype(float)
    if name == "offset":
        a = a + 1000
    if name == "huge and tiny":
        a, b = a * 1e200, b * 1e-200
    if name == "clusters in order":
        middles = 9 * RNG.standard_normal((9, 12))
        a, b = a + np.repeat(middles, N // 9, axis=0), b
    if name == "outlier":  # Beside it float32 tells nothing apart.
        a[5] *= 1e7
    if name == "wider first":
        a, b = b, a
    return a, b


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize(
    "name",
    [
        *("plain", "zero rows", "duplicates", "whole numbers", "offset", "huge and tiny"),
        *("clusters in order", "outlier", "wider first"),
    ],
)
def test_many_points_are_compared_as_few_are(
    monkeypatch: pytest.MonkeyPatch, metric: Metric, name: str
) -> None:
    a, b = sides(name)
    expected = embviz.compare(a, b, metric=metric)
    for module, constant, value in (
        (sweep, "FEWEST", 100),
        (sweep, "SWEPT_COST", 0),
        (pairs, "HIGH", 100),
        (pairs, "WIDE", 300),
        (nearest_pairs, "_SAMPLED", 300),
    ):
        monkeypatch.setattr(module, constant, value)
    found = embviz.compare(a, b, metric=metric)
    np.testing.assert_array_equal(found.neighbors_a.indices, expected.neighbors_a.indices)
    np.testing.assert_array_equal(found.neighbors_b.distances, expected.neighbors_b.distances)
    np.testing.assert_array_equal(found.overlap10, expected.overlap10)
    np.testing.assert_array_equal(found.left, expected.left)
    np.testing.assert_array_equal(found.ranks_in_a, expected.ranks_in_a)
    np.testing.assert_array_equal(found.ranks_in_b, expected.ranks_in_b)
