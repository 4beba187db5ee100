"""How many points lie in each cell of a grid over a map: whole numbers add up in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CELLS = 1024
"""On the longer side."""
WITHIN, BEYOND = 0.02, 0.2
"""Room on each side, of the longer one: around rows that are placed among those of the sample, and
around rows that are projected by themselves, which may lie beyond it."""


@dataclass(frozen=True)
class Grid:
    """Square cells over a map.

    Attributes:
        low: The corner with the least coordinates.
        cell: The side of a cell.
        width, height: How many cells there are, on either axis.
    """

    low: tuple[float, float]
    cell: float
    width: int
    height: int

    @property
    def high(self) -> tuple[float, float]:
        """The corner with the largest coordinates."""
        return (self.low[0] + self.width * self.cell, self.low[1] + self.height * self.cell)

    def count(self, places: NDArray[np.floating[Any]]) -> Counts:
        """Return how many places (n, 2) lie in each cell that has some; none beyond the grid."""
        # Beyond the grid by whole cells, so that no place is too large for a whole number.
        at = np.floor((places.astype(np.float64) - self.low) / self.cell)
        inside = ((at >= 0) & (at < (self.width, self.height))).all(axis=1)
        x, y = at[inside].astype(np.int64).T
        cells, counts = np.unique(y * self.width + x, return_counts=True)
        return Counts(cells.astype(np.int32), counts.astype(np.int32))

    def add(self, total: NDArray[np.uint32], counts: Counts) -> None:
        """Add counts to a total (height, width), in place."""
        total.reshape(-1)[counts.cells] += counts.counts.astype(np.uint32)


@dataclass(frozen=True, eq=False)
class Counts:
    """Cells, row by row from the low corner, and how many places lie in each, int32."""

    cells: NDArray[np.int32]
    counts: NDArray[np.int32]


def grid_over(
    places: NDArray[np.floating[Any]], n_cells: int = CELLS, margin: float = WITHIN
) -> Grid:
    """Return a grid over places (n, 2) with some room around them.

    Args:
        places: Of a map, at least one.
        n_cells: On the longer side.
        margin: The room, as a share of the longer side.
    """
    low, high = places.min(axis=0).astype(np.float64), places.max(axis=0).astype(np.float64)
    side = float((high - low).max())
    # At one place: cells as wide as floats near it can be told apart by.
    side = side if side > 0 else max(1e-3, float(np.abs(high).max()) * 1e-3)
    cell = side * (1 + 2 * margin) / n_cells
    spans = high - low + 2 * margin * side
    width, height = (
        min(n_cells, max(1, int(np.ceil(span / cell * (1 - 1e-12))))) for span in spans
    )
    middle = (low + high) / 2
    corner = middle - np.array([width, height]) * cell / 2
    return Grid((float(corner[0]), float(corner[1])), cell, width, height)
