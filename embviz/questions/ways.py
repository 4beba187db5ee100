"""Places on the way from one point to another, and the points near them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.model import Metric, Neighbors
from embviz.neighbors.scan import precise_units


@dataclass(frozen=True, eq=False)
class Along:
    """Points along the way from one point to another.

    Attributes:
        points: int64 (k,), in the order of the way.
        distances: (k,) as `Neighbors` has them, of each from its place on the way.
        shares: float64 (k,), which share of the way its place has behind it.
    """

    points: NDArray[np.int64]
    distances: NDArray[np.floating[Any]]
    shares: NDArray[np.float64]


def way_points(ends: NDArray[np.float64], k: int, metric: Metric) -> NDArray[np.float64]:
    """Return k places evenly spread on the way between two vectors, float64 (k, n_dims).

    Under euclidean the way is straight; under cosine it is the arc between the two directions, at
    even angles (Shoemake 1985). Opposite directions have no arc, and give zero vectors.

    Args:
        ends: float64 (2, n_dims), neither zero under cosine.
        k: How many.
        metric: `cosine` or `euclidean`.
    """
    shares = way_shares(k)[:, None]
    start, end = ends
    if metric == "cosine":
        start, end = precise_units(ends)
        angle = 2 * np.arctan2(np.linalg.norm(start - end), np.linalg.norm(start + end))
        if np.pi - angle < 1e-9:
            return np.zeros((k, ends.shape[1]))
        if angle > 1e-9:
            arc = np.sin((1 - shares) * angle) * start + np.sin(shares * angle) * end
            return np.asarray(arc / np.sin(angle), dtype=np.float64)
    return np.asarray((1 - shares) * start + shares * end, dtype=np.float64)


def way_shares(k: int) -> NDArray[np.float64]:
    """Return the shares of a way at k places between its ends."""
    return np.arange(1, k + 1) / (k + 1)


def choose_along(found: Neighbors) -> Along:
    """Take for each place of a way the nearest point that none before has taken.

    Args:
        found: The k nearest points of k places.
    """
    taken: dict[int, float] = {}
    for points, distances in zip(found.indices.tolist(), found.distances.tolist(), strict=True):
        point, distance = next(
            (p, d) for p, d in zip(points, distances, strict=True) if p not in taken
        )
        taken[point] = distance
    return Along(
        np.array(list(taken), np.int64),
        np.array(list(taken.values()), found.distances.dtype),
        way_shares(len(taken)),
    )
