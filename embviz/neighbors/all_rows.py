"""The nearest neighbors of all points as `find_neighbors` gives them, row for row."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.model import BLOCK_BYTES, EmbeddingTable, Metric, Neighbors
from embviz.neighbors.exact import check_k, check_metric, search_table
from embviz.neighbors.graph import (
    SAMPLE,
    build_graph,
    list_zero_neighbors,
    load_faiss,
    warn_of_zeros,
)
from embviz.neighbors.row_blocks import RowBlock, Shares, count_cores
from embviz.neighbors.scan import (
    Best,
    Request,
    measure_lengths,
    precise_units,
    round_mantissa,
    search_exactly,
)
from embviz.space import normalize_vectors

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

HELD_NUMBERS = 1 << 27  # Of float64; where there are more, rows are read again when needed.
MEASURED_NUMBERS = 1 << 21  # In a batch of differences, a thread.
SCANNED_TOGETHER = 4096


def find_all_neighbors(table: EmbeddingTable, k: int, metric: Metric = "cosine") -> Neighbors:
    """Find the nearest other points of all points, exactly.

    All pairs are compared in float32 (faiss), the nearest and some to spare are measured in
    float64, and a row for which a bound of the rounding does not rule out every other point is
    compared with all in float64.

    Args:
        table: The vectors.
        k: Neighbors a point, without itself; below n_points.
        metric: `cosine` or `euclidean`.

    Returns:
        What `find_neighbors` gives for each row. A zero vector, which has no direction, is at
        cosine distance 1 from all others.

    Raises:
        ParameterError: If k is out of range.
        LoadError: If a row holds NaN or infinity.
    """
    check_k(table.n_points, k, table.n_points - 1)
    check_metric(metric)
    space = _open_space(table, metric)
    best = Best(np.empty((table.n_points, k)), np.empty((table.n_points, k), np.int64))
    zero = space.zero_rows()
    if len(zero):
        warn_of_zeros(len(zero))
    best.rows[zero], best.distances[zero] = list_zero_neighbors(zero, k), 1
    others = np.delete(np.arange(table.n_points), zero)
    unsure = _compare_all(space, others, zero[:k], best) if len(others) else others
    if space.held is not None:  # Else the rows would be read again for each batch.
        apart = best.distances[unsure, -1] > 0
        for rows in _batches(unsure[apart], table.n_points):
            _multiply_rows(space, rows, best)
        unsure = unsure[~apart]
    found = best.neighbors(metric, 1 / space.unit)
    if not len(unsure):
        return found
    indices, distances = found.indices.copy(), found.distances.copy()
    for first in range(0, len(unsure), SCANNED_TOGETHER):
        rows = unsure[first : first + SCANNED_TOGETHER]
        indices[rows], distances[rows] = _scan_rows(table, rows, k, metric)
    return Neighbors(indices, distances, metric)


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
        ParameterError: If k is out of range, or distances are beyond float32.
        LoadError: If a row holds NaN or infinity.
    """
    graph = build_graph(table, k, metric, seed=seed)
    space = _open_space(table, metric)
    best = Best(np.empty(graph.distances.shape), np.empty(graph.indices.shape, np.int64))
    every = np.arange(table.n_points)
    for rows in _batches(every, k * table.n_dims):
        candidates = graph.indices[rows].astype(np.int64)
        best.rows[rows], best.distances[rows] = space.order(rows, candidates, k)
    found = best.neighbors(metric, 1 / space.unit)
    rows = np.delete(every, space.zero_rows())
    if len(rows) > SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(rows, SAMPLE, replace=False))
    if not len(rows):
        return found
    queries = table.take_block(rows, np.float64).astype(np.float64, copy=False)
    truth = search_table(table, Request(queries, k, metric, own=rows))
    # A neighbor as near as the last true one is as good; ties have no order.
    recall = float((found.distances[rows] <= truth.distances[:, -1:]).mean())
    return Neighbors(found.indices, found.distances, metric, recall)


