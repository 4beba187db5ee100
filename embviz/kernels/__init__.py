"""What costs the time: nearest neighbors, products and cells, behind one protocol.

Everything else in the package asks `choose_kernels` for them, so that another device is one class
more. The repulsion of t-SNE is a callable already, which its optimizer is handed.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from embviz.kernels.threads import (
    calm_threads,
    count_cores,
    map_in_order,
    meanwhile,
    one_blas_thread,
    one_openmp_thread,
)

__all__ = [
    "TRAINED_PER_CENTER",
    "Kernels",
    "calm_threads",
    "choose_kernels",
    "count_cores",
    "map_in_order",
    "meanwhile",
    "one_blas_thread",
    "one_openmp_thread",
]

Matrix = NDArray[np.float32]
Rows = NDArray[np.int64]
TRAINED_PER_CENTER = 40  # Points that a center of k-means is placed by, at most.


class Cells(Protocol):
    """Points sorted into k-means cells (an inverted file; Jégou, Douze and Schmid 2011)."""

    def search(self, queries: Matrix, k: int, n_visited: int) -> Rows:
        """Return k points near to each query (n_queries, k), -1 where there are too few.

        Args:
            queries: float32 (n_queries, n_dims).
            k: Points a query.
            n_visited: How many of the cells nearest to a query are looked into.
        """
        ...

    def members(self) -> Rows:
        """Return the rows of all points, int64 (n_points,), those of a cell after each other."""
        ...


class Kernels(Protocol):
    """One device's way to do it. Arrays are C-ordered, in memory."""

    def nearest(self, queries: Matrix, points: Matrix, k: int) -> tuple[Matrix, Rows]:
        """Return squared distances and rows of the k nearest points, both (n_queries, k).

        The squares come from products, so that their error is that of the norms.
        """
        ...

    def squares(self, queries: Matrix, points: Matrix, candidates: Rows) -> Matrix:
        """Return squared distances of each query from its candidates, (n_queries, n).

        They come from differences, so that those of equal rows are 0.

        Args:
            queries: float32 (n_queries, n_dims).
            points: float32 (n_points, n_dims).
            candidates: Rows of points, (n_queries, n).
        """
        ...

    def gram(self, rows: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """Return the products of all columns, (n_dims, n_dims), in the type of the rows."""
        ...

    def centers(
        self, points: Matrix, n_centers: int, steps: int, seed: int, spherical: bool
    ) -> Matrix:
        """Return the centers of k-means, float32 (n_centers, n_dims)."""
        ...

    def assign(self, points: Matrix, centers: Matrix, inner: bool) -> NDArray[np.int32]:
        """Return the nearest center of each point (n_points,), by products where `inner`."""
        ...

    def sort_into_cells(
        self, points: Matrix, n_cells: int, steps: int, seed: int, coded: bool
    ) -> Cells:
        """Return points sorted into cells, made from all of them.

        Args:
            points: float32 (n_points, n_dims).
            n_cells: How many.
            steps: Of k-means.
            seed: Of k-means.
            coded: Whether they are held as 4 bits a component, which is searched in a tenth of the
                time, and finds fewer of the nearest.
        """
        ...

    def pack(self, cells: Cells) -> bytes:
        """Return cells as bytes, to be searched by another process."""
        ...

    def unpack(self, data: bytes) -> Cells:
        """Return cells that `pack` packed on such a machine."""
        ...


def choose_kernels() -> Kernels:
    """Return the kernels that this process computes with."""
    from embviz.kernels.cpu import CPU

    return CPU
