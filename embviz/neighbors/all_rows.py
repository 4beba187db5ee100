"""The nearest neighbors of all points as `find_neighbors` gives them, row for row."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.devices import Arrays
from embviz.kernels import count_cores
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.neighbors.bounds import ROUNDED, UNDERFLOW, measure_lengths, product_rounding
from embviz.neighbors.cells import SAMPLE, estimate_recall
from embviz.neighbors.exact import check_k, check_metric
from embviz.neighbors.exact_rows import MEASURED_NUMBERS, ExactRows, open_rows
from embviz.neighbors.graph import build_graph, list_zero_neighbors, warn_of_zeros
from embviz.neighbors.on_device import find_nearest
from embviz.neighbors.ordering import order_by_products
from embviz.neighbors.rounded import RoundedRows, round_rows
from embviz.neighbors.scan import Best, round_mantissa
from embviz.space import Space, divide, open_space

progress = logging.getLogger("embviz.progress")

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]
Indices = NDArray[np.integer[Any]]

HELD_NUMBERS = 1 << 27  # Of float64; where there are more, rows are read again when needed.


Search = Callable[[RoundedRows, int], tuple[Indices, Numbers]]
"""Finds so many candidates of each row, and the least distance that any other can have: what
`RoundedRows.nearest` does."""


def search_rounded(rounded: RoundedRows, wanted: int) -> tuple[Indices, Numbers]:
    """Find candidates for the neighbors of all rows by float32 products."""
    return rounded.nearest(None, wanted)


def _search_on(arrays: Arrays, rounded: RoundedRows, wanted: int) -> tuple[Indices, Numbers]:
    """Do as `search_rounded` does, on a device."""
    found = find_nearest(arrays, rounded.points, rounded.sizes, wanted)
    if wanted == len(rounded.points):
        return found.places, np.inf + rounded.sizes
    return found.places, rounded.reach(None, found.last)


def find_all_neighbors(
    table: EmbeddingTable, k: int, metric: Metric = "cosine", space: Space | None = None
) -> Neighbors:
    """Find the nearest other points of all points, exactly.

    All pairs are compared in float32, the nearest and some to spare are measured in float64, and a
    row for which a bound of the rounding does not rule out every other point is compared with all
    in float64.

    Args:
        table: The vectors.
        k: Neighbors a point, without itself; below n_points.
        metric: `cosine` or `euclidean`.
        space: What `open_space` gave, where it was opened before.

    Returns:
        What `find_neighbors` gives for each row. A zero vector, which has no direction, is at
        cosine distance 1 from all others.

    Raises:
        ParameterError: If k is out of range, or a distance is beyond float64.
        LoadError: If a row holds NaN or infinity.
    """
    check_k(table.n_points, k, table.n_points - 1)
    check_metric(metric)
    progress.info("exact neighbors of %s points", f"{table.n_points:,}")
    few = table.n_points * table.n_dims <= HELD_NUMBERS
    exact = open_rows(open_space(table, known=space), metric, held=few)
    search = (
        search_rounded if exact.space.arrays is None else partial(_search_on, exact.space.arrays)
    )
    return compare_rows(exact, k, search).neighbors(metric, exact.exponent)


def compare_rows(exact: ExactRows, k: int, search: Search = search_rounded) -> Best:
    """Do as `find_all_neighbors` does, of rows that are open.

    Args:
        exact: The rows.
        k: Neighbors a point, in range.
        search: How candidates are sought among the rows as float32.
    """
    n_points = exact.space.shape[0]
    best = Best(np.empty((n_points, k)), np.empty((n_points, k), np.int64))
    rounded = round_rows(exact)
    others = rounded.rows
    zero = np.delete(np.arange(n_points), others)
    if len(zero):
        warn_of_zeros(len(zero))
        exact = replace(exact, zero=zero)
    best.rows[zero], best.distances[zero] = list_zero_neighbors(zero, k), 1
    unsure, sizes = others, _squared_norms(exact) if exact.held is not None else None
    if len(others):
        wanted = min(len(others), k + 1 + max(8, k // 8))
        found, reach = search(rounded, wanted)
        unsure = _order_all(exact, sizes, others, (found, reach), best)
    del rounded
    if sizes is not None:  # Else the rows would be read again for each batch.
        apart = best.distances[unsure, -1] > 0
        for rows in _batches(unsure[apart], n_points):
            _multiply_rows(exact, sizes, rows, best)
        unsure = unsure[~apart]
    if len(unsure):
        best.rows[unsure], best.distances[unsure] = exact.search(unsure, k)
    return best


def find_most_neighbors(
    table: EmbeddingTable, k: int, metric: Metric = "cosine", seed: int = 0
) -> Neighbors:
    """Find most of the nearest other points of all points, with distances as `find_neighbors`.

    Args:
        table: The vectors.
        k: Neighbors a point, without itself; below n_points.
        metric: `cosine` or `euclidean`.
        seed: As for `build_graph`.

    Returns:
        Neighbors of every row; `recall` is the share of true neighbors that 1,000 points have.

    Raises:
        ParameterError: If k is out of range, or a distance is beyond float64.
        LoadError: If a row holds NaN or infinity.
    """
    space = open_space(table)
    graph = build_graph(table, k, metric, seed=seed, space=space)
    exact = open_rows(space, metric, held=table.n_points * table.n_dims <= HELD_NUMBERS)
    rows, zero = _directed(exact)
    exact = replace(exact, zero=zero)
    every = np.arange(table.n_points)
    ordered, distances = exact.order_many(every, graph.indices.astype(np.int64), k)
    best = Best(distances, ordered)
    if len(rows) > SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(rows, SAMPLE, replace=False))
    if not len(rows):
        return best.neighbors(metric, exact.exponent)
    truth = exact.search(rows, k, space.working)[1]
    # A neighbor as near as the last true one is as good; ties have no order.
    recall = float((best.distances[rows] <= truth[:, -1:]).mean())
    if graph.recall < 1:
        recall = estimate_recall(recall, truth.size)
    return best.neighbors(metric, exact.exponent, recall)


def _directed(exact: ExactRows) -> tuple[Rows, Rows]:
    """Return the rows that have neighbors and those that have none, the zero ones under cosine."""
    if exact.metric == "euclidean":
        return np.arange(exact.space.shape[0]), np.empty(0, np.int64)
    there = np.concatenate([exact.take(part).any(axis=1) for part in exact.parts()])
    return np.flatnonzero(there), np.flatnonzero(~there)


def _squared_norms(exact: ExactRows) -> Numbers:
    """Return those of all rows, near 1."""
    return np.concatenate([measure_lengths(exact.take_near_one(p)) for p in exact.parts()]) ** 2


def _batches(rows: Rows, numbers: int) -> Iterator[Rows]:
    """Yield rows in batches for each of which so many numbers are measured."""
    step = max(1, MEASURED_NUMBERS // numbers)
    for first in range(0, len(rows), step):
        yield rows[first : first + step]


def _order_all(
    exact: ExactRows,
    sizes: Numbers | None,
    others: Rows,
    candidates: tuple[Indices, Numbers],
    best: Best,
) -> Rows:
    """Put the candidates of the rows that are not zero in order; return those that are unsure.

    Args:
        exact: The rows.
        sizes: Of all rows, what `_squared_norms` returned; None where they are not held.
        others: All that are not zero, or all under euclidean.
        candidates: Of each its candidates' places in `others`, and what the distance of any other
            is at least.
        best: Where the neighbors are put.
    """
    k, (found, reach) = best.rows.shape[1], candidates
    zero = exact.zero[:k]

    def measure(part: Rows) -> Rows:
        rows = others[part]
        more = np.broadcast_to(zero, (len(part), len(zero)))
        candidates = np.concatenate([others[found[part]], more], axis=1)
        if sizes is None or exact.to_unit != 0:
            ordered = exact.order(rows, candidates, k)
        else:
            ordered = order_by_products(exact, sizes, rows, candidates, k)
        best.rows[rows], best.distances[rows] = ordered
        last = best.distances[rows, -1]
        last = np.sqrt(2 * last) if exact.metric == "cosine" else np.ldexp(last, -exact.to_unit)
        return np.asarray(rows[~(reach[part] > last * ROUNDED)], dtype=np.int64)

    # Rows that are near to each other have others in common, which are then read together.
    every = np.argsort(found.min(axis=1), kind="stable")
    with ThreadPoolExecutor(count_cores()) as pool:
        unsure = list(pool.map(measure, _batches(every, found.shape[1] * exact.space.shape[1])))
    return np.concatenate(unsure)


def _multiply_rows(exact: ExactRows, sizes: Numbers, rows: Rows, best: Best) -> None:
    """Compare some rows, none zero under cosine, with all by float64 products.

    A distance is known where what bounds it from below and above is the same float32; only the
    others that are near enough are measured, so that many equal ones cost little.

    Args:
        exact: The rows.
        sizes: Of all rows, what `_squared_norms` returned.
        rows: int64 (n,).
        best: Where the neighbors are put.
    """
    n_points, k = len(sizes), best.rows.shape[1]
    own, wide = exact.take_near_one(rows), np.dtype(np.float64)
    lower = np.empty((len(rows), n_points))
    for part in exact.parts():
        lower[:, part] = -2 * (own @ exact.take_near_one(part).T)
    total = sizes[rows][:, None] + sizes
    lower += total
    total *= 4 * product_rounding(wide, exact.space.shape[1])  # Of products and of differences.
    total += UNDERFLOW[wide]
    upper = lower + total
    lower -= total
    cosine = exact.metric == "cosine"
    if cosine:
        upper[:, sizes == 0] = lower[:, sizes == 0] = 2
    places = np.arange(len(rows))
    upper[places, rows] = lower[places, rows] = np.inf
    limit = np.partition(upper, k - 1, axis=1)[:, k - 1 : k]
    query, other = np.nonzero(lower <= limit * ROUNDED)
    low, high = np.maximum(lower[query, other], 0), upper[query, other]
    low, high = (x / 2 if cosine else divide(np.sqrt(x), -exact.to_unit) for x in (low, high))
    low, high = round_mantissa(low), round_mantissa(high)
    for some in _batches(np.flatnonzero(low != high), exact.space.shape[1]):
        high[some] = exact.measure(rows[query[some]], other[some][:, None])[:, 0]
    order = np.lexsort((other, high, query))
    kept = order[np.searchsorted(query, places)[:, None] + np.arange(k)]
    best.rows[rows], best.distances[rows] = other[kept], high[kept]
