"""Moments of parts that merge to those of all, against NumPy's in float64."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.moments import Moments


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 60),
    cuts=st.lists(st.integers(0, 60), max_size=8),
    offset=st.sampled_from([0.0, 1e3, -1e5]),
    seed=st.integers(0, 999),
)
def test_the_moments_of_any_split_merge_to_those_of_all(
    n: int, cuts: list[int], offset: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 4)) * [1, 10, 0.1, 1] + offset
    parts = [part for part in np.split(rows, sorted(c % (n + 1) for c in cuts)) if len(part)]
    rng.shuffle(parts := list(parts))  # type: ignore[arg-type]
    merged = reduce(Moments.merge, map(Moments.of, parts), Moments.nothing(4))
    centered = rows - rows.mean(axis=0)
    scatter = centered.T @ centered
    assert merged.count == n
    np.testing.assert_allclose(merged.mean, rows.mean(axis=0), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(
        merged.scatter, scatter, rtol=1e-9, atol=1e-11 * (n + np.trace(scatter))
    )
    if n > 1:
        np.testing.assert_allclose(merged.covariance, np.cov(rows.T), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("near", [None, np.array([1e6 + 3, -1e6])])
def test_products_of_float32_keep_their_digits_far_from_zero(near: np.ndarray | None) -> None:
    rows = np.random.default_rng(0).normal([1e6, -1e6], size=(5000, 2)).astype(np.float32)
    found = Moments.of(rows, near, np.float32)
    np.testing.assert_allclose(found.covariance, np.cov(rows.T.astype(np.float64)), atol=1e-5)
    np.testing.assert_allclose(found.mean, rows.mean(axis=0, dtype=np.float64), rtol=1e-12)
