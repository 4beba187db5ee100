"""An index on disk: neighbors of a label among millions of points, without reading them all."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embviz.errors import LoadError, ParameterError
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.neighbors.exact import check_among, check_k, check_metric, check_queries
from embviz.neighbors.index.files import IndexFiles, read_manifest, sample_file
from embviz.neighbors.index.labels import IndexColumns
from embviz.neighbors.index.manifest import Manifest, parse_manifest
from embviz.neighbors.index.search import CellStore, Recall
from embviz.neighbors.scan import Request, measuring_exponent, search_exactly

log = logging.getLogger("embviz")

DEFAULT_RECALL = 0.99
LEAST_RECALL = 0.95
QUICK_BYTES = 256 << 20  # Of vectors, which take about a tenth of a second to read.


@dataclass(frozen=True, eq=False)
class NeighborIndex:
    """An opened index folder. Points are numbered 0 .. n_points - 1 as in the table it was made of.

    Attributes:
        path: The folder.
        columns: The metadata, read where it is asked.
        store: The rows in their cells.
        manifest: All that the manifest says.
    """

    path: Path
    columns: IndexColumns
    store: CellStore
    manifest: Manifest

    @property
    def name(self) -> str:
        """The tensor's name in the source."""
        return self.manifest.name

    @property
    def source(self) -> str:
        """The name of the source, as it was typed."""
        return self.manifest.source

    @property
    def n_dims(self) -> int:
        """Dimensions of a vector."""
        return self.manifest.n_dims

    @property
    def recall(self) -> Recall | None:
        """What was measured when the index was built; None where every row is always read."""
        return self.manifest.recall

    @property
    def n_points(self) -> int:
        return self.store.n_points

    @property
    def metric(self) -> Metric:
        """The metric that the cells are made for; the other one reads every row."""
        return self.store.metric

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.store.files.array("vectors").dtype

    def find_row(self, number: int) -> int | None:
        """Return the point with a row number of the source, if it is there."""
        rows = self.row_numbers()
        if rows is None:
            return number if 0 <= number < self.n_points else None
        found = np.flatnonzero(rows == number)
        return int(found[0]) if len(found) else None

    def row_number(self, point: int) -> int:
        """Return a point's row number in the source."""
        if "rows" not in self.store.files.parts:
            return point
        return int(self.store.files.read("rows", point, point + 1)[0])

    def row_numbers(self) -> NDArray[np.int64] | None:
        """Return all row numbers, int64 (n_points,); None where they are 0 .. n_points - 1."""
        files = self.store.files
        return files.read("rows") if "rows" in files.parts else None

    def vectors(self, points: ArrayLike) -> NDArray[np.float64]:
        """Return some points' vectors, float64 (n, n_dims)."""
        return self.store.vectors(self._points(points)).astype(np.float64)

    def find_neighbors(
        self,
        points: ArrayLike,
        k: int,
        metric: Metric | None = None,
        recall: float = DEFAULT_RECALL,
    ) -> Neighbors:
        """Find the nearest other points of some points.

        Args:
            points: Their numbers, shape (n,).
            k: Neighbors a point, without itself; below n_points.
            metric: `cosine` or `euclidean`; None is the one the index is made for.
            recall: The share of true neighbors wanted, above 0; 1 reads every row and is exact.

        Returns:
            indices int32 and distances float32, both (n, k), nearest first, ties by number; cosine
            distance is 1 - cos. `recall` is the share of true neighbors at this effort on the
            sample of points that was asked when the index was built.

        Raises:
            ParameterError: If a value is out of range, or a vector is zero under cosine.
            LoadError: If a part that is read is damaged.
        """
        chosen = self._points(points)
        metric = self._check(k, self.n_points - 1, metric, recall)
        queries = self.vectors(chosen)
        self._refuse_zero(queries, metric, chosen)
        return self._search(Request(queries, k, metric, own=chosen), recall)

    def find_neighbors_of_vectors(
        self,
        queries: ArrayLike,
        k: int,
        metric: Metric | None = None,
        exclude: Sequence[int] = (),
        recall: float = DEFAULT_RECALL,
    ) -> Neighbors:
        """Find the points nearest to vectors that need not be points, such as king - man + woman.

        Args:
            queries: float (n, n_dims).
            k: Neighbors a query.
            metric: As in `find_neighbors`.
            exclude: Points that are never listed.
            recall: As in `find_neighbors`; it was measured on points, not on such vectors.

        Raises:
            ParameterError: If a value is out of range, or a query is not finite or is zero.
            LoadError: If a part that is read is damaged.
        """
        excluded = np.unique(np.asarray(exclude, dtype=np.int64))
        metric = self._check(k, self.n_points - len(excluded), metric, recall)
        wanted = check_queries(self.n_dims, queries, metric)
        return self._search(Request(wanted, k, metric, excluded=excluded), recall)

    def find_among(
        self, queries: ArrayLike, k: int, points: ArrayLike, metric: Metric | None = None
    ) -> Neighbors:
        """Find those of some points that are nearest to vectors, exactly.

        Args:
            queries: float (n, n_dims).
            k: At most the number of points.
            points: Which may be listed, shape (n,).
            metric: As in `find_neighbors`.

        Raises:
            ParameterError: If a value is out of range, or a query is not finite or is zero.
            LoadError: If a part that is read is damaged.
        """
        among = check_among(self.n_points, points, k)
        metric = self._check(k, len(among), metric, 1.0)
        wanted = check_queries(self.n_dims, queries, metric)
        return search_exactly(lambda: self.store.some_rows(among), Request(wanted, k, metric))

    def find_farthest(
        self, queries: ArrayLike, k: int, metric: Metric | None = None, exclude: Sequence[int] = ()
    ) -> Neighbors:
        """Find the points farthest from vectors, the farthest first, exactly.

        Args:
            queries: float (n, n_dims).
            k: Points a query.
            metric: As in `find_neighbors`.
            exclude: Points that are never listed.

        Raises:
            ParameterError: If a value is out of range, or a query is not finite or is zero.
            LoadError: If a part that is read is damaged.
        """
        excluded = np.unique(np.asarray(exclude, dtype=np.int64))
        metric = self._check(k, self.n_points - len(excluded), metric, 1.0)
        wanted = check_queries(self.n_dims, queries, metric)
        request = Request(wanted, k, metric, excluded=excluded, farthest=True)
        return search_exactly(lambda: self.store.all_rows(len(wanted)), request)

    def quick_recall(self, k: int) -> float:
        """Return 0.99, or where that reads more than 256 MiB of vectors as much less, to 0.95."""
        if self.recall is None:
            return DEFAULT_RECALL
        n_bytes = self.n_points * self.store.files.parts["vectors"].row_bytes
        for wanted in (DEFAULT_RECALL, 0.98, 0.97, 0.96):
            place = self.recall.choose(k, wanted)
            if place is not None and self.recall.rows[place] * n_bytes <= QUICK_BYTES:
                return wanted
        return DEFAULT_RECALL if n_bytes <= QUICK_BYTES else LEAST_RECALL

    def measured_recall(self, k: int, recall: float = DEFAULT_RECALL) -> float:
        """Return the share of true neighbors that was measured where one is asked for; 1 is all."""
        place = None if self.recall is None else self.recall.choose(k, recall)
        return 1.0 if place is None or self.recall is None else self.recall.share(k, place)

    def describe_effort(self, k: int, metric: Metric, recall: float = DEFAULT_RECALL) -> str:
        """Say in a line how many cells a query visits, and the recall that was measured so."""
        if metric != self.metric:
            return f"{self.path}: made for {self.metric}, so every vector is read for {metric}"
        place = None if self.recall is None else self.recall.choose(k, recall)
        if place is None or self.recall is None:
            return f"{self.path}: every vector is read, the answer is exact"
        return (
            f"{self.path}: {self.recall.cells[place]:,} of {self.store.n_cells:,} cells are read, "
            f"recall {self.recall.share(k, place):.3f} on a sample of {self.recall.sample} points"
        )

    def table(self) -> EmbeddingTable:
        """Return the points as a table: vectors mapped as they lie, cell by cell, unchecked.

        Their row numbers are those of the source. `verify` of the table checks every vector.

        Raises:
            LoadError: If the part of the labels or of the order is damaged.
        """
        files = self.store.files
        points = files.read("points")
        if not np.array_equal(np.sort(points), np.arange(self.n_points)):
            raise LoadError(
                files.file("points"), "damaged: it does not name every point once",
                "build it again with embviz index",
            )  # fmt: skip

        def verify() -> None:
            files.read("vectors")

        columns = {}
        for name in self.columns.names:
            values = self.columns.column(name)
            columns[name] = tuple(values[i] for i in points.tolist())
        rows = files.read("rows")[points] if "rows" in files.parts else points
        return EmbeddingTable(
            files.array("vectors"),
            columns,
            self.name,
            str(self.path),
            rows=rows.astype(np.int64),
            verify=verify,
        )

    def changed_source(self) -> str | None:
        """Return the file the index was made of, if it is there and no longer what it was."""
        origin = self.manifest.origin
        if origin is None:
            return None
        file = self.path.parent / origin["file"]
        try:
            if not file.is_file():
                return None
            known = {key: origin[key] for key in ("bytes", "crc32c")}
            return None if sample_file(file) == known else str(file)
        except (OSError, ValueError):
            return None

    def verify(self) -> None:
        """Check every byte of every part.

        Raises:
            LoadError: Naming the part that is damaged.
        """
        self.store.files.verify()

    def _search(self, request: Request, recall: float) -> Neighbors:
        n_cells, share = None, 1.0
        if self.recall is not None and request.metric == self.metric:
            place = self.recall.choose(request.k, recall)
            n_cells = None if place is None else self.recall.cells[place]
            share = self.recall.share(request.k, place)
        best = self.store.visit(request, n_cells)
        cosine = request.metric == "cosine"
        exponent = 0 if cosine else measuring_exponent(self.store.exponent)
        return best.neighbors(request.metric, exponent, share)

    def _points(self, points: ArrayLike) -> NDArray[np.int64]:
        chosen = np.atleast_1d(np.asarray(points))
        if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
            raise ParameterError("points", "a list of whole numbers is needed")
        chosen = chosen.astype(np.int64)
        outside = chosen[(chosen < 0) | (chosen >= self.n_points)]
        if len(outside):
            raise ParameterError("points", f"{outside[0]} is not in 0 .. {self.n_points - 1}")
        return chosen

    def _check(self, k: int, largest: int, metric: str | None, recall: float) -> Metric:
        check_k(self.n_points, k, largest)
        if not 0 < recall <= 1:
            raise ParameterError(f"recall = {recall:g}", "must be above 0 and at most 1")
        check_metric(metric or self.metric)
        return self.metric if metric is None else "cosine" if metric == "cosine" else "euclidean"

    def _refuse_zero(
        self, queries: NDArray[np.float64], metric: Metric, points: NDArray[np.int64]
    ) -> None:
        zero = np.flatnonzero(~queries.any(axis=1))
        if len(zero) and metric == "cosine":
            raise ParameterError(
                f"row {self.row_number(int(points[zero[0]]))}",
                "a zero vector has no direction, so no cosine distance",
                "use the euclidean metric",
            )


def open_index(path: str | Path) -> NeighborIndex:
    """Open the folder that `build_index` wrote: parts are mapped, and checked as they are read.

    Raises:
        LoadError: If it is no index, is of another version, or a part is damaged or missing.
    """
    folder = Path(path)
    found = read_manifest(folder)
    try:
        return opened(folder, found)
    except LoadError:
        again = read_manifest(folder)
        if again == found:
            raise
        return opened(folder, again)  # It was replaced between its manifest and its parts.


def opened(folder: Path, found: Mapping[str, Any]) -> NeighborIndex:
    """Return the index that a manifest describes.

    Raises:
        LoadError: If the manifest makes no sense, or a part is missing or cut off.
    """
    manifest = parse_manifest(folder, found)
    files = IndexFiles(folder, manifest.parts)
    store = CellStore(files, manifest.n_points, manifest.metric, manifest.unit, manifest.n_cells)
    columns = IndexColumns(files, manifest.columns, manifest.label_column, manifest.segments)
    return NeighborIndex(folder, columns, store, manifest)
