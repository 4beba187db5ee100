"""All pairs of points, each multiplied once: what is near to one is near to the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import count_cores, one_blas_thread

Matrix = NDArray[np.float32]

HIGH, WIDE = (
    240,
    8192,
)  # Of a tile: the sum of a column's ones fits a byte, 8 MB a processor's cache.


@dataclass(frozen=True, eq=False)
class Tile:
    """Squared distances of some points from some others.

    Attributes:
        rows, columns: Which points. Where they are the same, both ways of a pair are in the tile;
            elsewhere no other tile has the pair.
        squares: float32 (n_rows, n_columns), of products; that of a point from itself is infinite.
    """

    rows: slice
    columns: slice
    squares: Matrix

    @property
    def both_ways(self) -> bool:
        return self.rows == self.columns


class Visitor(Protocol):
    """What looks at all pairs. It is called by several threads."""

    def visit(self, tile: Tile) -> None:
        """Take in a tile, whose squares are overwritten after."""
        ...


def visit_pairs(
    augmented: Matrix,
    n_asked: int,
    visitors: Sequence[Visitor],
    tell: Callable[[int], None] = lambda done: None,
) -> None:
    """Show all pairs of which one is asked for, tile by tile.

    A square is |x|^2 - 2 x . y + |y|^2 in one sum of products, of two dimensions more, whose error
    is at most `product_rounding` of |x|^2 + |y|^2.

    Args:
        augmented: float32 (n_points, n_dims + 2), what `augment_points` returned.
        n_asked: How many of them are asked for, the first ones.
        visitors: What looks at them.
        tell: Is told how many points are done.
    """
    turns = _Turns(n_asked)

    def work() -> None:
        held = np.empty(HIGH * WIDE, np.float32)
        for rows in turns:
            left = turn_points(augmented[rows])
            for columns in _columns(rows, len(augmented)):
                size = (len(left), columns.stop - columns.start)
                squares = held[: size[0] * size[1]].reshape(size)
                np.matmul(left, augmented[columns].T, out=squares)
                if rows == columns:
                    np.fill_diagonal(squares, np.inf)
                for visitor in visitors:
                    visitor.visit(Tile(rows, columns, squares))
            tell(turns.add(len(left)))

    n_threads = max(1, min(count_cores(), -(-n_asked // HIGH)))
    with one_blas_thread(), ThreadPoolExecutor(n_threads) as pool:
        try:
            for thread in [pool.submit(work) for _ in range(n_threads)]:
                thread.result()
        finally:
            turns.stop()


def augment_points(points: Matrix, order: NDArray[np.int64]) -> Matrix:
    """Return some points with two dimensions more: their squared norms, and 1."""
    n_dims = points.shape[1]
    out = np.empty((len(order), n_dims + 2), np.float32)
    for first in range(0, len(order), WIDE):
        some = points[order[first : first + WIDE]]
        out[first : first + WIDE, :n_dims] = some
        out[first : first + WIDE, n_dims] = np.einsum("ij,ij->i", some, some, dtype=np.float64)
    out[:, n_dims + 1] = 1
    return out


def turn_points(augmented: Matrix) -> Matrix:
    """Return what the products of augmented points with are their squared distances."""
    left = augmented * np.float32(-2)
    left[:, -2], left[:, -1] = 1, augmented[:, -2]
    return left


def _columns(rows: slice, n_points: int) -> Iterator[slice]:
    """Yield the rows themselves, and the points behind them part by part."""
    yield rows
    for first in range(rows.stop, n_points, WIDE):
        yield slice(first, min(first + WIDE, n_points))


class _Turns:
    """Rows that threads take in turn, until it is stopped."""

    def __init__(self, n_rows: int) -> None:
        self._rows = iter([slice(i, min(i + HIGH, n_rows)) for i in range(0, n_rows, HIGH)])
        self._lock = threading.Lock()
        self._stopped = False
        self._done = 0

    def __iter__(self) -> Iterator[slice]:
        while not self._stopped:
            with self._lock:
                rows = next(self._rows, None)
            if rows is None:
                return
            yield rows

    def add(self, n_rows: int) -> int:
        """Count rows that are done, and return how many that makes."""
        with self._lock:
            self._done += n_rows
            return self._done

    def stop(self) -> None:
        self._stopped = True
