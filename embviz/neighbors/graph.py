"""The nearest neighbors of all points, approximate where exact ones would take too long."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_seed
from embviz.kernels import choose_kernels
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.neighbors.bounds import blur, product_rounding
from embviz.neighbors.exact import check_k, check_metric
from embviz.neighbors.exact_rows import ExactRows, open_rows
from embviz.neighbors.on_device import find_nearest
from embviz.neighbors.rounded import RoundedRows, round_rows
from embviz.neighbors.scan import in_the_vectors_unit
from embviz.space import Floats, Normalize, Space, open_space

log = logging.getLogger("embviz")
progress = logging.getLogger("embviz.progress")

Matrix = NDArray[np.float32]
Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

# Multiplications of comparing all points with all; below it takes seconds and is simply done.
FLAT_COST = 2.5e11
# Of comparing the rows that rounding leaves unsure with all in float64; a sample where it is more.
CERTAIN_COST = 2e10
SEARCHED_DIMS = 80  # Leading components in which candidates are sought; more where they must.
SAMPLE = 1000  # Points whose true neighbors say how many the graph has.
WANTED_RECALL = 0.98
LISTED_RECALL = 0.9  # Of lists that are read only.
TRAINING_STEPS = 8
AS_NEAR = 1 + 1e-5  # A neighbor that is so much farther than another is as good.


def build_graph(
    table: EmbeddingTable,
    k: int,
    metric: Metric = "cosine",
    normalize: Normalize = "none",
    seed: int = 0,
    space: Space | None = None,
) -> Neighbors:
    """Find the nearest neighbors of all points.

    Every point is compared with every other where that is cheap. Elsewhere candidates come from
    an inverted file (k-means cells; Jégou, Douze and Schmid 2011) over the leading principal
    components, with as many cells visited as the recall on a sample asks for, and are then put
    in order by their distances in all dimensions.

    Args:
        table: The vectors.
        k: Neighbors a point, without itself; below n_points.
        metric: Cosine is euclidean between rows of unit length, as 1 - cos.
        normalize: What is done to the vectors before.
        seed: For the cells and the sample; the same seed gives the same bytes.
        space: What `open_space` gave, where it was opened before.

    Returns:
        Neighbors of every row, by distances of float32 precision. `recall` is 1.0 where bounds of
        all rounding, or float64, rule out that another point is nearer; elsewhere the share of
        true neighbors found for a sample of points. A zero vector is at cosine distance 1 from
        all others.

    Raises:
        ParameterError: If k is out of range, or a distance is beyond float64.
    """
    check_k(table.n_points, k, table.n_points - 1)
    check_metric(metric)
    check_seed("seed", seed)
    return _find(open_rows(open_space(table, normalize, space), metric), k, WANTED_RECALL, seed)


def list_neighbors(
    table: EmbeddingTable, k: int, metric: Metric = "cosine", space: Space | None = None
) -> Neighbors:
    """Find the nearest neighbors of all points for a list to be read.

    As `build_graph` does, with fewer cells visited where points are not all compared: of ten
    neighbors one may be missed, at a fifth of the time.
    """
    check_k(table.n_points, k, table.n_points - 1)
    check_metric(metric)
    return _find(open_rows(open_space(table, known=space), metric), k, LISTED_RECALL, 0)


def _find(exact: ExactRows, k: int, wanted: float, seed: int) -> Neighbors:
    """Find the nearest neighbors of all rows, with a wanted recall where not all are compared."""
    table, metric = exact.space.table, exact.metric
    progress.info("neighbors of %s points", f"{table.n_points:,}")
    rounded = round_rows(exact)
    others = rounded.rows
    if len(others) < 2:
        found = _Found(np.empty((len(others), 0), np.int64), np.empty((len(others), 0)), 1.0)
    elif _are_compared(exact.space, len(others)):
        found = _compare_all(exact, rounded, min(k, len(others) - 1), seed)
    else:
        found = _visit_cells(exact, rounded, min(k, len(others) - 1), wanted, seed)
        log.info(
            "neighbors: %d of each of %s points, %.1f %% of the true ones on a sample of %s",
            k, f"{len(others):,}", 100 * found.recall, f"{SAMPLE:,}",
        )  # fmt: skip
    if len(others) < table.n_points:
        found = _add_zeros(found, others, table.n_points, k)
    distances = in_the_vectors_unit(found.distances, exact.exponent)
    unrounded = found.distances if _lost_digits(distances, found.distances, exact) else None
    indices = found.indices.astype(np.int32)
    return Neighbors(indices, distances, metric, found.recall, unrounded)


def _lost_digits(own: Floats, measured: Numbers, exact: ExactRows) -> bool:
    """Return whether distances in the vectors' own unit are too near zero to have all digits."""
    return own.dtype == np.float64 and bool((np.ldexp(own, -exact.exponent) != measured).any())


