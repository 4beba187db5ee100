"""The repulsion of t-SNE summed over all pairs of points.

Differences are taken coordinate by coordinate, not by inner products: nothing cancels, however near
two points are or however far the map extends, so that no map is mistaken for a single place.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BLOCK_PAIRS = 100_000  # Two float64 buffers of so many pairs stay in a core's cache.


def sum_repulsion(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return the sums of d / (1 + |d|^2)^2 and the sum of 1 / (1 + |d|^2) over all pairs.

    Args:
        points: float64 (n_points, n_components).

    Returns:
        float64 (n_points, n_components), over all others of each point; a number, without the
        points themselves.
    """
    n_points, n_components = points.shape
    ones = np.column_stack([points, np.ones(n_points)])
    sums = np.zeros_like(ones)  # Of w y_j and of w, where w is the square of the kernel.
    total = 0.0
    for rows, near in _upper_pairs(points):
        n_rows = rows.stop - rows.start
        total += _sum_both_ways(near, n_rows)
        np.multiply(near, near, out=near)
        sums[rows] += near @ ones[rows.start :]
        sums[rows.stop :] += near[:, n_rows:].T @ ones[rows]
    forces = points * sums[:, n_components:] - sums[:, :n_components]
    return forces, total


def sum_curvature(
    points: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return the second derivatives of the repulsion, too.

    Args:
        points: float64 (n_points, n_components).

    Returns:
        The sums of w^2 d, where w = 1 / (1 + |d|^2), float64 (n_points, n_components), over all
        others of each point; those of w^2 I - 4 w^3 d d^T, the upper triangle row by row, float64
        (n_points, n_components * (n_components + 1) / 2); the sum of w over all ordered pairs.
    """
    n_points, n_components = points.shape
    first, second = np.triu_indices(n_components)
    places = points - points.mean(axis=0)  # So that products keep their digits.
    columns = np.column_stack([np.ones(n_points), places, places[:, first] * places[:, second]])
    n_first = 1 + n_components
    squares = np.zeros((n_points, n_first))
    cubes = np.zeros_like(columns)
    total = 0.0
    for rows, near in _upper_pairs(points):
        n_rows = rows.stop - rows.start
        total += _sum_both_ways(near, n_rows)
        power = near * near
        squares[rows] += power @ columns[rows.start :, :n_first]
        squares[rows.stop :] += power[:, n_rows:].T @ columns[rows, :n_first]
        power *= near
        cubes[rows] += power @ columns[rows.start :]
        cubes[rows.stop :] += power[:, n_rows:].T @ columns[rows]
    forces = places * squares[:, :1] - squares[:, 1:]
    spread = columns[:, n_first:] * cubes[:, :1] + cubes[:, n_first:]
    spread -= places[:, first] * cubes[:, 1 + second] + places[:, second] * cubes[:, 1 + first]
    return forces, np.where(first == second, squares[:, :1], 0) - 4 * spread, total


def sum_affinity(points: NDArray[np.float64]) -> float:
    """Return the sum of 1 / (1 + |d|^2) over all ordered pairs of two points."""
    pairs = _upper_pairs(points)
    return sum(_sum_both_ways(near, r.stop - r.start) for r, near in pairs)


def _sum_both_ways(near: NDArray[np.float64], n_rows: int) -> float:
    """Return the sum over a block of rows and its mirror image; the square of both counts once."""
    return float(2 * near.sum() - near[:, :n_rows].sum())


def _upper_pairs(points: NDArray[np.float64]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield rows and 1 / (1 + |d|^2) from each to the first of them and all after, 0 to itself.

    The memory is used again for the next rows.
    """
    n_points = len(points)
    columns = [np.ascontiguousarray(column) for column in points.T]
    step = max(1, min(n_points, BLOCK_PAIRS // n_points))
    space = np.empty((2, step * n_points))
    for start in range(0, n_points, step):
        rows = slice(start, min(start + step, n_points))
        shape = (rows.stop - start, n_points - start)
        near, apart = (part[: shape[0] * shape[1]].reshape(shape) for part in space)
        near.fill(1)
        for column in columns:
            np.subtract(column[rows, None], column[start:], out=apart)
            np.multiply(apart, apart, out=apart)
            near += apart
        np.reciprocal(near, out=near)
        np.fill_diagonal(near, 0)
        yield rows, near
