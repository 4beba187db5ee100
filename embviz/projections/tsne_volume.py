"""The repulsion of t-SNE in three dimensions: by a grid alone, or by a coarser one and near pairs.

Nodes as near as the kernel asks for fill little space while a map is small. A map that has spread
needs many, most of them where there is nothing; but then few points are near each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embviz.projections.tsne_near_pairs import Cells, sum_near
from embviz.projections.tsne_spline import FASTEST, Pool, SplineRepulsion, lay_grid

MOST_ENTRIES = 512**3  # Of the padded grid; 0.8 GB.
# Nanoseconds on two cores, measured: an entry of the padded grid, a point on it, a pair looked at.
ENTRY, CAST, PAIR = 3.0, 200.0, 6.0


class Way(NamedTuple):
    """How the sums are split.

    Attributes:
        spacing: Distance of the grid's nodes.
        rate: Of Gaussians in the kernel, above which they are left to near pairs.
        reach: Distance up to which pairs are near; 0 where all is left to the grid.
    """

    spacing: float
    rate: float = FASTEST
    reach: float = 0.0


# Each with an error of the forces of 1 to 2 % where it is in use, as the tree has, or below 1 %. A
# coarser grid makes the map worse while it unfolds: of 10,000 digits, its divergence is 1.003 of
# that by all pairs with nodes at first 0.5 apart, and 1.011 of it with 0.75.
USUAL = (Way(0.5), Way(1.25, 0.4, 3.0))
FINE = (Way(0.375), Way(1.0, 0.5, 3.5))


@dataclass(frozen=True, eq=False)
class Plan:
    """The cheaper way for a map, the nodes of its padded grid, and the nanoseconds it takes."""

    way: Way
    n_entries: int
    cost: float
    cells: Cells | None = None


def plan_sums(points: NDArray[np.float64], ways: tuple[Way, Way] = USUAL) -> Plan | None:
    """Return the cheaper of two ways for a map, or None where the grids of both are too large.

    Args:
        points: float64 (n_points, n_components).
        ways: By a grid alone, and by a coarser one with near pairs.
    """
    alone, coarse = ways
    cost = CAST * len(points)
    plans = []
    entries, fewer = (_count_entries(points, way.spacing) for way in ways)
    if entries <= MOST_ENTRIES:
        plans.append(Plan(alone, entries, cost + ENTRY * entries))
    # To count pairs takes as long as to cast a point.
    if fewer <= MOST_ENTRIES and ENTRY * fewer + cost < ENTRY * entries:
        cells = Cells.of(points, coarse.reach)
        pairs = PAIR * cells.count_pairs()
        plans.append(Plan(coarse, fewer, 2 * cost + ENTRY * fewer + pairs, cells))
    return min(plans, key=lambda plan: plan.cost, default=None)


def _count_entries(points: NDArray[np.float64], spacing: float) -> int:
    """Return how many nodes the padded grid has, or would have at least where they are too many."""
    grid = lay_grid(points, spacing)
    unpadded = math.prod(grid.shape)
    return unpadded if unpadded > MOST_ENTRIES else grid.n_entries


@dataclass(eq=False)
class VolumeRepulsion:
    """The repulsion of all points by the cheaper of two ways.

    Args:
        n_threads: Threads; the result is the same for any number.
    """

    n_threads: int = 1
    _on_grid: SplineRepulsion | None = None

    def __call__(
        self, points: NDArray[np.float64], plan: Plan | None = None
    ) -> tuple[NDArray[np.float64], float]:
        """Return the sums of d / (1 + |d|^2)^2 and the sum of 1 / (1 + |d|^2) over all pairs.

        Args:
            points: float64 (n_points, n_components).
            plan: What `plan_sums` returned for them; None is that of the usual ways.

        Raises:
            ValueError: If there is no plan for so extended a map.
        """
        plan = plan or plan_sums(points)
        if plan is None:
            raise ValueError("the map is too extended for a grid")
        way = plan.way
        held = self._on_grid
        if held is None or (held.spacing, held.fastest) != (way.spacing, way.rate):
            self._on_grid = held = SplineRepulsion(self.n_threads, way.spacing, way.rate)
        forces, total = held(points)
        if plan.cells is None:
            return forces, total
        with Pool(self.n_threads) as pool:
            near, share = sum_near(points, plan.cells, way.reach, way.rate, pool)
        return forces + near, total + share
