"""The nearest neighbors of all points, approximate where exact ones would take too long."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_seed
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.neighbors.candidates import (
    AS_NEAR,
    Found,
    as_measured,
    measure_blurred,
    order_candidates,
)
from embviz.neighbors.cells import SAMPLE, Sample, estimate_recall, visit_cells
from embviz.neighbors.exact import check_k, check_metric
from embviz.neighbors.exact_rows import ExactRows, open_few_rows, open_rows
from embviz.neighbors.on_device import find_nearest
from embviz.neighbors.rounded import RoundedRows, round_few_rows, round_rows
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
WANTED_RECALL = 0.98
LISTED_RECALL = 0.9  # Of lists that are read only.


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
    space = open_space(table, normalize, space)
    exact = open_few_rows(space, metric)
    return _find(exact, round_few_rows(exact), k, WANTED_RECALL, seed)


def list_neighbors(
    table: EmbeddingTable, k: int, metric: Metric = "cosine", space: Space | None = None
) -> Neighbors:
    """Find the nearest neighbors of all points for a list to be read.

    As `build_graph` does, with fewer cells visited where points are not all compared: of ten
    neighbors one may be missed, at a fifth of the time.
    """
    check_k(table.n_points, k, table.n_points - 1)
    check_metric(metric)
    exact = open_rows(open_space(table, known=space), metric)
    return _find(exact, round_rows(exact), k, LISTED_RECALL, 0)


def link_sample(space: Space, k: int, metric: Metric, seed: int) -> Neighbors:
    """Find the neighbors of a sample among itself as `build_graph` does, of which nothing is said.

    What there is to say of vectors is said of all points. Raises as `build_graph` does.
    """
    check_k(space.shape[0], k, space.shape[0] - 1)
    exact = open_rows(space, metric)
    return _find(exact, round_rows(exact), k, WANTED_RECALL, seed, told=False)


def _find(
    exact: ExactRows, rounded: RoundedRows, k: int, wanted: float, seed: int, told: bool = True
) -> Neighbors:
    """Find the nearest neighbors of all rows, with a wanted recall where not all are compared."""
    table, metric = exact.space.table, exact.metric
    progress.info("neighbors of %s points", f"{table.n_points:,}")
    others = rounded.rows
    if len(others) < 2:
        found = Found(np.empty((len(others), 0), np.int64), np.empty((len(others), 0)), 1.0)
    elif _are_compared(exact.space, len(others)):
        found = _compare_all(exact, rounded, min(k, len(others) - 1), seed)
    else:
        found = _compare_some(exact, rounded, min(k, len(others) - 1), wanted, seed)
        level = logging.INFO if told else logging.DEBUG
        log.log(
            level, "neighbors: %d of each of %s points, %.1f %% of the true ones on a sample of %s",
            k, f"{len(others):,}", 100 * found.recall, f"{SAMPLE:,}",
        )  # fmt: skip
    if len(others) < table.n_points:
        if told:
            warn_of_zeros(table.n_points - len(others))
        found = _add_zeros(found, others, table.n_points, k)
    distances = in_the_vectors_unit(found.distances, exact.exponent)
    unrounded = found.distances if _lost_digits(distances, found.distances, exact) else None
    indices = found.indices.astype(np.int32)
    return Neighbors(indices, distances, metric, found.recall, unrounded)


def _lost_digits(own: Floats, measured: Numbers, exact: ExactRows) -> bool:
    """Return whether distances in the vectors' own unit are too near zero to have all digits."""
    return own.dtype == np.float64 and bool((np.ldexp(own, -exact.exponent) != measured).any())


def _add_zeros(found: Found, others: Rows, n_points: int, k: int) -> Found:
    """Return the neighbors of all points, where all but the others are zero vectors."""
    zero = np.delete(np.arange(n_points), others)
    indices, distances = np.empty((n_points, k), np.int64), np.ones((n_points, k))
    indices[zero] = list_zero_neighbors(zero, k)
    listed = np.broadcast_to(zero[:k], (len(others), min(k, len(zero))))
    near = np.concatenate([found.indices, listed], axis=1)
    apart = np.concatenate([found.distances, np.ones(listed.shape)], axis=1)
    order = np.lexsort((near, apart.astype(np.float32)), axis=-1)[:, :k]
    indices[others] = np.take_along_axis(near, order, axis=1)
    distances[others] = np.take_along_axis(apart, order, axis=1)
    share = (found.recall * len(others) + len(zero)) / n_points
    return Found(indices, distances, share if found.recall < 1 else 1.0)


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


def _compare_all(exact: ExactRows, rounded: RoundedRows, k: int, seed: int) -> Found:
    """Compare every point with every other."""
    if exact.space.arrays is None:
        found, unsure = _compare_these(exact, rounded, np.arange(len(rounded.rows)), k)
    else:
        found, unsure = _compare_on_device(exact, rounded, k)
    return _settle(exact, rounded, unsure, found, seed)


def _compare_these(
    exact: ExactRows, rounded: RoundedRows, places: Rows, k: int
) -> tuple[Found, Rows]:
    """Compare some points with every other; return which of them rounding leaves unsure, too.

    Args:
        exact: The rows.
        rounded: The same as float32.
        places: int64 (n,), of `rounded`, ascending.
        k: How many neighbors.
    """
    wanted = min(len(rounded.rows), k + 1 + max(8, k // 8))
    every = len(places) == len(rounded.rows)
    candidates, reach = rounded.nearest(None if every else places, wanted)
    indices, distances, most = order_candidates(exact, rounded, places, candidates, k)
    return Found(indices, distances, 1.0), _unsure(exact, reach, most)


def _compare_on_device(exact: ExactRows, rounded: RoundedRows, k: int) -> tuple[Found, Rows]:
    """Do as `_compare_these` does with all points, on a card."""
    arrays, n_points = exact.space.arrays, len(rounded.rows)
    if arrays is None:
        raise AssertionError("no device")
    wanted = min(n_points, k + 1 + max(8, k // 8))
    near = find_nearest(arrays, rounded.points, rounded.sizes, wanted)
    lengths = np.sqrt(near.squares[:, :k], dtype=np.float64)
    reach = rounded.reach(None, near.last) if wanted < n_points else np.inf + rounded.sizes
    indices, distances = rounded.rows[near.places[:, :k]], as_measured(exact, lengths)
    asked = (np.arange(n_points), near.places)
    most = measure_blurred(exact, rounded, asked, lengths[:, -1], (indices, distances))
    return Found(indices, distances, 1.0), _unsure(exact, reach, most)


def _unsure(exact: ExactRows, reach: Numbers, most: Numbers) -> Rows:
    """Return which rows may have a nearer neighbor than the last that was found.

    Args:
        exact: The rows.
        reach: What the length to any other is at least.
        most: What the distance of the last is at most; nothing is nearer than 0.
    """
    return np.flatnonzero(~((as_measured(exact, reach) >= most) | (most == 0)))


def _compare_some(
    exact: ExactRows, rounded: RoundedRows, k: int, wanted: float, seed: int
) -> Found:
    """Compare every point with those near to it by cells."""
    n_points = len(rounded.rows)
    rng = np.random.default_rng(seed)
    places = np.sort(rng.choice(n_points, min(SAMPLE, n_points), replace=False))
    found, unsure = _compare_these(exact, rounded, places, k)
    if len(unsure):
        found.distances[unsure] = _search(exact, rounded, places[unsure], k)[1]
    return visit_cells(Sample(exact, rounded, places, found.distances), wanted, seed)


def _settle(exact: ExactRows, rounded: RoundedRows, unsure: Rows, found: Found, seed: int) -> Found:
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
