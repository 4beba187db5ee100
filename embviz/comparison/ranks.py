"""The rank of some points among all others, by their distance from a point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.measures import TIED, Indices, measure_squares
from embviz.kernels import count_cores
from embviz.neighbors.exact_rows import ExactRows
from embviz.space import Kind

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

_QUERIES, _TOGETHER, _OTHERS = 4096, 512, 255 * 8  # Those together fit a processor's cache.
_SUMMED = 255  # Ones that a byte can hold the sum of.


@dataclass(frozen=True, eq=False)
class Asked:
    """Others whose ranks are asked for.

    Attributes:
        rows: int64 (n_rows,), of which points.
        others: int (n_rows, n), points other than the row.
        wanted: bool (n_rows, n), which of them.
    """

    rows: Rows
    others: Indices
    wanted: NDArray[np.bool_]

    def some(self, kept: Rows | NDArray[np.bool_]) -> Asked:
        """Return some rows of them."""
        return Asked(self.rows[kept], self.others[kept], self.wanted[kept])


def rounding(n_dims: int, kind: Kind) -> float:
    """Return by which share of both squared norms a square of products is off, most likely.

    Errors that are as often above as below add up to some roots of the dimensions (Higham and Mary
    2019); those measured of float32 are at most a third of this.
    """
    return float(np.finfo(kind).eps * (2 * n_dims**0.5 + 16))


def multiply_exactly(
    exact: ExactRows, asked: Asked, tell: Callable[[int], None] = lambda done: None
) -> NDArray[np.int64]:
    """Count the points that are nearer to a row than each of some others, by float64 products.

    Args:
        exact: The vectors.
        asked: Which others, of which rows.
        tell: Is told how many rows are done.

    Returns:
        int64 (n_rows, k); the rank of a point is one more.
    """
    out = np.zeros(asked.others.shape, np.int64)
    firsts = range(0, len(out), _QUERIES)
    middle = _middle(exact)
    done = [0]

    def count(first: int) -> None:
        part = slice(first, first + _QUERIES)
        out[part] = _count(exact, asked.rows[part], asked.others[part], middle)
        done[0] += len(out[part])
        tell(done[0])

    with ThreadPoolExecutor(count_cores()) as pool:
        list(pool.map(count, firsts))
    return out


def _middle(exact: ExactRows) -> Numbers:
    """Return a place amid the points, from which products keep their digits."""
    some = np.linspace(0, exact.space.shape[0] - 1, 1000).astype(np.int64)
    return np.asarray(exact.take_near_one(np.unique(some)).mean(axis=0))


def _count(
    exact: ExactRows,
    rows: Rows,
    others: Indices,
    middle: Numbers,
) -> NDArray[np.int64]:
    asked = exact.take_near_one(rows) - middle
    own = measure_squares(exact, rows, others)
    lengths = np.einsum("ij,ij->i", asked, asked)
    wrong = rounding(asked.shape[1], np.float64)
    limits = own * (1 - TIED) - wrong * (lengths[:, None] + own)
    zero_rows = np.isin(rows, exact.zero)
    # |x|^2 is the same for all others of a row and goes to the other side.
    bounds = limits - lengths[:, None]
    out = np.zeros(others.shape, np.int64)
    for start, block, sizes in _others(exact, middle):
        for first in range(0, len(rows), _TOGETHER):
            some = slice(first, first + _TOGETHER)
            squares = block @ (-2 * asked[some].T)
            squares += sizes[:, None]
            inside = (rows[some] >= start) & (rows[some] < start + len(block))
            squares[rows[some][inside] - start, np.flatnonzero(inside)] = np.inf
            if len(exact.zero):
                _set_undirected(exact, squares, start, zero_rows[some], lengths[some])
            for column in range(others.shape[1]):
                out[some, column] += _count_true(squares < bounds[some, column])
    return out


def _others(exact: ExactRows, middle: Numbers) -> Iterator[tuple[int, Numbers, Numbers]]:
    """Yield all rows, part by part: (first row, rows about the middle, their squared lengths)."""
    for part in exact.parts():
        block = exact.take_near_one(part) - middle
        sizes = np.einsum("ij,ij->i", block, block)
        for first in range(0, len(block), _OTHERS):
            some = slice(first, first + _OTHERS)
            yield part.start + first, block[some], sizes[some]


def _set_undirected(
    exact: ExactRows, squares: Numbers, start: int, zero_rows: NDArray[np.bool_], lengths: Numbers
) -> None:
    """Set cosine distances to and from vectors without a direction, which are 1."""
    far = 2 - lengths
    here = exact.zero[(exact.zero >= start) & (exact.zero < start + len(squares))] - start
    finite = np.isfinite(squares[here])
    squares[here] = np.where(finite, far, np.inf)
    for query in np.flatnonzero(zero_rows):
        there = np.isfinite(squares[:, query])
        squares[there, query] = far[query]


def _count_true(found: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count in each column; bytes are added while their sum fits a byte, which is fast."""
    bits = found.view(np.uint8)
    whole = len(bits) // _SUMMED * _SUMMED
    sums = bits[:whole].reshape(-1, _SUMMED, bits.shape[1]).sum(axis=1, dtype=np.uint8)
    counts = sums.sum(axis=0, dtype=np.int64) + bits[whole:].sum(axis=0, dtype=np.int64)
    return np.asarray(counts, dtype=np.int64)
