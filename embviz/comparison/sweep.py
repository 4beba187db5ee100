"""Neighbors and ranks of many points in one pass over all pairs, by products of float32."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.measures import TIED, Indices, measure_squares
from embviz.neighbors.all_rows import compare_rows
from embviz.neighbors.exact_rows import ExactRows
from embviz.neighbors.nearest_pairs import Nearest, sample_thresholds
from embviz.neighbors.pairs import Tile, augment_points, visit_pairs
from embviz.neighbors.rounded import RoundedRows, round_rows
from embviz.neighbors.scan import Best
from embviz.space import Kind

Limits = NDArray[np.float32]
Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

FEWEST = 8192
"""Points from which one pass over half of all pairs is worth what it takes to prepare it."""


class Nearer:
    """Counts, for some limits a point, the others whose squares are below them.

    Points that have more limits come first, so that what is to be counted is an edge of a tile.
    """

    def __init__(self, limits: Limits) -> None:
        """Take limits (n_asked, n) of the first points, -infinity for none."""
        self._order = np.argsort(-limits, axis=1, kind="stable")
        ordered = np.take_along_axis(limits, self._order, 1).T
        levels = [np.flatnonzero(level > -np.inf) for level in ordered]
        self._levels = [
            np.ascontiguousarray(level[: some[-1] + 1])
            for level, some in zip(ordered, levels, strict=True)
            if len(some)
        ]
        self._counts = np.zeros(limits.shape[::-1], np.int64)
        self._lock = threading.Lock()

    def visit(self, tile: Tile) -> None:
        for level, limits in enumerate(self._levels):
            rows = slice(tile.rows.start, min(tile.rows.stop, len(limits)))
            if rows.start < rows.stop:
                squares = tile.squares[: rows.stop - rows.start]
                found = _count_in_rows(squares < limits[rows][:, None])
                with self._lock:
                    self._counts[level, rows] += found
            columns = slice(tile.columns.start, min(tile.columns.stop, len(limits)))
            if columns.start < columns.stop and not tile.both_ways:
                squares = tile.squares[:, : columns.stop - columns.start]
                below = (squares < limits[columns]).view(np.uint8)
                found = below.sum(axis=0, dtype=np.uint8)  # A tile has so few rows.
                with self._lock:
                    self._counts[level, columns] += found

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

    def limits(self, exact: ExactRows, rounded: RoundedRows) -> Limits:
        """Return squares up to which products tell points that are nearer, -infinity for none."""
        sizes = np.zeros(exact.space.shape[0])
        sizes[rounded.rows] = rounded.sizes
        own = measure_squares(exact, self.rows, self.others)
        limits = own * (1 - TIED) - rounding(rounded.points.shape[1]) * (
            sizes[self.rows][:, None] + own
        )
        directed = np.zeros(len(sizes), np.bool_)
        directed[rounded.rows] = True
        # To a point without a direction all are equally far.
        kept = self.wanted & directed[self.rows][:, None]
        return np.where(kept, limits, -np.inf).astype(np.float32)


def rounding(n_dims: int, kind: Kind = np.float32) -> float:
    """Return by which share of both squared norms a square of products is off, most likely."""
    return float(np.finfo(kind).eps * (4 * n_dims**0.5 + 16))


def sweep_ranks(
    exact: ExactRows, asked: Asked, tell: Callable[[int], None] = lambda done: None
) -> Rows:
    """Count the points that are nearer to a row than each of some others.

    Points whose squared distances differ by less than float32 products can tell count as equally
    near.

    Args:
        exact: The vectors, their zero rows known under cosine.
        asked: Which others, of which rows.
        tell: Is told how many rows are done.

    Returns:
        int64 (n_rows, n), where they are wanted.
    """
    rounded = round_rows(exact)
    limits = asked.limits(exact, rounded)
    place = _places(exact, rounded)[asked.rows]
    some = np.flatnonzero(place >= 0)
    counts = (limits > -np.inf).sum(axis=1)
    some = some[np.argsort(-counts[some], kind="stable")]
    rest = np.ones(len(rounded.rows), np.bool_)
    rest[place[some]] = False
    order = np.concatenate([place[some], np.flatnonzero(rest)])
    augmented = augment_points(rounded.points, order)
    del rounded
    nearer = Nearer(limits[some])
    visit_pairs(augmented, len(some), [nearer], tell)
    out = _zeros_nearer(exact, limits)
    out[some] += nearer.found()
    return out


def sweep_neighbors(exact: ExactRows, k: int, asked: Asked | None = None) -> tuple[Best, Rows]:
    """Find the nearest others of all points, and count those nearer than some.

    Args:
        exact: The vectors, their zero rows known under cosine.
        k: How many are found.
        asked: Others of all points, in order; their ranks are counted in the same pass.

    Returns:
        What is nearest, and what `sweep_ranks` returns, (n_points, 0) where nothing is asked.
    """
    n_points = exact.space.shape[0]
    counts = np.zeros((n_points, 0), np.int64)

    def search(rounded: RoundedRows, wanted: int) -> tuple[Rows, Numbers]:
        nonlocal counts
        if len(rounded.rows) < max(FEWEST, 4 * wanted):
            return rounded.nearest(None, wanted)
        limits = np.empty((n_points, 0), np.float32)
        if asked is not None:
            limits = asked.limits(exact, rounded)
            counts = _zeros_nearer(exact, limits)
        found, reach, nearer = _find_and_count(rounded, wanted, limits[rounded.rows])
        counts[rounded.rows] += nearer
        return found, reach

    return compare_rows(exact, k, search), counts


def _find_and_count(
    rounded: RoundedRows, wanted: int, limits: Limits
) -> tuple[Rows, Numbers, Rows]:
    """Return what `RoundedRows.nearest` does, and how many are below the limits of each."""
    thresholds = sample_thresholds(rounded.points, wanted)
    # Below the threshold others are looked at one by one; above it all are compared.
    far = limits > thresholds[:, None]
    order = np.argsort(-far.sum(axis=1), kind="stable")
    nearest = Nearest(thresholds[order], wanted)
    if limits.shape[1]:
        nearest.count(np.where(far, -np.inf, limits)[order])
    nearer = Nearer(np.where(far, limits, -np.inf)[order])
    visit_pairs(augment_points(rounded.points, order), len(order), [nearest, nearer])
    others, last, missed = nearest.found()
    found, squares = np.empty_like(others), np.empty_like(last)
    found[order], squares[order] = order[others], last
    reach = rounded.reach(None, squares)
    again = np.sort(order[missed])
    if len(again):
        found[again], reach[again] = rounded.nearest(again, wanted)
    counts = np.empty(limits.shape, np.int64)
    counts[order] = nearer.found()
    if limits.shape[1]:
        counts[order] += nearest.nearer
    return found, reach, counts


def _places(exact: ExactRows, rounded: RoundedRows) -> Rows:
    """Return where each row lies in the rounded ones, -1 where it does not."""
    places = np.full(exact.space.shape[0], -1)
    places[rounded.rows] = np.arange(len(rounded.rows))
    return places


def _zeros_nearer(exact: ExactRows, limits: Limits) -> Rows:
    """Return how many points without a direction are below limits: at cosine distance 1."""
    return (limits > 2).astype(np.int64) * len(exact.zero)
