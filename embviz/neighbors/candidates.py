"""Candidates for the neighbors of rows, put in order by their true distances."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import choose_kernels, count_cores
from embviz.neighbors.bounds import blur, product_rounding
from embviz.neighbors.exact_rows import ExactRows
from embviz.neighbors.rounded import RoundedRows

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

AS_NEAR = 1 + 1e-5  # A neighbor that is so much farther than another is as good.
_TOGETHER = 1 << 18  # Candidates that are measured at once: few, so that memory is used again.


@dataclass(eq=False)
class Found:
    """Rows int64 and distances float64 as `ExactRows.measure` has them, both (n, k), and recall."""

    indices: Rows
    distances: Numbers
    recall: float


def as_measured(exact: ExactRows, lengths: Numbers) -> Numbers:
    """Return distances between rows near 1 as `ExactRows.measure` has them."""
    if exact.metric == "cosine":
        return np.asarray(np.square(np.maximum(lengths, 0)) / 2)
    return np.asarray(np.ldexp(np.maximum(lengths, 0), exact.to_unit))


def order_candidates(
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
    step = max(1, _TOGETHER // candidates.shape[1])

    def order_part(first: int) -> None:
        part = slice(first, min(first + step, len(places)))
        queries = np.ascontiguousarray(rounded.points[places[part]])
        found = candidates[part]
        squares = kernels.squares(queries, rounded.points, found)
        squares[(found == places[part, None]) | (found < 0)] = np.inf
        rows[part], squares = _first(found, squares, k)
        lengths[part] = np.sqrt(squares)

    with ThreadPoolExecutor(count_cores()) as pool:
        list(pool.map(order_part, range(0, len(places), step)))
    rows, distances = rounded.rows[rows], as_measured(exact, lengths)
    last = lengths[:, -1]
    most = measure_blurred(exact, rounded, (places, candidates), last, (rows, distances))
    return rows, distances, most


def _first(places: Rows, squares: NDArray[np.float32], k: int) -> tuple[Rows, NDArray[np.float32]]:
    """Return the k places of least squares with these, both (n, k), equally near ones by place.

    The bits of floats from 0 on are in their order, so that one number holds a square and a place;
    -1 is the last of all places.
    """
    keys = squares.view(np.uint32).astype(np.uint64) << np.uint64(32)
    keys |= places.astype(np.uint32)
    keys.partition(k - 1, axis=1)
    first = np.sort(keys[:, :k], axis=1)
    bits = (first >> np.uint64(32)).astype(np.uint32)
    return first.astype(np.uint32).view(np.int32).astype(np.int64), bits.view(np.float32)


def measure_blurred(
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
        asked: Places and their candidates, as for `order_candidates`.
        last: How long the last difference of each is, in float32.
        found: Rows and distances as `order_candidates` returns them; changed in place.

    Returns:
        What the last distance of each is at most.
    """
    (places, candidates), (rows, distances) = asked, found
    off = blur(rounded.sizes[places], last, rounded.error)
    rounding = product_rounding(np.dtype(np.float32), rounded.points.shape[1])
    most = as_measured(exact, last * (1 + rounding) + off)
    blurred = np.flatnonzero(2 * off > last * (AS_NEAR - 1))
    if len(blurred):
        own = places[blurred]
        those = np.where(candidates[blurred] < 0, own[:, None], candidates[blurred])
        rows[blurred], distances[blurred] = exact.order_many(
            rounded.rows[own], rounded.rows[those], rows.shape[1]
        )
        most[blurred] = distances[blurred, -1]
    return most
