"""Neighbors and ranks of many points in one pass over all pairs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.doubts import Doubts
from embviz.comparison.measures import TIED, Indices, measure_squares
from embviz.comparison.ranks import Asked, multiply_exactly, rounding
from embviz.neighbors.all_rows import compare_rows
from embviz.neighbors.exact_rows import ExactRows
from embviz.neighbors.nearest_pairs import Doubt, Nearest, sample_thresholds
from embviz.neighbors.pairs import Tile, augment_points, visit_pairs
from embviz.neighbors.rounded import RoundedRows, round_rows
from embviz.neighbors.scan import Best

Flags = NDArray[np.bool_]
Singles = NDArray[np.float32]
Tell = Callable[[int], None]
Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

FEWEST = 8192
"""Points from which one pass over half of all pairs is worth what it takes to prepare it."""
SWEPT_COST = 1e10
"""Multiplications from which it is."""


class Nearer:
    """Counts, for some limits a point, the others whose squares are below them.

    Points that have more limits come first, so that what is to be counted is an edge of a tile.
    """

    def __init__(self, low: Singles, high: Singles, doubt: Doubt) -> None:
        """Begin with nothing counted.

        Args:
            low, high: float32 (n_asked, n), between which each limit of the first points is;
                -infinity for none.
            doubt: Is told of others whose squares are between them.
        """
        self._order = np.argsort(-low, axis=1, kind="stable")
        ends = [np.flatnonzero(n > -np.inf) for n in np.take_along_axis(low, self._order, 1).T]
        self._levels = [
            [
                np.ascontiguousarray(np.take_along_axis(x, self._order, 1)[: some[-1] + 1, level])
                for x in (low, high)
            ]
            for level, some in enumerate(ends)
            if len(some)
        ]
        self._counts = np.zeros(low.shape[::-1], np.int64)
        self._lock = threading.Lock()
        self._doubt = doubt

    def visit(self, tile: Tile) -> None:
        for level, (low, high) in enumerate(self._levels):
            rows = slice(tile.rows.start, min(tile.rows.stop, len(low)))
            if rows.start < rows.stop:
                squares = tile.squares[: rows.stop - rows.start]
                below = squares < low[rows, None]
                found = _count_in_rows(below)
                with self._lock:
                    self._counts[level, rows] += found
                self._tell(level, squares < high[rows, None], below, tile, rows.start)
            columns = slice(tile.columns.start, min(tile.columns.stop, len(low)))
            if columns.start < columns.stop and not tile.both_ways:
                squares = tile.squares[:, : columns.stop - columns.start]
                below = squares < low[columns]
                found = below.view(np.uint8).sum(axis=0, dtype=np.uint8)  # Of so few rows.
                with self._lock:
                    self._counts[level, columns] += found
                self._tell(level, squares < high[columns], below, tile, None)

    def _tell(self, level: int, near: Flags, below: Flags, tile: Tile, first: int | None) -> None:
        """Tell of what is near to a limit and not below it: `first` is the first row, or None."""
        near ^= below
        row, column = np.divmod(np.flatnonzero(near), near.shape[1])
        if not len(row):
            return
        row, column = row + tile.rows.start, column + tile.columns.start
        point, other = (column, row) if first is None else (row, column)
        self._doubt(point, self._order[point, level], other)

    def found(self) -> Rows:
        """Return how many are below each limit, int64 (n_asked, n)."""
        out = np.empty(self._order.shape, np.int64)
        np.put_along_axis(out, self._order, self._counts.T, 1)
        return out


def _count_in_rows(below: NDArray[np.bool_]) -> Rows:
    """Count in each row; bytes are added while their sum fits a byte, which is fast."""
    bits = below.view(np.uint8)
    n_rows, n_columns = bits.shape
    parts = 16
    whole = n_columns // parts * parts
    sums = bits[:, :whole].reshape(n_rows, parts, -1).sum(axis=1, dtype=np.uint8)
    counts = sums.sum(axis=1, dtype=np.int64)
    return np.asarray(counts + bits[:, whole:].sum(axis=1, dtype=np.int64), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Limits:
    """Squared distances of others whose ranks are asked for.

    Attributes:
        own: float64 (n_rows, n), below which a point is nearer; -infinity where none is asked for.
        low, high: float32, between which a square of products leaves it open.
    """

    own: Numbers
    low: Singles
    high: Singles

    def some(self, kept: Rows) -> Limits:
        """Return those of some rows."""
        return Limits(self.own[kept], self.low[kept], self.high[kept])

    def where(self, kept: Flags) -> Limits:
        """Return some limits, and -infinity in place of the others."""
        own, low, high = self.own.copy(), self.low.copy(), self.high.copy()
        for numbers in (own, low, high):
            numbers[~kept] = -np.inf
        return Limits(own, low, high)


def measure_limits(exact: ExactRows, rounded: RoundedRows, asked: Asked) -> Limits:
    """Measure the others; to a point without a direction all are equally far."""
    sizes = np.full(exact.space.shape[0], -np.inf)
    sizes[rounded.rows] = rounded.sizes
    own = measure_squares(exact, asked.rows, asked.others)
    kept = asked.wanted & np.isfinite(sizes[asked.rows])[:, None]
    wrong = rounding(rounded.points.shape[1], np.float32) * (sizes[asked.rows][:, None] + own)
    own *= 1 - TIED
    low, high = (own - wrong).astype(np.float32), (own + wrong).astype(np.float32)
    return Limits(own, low, high).where(kept)


def count_nearer(exact: ExactRows, asked: Asked, tell: Tell = lambda done: None) -> Rows:
    """Count the points that are nearer to a row than each of some others, exactly.

    Args:
        exact: The vectors, their zero rows known under cosine.
        asked: Which others, of which rows.
        tell: Is told how many rows are done.

    Returns:
        int64 (n_rows, n), where they are wanted; the rank of a point is one more.
    """
    if not is_swept(exact, len(asked.rows)):
        return multiply_exactly(exact, asked, tell)
    rounded = round_rows(exact)
    limits = measure_limits(exact, rounded, asked)
    places = np.full(exact.space.shape[0], -1)
    places[rounded.rows] = np.arange(len(rounded.rows))
    place = places[asked.rows]
    some = np.flatnonzero(place >= 0)
    some = some[np.argsort(-asked.wanted[some].sum(axis=1), kind="stable")]
    rest = np.ones(len(rounded.rows), np.bool_)
    rest[place[some]] = False
    order = np.concatenate([place[some], np.flatnonzero(rest)])
    augmented, rows = augment_points(rounded.points, order), rounded.rows[order]
    del rounded
    chosen = limits.some(some)
    doubts = Doubts(exact, rows, chosen.own)
    nearer = Nearer(chosen.low, chosen.high, doubts.add)
    visit_pairs(augmented, len(some), [nearer], tell)
    out = _zeros_nearer(exact, limits)
    counts, unsure = doubts.found()
    out[some] += nearer.found() + counts
    return _settle(exact, asked, some[unsure], out)


def is_swept(exact: ExactRows, n_rows: int) -> bool:
    """Return whether it pays to compare so many rows with all by tiles of pairs."""
    n_points, n_dims = exact.space.shape
    return n_points >= FEWEST and n_rows * n_points * n_dims > SWEPT_COST


def sweep_neighbors(
    exact: ExactRows, k: int, asked: Asked | None = None, tell: Tell = lambda done: None
) -> tuple[Best, Rows | None]:
    """Find the nearest others of all points, and count those nearer than some.

    Args:
        exact: The vectors, their zero rows known under cosine.
        k: How many are found.
        asked: Others of all points, in order, whose ranks are counted in the same pass.
        tell: Is told how many points are done.

    Returns:
        What is nearest, and what `count_nearer` returns; None where it was not counted.
    """
    counts: Rows | None = None

    def search(rounded: RoundedRows, wanted: int) -> tuple[Indices, Numbers]:
        nonlocal counts
        if len(rounded.rows) < max(FEWEST, 4 * wanted):
            return rounded.nearest(None, wanted)
        if asked is None:
            return _find(rounded, wanted, tell)
        limits = measure_limits(exact, rounded, asked)
        found, reach, nearer, unsure = _find_and_count(exact, rounded, wanted, limits, tell)
        counts = _zeros_nearer(exact, limits)
        counts[rounded.rows] += nearer
        counts = _settle(exact, asked, rounded.rows[unsure], counts)
        return found, reach

    return compare_rows(exact, k, search), counts


def _find(rounded: RoundedRows, wanted: int, tell: Tell) -> tuple[Indices, Numbers]:
    """Return what `RoundedRows.nearest` does."""
    nearest = Nearest(sample_thresholds(rounded.points, wanted), wanted)
    every = np.arange(len(rounded.rows))
    visit_pairs(augment_points(rounded.points, every), len(every), [nearest], tell)
    return _candidates(rounded, nearest, every)


def _find_and_count(
    exact: ExactRows, rounded: RoundedRows, wanted: int, limits: Limits, tell: Tell
) -> tuple[Indices, Numbers, Rows, Rows]:
    """Return what `RoundedRows.nearest` does, how many are below limits, and whose is not known."""
    thresholds, limits = sample_thresholds(rounded.points, wanted), limits.some(rounded.rows)
    # Below the threshold others are looked at one by one; above it all are compared.
    far = limits.high > thresholds[:, None]
    order = np.argsort(-far.sum(axis=1), kind="stable")
    far, ordered = far[order], limits.some(order)
    doubts = Doubts(exact, rounded.rows[order], ordered.own)
    nearest = Nearest(thresholds[order], wanted)
    near = ordered.where(~far)
    nearest.count(near.low, near.high, doubts.add)
    beyond = ordered.where(far)
    nearer = Nearer(beyond.low, beyond.high, doubts.add)
    visit_pairs(augment_points(rounded.points, order), len(order), [nearest, nearer], tell)
    found, reach = _candidates(rounded, nearest, order)
    measured, unsure = doubts.found()
    counts = np.empty(measured.shape, np.int64)
    counts[order] = nearest.nearer + nearer.found() + measured
    return found, reach, counts, np.sort(order[unsure])


def _candidates(rounded: RoundedRows, nearest: Nearest, order: Rows) -> tuple[Indices, Numbers]:
    """Return what `RoundedRows.nearest` does, of what was found of points in another order."""
    others, last, missed = nearest.found()
    found, squares = np.empty_like(others), np.empty_like(last)
    found[order], squares[order] = order.astype(np.int32)[others], last
    reach = rounded.reach(None, squares)
    again = np.sort(order[missed])
    if len(again):
        found[again], reach[again] = rounded.nearest(again, others.shape[1])
    return found, reach


def _settle(exact: ExactRows, asked: Asked, unsure: Rows, counts: Rows) -> Rows:
    """Return counts, those of some places in `asked` counted again in float64."""
    if len(unsure):
        counts[unsure] = multiply_exactly(exact, asked.some(unsure))
    return counts


def _zeros_nearer(exact: ExactRows, limits: Limits) -> Rows:
    """Return how many points without a direction are below limits: at cosine distance 1."""
    return (limits.own > 2).astype(np.int64) * len(exact.zero)
