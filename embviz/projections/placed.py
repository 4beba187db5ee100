"""Coordinates that were computed elsewhere, as a projection beside others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError
from embviz.model import EmbeddingTable, Neighbors, Projection

# Among so many neighbors in the original space those are looked for that the picture shows.
_NEIGHBORS = 20


@dataclass(frozen=True, eq=False)
class Placed:
    """Points where something else has placed them.

    Attributes:
        coordinates: Numbers (n_rows, 2 or 3), a row for each row of the source.
        title: How a reader sees it named, such as `umap`.
        key: Its name among the projections of a report; empty is `placed`.
        neighbors: Of all points, on which it is measured how faithful the picture is; found where
            there are none.

    Raises:
        ParameterError: If there are other than 2 or 3 columns.
    """

    figures: ClassVar[tuple[str, ...]] = ()

    coordinates: NDArray[np.float64]
    title: str = "Placed"
    key: str = ""
    neighbors: Neighbors | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        try:
            found = np.asarray(self.coordinates, np.float64)
        except (TypeError, ValueError) as error:
            raise ParameterError(self.title, f"no table of numbers ({error})") from None
        if found.ndim != 2 or found.shape[1] not in (2, 3):
            shape = " x ".join(map(str, found.shape))
            raise ParameterError(self.title, f"{shape} coordinates, 2 or 3 columns are needed")
        object.__setattr__(self, "coordinates", found)

    def count_neighbors(self, table: EmbeddingTable) -> int:
        """Return how many neighbors of each point are looked at."""
        return min(_NEIGHBORS, table.n_points - 1)

    def project(self, table: EmbeddingTable) -> Projection:
        """Return the places of a table's points, float32 (n_points, 2 or 3).

        Args:
            table: Points of the source that the coordinates are of, all or some.

        Raises:
            ParameterError: If there are other rows than the table has, or too large numbers.
            LoadError: If a point has no coordinates.
        """
        there = len(self.coordinates)
        rows = np.arange(table.n_points) if table.rows is None else table.rows
        if (table.rows is None and there != table.n_points) or int(rows.max()) >= there:
            raise ParameterError(
                self.title, f"{there:,} rows of coordinates for {table.n_points:,} points"
            )
        chosen = self.coordinates[rows]
        without = np.flatnonzero(~np.isfinite(chosen).all(axis=1))
        if len(without):
            raise LoadError(
                self.title,
                f"{len(without):,} of {table.n_points:,} points have no coordinates, the first is "
                f"row {table.row_number(int(without[0]))}",
                "choose others by --select",
            )
        with np.errstate(over="ignore"):
            placed = np.ascontiguousarray(chosen, np.float32)
        if not np.isfinite(placed).all():
            raise ParameterError(
                self.title, "a coordinate is beyond the range of float32", "divide them by a number"
            )
        return Projection(
            name=self.key or "placed",
            coordinates=placed,
            title=self.title,
            kind="map",
            params={"n_components": int(placed.shape[1])},
        )
