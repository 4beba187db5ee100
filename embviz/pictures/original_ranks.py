"""Which points are near each other in the original space, and how near, of some rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import map_in_order
from embviz.model import Metric, Neighbors
from embviz.neighbors.bounds import ROUNDED, product_rounding
from embviz.neighbors.exact_rows import ExactRows, open_few_rows
from embviz.neighbors.graph import build_graph, list_zero_neighbors
from embviz.neighbors.rounded import FEW_ROUNDED, round_few_rows
from embviz.pictures.on_device import count_nearer
from embviz.space import Space

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

TIE = 2e-6  # Points whose squared distances differ by less of them are as near.
_TOGETHER = 512  # Rows whose products are taken at once.
_BLOCK_NUMBERS = 1 << 20
_CACHED_NUMBERS = 1 << 17


def open_original(space: Space, metric: Metric) -> ExactRows:
    """Return the rows of a space between which distances are measured, its zero rows known."""
    exact = open_few_rows(space, metric)
    if metric == "euclidean":
        return exact
    if exact.held is not None:
        return replace(exact, zero=np.flatnonzero(~exact.held.any(axis=1)))
    zero = [start + np.flatnonzero(~block.any(axis=1)) for start, block in space.blocks()]
    return replace(exact, zero=np.concatenate(zero))


def list_original(exact: ExactRows, rows: Rows, k: int, graph: Neighbors | None = None) -> Rows:
    """Return the k nearest others of some rows, int64 (n_rows, k), ties by row number.

    Args:
        exact: The vectors.
        rows: int64 (n_rows,).
        k: How many.
        graph: Neighbors of all points, which are taken where they are exact and enough.
    """
    space = exact.space
    if graph is None and len(rows) == space.shape[0] and not len(exact.zero):
        # Of all points this is quicker; and says nothing, where no vector is zero.
        graph = build_graph(space.table, k, exact.metric, space.normalize, space=space)
    if graph is not None and graph.recall == 1 and graph.indices.shape[1] >= k:
        return graph.indices[rows, :k].astype(np.int64)
    near = np.empty((len(rows), k), np.int64)
    zero = np.isin(rows, exact.zero)
    near[zero] = list_zero_neighbors(rows[zero], k)
    if graph is None or space.shape[0] * space.shape[1] > FEW_ROUNDED:
        near[~zero] = exact.search(rows[~zero], k, space.working)[0]
    else:
        near[~zero] = _search_rounded(exact, rows[~zero], k)
    return near


def _search_rounded(exact: ExactRows, rows: Rows, k: int) -> Rows:
    """Do as `ExactRows.search` does with the rows as float32, which neighbors were sought in.

    What rounding may hide is searched for in the rows themselves.
    """
    rounded = round_few_rows(exact)
    wanted = min(len(rounded.rows), k + 1 + max(8, k // 8))
    found, reach = rounded.nearest(np.searchsorted(rounded.rows, rows), wanted)
    zero = np.broadcast_to(exact.zero[:k], (len(rows), min(k, len(exact.zero))))
    candidates = np.concatenate([rounded.rows[found], zero], axis=1)
    near, distances = exact.order_many(rows, candidates, k)
    last = distances[:, -1]
    last = np.sqrt(2 * last) if exact.metric == "cosine" else np.ldexp(last, -exact.to_unit)
    unsure = np.flatnonzero(~(reach > last * ROUNDED))
    if len(unsure):
        near[unsure] = exact.search(rows[unsure], k, exact.space.working)[0]
    return near


def rank_original(exact: ExactRows, rows: Rows, others: Rows) -> tuple[Rows, Numbers]:
    """Return the rank, 1 for the nearest, of some points in the original order of each row.

    Equally near points, to `TIE`, have the same rank, the first that one of them would have.

    Args:
        exact: The vectors.
        rows: int64 (n_rows,).
        others: int64 (n_rows, n), points other than the row.

    Returns:
        The ranks int64 and the distances float64, both (n_rows, n).
    """
    apart = exact.measure_many(rows, others)
    ranks = np.empty(others.shape, np.int64)
    middle = exact.take_near_one(rows).mean(axis=0)  # So that products keep digits far from zero.
    for first in range(0, len(rows), _TOGETHER):
        part = slice(first, first + _TOGETHER)
        ranks[part] = _rank(exact, rows[part], apart[part], middle)
    return ranks, apart


def _rank(exact: ExactRows, rows: Rows, apart: Numbers, middle: Numbers) -> Rows:
    """Return the ranks of points at some distances from each row."""
    asked = exact.take_near_one(rows) - middle
    lengths = np.einsum("ij,ij->i", asked, asked)
    own = 2 * apart if exact.metric == "cosine" else np.square(np.ldexp(apart, -exact.to_unit))
    off = 4 * product_rounding(own.dtype, asked.shape[1]) * (own + lengths[:, None])
    close = (apart > 0) & (TIE * own < off)  # So close that products do not tell.
    limit = np.where(close, own + off, -np.inf).max(axis=1)
    some = np.flatnonzero(close.any(axis=1))
    nearer = (1 - TIE) * own - off
    farthest = nearer.max(axis=1)
    if exact.space.arrays is not None and not len(some):
        return 1 + count_nearer(exact.space.arrays, exact, (rows, asked), middle, nearer)
    ranks = np.ones(apart.shape, np.int64)
    doubtful: list[Rows] = [np.empty((2, 0), np.int64)]
    n_points = exact.space.shape[0]
    step = max(1, min(_BLOCK_NUMBERS // max(exact.space.shape[1], len(rows)), -(-n_points // 8)))

    def count(part: slice) -> tuple[Rows, Rows]:
        squares = _squares(exact, asked, lengths, rows, (part, middle))
        counts = np.zeros_like(ranks)
        for i, each in enumerate(squares):
            within = each[each < farthest[i]]
            within.sort()
            counts[i] = np.searchsorted(within, nearer[i])
        query, other = np.nonzero(squares[some] <= limit[some, None])
        return counts, np.stack([some[query], other + part.start])

    parts = (slice(s, min(s + step, n_points)) for s in range(0, n_points, step))
    for counts, unsure in map_in_order(count, parts):
        ranks += counts
        doubtful.append(unsure)
    query, other = np.concatenate(doubtful, axis=1)
    distances = exact.measure_many(rows[query], other[:, None])[:, 0]
    for i in some.tolist():
        known = np.sort(distances[query == i])
        there = np.flatnonzero(close[i])
        ranks[i, there] = 1 + np.searchsorted(known, apart[i, there] * (1 - TIE))
    return ranks


def _squares(
    exact: ExactRows, asked: Numbers, lengths: Numbers, rows: Rows, block: tuple[slice, Numbers]
) -> Numbers:
    """Return the squared distances of rows about the middle from a block of all rows."""
    part, middle = block
    others = np.empty((part.stop - part.start, len(middle)))
    step = max(1, _CACHED_NUMBERS // len(middle))
    for first in range(part.start, part.stop, step):
        some = slice(first, min(first + step, part.stop))
        others[first - part.start : some.stop - part.start] = exact.take_near_one(some) - middle
    squares = np.asarray(asked @ others.T)
    squares *= -2
    squares += np.einsum("ij,ij->i", others, others)
    squares += lengths[:, None]
    if len(exact.zero):  # At cosine distance 1 from all others.
        zero = exact.zero[(exact.zero >= part.start) & (exact.zero < part.stop)]
        squares[:, zero - part.start] = 2
        squares[np.isin(rows, exact.zero)] = 2
    here = np.flatnonzero((rows >= part.start) & (rows < part.stop))
    squares[here, rows[here] - part.start] = np.inf
    return squares