@dataclass(eq=False)
class _Found:
    """Rows int64 and distances float64 as `ExactRows.measure` has them, both (n, k), and recall."""

    indices: Rows
    distances: Numbers
    recall: float


def _add_zeros(found: _Found, others: Rows, n_points: int, k: int) -> _Found:
    """Return the neighbors of all points, where all but the others are zero vectors."""
    zero = np.delete(np.arange(n_points), others)
    warn_of_zeros(len(zero))
    indices, distances = np.empty((n_points, k), np.int64), np.ones((n_points, k))
    indices[zero] = list_zero_neighbors(zero, k)
    listed = np.broadcast_to(zero[:k], (len(others), min(k, len(zero))))
    near = np.concatenate([found.indices, listed], axis=1)
    apart = np.concatenate([found.distances, np.ones(listed.shape)], axis=1)
    order = np.lexsort((near, apart.astype(np.float32)), axis=-1)[:, :k]
    indices[others] = np.take_along_axis(near, order, axis=1)
    distances[others] = np.take_along_axis(apart, order, axis=1)
    share = (found.recall * len(others) + len(zero)) / n_points
    return _Found(indices, distances, share if found.recall < 1 else 1.0)


def warn_of_zeros(count: int) -> None:
    """Say that there are zero vectors, and where cosine distance has them."""
    many = "1 zero vector has" if count == 1 else f"{count:,} zero vectors have"
    log.warning("%s no direction: at cosine distance 1 from all others", many)


