"""The order of candidates by products of float64, as measuring all of them would give it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embviz.neighbors.bounds import UNDERFLOW, product_rounding
from embviz.neighbors.exact_rows import ExactRows
from embviz.neighbors.scan import round_mantissa

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

_READ = 1 << 16  # Numbers read at once: what a processor's inner cache holds.
_INDEX = (1 << 29) - 1  # Bits of a float64 that are 0 where it is rounded to float32.
_TOO_MANY = 0.25


def order_by_products(
    exact: ExactRows, sizes: Numbers, rows: Rows, candidates: Rows, k: int
) -> tuple[Rows, Numbers]:
    """Do as `ExactRows.order` does, of rows that are held and near 1.

    A product bounds a distance from below and above. Where both are the same float32 it is known;
    the few others are measured.

    Args:
        exact: The rows.
        sizes: Of all rows, their squared norms.
        rows: int64 (n,).
        candidates: int64 (n, at least k), each once for a row; the row itself is left out.
        k: How many are wanted.
    """
    own = candidates == rows[:, None]
    squares, wrong = _multiply(exact, sizes, rows, candidates)
    low, high = np.maximum(squares - wrong, 0), squares + wrong
    cosine = exact.metric == "cosine"
    low, high = (round_mantissa(x / 2 if cosine else np.sqrt(x)) for x in (low, high))
    if len(exact.zero):
        high[sizes[candidates] == 0] = low[sizes[candidates] == 0] = 1
    query, place = np.nonzero((low != high) & ~own)
    if len(query) > _TOO_MANY * low.size:
        return exact.order(rows, candidates, k)
    if len(query):
        other = candidates[query, place]
        high[query, place] = exact.measure(rows[query], other[:, None])[:, 0]
    high[own] = np.inf
    return _sort(high, candidates, k)


def _multiply(
    exact: ExactRows, sizes: Numbers, rows: Rows, candidates: Rows
) -> tuple[Numbers, Numbers]:
    """Return squared distances, and by how much they may be wrong, both (n, n_candidates)."""
    held, n_dims = exact.take, exact.space.shape[1]
    n_rows, n = candidates.shape
    products = np.empty((n_rows, n, 1))
    step = max(1, _READ // (n * n_dims))
    for first in range(0, n_rows, step):
        part = slice(first, first + step)
        others = held(candidates[part].ravel()).reshape(-1, n, n_dims)
        np.matmul(others, held(rows[part])[:, :, None], out=products[part])
    total = sizes[rows][:, None] + sizes[candidates]
    squares = total - 2 * products[..., 0]
    wide = np.dtype(np.float64)
    # Of products and of differences.
    return squares, 4 * product_rounding(wide, n_dims) * total + UNDERFLOW[wide]


def _sort(distances: Numbers, candidates: Rows, k: int) -> tuple[Rows, Numbers]:
    """Return the k least distances and their candidates, those of equal distance by number.

    Numbers from 0 up are in the order of their bits, the last of which hold the candidate.
    """
    bits = distances.view(np.int64)
    if (bits & _INDEX).any() or candidates.max(initial=0) > _INDEX:
        order = np.lexsort((candidates, distances), axis=-1)[:, :k]
        return np.take_along_axis(candidates, order, 1), np.take_along_axis(distances, order, 1)
    keys = np.sort(bits | candidates, axis=1)[:, :k]
    return keys & _INDEX, (keys & ~np.int64(_INDEX)).view(np.float64)
