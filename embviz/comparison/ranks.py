"""The rank of some points among all others, by their distance from a point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import count_cores
from embviz.model import EmbeddingTable, Metric
from embviz.neighbors.exact_rows import MEASURED_NUMBERS, ExactRows, open_rows
from embviz.space import Space, open_space

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

EXACT_COST = 2e11
"""Multiplications up to which products are of float64, and ranks exact."""
HELD_NUMBERS = 1 << 27
TIED = 1e-9  # Of float64: squared distances that differ by a smaller share are equal.
_QUERIES, _TOGETHER, _OTHERS = 4096, 512, 255 * 8  # Those together fit a processor's cache.
_SUMMED = 255  # Ones that a byte can hold the sum of.


def open_exact(table: EmbeddingTable, metric: Metric, space: Space | None = None) -> ExactRows:
    """Return the rows of a table between which distances are measured, its zero rows known."""
    held = table.n_points * table.n_dims <= HELD_NUMBERS
    exact = open_rows(open_space(table, known=space), metric, held=held)
    if metric == "euclidean":
        return exact
    zero = [p.start + np.flatnonzero(~exact.take(p).any(axis=1)) for p in exact.parts()]
    return replace(exact, zero=np.concatenate(zero))


def count_nearer(
    exact: ExactRows, rows: Rows, others: Rows, tell: Callable[[int], None] = lambda done: None
) -> NDArray[np.int64]:
    """Count the points that are nearer to a row than each of some others.

    Products are of float64 up to `EXACT_COST` multiplications; beyond, of float32, and points whose
    squared distances differ by less than these can tell count as equally near.

    Args:
        exact: The vectors.
        rows: int64 (n_rows,).
        others: int64 (n_rows, k), points other than the row.
        tell: Is told how many rows are done.

    Returns:
        int64 (n_rows, k); the rank of a point is one more.
    """
    n_points, n_dims = exact.space.shape
    wide = len(rows) * n_points * n_dims <= EXACT_COST
    kind: type[np.floating[Any]] = np.float64 if wide else np.float32
    out = np.zeros(others.shape, np.int64)
    firsts = range(0, len(rows), _QUERIES)
    middle = _middle(exact)
    done = [0]

    def count(first: int) -> None:
        part = slice(first, first + _QUERIES)
        out[part] = _count(exact, rows[part], others[part], middle, kind)
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
    others: Rows,
    middle: Numbers,
    kind: type[np.floating[Any]],
) -> NDArray[np.int64]:
    asked = exact.take_near_one(rows) - middle
    own = _squares(exact, rows, others)
    lengths = np.einsum("ij,ij->i", asked, asked)
    rounding = float(np.finfo(kind).eps) * (4 * asked.shape[1] ** 0.5 + 16)
    limits = own * (1 - TIED) - rounding * (lengths[:, None] + own)
    zero_rows = np.isin(rows, exact.zero)
    # |x|^2 is the same for all others of a row and goes to the other side.
    bounds = (limits - lengths[:, None]).astype(kind)
    asked = asked.astype(kind)
    out = np.zeros(others.shape, np.int64)
    for start, block, sizes in _others(exact, middle, kind):
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


def measure_closely(exact: ExactRows, rows: Rows, others: Rows) -> Numbers:
    """Return distances as `ExactRows.measure_many` does, with all digits of float64."""
    squares = np.empty(others.shape)
    step = max(1, MEASURED_NUMBERS // (others.shape[1] * exact.space.shape[1]))

    def measure(first: int) -> None:
        part = slice(first, first + step)
        apart = exact.take_near_one(others[part].ravel()).reshape(*others[part].shape, -1)
        apart -= exact.take_near_one(rows[part])[:, None]
        np.einsum("ijk,ijk->ij", apart, apart, out=squares[part])

    with ThreadPoolExecutor(count_cores()) as pool:
        list(pool.map(measure, range(0, len(rows), step)))
    if exact.metric == "euclidean":
        return np.asarray(np.ldexp(np.sqrt(squares), exact.to_unit))
    undirected = np.isin(others, exact.zero) | np.isin(rows, exact.zero)[:, None]
    return np.where(undirected, 1, squares / 2)


def _squares(exact: ExactRows, rows: Rows, others: Rows) -> Numbers:
    """Return squared distances of rows from others, in the unit of `take_near_one`."""
    apart = measure_closely(exact, rows, others)
    if exact.metric == "cosine":
        return 2 * apart
    return np.asarray(np.square(np.ldexp(apart, -exact.to_unit)))


def _others(
    exact: ExactRows, middle: Numbers, kind: type[np.floating[Any]]
) -> Iterator[tuple[int, NDArray[Any], NDArray[Any]]]:
    """Yield all rows, part by part: (first row, rows about the middle, their squared lengths)."""
    for part in exact.parts():
        block = exact.take_near_one(part) - middle
        sizes = np.einsum("ij,ij->i", block, block).astype(kind)
        block = block.astype(kind)
        for first in range(0, len(block), _OTHERS):
            some = slice(first, first + _OTHERS)
            yield part.start + first, block[some], sizes[some]


def _set_undirected(
    exact: ExactRows, squares: NDArray[Any], start: int, zero_rows: NDArray[np.bool_], lengths: Any
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