def list_zero_neighbors(zero: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Return the neighbors of zero vectors (n, k): all others are as near, so by row number."""
    first = np.arange(k)
    return np.asarray(first + (first >= zero[:, None]), dtype=np.int64)


def _are_compared(space: Space, n_points: int) -> bool:
    """Tell whether every point is compared with every other: where that is cheap, or on a card."""
    few = n_points**2 * space.shape[1] <= FLAT_COST or n_points <= 4 * SAMPLE
    return few or space.arrays is not None


def _compare_all(exact: ExactRows, rounded: RoundedRows, k: int, seed: int) -> _Found:
    """Compare every point with every other."""
    n_points = len(rounded.rows)
    wanted, every = min(n_points, k + 1 + max(8, k // 8)), np.arange(n_points)
    candidates: NDArray[np.integer[Any]]
    if exact.space.arrays is None:
        candidates, reach = rounded.nearest(None, wanted)
        indices, distances, most = _order(exact, rounded, every, candidates, k)
    else:
        near = find_nearest(exact.space.arrays, rounded.points, rounded.sizes, wanted)
        candidates, lengths = near.places, np.sqrt(near.squares[:, :k], dtype=np.float64)
        reach = rounded.reach(None, near.last) if wanted < n_points else np.inf + rounded.sizes
        indices, distances = rounded.rows[candidates[:, :k]], _as_measured(exact, lengths)
        most = _measure_blurred(
            exact, rounded, (every, candidates), lengths[:, -1], (indices, distances)
        )
    nothing_nearer = most == 0
    unsure = np.flatnonzero(~((_as_measured(exact, reach) >= most) | nothing_nearer))
    return _settle(exact, rounded, unsure, _Found(indices, distances, 1.0), seed)


def _settle(
    exact: ExactRows, rounded: RoundedRows, unsure: Rows, found: _Found, seed: int
) -> _Found:
    """Compare rows that rounding leaves unsure with all in float64, or a sample of many.

    Args:
        exact: The rows.
        rounded: As they were searched.
        unsure: Places of `rounded`.
        found: What was found; changed in place.
        seed: Of the sample.
    """
    n_points, n_dims = exact.space.shape
    k = found.indices.shape[1]
    few = max(SAMPLE // 4, int(CERTAIN_COST / (n_points * n_dims)))
    some = unsure
    if len(unsure) > few:
        some = np.sort(np.random.default_rng(seed).choice(unsure, few, replace=False))
    if not len(some):
        return found
    indices, truth = _search(exact, rounded, some, k)
    share = float((found.distances[some] <= truth[:, -1:] * AS_NEAR).mean())
    found.indices[some], found.distances[some] = indices, truth
    rest = np.setdiff1d(unsure, some)
    if len(rest) and share < WANTED_RECALL:
        found.indices[rest], found.distances[rest] = _search(exact, rounded, rest, k)
    elif len(rest):
        missed = 1 - estimate_recall(share, truth.size)
        found.recall = 1 - missed * len(rest) / len(rounded.rows)
    return found


def _search(exact: ExactRows, rounded: RoundedRows, places: Rows, k: int) -> tuple[Rows, Numbers]:
    """Return the true neighbors of some rows among those that are not zero."""
    n_points = exact.space.shape[0]
    zero = np.delete(np.arange(n_points), rounded.rows)
    near_zero = rounded.length**2 < 64 * float(rounded.sizes.mean())
    kind = exact.space.working if near_zero else np.float64
    return exact.search(rounded.rows[places], k, kind, zero)


def _as_measured(exact: ExactRows, lengths: Numbers) -> Numbers:
    """Return distances between rows near 1 as `ExactRows.measure` has them."""
    if exact.metric == "cosine":
        return np.asarray(np.square(np.maximum(lengths, 0)) / 2)
    return np.asarray(np.ldexp(np.maximum(lengths, 0), exact.to_unit))


def _order(
    exact: ExactRows, rounded: RoundedRows, places: Rows, candidates: Rows, k: int
) -> tuple[Rows, Numbers, Numbers]:
    """Return the k nearest of each row's candidates.

    Distances are taken from differences in all dimensions, so that those of duplicates are 0; in
    float64 where they are so small beside the vectors that rounding these changes them.

    Args:
        exact: The rows.
        rounded: The same as float32.
        places: int64 (n,), of the rows that are asked.
        candidates: Places (n, at least k), -1 for none.
        k: How many are wanted.

    Returns:
        Rows and distances, both (n, k), and what the last distance is at most (n,).
    """
    rows, lengths = np.empty((len(places), k), np.int64), np.empty((len(places), k))
    kernels = choose_kernels()
    step = max(1, (1 << 22) // candidates.shape[1])
    for first in range(0, len(places), step):
        part = slice(first, min(first + step, len(places)))
        queries = np.ascontiguousarray(rounded.points[places[part]])
        found = np.sort(candidates[part], axis=1)
        squares = kernels.squares(queries, rounded.points, found)
        squares[(found == places[part, None]) | (found < 0)] = np.inf
        order = np.argsort(squares, axis=1, kind="stable")[:, :k]
        rows[part] = np.take_along_axis(found, order, axis=1)
        lengths[part] = np.sqrt(np.take_along_axis(squares, order, axis=1))
    rows, distances = rounded.rows[rows], _as_measured(exact, lengths)
    last = lengths[:, -1]
    most = _measure_blurred(exact, rounded, (places, candidates), last, (rows, distances))
    return rows, distances, most


def _measure_blurred(
    exact: ExactRows,
    rounded: RoundedRows,
    asked: tuple[Rows, NDArray[np.integer[Any]]],
    last: Numbers,
    found: tuple[Rows, Numbers],
) -> Numbers:
    """Put the candidates of rows in order in float64 where rounding these changes their distances.

    Args:
        exact: The rows.
        rounded: The same as float32.
        asked: Places and their candidates, as for `_order`.
        last: How long the last difference of each is, in float32.
        found: Rows and distances as `_order` returns them; changed in place.

    Returns:
        What the last distance of each is at most.
    """
    (places, candidates), (rows, distances) = asked, found
    off = blur(rounded.sizes[places], last, rounded.error)
    rounding = product_rounding(np.dtype(np.float32), rounded.points.shape[1])
    most = _as_measured(exact, last * (1 + rounding) + off)
    blurred = np.flatnonzero(2 * off > last * (AS_NEAR - 1))
    if len(blurred):
        own = places[blurred]
        those = np.where(candidates[blurred] < 0, own[:, None], candidates[blurred])
        rows[blurred], distances[blurred] = exact.order_many(
            rounded.rows[own], rounded.rows[those], rows.shape[1]
        )
        most[blurred] = distances[blurred, -1]
    return most


@dataclass(frozen=True, eq=False)
class _Sample:
    """Some points with the distances of their true neighbors, float64 (n_rows, k)."""

    exact: ExactRows
    rounded: RoundedRows
    places: Rows
    truth: Numbers

    @property
    def k(self) -> int:
        return int(self.truth.shape[1])

    @property
    def n_candidates(self) -> int:
        """How many candidates are put in order for each point."""
        return min(len(self.rounded.rows), self.k + 1 + max(32, 3 * self.k // 4))

    def recall(self, candidates: Rows) -> float:
        """Return the share of true neighbors among candidates (n_rows, n)."""
        found = _order(self.exact, self.rounded, self.places, candidates, self.k)[1]
        # A neighbor as near as the last true one is as good; ties have no order.
        return float((found <= self.truth[:, -1:] * AS_NEAR).mean())


def _visit_cells(
    exact: ExactRows, rounded: RoundedRows, k: int, wanted: float, seed: int
) -> _Found:
    """Return neighbors and distances of all points and the recall on a sample."""
    n_points = len(rounded.rows)
    rng = np.random.default_rng(seed)
    places = np.sort(rng.choice(n_points, min(SAMPLE, n_points), replace=False))
    sample = _Sample(exact, rounded, places, _search(exact, rounded, places, k)[1])
    reduced = _reduce(sample, wanted, seed)
    n_cells = max(1, round(math.sqrt(n_points)))
    cells = choose_kernels().sort_into_cells(reduced, n_cells, TRAINING_STEPS, seed)
    queries = np.ascontiguousarray(reduced[places])
    n_visited = max(1, n_cells // 24)
    while True:
        recall = sample.recall(cells.search(queries, sample.n_candidates, n_visited))
        if recall >= wanted or n_visited >= n_cells:
            break
        n_visited = min(n_cells, math.ceil(n_visited * 1.4))
    candidates = cells.search(reduced, sample.n_candidates, n_visited)
    rows, distances, _ = _order(exact, rounded, np.arange(n_points), candidates, k)
    return _Found(rows, distances, estimate_recall(recall, sample.truth.size))


def _reduce(sample: _Sample, wanted: float, seed: int) -> Matrix:
    """Return the points in as few dimensions as show enough of the true neighbors of a sample."""
    points = sample.rounded.points
    n_dims = SEARCHED_DIMS
    while n_dims * 1.5 <= points.shape[1]:
        reduced = np.ascontiguousarray(points @ _main_directions(points, n_dims, seed))
        queries = np.ascontiguousarray(reduced[sample.places])
        _, candidates = choose_kernels().nearest(queries, reduced, sample.n_candidates)
        if sample.recall(candidates) >= (1 + wanted) / 2:
            return reduced
        n_dims *= 2
    return points


def _main_directions(points: Matrix, n_directions: int, seed: int) -> Matrix:
    """Return about the leading components, orthonormal, float32 (n_dims, n_directions).

    They only choose candidates, so that a sample of rows and a few steps of subspace iteration
    do (Halko, Martinsson and Tropp 2011).
    """
    rows = points[:: max(1, len(points) // 20_000)]
    rows = rows - rows.mean(axis=0)
    rng = np.random.default_rng(seed)
    basis = rng.standard_normal((points.shape[1], n_directions)).astype(np.float32)
    for _ in range(4):
        basis = np.linalg.qr(rows.T @ (rows @ basis))[0]
    return basis


def estimate_recall(share: float, count: int) -> float:
    """Return the recall that a share of so many true neighbors lets expect, below 1.

    What a sample does not show may still be so once in twice as many.
    """
    return min(share, 1 - 1 / (2 * count))
