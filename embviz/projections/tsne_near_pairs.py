"""The part of t-SNE's repulsion that acts between near points alone, summed over their pairs.

The kernel 1 / (1 + |d|^2) is the integral of exp(-t (1 + |d|^2)) over t. What the rates t above
some rate add is exp(-rate (1 + |d|^2)) / (1 + |d|^2), which is soon next to nothing, and what is
left is so smooth that a coarse grid does, as in Ewald's sums.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.projections.tsne_spline import Pool

PAIRS = 1 << 17  # At once: vectors of them stay in a core's cache.


@dataclass(frozen=True, eq=False)
class Cells:
    """Points in cells whose sides are as long as pairs reach.

    Attributes:
        ids: int64 (n_points,), the cell of each point, counted along the last component first.
        first: int64, how many points lie in the cells before each.
        rows: How far on the cells are that begin, and those that end, a row of neighbors; half of
            all rows, of which the first begins with the cell itself.
    """

    ids: NDArray[np.int64]
    first: NDArray[np.int64]
    rows: list[tuple[int, int]]

    @classmethod
    def of(cls, points: NDArray[np.float64], reach: float) -> Cells:
        """Return the cells of points, float64 (n_points, n_components)."""
        columns = np.ascontiguousarray(points.T)
        low = columns.min(axis=1)
        # An empty cell before and after each row, so that none goes on in the next.
        shape = [int(extent / reach) + 3 for extent in columns.max(axis=1) - low]
        strides = [math.prod(shape[c + 1 :]) for c in range(len(shape))]
        ids = np.zeros(len(points), np.int64)
        for column, least, stride in zip(columns, low, strides, strict=True):
            ids += (((column - least) * (1 / reach)).astype(np.int64) + 1) * stride
        first = np.zeros(math.prod(shape) + 1, np.int64)
        np.cumsum(np.bincount(ids, minlength=len(first) - 1), out=first[1:])
        steps = itertools.product((-1, 0, 1), repeat=len(shape) - 1)
        beyond = [sum(n * s for n, s in zip(step, strides[:-1], strict=True)) for step in steps]
        rows = [(0, 1), *((row - 1, row + 1) for row in beyond if row > 0)]
        return cls(ids, first, rows)

    def count_pairs(self) -> int:
        """Return how many pairs are looked at, or somewhat more."""
        return int(sum((self.first[self.ids + b + 1] - self.first[self.ids + a]).sum()
                       for a, b in self.rows))  # fmt: skip


def sum_near(
    points: NDArray[np.float64], cells: Cells, reach: float, rate: float, pool: Pool
) -> tuple[NDArray[np.float64], float]:
    """Return what the near part of the kernel adds to `tsne_exact.sum_repulsion`.

    Args:
        points: float64 (n_points, n_components).
        cells: Of the points, for this reach.
        reach: Distance up to which pairs are summed.
        rate: Above which the rates are near; what is left is 1 / (1 + |d|^2) times
            1 - exp(-rate (1 + |d|^2)).
        pool: Threads.
    """
    order = np.argsort(cells.ids, kind="stable")
    ids = cells.ids[order]
    begins = np.stack([cells.first[ids + a] for a, _ in cells.rows])
    begins[0] = np.arange(1, len(ids) + 1)  # Those after the point in its own cell.
    counts = np.stack([cells.first[ids + b + 1] for _, b in cells.rows]) - begins
    columns = np.ascontiguousarray((points - points.mean(axis=0)).T[:, order], np.float32)
    ends = np.searchsorted(
        np.cumsum(counts.sum(axis=0)), np.arange(PAIRS, counts.sum() + PAIRS, PAIRS)
    )
    stops = np.unique(np.minimum(ends + 1, len(ids))).tolist()
    parts = [slice(a, b) for a, b in itertools.pairwise([0, *stops])]

    def add(part: slice) -> tuple[Any, ...]:
        return _sum_part(columns, part, begins[:, part], counts[:, part], (reach, rate))

    sums = np.zeros_like(columns, np.float64)
    total = 0.0
    for part, (to, share, others, back) in zip(parts, pool.map(add, parts), strict=True):
        sums[:, part] += to
        for row, values in zip(sums, back, strict=True):
            np.subtract.at(row, others, values)
        total += share
    forces = np.empty_like(points)
    forces[order] = sums.T
    return forces, 2 * total


def _sum_part(
    columns: NDArray[np.float32],
    part: slice,
    begins: NDArray[np.int64],
    counts: NDArray[np.int64],
    law: tuple[float, float],
) -> tuple[NDArray[np.float64], float, NDArray[np.int64], list[NDArray[np.float64]]]:
    """Return the sums of some points' forces, the kernel's sum, and what acts back on whom."""
    reach, rate = law
    n_rows, n_points = counts.shape
    flat = counts.ravel()
    others = np.arange(flat.sum())
    others += np.repeat(begins.ravel() - (np.cumsum(flat) - flat), flat)
    apart = [np.repeat(np.tile(row[part], n_rows), flat) - row.take(others) for row in columns]
    near = apart[0] * apart[0]
    for differences in apart[1:]:
        near += differences * differences
    kept = np.flatnonzero(near <= reach * reach)
    near = near[kept] + 1
    kernel = np.exp(near * np.float32(-rate)) / near
    strength = kernel * (1 / near + np.float32(rate))
    own = np.repeat(np.tile(np.arange(n_points), n_rows), flat)[kept]
    forces = [(strength * differences[kept]).astype(np.float64) for differences in apart]
    to = np.stack([np.bincount(own, f, n_points) for f in forces]).astype(np.float64, copy=False)
    return to, float(kernel.sum(dtype=np.float64)), others[kept], forces
