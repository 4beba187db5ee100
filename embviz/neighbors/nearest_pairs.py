"""The nearest others of points, found while all pairs pass by."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import count_cores, one_blas_thread
from embviz.neighbors.pairs import Matrix, Tile, augment_points, turn_points

Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
Limits = NDArray[np.float32]
Doubt = Callable[[Rows, Rows, Rows], None]
"""Takes pairs of a point and an other, and which of the point's limits the square is near to."""


_SAMPLED, _PART = 2048, 1024
_SPARE = 0.6  # Of the wanted ones, before those that are not are thrown away.


class Nearest:
    """The nearest others of the first points, by squares of products.

    A threshold a point comes from a random sample of the others, and falls where more than can be
    held are below it.

    Attributes:
        nearer: int64 (n_asked, n), what `count` asked for.
    """

    def __init__(self, thresholds: Limits, wanted: int) -> None:
        """Begin with nothing found.

        Args:
            thresholds: float32 (n_asked,), what `sample_thresholds` returned.
            wanted: How many others of each are to be found.
        """
        n_asked = len(thresholds)
        self._thresholds = thresholds
        self._wanted = wanted
        self._limits = thresholds.copy()
        self._held = np.zeros(n_asked, np.int64)
        size = (n_asked, wanted + int(_SPARE * wanted) + 1)
        self._others = np.empty(size, np.int32)
        self._squares = np.empty(size, np.float32)
        self._lock = threading.Lock()
        self._near: tuple[Limits, Limits] | None = None
        self._doubt: Doubt = lambda point, limit, other: None
        self.nearer = np.zeros((n_asked, 0), np.int64)

    def count(self, low: Limits, high: Limits, doubt: Doubt) -> None:
        """Have `nearer` count the others whose squares are below some limits.

        Args:
            low, high: float32 (n_asked, n), between which each limit is; none above its point's
                threshold.
            doubt: Is told of others whose squares are between them.
        """
        self._near, self._doubt = (low, high), doubt
        self.nearer = np.zeros(low.shape, np.int64)

    def visit(self, tile: Tile) -> None:
        n_asked = len(self._limits)
        limits = self._limits if self._near is None else self._thresholds
        near = tile.squares < limits[tile.rows][:, None]
        point, other = np.divmod(np.flatnonzero(near), near.shape[1])
        found = tile.squares[point, other]
        self._take(point + tile.rows.start, other + tile.columns.start, found)
        n_columns = min(tile.columns.stop, n_asked) - tile.columns.start
        if tile.both_ways or n_columns <= 0:
            return
        near = near.ravel()[: len(near) * n_columns].reshape(len(near), n_columns)
        squares = tile.squares[:, :n_columns]
        columns = slice(tile.columns.start, tile.columns.start + n_columns)
        np.less(squares, limits[columns], out=near)
        other, point = np.divmod(np.flatnonzero(near), n_columns)
        order = np.argsort(point.astype(np.int16), kind="stable")
        point, other = point[order], other[order]
        found = squares[other, point]
        self._take(point + tile.columns.start, other + tile.rows.start, found)

    def _take(self, point: Rows, other: Rows, squares: Matrix) -> None:
        """Take in others of points, those of a point together."""
        if not len(point):
            return
        if self._near is None:
            with self._lock:
                self._put(point, other, squares)
            return
        starts, (low, high) = _starts(point), self._near
        below = squares[:, None] < low[point]
        found = np.add.reduceat(below, starts, axis=0, dtype=np.int64)
        pair, limit = np.nonzero((squares[:, None] < high[point]) & ~below)
        if len(pair):
            self._doubt(point[pair], limit, other[pair])
        with self._lock:
            self.nearer[point[starts]] += found
            kept = squares < self._limits[point]
            self._put(point[kept], other[kept], squares[kept])

    def _put(self, point: Rows, other: Rows, squares: Matrix) -> None:
        """Hold others; where there is no room, throw those away that are not among the nearest."""
        room = self._others.shape[1]
        while len(point):
            starts = _starts(point)
            counts = np.diff(starts, append=len(point))
            place = np.arange(len(point)) - np.repeat(starts - self._held[point[starts]], counts)
            fits = place < room
            at = point[fits], place[fits]
            self._others[at], self._squares[at] = other[fits], squares[fits]
            touched = point[starts]
            self._held[touched] = np.minimum(self._held[touched] + counts, room)
            self._keep_nearest(touched[self._held[touched] == room])
            rest = ~fits
            point, other, squares = point[rest], other[rest], squares[rest]
            below = squares < self._limits[point]
            point, other, squares = point[below], other[below], squares[below]

    def _keep_nearest(self, full: Rows) -> None:
        if not len(full):
            return
        squares, n = self._squares[full], self._wanted
        order = np.argpartition(squares, n - 1, axis=1)[:, :n]
        self._squares[full, :n] = kept = np.take_along_axis(squares, order, 1)
        self._others[full, :n] = np.take_along_axis(self._others[full], order, 1)
        self._limits[full] = kept[:, n - 1]
        self._held[full] = n

    def found(self) -> tuple[NDArray[np.int32], Limits, Flags]:
        """Return the others, int32 (n_asked, wanted), and what was not found.

        Returns:
            The others; the square of the last, (n_asked,), below which there is no other; and
            which points have others to be looked for elsewhere, as the sample misled.
        """
        n = self._wanted
        missed = self._held < n
        others = np.zeros((len(missed), n), np.int32)
        last = np.zeros(len(missed), np.float32)
        for first in range(0, len(missed), _PART):
            part = slice(first, first + _PART)
            squares = self._squares[part]
            squares[np.arange(squares.shape[1]) >= self._held[part, None]] = np.inf
            order = np.argpartition(squares, n - 1, axis=1)[:, :n]
            some = np.take_along_axis(self._others[part], order, 1)
            others[part] = np.where(missed[part, None], 0, some)
            last[part] = np.take_along_axis(squares, order, 1).max(axis=1)
        return others, last, missed


def _starts(point: Rows) -> Rows:
    """Return where each point's run begins."""
    return np.flatnonzero(np.diff(point, prepend=-1))


def sample_thresholds(points: Matrix, wanted: int) -> Limits:
    """Return squares below which there are most likely more others than are wanted, (n_points,).

    Of a sample of the share p about p times the wanted ones are among them, give or take the root
    of it; three roots more leave one point in some hundreds with too few.
    """
    n_points = len(points)
    n_sampled = min(max(_SAMPLED, n_points // 100), n_points)
    chosen = np.sort(np.random.default_rng(0).choice(n_points, n_sampled, replace=False))
    expected = wanted * n_sampled / n_points
    place = min(int(expected + 3 * expected**0.5 + 3), n_sampled) - 1
    sampled = augment_points(points, chosen)
    out = np.empty(n_points, np.float32)

    def sample(first: int) -> None:
        part = np.arange(first, min(first + _PART, n_points))
        squares = turn_points(augment_points(points, part)) @ sampled.T
        out[part] = np.partition(squares, place, axis=1)[:, place]

    with one_blas_thread(), ThreadPoolExecutor(count_cores()) as pool:
        list(pool.map(sample, range(0, n_points, _PART)))
    return out
