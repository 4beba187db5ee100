"""Ranks of neighbors on a device, for the quality of pictures.

What is searched in the picture itself stays with the processor, whose tree is quicker there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.devices import Array, Arrays, in_blocks, telling_shortage
from embviz.neighbors.exact_rows import ExactRows

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

PAIRS = 1 << 24  # Of points at once, and numbers of differences.
_FOR = "the quality figures"


def count_nearer(
    arrays: Arrays, exact: ExactRows, asked: tuple[Rows, Numbers], middle: Numbers, limits: Numbers
) -> Rows:
    """Count the other points whose squared distance from a row is below each of its limits.

    Args:
        arrays: Of the device.
        exact: All rows.
        asked: Which rows, int64 (n_rows,), and they themselves about the middle.
        middle: float64 (n_dims,).
        limits: float64 (n_rows, n).

    Returns:
        int64 (n_rows, n).
    """
    rows, near = asked
    n_points, n_dims = exact.space.shape
    counts = np.zeros(limits.shape, np.int64)
    is_zero = np.zeros(n_points, np.bool_)
    is_zero[exact.zero] = True

    def count(part: slice) -> None:
        block = exact.take_near_one(part) - middle
        sizes = arrays.put(np.einsum("ij,ij->i", block, block))
        squares = arrays.products(queries, arrays.put(block).T) * -2 + sizes + lengths
        # A zero vector is at cosine distance 1 from all others.
        apart = zero_rows[:, None] | arrays.put(is_zero[part])[None, :]
        squares = arrays.where(apart, 2.0, squares)
        numbers = arrays.steps(part.stop - part.start) + part.start
        squares = arrays.where(numbers == own[:, None], float("inf"), squares)
        found = arrays.count_below(arrays.sort(squares)[0], below)
        counts[:] += arrays.get(found)

    with telling_shortage(arrays, _FOR):
        queries, own, below = arrays.put(near), arrays.put(rows), arrays.put(limits)
        zero_rows = arrays.put(is_zero[rows])
        lengths = arrays.sum(queries * queries, 1)[:, None]
        in_blocks(arrays, n_points, max(1, PAIRS // max(n_dims, len(rows))), count)
    return counts


def rank_placed(
    arrays: Arrays, placed: NDArray[np.float32], rows: Rows, others: NDArray[np.integer[Any]]
) -> Rows:
    """Return what `near_places.rank_placed` does."""
    ranks = np.empty(others.shape, np.int64)

    def rank(part: slice) -> None:
        here = arrays.put(rows[part])
        squares: Array = 0.0
        for column in columns:
            apart = column[None, :] - arrays.take(column, here)[:, None]
            squares = apart * apart + squares
        own = arrays.take_along(squares, arrays.put(others[part].astype(np.int64)))
        ranks[part] = arrays.get(arrays.count_below(arrays.sort(squares)[0], own))

    with telling_shortage(arrays, _FOR):
        columns = [arrays.put(column.astype(np.float64)) for column in placed.T]
        in_blocks(arrays, len(rows), max(1, PAIRS // len(placed)), rank)
    # The point itself is among the nearer, but where the other one is in its place.
    return np.maximum(ranks, 1)


def rank_among(
    arrays: Arrays,
    points: NDArray[np.float32],
    others: NDArray[np.integer[Any]],
    among: NDArray[np.integer[Any]],
    wrong: float = 0.0,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return squared distances from others, and how many of some points are nearer than they.

    Args:
        arrays: Of the device.
        points: float32 (n_points, n_dims), about their middle.
        others: int (n_points, n).
        among: int (n_among,), the points that are counted, without the point itself.
        wrong: By which share of both squares a count's limit is lowered, for rounding.

    Returns:
        Both float32 (n_points, n).
    """
    n_points, n_dims = points.shape
    squares, counts = (np.empty(others.shape, np.float32) for _ in range(2))

    def rank(part: slice) -> None:
        here = held[part]
        apart = arrays.take(held, arrays.put(others[part].astype(np.int64))) - here[:, None, :]
        apart *= apart
        own = arrays.sum(apart, 2)
        lengths = sizes[part][:, None]
        if n_dims > 3:
            found = arrays.products(here, few.T) * -2 + few_sizes + lengths
        else:  # As places, of which equal ones are to stay equal.
            apart = few[None, :, :] - here[:, None, :]
            apart *= apart
            found = arrays.sum(apart, 2)
        numbers = arrays.steps(part.stop - part.start) + part.start
        found = arrays.where(chosen == numbers[:, None], float("inf"), found)
        limits = own - wrong * (own + lengths)
        squares[part] = arrays.get(own)
        counts[part] = arrays.get(arrays.count_below(arrays.sort(found)[0], limits))

    with telling_shortage(arrays, _FOR):
        held, chosen = arrays.put(points), arrays.put(among.astype(np.int64))
        sizes = arrays.sum(held * held, 1)
        few, few_sizes = arrays.take(held, chosen), arrays.take(sizes, chosen)
        together = max(n_dims * others.shape[1], n_dims * len(among) if n_dims <= 3 else 1)
        step = max(1, (PAIRS << 2) // max(together, len(among)))
        in_blocks(arrays, n_points, step, rank)
    return squares, counts
