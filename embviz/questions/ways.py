"""What else can be asked of points: the farthest ones, those of a subset, those along a way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.neighbors.exact import check_queries, request_without, search_table
from embviz.neighbors.row_blocks import table_rows
from embviz.neighbors.scan import Request, precise_units, search_exactly


def find_among(
    table: EmbeddingTable, queries: ArrayLike, k: int, rows: ArrayLike, metric: Metric = "cosine"
) -> Neighbors:
    """Find those of some rows that are nearest to vectors, exactly.

    Args:
        table: The vectors.
        queries: float (n_queries, n_dims).
        k: At most the number of rows.
        rows: Which rows may be listed, shape (n,).
        metric: `cosine` or `euclidean`.

    Raises:
        ParameterError: If k or a row is out of range, or as `find_neighbors_of_vectors` does.
    """
    among = np.unique(np.asarray(rows, dtype=np.int64))
    if len(among) and not (among[0] >= 0 and among[-1] < table.n_points):
        raise ParameterError("rows", f"there are rows 0 .. {table.n_points - 1}")
    if not 1 <= k <= len(among):
        raise ParameterError(f"k = {k}", f"must be 1 .. {len(among)} with that many rows")
    wanted = check_queries(table.n_dims, queries, metric)
    return search_exactly(lambda: table_rows(table, among), Request(wanted, k, metric))


def find_farthest(
    table: EmbeddingTable,
    queries: ArrayLike,
    k: int,
    metric: Metric = "cosine",
    exclude: Sequence[int] = (),
) -> Neighbors:
    """Find the points farthest from vectors, exactly.

    Args:
        table: The vectors.
        queries: float (n_queries, n_dims).
        k: Points a query; at most n_points without the excluded rows.
        metric: `cosine` or `euclidean`.
        exclude: Rows that are never listed.

    Returns:
        As `find_neighbors_of_vectors`, but the farthest first.

    Raises:
        ParameterError: As `find_neighbors_of_vectors` does.
    """
    request = request_without(table, queries, k, metric, exclude)
    return search_table(table, replace(request, farthest=True))


@dataclass(frozen=True, eq=False)
class Along:
    """Points along the way from one point to another.

    Attributes:
        points: int64 (k,), in the order of the way.
        distances: float32 (k,), of each from its place on the way.
        shares: float64 (k,), which share of the way its place has behind it.
    """

    points: NDArray[np.int64]
    distances: NDArray[np.float32]
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
        np.array(list(taken.values()), np.float32),
        way_shares(len(taken)),
    )