@dataclass(frozen=True, eq=False)
class _Space:
    """The rows between which distances are taken: of length 1 for cosine, else over `unit`.

    `lengths` are the rows' norms float64 (n,); `held` are the rows where they are few enough.
    """

    table: EmbeddingTable
    metric: Metric
    unit: float
    lengths: Numbers
    held: Numbers | None

    def take(self, rows: Rows) -> Numbers:
        """Return some rows, float64 (n, n_dims)."""
        if self.held is not None:
            return np.take(self.held, rows, axis=0)
        return _read(self.table, rows, self.metric, self.unit)

    def zero_rows(self) -> Rows:
        """Return the rows without a direction, where it is directions that are compared."""
        zero = self.lengths == 0 if self.metric == "cosine" else np.zeros(0, bool)
        return np.flatnonzero(zero)

    def measure(self, rows: Rows, candidates: Rows) -> Numbers:
        """Return the distance of each row (n,) from each of its candidates (n, m), float64."""
        n_dims = self.table.n_dims
        apart = self.take(candidates.ravel()).reshape(*candidates.shape, n_dims)
        apart -= self.take(rows)[:, None]
        apart = apart.reshape(-1, n_dims)
        if self.metric == "cosine":
            distances = np.einsum("ij,ij->i", apart, apart).reshape(candidates.shape) / 2
            distances[(self.lengths[candidates] == 0) | (self.lengths[rows] == 0)[:, None]] = 1
        else:
            distances = measure_lengths(apart).reshape(candidates.shape)
        return round_mantissa(distances)

    def order(self, rows: Rows, candidates: Rows, k: int) -> tuple[Rows, Numbers]:
        """Return the k nearest of each row's candidates: (indices, distances), both (n, k).

        Args:
            rows: int64 (n,).
            candidates: int64 (n, at least k), each once for a row; the row itself is left out.
            k: How many are wanted.
        """
        distances = self.measure(rows, candidates)
        distances[candidates == rows[:, None]] = np.inf
        order = np.lexsort((candidates, distances), axis=-1)[:, :k]
        rows = np.asarray(np.take_along_axis(candidates, order, 1), dtype=np.int64)
        return rows, np.take_along_axis(distances, order, 1)


def _read(table: EmbeddingTable, rows: slice | Rows, metric: Metric, unit: float) -> Numbers:
    raw = table.take_block(rows, np.float64).astype(np.float64, copy=False)
    return precise_units(raw) if metric == "cosine" else raw * (1 / unit)


