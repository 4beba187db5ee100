"""Which points are near each other in a picture, and how near."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.devices import Arrays
from embviz.kernels import count_cores
from embviz.pictures import on_device

Places = NDArray[np.float32]
Rows = NDArray[np.int64]


def nearest_placed(placed: Places, k: int, rows: Rows | None = None) -> Rows:
    """Return the k nearest other points in the picture, int64 (n_rows, k).

    Places are searched, not points, since a tree of many equal points is as slow as none. Of
    the points at one place those that follow in it come first.

    Args:
        placed: float32 (n_points, n_components).
        k: Below n_points.
        rows: int64 (n_rows,), of which points; None for all.
    """
    from scipy.spatial import KDTree

    n_points = len(placed)
    order = np.lexsort(placed.T)  # Place by place.
    first = np.ones(n_points, np.bool_)
    first[1:] = (placed[order[1:]] != placed[order[:-1]]).any(axis=1)
    starts = np.flatnonzero(first)
    places = placed[order[starts]]
    counts = np.diff(np.append(starts, n_points))
    number = np.empty(n_points, np.int64)  # Of each point in `order`.
    number[order] = np.arange(n_points)
    asked = number if rows is None else number[rows]
    of_place, which_place = np.unique(
        np.searchsorted(starts, asked, side="right") - 1, return_inverse=True
    )
    tree = KDTree(places)
    _, found = tree.query(places[of_place], min(k + 1, len(places)), workers=-1)
    found = np.asarray(found, np.int64).reshape(len(of_place), -1)
    # The place itself comes first, wherever rounding has put it.
    odd = np.flatnonzero(found[:, 0] != of_place)
    first_own = np.argsort(found[odd] != of_place[odd, None], axis=1, kind="stable")
    found[odd] = np.take_along_axis(found[odd], first_own, axis=1)
    if len(places) == n_points:  # Each point has a place of its own.
        return np.asarray(order[found[which_place.ravel(), 1:]])
    held = np.cumsum(counts[found], axis=1)  # Points in the place and those before it.
    near = np.empty((len(asked), k), np.int64)
    step = max(1, (1 << 24) // (k * found.shape[1]))
    for start in range(0, len(asked), step):
        member = asked[start : start + step]
        here = which_place[start : start + step]
        place = of_place[here]
        own = counts[place]
        wanted = np.arange(1, k + 1) + np.zeros_like(member)[:, None]
        inside = wanted < own[:, None]
        which = (wanted[:, :, None] >= held[here][:, None, :]).sum(axis=2)
        other = np.take_along_axis(found[here], which, 1)
        before = np.take_along_axis(held[here], which, 1) - counts[other]
        there = starts[other] + wanted - before
        rank = (member - starts[place])[:, None] + wanted
        there = np.where(inside, starts[place][:, None] + rank % own[:, None], there)
        near[start : start + step] = order[there]
    return near


def rank_placed(
    placed: Places, rows: Rows, others: NDArray[np.integer[Any]], arrays: Arrays | None = None
) -> Rows:
    """Return the rank, 1 for the nearest, of some points in the picture's order of each row.

    Equally near points have the same rank, the first that one of them would have.

    Args:
        placed: float32 (n_points, n_components).
        rows: int64 (n_rows,).
        others: int (n_rows, n), points other than the row.
        arrays: Of a card, which gives the same.
    """
    if arrays is not None:
        return on_device.rank_placed(arrays, placed, rows, others)
    columns = np.ascontiguousarray(placed.T, np.float64)
    ranks = np.empty(others.shape, np.int64)

    def count(part: Rows) -> None:
        for i in part.tolist():
            apart = np.square(columns[0] - columns[0, rows[i]])
            for column in columns[1:]:
                apart += np.square(column - column[rows[i]])
            own = apart[others[i]]
            nearer = apart[apart < own.max()]
            nearer.sort()
            # The point itself is among the nearer, but where the other one is in its place.
            ranks[i] = np.maximum(np.searchsorted(nearer, own), 1)

    with ThreadPoolExecutor(count_cores()) as pool:
        list(pool.map(count, np.array_split(np.arange(len(rows)), count_cores())))
    return ranks
