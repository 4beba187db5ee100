"""Spearman's rank correlation, with the standard error that a sample leaves it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def rank(values: NDArray[Any]) -> Numbers:
    """Return ranks from 1, float64 (n,), for equal values the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse])


def correlate_ranks(a: NDArray[Any], b: NDArray[Any]) -> tuple[float, float]:
    """Return Spearman's rank correlation of pairs of values, and its standard error.

    The error is the one that pairs drawn independently leave, whatever their distribution: the
    standard deviation of the influence function (Croux and Dehon 2010, "Influence functions of the
    Spearman and Kendall correlation measures", with the variance of tied ranks) over the root of
    their number.

    Args:
        a: (n,).
        b: (n,).

    Returns:
        0.0 for both where one of the two does not vary.
    """
    n = len(a)
    u, v = ((rank(values) - (n + 1) / 2) / n for values in (a, b))
    spread = float(np.mean(u * u)), float(np.mean(v * v))
    if min(spread) <= 0:
        return 0.0, 0.0
    scale = float(np.sqrt(spread[0] * spread[1]))
    found = float(np.mean(u * v)) / scale
    # How far one more pair would move the covariance, and each variance.
    both = u * v + _beyond(u, v) + _beyond(v, u)
    own = [w * w + 2 * _beyond(w, w) for w in (u, v)]
    moved = both / scale - found / 2 * (own[0] / spread[0] + own[1] / spread[1])
    return min(1.0, max(-1.0, found)), float(np.std(moved) / np.sqrt(n))


def _beyond(u: Numbers, v: Numbers) -> Numbers:
    """Return for each u the mean over all pairs of v where their u is larger, half where equal."""
    places, inverse = np.unique(u, return_inverse=True)
    sums = np.bincount(inverse, weights=v, minlength=len(places))
    after = np.cumsum(sums[::-1])[::-1]
    return np.asarray((after - sums / 2)[inverse] / len(u))