def _open_space(table: EmbeddingTable, metric: Metric) -> _Space:
    unit = 1.0 if metric == "cosine" else normalize_vectors(table).unit
    shape = (table.n_points, table.n_dims)
    held = np.empty(shape) if table.n_points * table.n_dims <= HELD_NUMBERS else None
    lengths = np.empty(table.n_points)
    step = max(1, BLOCK_BYTES // (8 * table.n_dims))
    for first in range(0, table.n_points, step):
        part = slice(first, min(first + step, table.n_points))
        rows = _read(table, part, metric, unit)
        lengths[part] = measure_lengths(rows)
        if held is not None:
            held[part] = rows
    return _Space(table, metric, unit, lengths, held)


def _batches(rows: Rows, numbers: int) -> Iterator[Rows]:
    """Yield rows in batches for each of which so many numbers are measured."""
    step = max(1, MEASURED_NUMBERS // numbers)
    for first in range(0, len(rows), step):
        yield rows[first : first + step]


def _compare_all(space: _Space, others: Rows, zero: Rows, best: Best) -> Rows:
    """Find the neighbors of the rows that are not zero; return those that are unsure.

    Args:
        space: The rows.
        others: All that are not zero, or all under euclidean.
        zero: The first zero rows, which are at cosine distance 1.
        best: Where the neighbors are put.
    """
    k, n_others = best.rows.shape[1], len(others)
    points, error = _round_points(space, others)
    wanted = min(n_others, k + 1 + max(8, k // 8))
    squares, found = load_faiss().knn(points, points, wanted)
    sizes = np.einsum("ij,ij->i", points, points, dtype=np.float64)
    reach = _bound_others(sizes, squares[:, -1].astype(np.float64), points.shape[1], error)
    # What float64 loses where the center is subtracted.
    reach -= 4 * np.finfo(np.float64).eps * float(space.lengths.max())
    if wanted == n_others:
        reach[:] = np.inf

    def measure(part: Rows) -> Rows:
        rows = others[part]
        more = np.broadcast_to(zero, (len(part), len(zero)))
        candidates = np.concatenate([others[found[part]], more], axis=1)
        best.rows[rows], best.distances[rows] = space.order(rows, candidates, k)
        last = best.distances[rows, -1]
        if space.metric == "cosine":
            last = np.sqrt(2 * last)
        return np.asarray(rows[~(reach[part] > last * (1 + 1e-6))], dtype=np.int64)

    every = np.arange(n_others)
    with ThreadPoolExecutor(count_cores()) as pool:
        unsure = list(pool.map(measure, _batches(every, wanted * points.shape[1])))
    return np.concatenate(unsure)


def _round_points(space: _Space, rows: Rows) -> tuple[NDArray[np.float32], float]:
    """Return rows less their mean as float32, and the largest error as a share of a length."""
    step = max(1, BLOCK_BYTES // (8 * space.table.n_dims))
    parts = [slice(first, first + step) for first in range(0, len(rows), step)]
    center = np.zeros(space.table.n_dims)
    for part in parts:
        center += space.take(rows[part]).sum(axis=0) / len(rows)
    points = np.empty((len(rows), space.table.n_dims), np.float32)
    error = 0.0
    for part in parts:
        centered = space.take(rows[part]) - center
        points[part] = centered
        wrong = measure_lengths(points[part] - centered)
        lengths = measure_lengths(points[part].astype(np.float64))
        error = max(error, float(np.divide(wrong, lengths, where=lengths > 0, out=wrong).max()))
    return points, error


def _bound_others(sizes: Numbers, last: Numbers, n_dims: int, error: float) -> Numbers:
    """Return the least distance that a point which was not found can have, (n,).

    A squared distance by float32 products is wrong by up to n_dims roundings of the two squared
    norms (Higham 2002, section 3.1). The other point's norm is at most the row's and the
    distance together.

    Args:
        sizes: The rows' squared norms (n,).
        last: The largest squared distance of a point that was found (n,).
        n_dims: Of the points.
        error: Of the points themselves, as a share of their norms.
    """
    rounding = float(np.finfo(np.float32).eps) * (n_dims + 16)
    # What is below 1e-36 may have been rounded to zero.
    squares = (last - 1e-36 - 3 * rounding * sizes) / (1 + 2 * rounding)
    error *= 1 + 1e-6
    lower = np.sqrt(np.maximum(squares, 0)) * (1 - error) - 2 * error * np.sqrt(sizes)
    return np.asarray(lower, dtype=np.float64)


def _multiply_rows(space: _Space, rows: Rows, best: Best) -> None:
    """Compare some rows, none zero under cosine, with all by float64 products.

    A distance is known where what bounds it from below and above is the same float32; only the
    others that are near enough are measured, so that many equal ones cost little.
    """
    n_points, k = len(space.lengths), best.rows.shape[1]
    own, sizes = space.take(rows), space.lengths**2
    lower = np.empty((len(rows), n_points))
    step = max(1, BLOCK_BYTES // (8 * space.table.n_dims))
    for first in range(0, n_points, step):
        part = np.arange(first, min(first + step, n_points))
        lower[:, part] = -2 * (own @ space.take(part).T)
    total = sizes[rows][:, None] + sizes
    lower += total
    # Of products and of differences; what is below 1e-280 may have been rounded to zero.
    total *= 4 * np.finfo(np.float64).eps * (space.table.n_dims + 16)
    total += 1e-280
    upper = lower + total
    lower -= total
    cosine = space.metric == "cosine"
    upper[:, space.zero_rows()] = lower[:, space.zero_rows()] = 2
    places = np.arange(len(rows))
    upper[places, rows] = lower[places, rows] = np.inf
    limit = np.partition(upper, k - 1, axis=1)[:, k - 1 : k]
    query, other = np.nonzero(lower <= limit * (1 + 1e-6))
    low, high = np.maximum(lower[query, other], 0), upper[query, other]
    low, high = (x / 2 if cosine else np.sqrt(x) for x in (low, high))
    low, high = round_mantissa(low), round_mantissa(high)
    for part in _batches(np.flatnonzero(low != high), space.table.n_dims):
        high[part] = space.measure(rows[query[part]], other[part][:, None])[:, 0]
    order = np.lexsort((other, high, query))
    kept = order[np.searchsorted(query, places)[:, None] + np.arange(k)]
    best.rows[rows], best.distances[rows] = other[kept], high[kept]


def _scan_rows(
    table: EmbeddingTable, rows: Rows, k: int, metric: Metric
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Compare some rows, none zero under cosine, with all in float64: (indices, distances)."""

    def blocks() -> Shares:
        return [(RowBlock(block, start) for start, block in table.blocks(np.float64))]

    vectors = table.take_block(rows, np.float64).astype(np.float64, copy=False)
    # Many equal rows are one question; each is then left out of its own answer.
    queries, which = np.unique(vectors, axis=0, return_inverse=True)
    found = search_exactly(blocks, Request(queries, k + 1, metric))
    which = which.ravel()
    out = found.indices[which] == rows[:, None]
    out[~out.any(axis=1), -1] = True
    kept = ~out
    return (
        found.indices[which][kept].reshape(-1, k),
        found.distances[which][kept].reshape(-1, k),
    )
