"""The rows as float32, and what that leaves certain of their neighbors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import choose_kernels, map_in_order
from embviz.neighbors.bounds import least_unfound, measure_lengths, rounding_error
from embviz.neighbors.exact_rows import ExactRows

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

FEW_ROUNDED = 1 << 26  # Numbers, 268 MB.
_CACHED_NUMBERS = 1 << 17  # In a batch of rows, which each step finds in the cache.


@dataclass(frozen=True, eq=False)
class RoundedRows:
    """Some of the rows near 1, less a point in their middle, as float32.

    Attributes:
        rows: int64 (n,), which ones; zero rows have no place under cosine.
        points: float32 (n, n_dims).
        error: By which share of their lengths they are off, at most.
        sizes: float64 (n,), their squared norms.
        length: The largest norm of a row before the middle was subtracted, at most.
    """

    rows: Rows
    points: NDArray[np.float32]
    error: float
    sizes: Numbers
    length: float

    def nearest(self, places: Rows | None, wanted: int) -> tuple[Rows, Numbers]:
        """Find candidates for the neighbors of some of them by float32 products.

        Args:
            places: Of the rows that are asked, in `points`; None for all.
            wanted: How many candidates; the row itself is most often among them.

        Returns:
            Their places (n, wanted), and the least distance that any other can have (n,).
        """
        asked = self.points if places is None else np.ascontiguousarray(self.points[places])
        squares, found = choose_kernels().nearest(asked, self.points, wanted)
        if wanted == len(self.points):
            return found, np.full(len(asked), np.inf)
        return found, self.reach(places, squares[:, -1])

    def reach(self, places: Rows | None, last: NDArray[np.float32]) -> Numbers:
        """Return the least distance that others than those which were found can have, (n,).

        Args:
            places: Of the rows that were asked, in `points`; None for all.
            last: float32 (n,), the largest square of what was found.
        """
        sizes = self.sizes if places is None else self.sizes[places]
        wide = last.astype(np.float64)
        reach = least_unfound(sizes, wide, self.points.shape[1], self.error)
        # What float64 loses where the middle is subtracted.
        return reach - 4 * float(np.finfo(np.float64).eps) * self.length


def round_few_rows(exact: ExactRows) -> RoundedRows:
    """Return the rows as float32, held by their space where they are few: they are wanted again."""
    n_points, n_dims = exact.space.shape
    if n_points * n_dims > FEW_ROUNDED:
        return round_rows(exact)
    return exact.space.keep(("rounded", exact.metric), lambda: round_rows(exact))


def round_rows(exact: ExactRows) -> RoundedRows:
    """Return the rows as float32, in one pass."""
    n_points, n_dims = exact.space.shape
    middle = exact.space.center
    if exact.metric == "cosine":
        # Near the mean of the directions, where the rows are of like lengths.
        length = math.sqrt(exact.space.extent.mean_square)
        middle = middle / length if length > 0 else middle
    points = np.empty((n_points, n_dims), np.float32)

    def read(part: slice) -> tuple[Rows, NDArray[np.float32], float]:
        rows = exact.take_near_one(part)
        numbers = np.arange(part.start, part.stop)
        if exact.metric == "cosine":
            there = rows.any(axis=1)
            rows, numbers = (rows, numbers) if there.all() else (rows[there], numbers[there])
        rows = rows - middle
        rounded = rows.astype(np.float32)
        return numbers, rounded, rounding_error(rounded, rows)

    kept: list[Rows] = []
    error, n_kept = 0.0, 0
    step = max(1, _CACHED_NUMBERS // n_dims)
    parts = (slice(first, min(first + step, n_points)) for first in range(0, n_points, step))
    for numbers, rounded, own_error in map_in_order(read, parts):
        points[n_kept : n_kept + len(rounded)] = rounded
        error = max(error, own_error)
        kept.append(numbers)
        n_kept += len(rounded)
    points = points[:n_kept]
    sizes = np.einsum("ij,ij->i", points, points, dtype=np.float64)
    length = float(measure_lengths(middle[None])[0]) + float(np.sqrt(sizes.max(initial=0)))
    return RoundedRows(np.concatenate(kept), points, error, sizes, length)
