"""What false and missing neighbors each point has, by ranks among some of the others.

Ranking every point among all takes the square of their number. The share of all points that are
nearer than a neighbor is that of a random part of them, within a half over the root of its size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.ranks import rounding
from embviz.devices import Arrays
from embviz.kernels import choose_kernels, map_in_order
from embviz.neighbors.exact_rows import ExactRows
from embviz.neighbors.rounded import round_few_rows
from embviz.pictures.on_device import rank_among

Matrix = NDArray[np.float32]
Rows = NDArray[np.integer[Any]]

MOST, _LEAST = 400, 100
_PAIRS = 100_000_000
_TOLD = 100  # A distance is told where rounding is off by less than this part of its square.
_TOGETHER = 512


def count_reference(n_points: int) -> int:
    """Return among how many random points the others are ranked."""
    return min(n_points, MOST, max(_LEAST, _PAIRS // n_points))


def draw_reference(n_points: int, rng: np.random.Generator) -> Rows:
    """Return the points among which others are ranked, int64 (n_reference,), ascending."""
    return np.sort(rng.choice(n_points, count_reference(n_points), replace=False))


def estimate_original(
    exact: ExactRows, others: Rows, among: Rows, n_first: int
) -> tuple[Matrix, Matrix]:
    """Measure each point's distances from others in the original space, and estimate ranks.

    Args:
        exact: The vectors.
        others: int (n_points, n).
        among: What `draw_reference` returned.
        n_first: Of the first columns only the distances are wanted.

    Returns:
        The distances, in some unit, float32 (n_points, n), and the ranks of the other columns,
        float32 (n_points, n - n_first); NaN where float32 does not tell.
    """
    n_points = exact.space.shape[0]
    rounded = round_few_rows(exact)
    place = np.full(n_points, -1)
    place[rounded.rows] = np.arange(len(rounded.rows))
    points, sizes = rounded.points, rounded.sizes.astype(np.float32)
    chosen = place[among][place[among] >= 0]
    few, lengths = points[chosen], sizes[chosen]
    wrong = rounding(points.shape[1], np.float32)
    distances = np.full(others.shape, np.nan, np.float32)
    ranks = np.full((n_points, others.shape[1] - n_first), np.nan, np.float32)
    if exact.space.arrays is not None:
        known = (place >= 0) & (place[others] >= 0).all(axis=1)
        there, arrays = np.where(known[:, None], place[others], 0)[rounded.rows], exact.space.arrays
        found, counts = rank_among(arrays, points, there, chosen, wrong)
        known, there = known[rounded.rows], there[:, n_first:]
        distances[rounded.rows[known]] = np.sqrt(found[known])
        own, counts = found[:, n_first:], counts[:, n_first:]
        share = counts / _count_others(np.arange(len(points)), there, chosen)
        told = _estimated(share, own, wrong * (own + sizes[:, None]), n_points)
        ranks[rounded.rows[known]] = told[known]
        return distances, ranks

    def estimate(rows: Rows) -> None:
        here, there = place[rows], place[others[rows]]
        known = (here >= 0) & (there >= 0).all(axis=1)
        rows, here, there = rows[known], here[known], there[known]
        own = choose_kernels().squares(points[here], points, there)
        distances[rows] = np.sqrt(own)
        own, there = own[:, n_first:], there[:, n_first:]
        off = wrong * (own + sizes[here, None])
        squares = points[here] @ few.T
        squares *= -2
        squares += lengths
        squares += sizes[here, None]
        squares[here[:, None] == chosen] = np.inf
        share = _count_below(squares, own - off) / _count_others(here, there, chosen)
        ranks[rows] = _estimated(share, own, off, n_points)

    _in_blocks(estimate, n_points)
    return distances, ranks


def _estimated(
    share: NDArray[np.float64], own: Matrix, off: NDArray[np.floating[Any]], n_points: int
) -> NDArray[np.float64]:
    """Return ranks by the share of points that are nearer; NaN where float32 does not tell.

    Args:
        share: Of the points at random that are nearer, (n, k).
        own: The squared distances.
        off: How far they may be off.
        n_points: Of all.
    """
    found = np.where(own == 0, 1, 1 + share * (n_points - 2))
    found[~((own == 0) | (off * _TOLD < own)).all(axis=1)] = np.nan
    return found


def estimate_placed(
    placed: Matrix, others: Rows, among: Rows, arrays: Arrays | None = None
) -> Matrix:
    """Estimate the ranks of others in the picture's order of each point, float32 (n_points, n).

    Args:
        placed: float32 (n_points, n_components).
        others: int (n_points, n).
        among: What `draw_reference` returned.
        arrays: Of a card, for it to be done there.
    """
    # Near 1, so that squares of 32 bits are in range; equal places stay equal.
    middle = placed.astype(np.float64) - placed.mean(axis=0, dtype=np.float64)
    size = float(np.abs(middle).max(initial=0)) or 1.0
    if arrays is not None:
        near_one = np.ascontiguousarray(middle / size, np.float32)
        counts = rank_among(arrays, near_one, others, among)[1]
        share = counts / _count_others(np.arange(len(placed)), others, among)
        return np.asarray(1 + share * (len(placed) - 2), np.float32)
    columns = np.ascontiguousarray((middle / size).T, np.float32)
    ranks = np.empty(others.shape, np.float32)

    def estimate(rows: Rows) -> None:
        there = others[rows]
        squares = np.zeros((len(rows), len(among)), np.float32)
        own = np.zeros(there.shape, np.float32)
        for column in columns:
            squares += np.square(column[among] - column[rows, None])
            own += np.square(column[there] - column[rows, None])
        squares[rows[:, None] == among] = np.inf
        share = _count_below(squares, own) / _count_others(rows, there, among)
        ranks[rows] = 1 + share * (len(placed) - 2)

    _in_blocks(estimate, len(placed))
    return ranks


def _count_others(rows: Rows, others: Rows, among: Rows) -> Rows:
    """Return how many of the points among which one is ranked are neither it nor the row."""
    drawn = np.zeros(1 + max(int(a.max(initial=0)) for a in (rows, others, among)), np.int64)
    drawn[among] = 1
    return np.asarray(np.maximum(len(among) - drawn[rows][:, None] - drawn[others], 1))


def _count_below(values: NDArray[np.floating[Any]], limits: NDArray[np.floating[Any]]) -> Rows:
    """Count the values of each row (n, m) below each of its limits (n, k), none of them below 0.

    What rounding has put below 0 counts as 0.
    """
    # A row's number above the bits of a float, which from 0 on are in its order: all rows are one
    # sorted list.
    first = np.arange(len(values), dtype=np.uint64)[:, None] << np.uint64(32)
    keys = np.sort(np.maximum(values, 0, dtype=np.float32), axis=1).view(np.uint32) | first
    asked = np.maximum(limits, 0, dtype=np.float32).view(np.uint32) | first
    below = np.searchsorted(keys.ravel(), asked.ravel()).reshape(limits.shape)
    return np.asarray(below - np.arange(len(values))[:, None] * values.shape[1])


def _in_blocks(work: Callable[[Rows], None], n_points: int) -> None:
    blocks = [np.arange(s, min(s + _TOGETHER, n_points)) for s in range(0, n_points, _TOGETHER)]
    for _ in map_in_order(work, blocks):
        pass
