"""Finding neighbors in an index: cell by cell from the nearest center on, or all rows.

The points lie cell by cell (an inverted file of k-means cells; Jégou, Douze and Schmid 2011), so
that a visited cell is one stretch of the memory map. How many cells a recall takes was measured on
a sample when the index was built; what is found in them is put in order exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError
from embviz.model import Metric
from embviz.neighbors.index.files import IndexFiles
from embviz.neighbors.index.stretches import Stretch, read_stretches
from embviz.neighbors.row_blocks import FEW_QUERIES, RowBlock, Shares, Turns
from embviz.neighbors.scan import Best, Request, precise_units, scan
from embviz.rows import release_pages
from embviz.space import working_type

BLOCK_BYTES = 4 << 20
# Norms in this range have squares that float32 holds with room for sums.
SMALLEST_NORM, LARGEST_NORM = 1e-15, 1e15


@dataclass(frozen=True)
class Recall:
    """The share of true neighbors found, by the number of visited cells, on a sample of points.

    Attributes:
        sample: How many points were asked.
        cells: Numbers of visited cells, increasing; the last is all.
        shares: By the number of neighbors asked for, the share found at each of `cells`.
        rows: The mean share of the rows that is read at each of `cells`.
    """

    sample: int
    cells: tuple[int, ...]
    shares: dict[int, tuple[float, ...]]
    rows: tuple[float, ...]

    def choose(self, k: int, wanted: float) -> int | None:
        """Return the place in `cells` with a recall for k neighbors; None to read all."""
        known = [n for n in sorted(self.shares) if n >= k]
        if not known or wanted >= 1:
            return None
        enough = [i for i, share in enumerate(self.shares[known[0]]) if share >= wanted]
        return enough[0] if enough and enough[0] < len(self.cells) - 1 else None

    def share(self, k: int, place: int | None) -> float:
        """Return the measured recall at a place of `cells`."""
        known = [n for n in sorted(self.shares) if n >= k]
        return 1.0 if place is None or not known else self.shares[known[0]][place]


@dataclass(frozen=True, eq=False)
class CellStore:
    """The rows of an index as they lie in its files.

    Attributes:
        files: The mapped parts.
        n_points: How many rows there are.
        metric: The metric that the cells are made for.
        unit: A power of two that all rows are divided by before they are squared.
        n_cells: How many cells there are; 0 where all rows are always read.
    """

    files: IndexFiles
    n_points: int
    metric: Metric
    unit: float
    n_cells: int

    @property
    def exponent(self) -> int:
        """Of the unit."""
        return math.frexp(self.unit)[1] - 1

    def visit(self, request: Request, n_cells: int | None) -> Best:
        """Return the nearest rows in the cells nearest to each query; None for all rows.

        Raises:
            LoadError: If a part that is read is damaged.
        """
        if n_cells is None or request.metric != self.metric or not self.n_cells:
            return self._scan(self.all_rows(len(request.queries)), request)
        best: list[Best] = []
        for i, cells in enumerate(self.nearest_cells(request.queries, n_cells)):
            part = slice(i, i + 1)
            own = None if request.own is None else request.own[part]
            one = Request(request.queries[part], request.k, self.metric, own, request.excluded)
            found = self._scan([self._cells(cells)], one)
            if np.isinf(found.distances).any():  # Too few in these cells.
                found = self._scan(self.all_rows(1), one)
            best.append(found)
        return Best(
            np.concatenate([b.distances for b in best]), np.concatenate([b.rows for b in best])
        )

    def nearest_cells(
        self, queries: NDArray[np.float64], n_cells: int | None = None
    ) -> NDArray[np.int64]:
        """Return the cells by their distance from each query, (n_queries, n_cells)."""
        centers = self.files.read("centers")
        rows = (
            precise_units(queries)
            if self.metric == "cosine"
            else np.ldexp(queries, -self.exponent) - self.files.read("mean")
        )
        far = rows.astype(np.float32) @ centers.T
        if self.metric == "euclidean":
            far = np.einsum("ij,ij->i", centers, centers) - 2 * far
        else:
            far = -far
        return np.argsort(far, axis=1, kind="stable")[:, :n_cells].astype(np.int64)

    def bounds(self) -> NDArray[np.int64]:
        """Return where each cell begins, int64 (n_segments, n_cells + 1).

        Raises:
            LoadError: If they are no bounds.
        """
        bounds = self.files.read("bounds")
        flat = bounds.ravel()
        inside = flat[0] == 0 and flat[-1] == flat.max() == self.n_points and flat.min() == 0
        if not inside or (np.diff(bounds, axis=1) < 0).any():
            raise LoadError(self.files.file("bounds"), "damaged: the cells do not cover the points")
        return bounds

    def vectors(self, points: NDArray[np.int64]) -> NDArray[Any]:
        """Return some points' vectors, (n, n_dims), as stored."""
        places = self.files.take("places", points)
        if len(places) and not (places.min() >= 0 and places.max() < self.n_points):
            raise LoadError(
                self.files.file("places"), "damaged: it names places that are not there"
            )
        return self.files.take("vectors", places)

    def some_rows(self, points: NDArray[np.int64]) -> Shares:
        """Begin a pass over some points, sorted."""

        def read() -> Iterator[RowBlock]:
            array = self.files.array("vectors")
            step = max(1, 4 * BLOCK_BYTES // (array.shape[1] * max(4, array.itemsize)))
            for start in range(0, len(points), step):
                chosen = points[start : start + step]
                raw = self.vectors(chosen)
                yield RowBlock(np.asarray(raw, dtype=working_type(raw.dtype)), numbers=chosen)

        return [read()]

    def all_rows(self, n_queries: int) -> Shares:
        """Begin a pass over all rows for so many queries; pages are let go behind."""
        vectors = self.files.array("vectors")
        few = n_queries <= FEW_QUERIES
        n_bytes = BLOCK_BYTES if few else 4 * BLOCK_BYTES
        turns = Turns(
            self.n_points, max(1, n_bytes // (vectors.shape[1] * max(4, vectors.itemsize)))
        )

        def read() -> Iterator[RowBlock]:
            for part in turns:
                yield self._block([(part.start, part.stop)])
                release_pages(vectors[part])

        return [read() for _ in range(turns.n_threads if few else 1)]

    def _scan(self, shares: Shares, request: Request) -> Best:
        found = scan(shares, request, self.exponent)
        if found is None:
            raise ParameterError("query", "its distances are beyond the range of the index")
        return found

    def _cells(self, cells: NDArray[np.int64]) -> Iterator[RowBlock]:
        """Yield the rows of some cells, several cells a block."""
        bounds, checksums = self.bounds(), self.files.read("checksums")
        starts, stops = bounds[:, cells].ravel(), bounds[:, cells + 1].ravel()
        order = np.flatnonzero(starts < stops)
        order = order[np.argsort(starts[order])]
        starts, stops, known = starts[order], stops[order], checksums[:, cells].ravel()[order]
        for name in ("norms", "points"):
            self.files.check_stretches(name, starts, stops)
        array = self.files.array("vectors")
        most = max(1, BLOCK_BYTES // (array.shape[1] * max(4, array.itemsize)))
        small: list[Stretch] = []
        for stretch in zip(starts.tolist(), stops.tolist(), known.tolist(), strict=True):
            if stretch[1] - stretch[0] <= most:
                small.append(stretch)
                continue
            for first in range(stretch[0], stretch[1], most):
                yield self._block([(first, min(first + most, stretch[1]))])
        for batch, raw in read_stretches(self.files, small, most):
            norms, numbers = (
                _join([self.files.array(name)[a:b] for a, b, _ in batch])
                for name in ("norms", "points")
            )
            yield self._row_block(raw, norms, numbers)

    def _block(self, stretches: list[tuple[int, int]]) -> RowBlock:
        """Read stretches of rows, each checked, as one block."""
        raw, norms, numbers = (
            _join([self.files.read(name, a, b) for a, b in stretches])
            for name in ("vectors", "norms", "points")
        )
        return self._row_block(raw, norms, numbers)

    def _row_block(
        self, raw: NDArray[Any], norms: NDArray[np.float32], numbers: NDArray[np.int64]
    ) -> RowBlock:
        if len(numbers) and not (numbers.min() >= 0 and numbers.max() < self.n_points):
            raise LoadError(
                self.files.file("points"), "damaged: it names points that are not there"
            )
        rows = np.ascontiguousarray(raw, dtype=working_type(raw.dtype))
        # The norms are those of float32, too rough for rows of float64.
        plain = rows.dtype == np.float32 and self.unit == 1
        plain = plain and norms.min() > SMALLEST_NORM and norms.max() < LARGEST_NORM
        return RowBlock(rows, numbers=numbers, squares=np.square(norms) if plain else None)


def _join(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
