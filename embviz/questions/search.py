"""What finds the neighbors of points: a table, all of which is read, or an index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.neighbors.exact import (
    check_among,
    check_queries,
    find_neighbors,
    find_neighbors_of_vectors,
    request_without,
    search_table,
)
from embviz.neighbors.row_blocks import table_rows
from embviz.neighbors.scan import Request, search_exactly


class Search(Protocol):
    """Finds neighbors among points 0 .. n_points - 1; a `NeighborIndex` is one."""

    @property
    def n_points(self) -> int: ...
    @property
    def metric(self) -> Metric:
        """The metric where none is asked for."""
        ...

    def find_row(self, number: int) -> int | None:
        """Return the point with a row number of the source, if it is there."""
        ...

    def row_number(self, point: int) -> int: ...
    def row_numbers(self) -> NDArray[np.int64] | None:
        """Return all row numbers, int64 (n_points,); None where they are 0 .. n_points - 1."""
        ...

    def vectors(self, points: ArrayLike) -> NDArray[np.float64]: ...
    def find_neighbors(
        self, points: ArrayLike, k: int, metric: Metric, recall: float
    ) -> Neighbors: ...
    def find_neighbors_of_vectors(
        self, queries: ArrayLike, k: int, metric: Metric, exclude: Sequence[int], recall: float
    ) -> Neighbors: ...
    def find_among(
        self, queries: ArrayLike, k: int, points: ArrayLike, metric: Metric
    ) -> Neighbors: ...
    def find_farthest(
        self, queries: ArrayLike, k: int, metric: Metric, exclude: Sequence[int]
    ) -> Neighbors: ...
    def quick_recall(self, k: int) -> float:
        """Return the recall that is wanted where none is asked for."""
        ...

    def describe_effort(self, k: int, metric: Metric, recall: float) -> str:
        """Say how much is read for a query; nothing where there is nothing to say."""
        ...

    def table(self) -> EmbeddingTable:
        """Return the points as a table, in whatever order."""
        ...


@dataclass(frozen=True, eq=False)
class TableSearch:
    """Finds neighbors in a table, exactly: all of it is read for every question."""

    points: EmbeddingTable

    @property
    def n_points(self) -> int:
        return self.points.n_points

    @property
    def metric(self) -> Metric:
        return "cosine"

    def find_row(self, number: int) -> int | None:
        """Return the point with a row number of the source, if it is there."""
        if self.points.rows is None:
            return number if 0 <= number < self.n_points else None
        found = np.flatnonzero(self.points.rows == number)
        return int(found[0]) if len(found) else None

    def row_number(self, point: int) -> int:
        """Return a point's row number in the source."""
        return self.points.row_number(point)

    def row_numbers(self) -> NDArray[np.int64] | None:
        """Return all row numbers, int64 (n_points,); None where they are 0 .. n_points - 1."""
        return self.points.rows

    def vectors(self, points: ArrayLike) -> NDArray[np.float64]:
        """Return some points' vectors, float64 (n, n_dims)."""
        block = self.points.take_block(np.asarray(points, np.int64), np.float64)
        return np.asarray(block, dtype=np.float64)

    def find_neighbors(
        self, points: ArrayLike, k: int, metric: Metric = "cosine", recall: float = 1.0
    ) -> Neighbors:
        """Find the nearest other points of some points; `recall` is always 1."""
        return find_neighbors(self.points, points, k, metric)

    def find_neighbors_of_vectors(
        self,
        queries: ArrayLike,
        k: int,
        metric: Metric = "cosine",
        exclude: Sequence[int] = (),
        recall: float = 1.0,
    ) -> Neighbors:
        """Find the points nearest to vectors that need not be points; `recall` is always 1."""
        return find_neighbors_of_vectors(self.points, queries, k, metric, exclude)

    def find_among(
        self, queries: ArrayLike, k: int, points: ArrayLike, metric: Metric = "cosine"
    ) -> Neighbors:
        """Find those of some points that are nearest to vectors.

        Args:
            queries: float (n_queries, n_dims).
            k: At most the number of points.
            points: Which may be listed, shape (n,).
            metric: `cosine` or `euclidean`.

        Raises:
            ParameterError: If k or a point is out of range, or as `find_neighbors_of_vectors` does.
        """
        among = check_among(self.n_points, points, k)
        wanted = check_queries(self.points.n_dims, queries, metric)
        return search_exactly(lambda: table_rows(self.points, among), Request(wanted, k, metric))

    def find_farthest(
        self,
        queries: ArrayLike,
        k: int,
        metric: Metric = "cosine",
        exclude: Sequence[int] = (),
    ) -> Neighbors:
        """Find the points farthest from vectors, the farthest first.

        Args:
            queries: float (n_queries, n_dims).
            k: Points a query; at most n_points without the excluded ones.
            metric: `cosine` or `euclidean`.
            exclude: Points that are never listed.

        Raises:
            ParameterError: As `find_neighbors_of_vectors` does.
        """
        request = request_without(self.points, queries, k, metric, exclude)
        return search_table(self.points, replace(request, farthest=True))

    def quick_recall(self, k: int) -> float:
        """Return 1: every answer is exact."""
        return 1.0

    def describe_effort(self, k: int, metric: Metric, recall: float = 1.0) -> str:
        """Say nothing: all of a table is always read."""
        return ""

    def table(self) -> EmbeddingTable:
        """Return the table."""
        return self.points
