"""The nearest other points of some rows, exactly, in one pass over the vectors."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embviz.checks import check_whole
from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.neighbors.row_blocks import table_blocks
from embviz.neighbors.scan import Request, search_exactly


def find_neighbors(
    table: EmbeddingTable, rows: ArrayLike, k: int, metric: Metric = "cosine"
) -> Neighbors:
    """Find the nearest other points of some rows in the original space, exactly.

    Args:
        table: The vectors.
        rows: Row numbers, shape (n_rows,), in 0 .. n_points - 1.
        k: Neighbors a row, without the row itself; below n_points.
        metric: `cosine` or `euclidean`.

    Returns:
        indices int32 and distances float32, both (n_rows, k), nearest first, ties by row number.
        Cosine distance is 1 - cos, in 0 .. 2, and 1 to a zero vector; euclidean is in the vectors'
        unit.

    Raises:
        ParameterError: If k or a row is out of range, or a queried vector is zero under cosine.
        LoadError: If a row holds NaN or infinity.
    """
    chosen = np.atleast_1d(np.asarray(rows))
    if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
        raise ParameterError("rows", "a list of whole numbers is needed")
    chosen = chosen.astype(np.int64)
    outside = chosen[(chosen < 0) | (chosen >= table.n_points)]
    if len(outside):
        raise ParameterError("rows", f"row {outside[0]} is not in 0 .. {table.n_points - 1}")
    check_k(table.n_points, k, table.n_points - 1)
    check_metric(metric)
    queries = table.take_block(chosen, np.float64).astype(np.float64, copy=False)
    zero = np.flatnonzero(~queries.any(axis=1)) if metric == "cosine" else chosen[:0]
    if len(zero):
        row = int(chosen[zero[0]])
        name = f" ({table.label(row)})" if table.metadata else ""
        raise ParameterError(
            f"row {table.row_number(row)}{name}",
            "a zero vector has no direction, so no cosine distance",
            "use the euclidean metric",
        )
    return search_table(table, Request(queries, k, metric, own=chosen))


def find_neighbors_of_vectors(
    table: EmbeddingTable,
    queries: ArrayLike,
    k: int,
    metric: Metric = "cosine",
    exclude: Sequence[int] = (),
) -> Neighbors:
    """Find the points nearest to vectors that need not be points, such as king - man + woman.

    Args:
        table: The vectors.
        queries: float (n_queries, n_dims).
        k: Neighbors a query; at most n_points without the excluded rows.
        metric: `cosine` or `euclidean`.
        exclude: Rows that are never listed.

    Raises:
        ParameterError: If k is out of range, the width is wrong, or a query is not finite, or zero
            under cosine.
    """
    return search_table(table, request_without(table, queries, k, metric, exclude))


def request_without(
    table: EmbeddingTable, queries: ArrayLike, k: int, metric: Metric, exclude: Sequence[int]
) -> Request:
    """Return the request for points near to vectors, some rows left out; refuse what is wrong."""
    wanted = check_queries(table.n_dims, queries, metric)
    excluded = np.unique(np.asarray(exclude, dtype=np.int64))
    check_k(table.n_points, k, table.n_points - len(excluded))
    return Request(wanted, k, metric, excluded=excluded)


def check_queries(n_dims: int, queries: ArrayLike, metric: str) -> NDArray[np.float64]:
    """Return query vectors as float64 (n_queries, n_dims).

    Raises:
        ParameterError: If the metric is none, the width is wrong, or a query is not finite, or zero
            under cosine.
    """
    check_metric(metric)
    wanted = np.atleast_2d(np.asarray(queries, dtype=np.float64))
    if wanted.ndim != 2 or wanted.shape[1] != n_dims:
        raise ParameterError(
            "queries", f"{wanted.shape[-1]} dimensions where the points have {n_dims}"
        )
    if not np.isfinite(wanted).all():
        raise ParameterError("queries", "a query vector holds NaN or infinity")
    if metric == "cosine" and not wanted.any(axis=1).all():
        raise ParameterError(
            "query",
            "a zero vector has no direction, so no cosine distance",
            "use the euclidean metric",
        )
    return wanted


def check_k(n_points: int, k: int, largest: int) -> None:
    """Refuse a number of neighbors that is none, or that so many points cannot give."""
    if isinstance(k, bool) or not isinstance(k, Integral):
        check_whole("k", k, 1, largest)
    if not 1 <= k <= largest:
        raise ParameterError(f"k = {k}", f"must be 1 .. {largest} with {n_points:,} points")


def check_among(n_points: int, points: ArrayLike, k: int) -> NDArray[np.int64]:
    """Return the points that may be listed, sorted, int64 (n,).

    Raises:
        ParameterError: If one is not there, or there are fewer than k.
    """
    among = np.unique(np.asarray(points, dtype=np.int64))
    if len(among) and not (among[0] >= 0 and among[-1] < n_points):
        raise ParameterError("rows", f"there are rows 0 .. {n_points - 1}")
    if not 1 <= k <= len(among):
        raise ParameterError(f"k = {k}", f"must be 1 .. {len(among)} with that many rows")
    return among


def check_metric(metric: str) -> None:
    """Refuse a metric that is not one of the two."""
    if metric not in get_args(Metric):
        raise ParameterError("metric", f"'{metric}' is not one of {', '.join(get_args(Metric))}")


def search_table(table: EmbeddingTable, request: Request) -> Neighbors:
    """Return the nearest of all rows of a table, or the farthest."""
    return search_exactly(lambda: table_blocks(table, len(request.queries)), request)
