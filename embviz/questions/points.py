"""What `embviz neighbors` asks: the points of a table, or those of an index."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError, counted
from embviz.loaders import load_table
from embviz.loaders.labels.metadata_lines import open_metadata_lines
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.neighbors.exact import find_neighbors, find_neighbors_of_vectors, search_table
from embviz.neighbors.index.files import looks_like_index
from embviz.neighbors.index.index import NeighborIndex, open_index
from embviz.neighbors.row_blocks import table_rows
from embviz.neighbors.scan import Request, search_exactly

log = logging.getLogger("embviz")


class Columns(Protocol):
    """Metadata, read where it is asked."""

    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def label(self) -> str | None: ...
    def value(self, column: str, point: int) -> str: ...
    def find(self, text: str) -> list[int]: ...
    def column(self, name: str) -> tuple[str, ...]: ...


@dataclass(frozen=True, eq=False)
class TableColumns:
    """The metadata of a table."""

    metadata: dict[str, tuple[str, ...]]
    label: str | None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.metadata)

    def value(self, column: str, point: int) -> str:
        return self.metadata[column][point]

    def find(self, text: str) -> list[int]:
        if self.label is None:
            return []
        return [i for i, value in enumerate(self.metadata[self.label]) if value == text]

    def column(self, name: str) -> tuple[str, ...]:
        return self.metadata[name]


class Points(Protocol):
    """Points whose neighbors can be asked, numbered 0 .. n_points - 1."""

    @property
    def columns(self) -> Columns: ...
    @property
    def source(self) -> str: ...
    @property
    def n_points(self) -> int: ...
    @property
    def metric(self) -> Metric: ...
    def effort(self, k: int, metric: Metric) -> str: ...
    def row_number(self, point: int) -> int: ...
    def row_numbers(self) -> NDArray[np.int64] | None: ...
    def find_row(self, number: int) -> int | None: ...
    def vectors(self, points: Sequence[int]) -> NDArray[np.float64]: ...
    def nearest(self, points: Sequence[int], k: int, metric: Metric) -> Neighbors: ...
    def nearest_to(
        self, vectors: NDArray[np.float64], k: int, metric: Metric, exclude: Sequence[int]
    ) -> Neighbors: ...
    def nearest_among(
        self, vectors: NDArray[np.float64], k: int, metric: Metric, among: NDArray[np.int64]
    ) -> Neighbors: ...
    def farthest(
        self, vectors: NDArray[np.float64], k: int, metric: Metric, exclude: Sequence[int]
    ) -> Neighbors: ...


@dataclass(eq=False)
class TablePoints:
    """The points of a table, all of them read for every question."""

    table: EmbeddingTable
    columns: Columns

    @property
    def source(self) -> str:
        return self.table.source

    @property
    def n_points(self) -> int:
        return self.table.n_points

    @property
    def metric(self) -> Metric:
        return "cosine"

    def effort(self, k: int, metric: Metric) -> str:
        """Return what is to be told of how much is read; nothing of a table."""
        return ""

    def row_number(self, point: int) -> int:
        return self.table.row_number(point)

    def row_numbers(self) -> NDArray[np.int64] | None:
        return self.table.rows

    def find_row(self, number: int) -> int | None:
        if self.table.rows is None:
            return number if number < self.n_points else None
        found = np.flatnonzero(self.table.rows == number)
        return int(found[0]) if len(found) else None

    def vectors(self, points: Sequence[int]) -> NDArray[np.float64]:
        block = self.table.take_block(np.array(points, np.int64), np.float64)
        return np.asarray(block, dtype=np.float64)

    def nearest(self, points: Sequence[int], k: int, metric: Metric) -> Neighbors:
        return find_neighbors(self.table, list(points), k, metric)

    def nearest_to(
        self, vectors: NDArray[np.float64], k: int, metric: Metric, exclude: Sequence[int]
    ) -> Neighbors:
        return find_neighbors_of_vectors(self.table, vectors, k, metric, exclude)

    def nearest_among(
        self, vectors: NDArray[np.float64], k: int, metric: Metric, among: NDArray[np.int64]
    ) -> Neighbors:
        return search_exactly(lambda: table_rows(self.table, among), Request(vectors, k, metric))

    def farthest(
        self, vectors: NDArray[np.float64], k: int, metric: Metric, exclude: Sequence[int]
    ) -> Neighbors:
        excluded = np.unique(np.array(exclude, np.int64))
        request = Request(vectors, k, metric, excluded=excluded, farthest=True)
        return search_table(self.table, request)


@dataclass(eq=False)
class IndexPoints:
    """The points of an index, asked with a wanted recall."""

    index: NeighborIndex
    recall: float
    columns: Columns

    @property
    def source(self) -> str:
        return str(self.index.path)

    @property
    def n_points(self) -> int:
        return self.index.n_points

    @property
    def metric(self) -> Metric:
        return self.index.metric

    def effort(self, k: int, metric: Metric) -> str:
        """Return how many cells are visited and the recall that was measured so."""
        return self.index.describe_effort(k, metric, self.recall)

    def row_number(self, point: int) -> int:
        return self.index.row_number(point)

    def row_numbers(self) -> NDArray[np.int64] | None:
        files = self.index.store.files
        return files.read("rows") if "rows" in files.parts else None

    def find_row(self, number: int) -> int | None:
        return self.index.find_row(number)

    def vectors(self, points: Sequence[int]) -> NDArray[np.float64]:
        return self.index.vectors(list(points))

    def nearest(self, points: Sequence[int], k: int, metric: Metric) -> Neighbors:
        return self.index.find_neighbors(list(points), k, metric, self.recall)

    def nearest_to(
        self, vectors: NDArray[np.float64], k: int, metric: Metric, exclude: Sequence[int]
    ) -> Neighbors:
        return self.index.find_neighbors_of_vectors(vectors, k, metric, exclude, self.recall)

    def nearest_among(
        self, vectors: NDArray[np.float64], k: int, metric: Metric, among: NDArray[np.int64]
    ) -> Neighbors:
        store = self.index.store
        return search_exactly(lambda: store.some_rows(among), Request(vectors, k, metric))

    def farthest(
        self, vectors: NDArray[np.float64], k: int, metric: Metric, exclude: Sequence[int]
    ) -> Neighbors:
        excluded = np.unique(np.array(exclude, np.int64))
        request = Request(vectors, k, metric, excluded=excluded, farthest=True)
        return search_exactly(lambda: self.index.store.all_rows(len(vectors)), request)


def open_points(source: str, options: dict[str, Any], config: dict[str, Any]) -> Points:
    """Open what a command names: an index folder, or any source that `load_table` reads.

    Args:
        source: As it was typed.
        options: `tensor`, `metadata`, `input_format`, `label_by`, `drop_nonfinite`, `recall`,
            `exact`, `metric`, as on the command line.
        config: What an `embviz.toml` says.

    Raises:
        LoadError: If it is damaged or of no known format.
        ParameterError: If an option does not go with it.
    """
    label = options["label_by"] or config.get("label_by")
    points: TablePoints | IndexPoints
    if is_index(source, options["input_format"]):
        points = _open_index(source, options)
    else:
        for option in ("recall", "exact"):
            if options[option]:
                log.info("--%s: %s is no index; every vector is read", option, source)
        points = _open_table(source, options, config, label)
    if label is not None and label not in points.columns.names:
        there = ", ".join(f"'{name}'" for name in points.columns.names) or "none"
        raise ParameterError("--label-by", f"no metadata column '{label}'", f"there are: {there}")
    if label is not None and label != points.columns.label:
        columns = {name: points.columns.column(name) for name in points.columns.names}
        points.columns = TableColumns(columns, label)
    if points.n_points < 2:
        raise ParameterError(points.source, "1 row has no neighbors")
    return points


def is_index(source: str, input_format: str | None = None) -> bool:
    """Tell whether a source is the folder of an index, or what is left of one."""
    return looks_like_index(Path(source)) if input_format is None else input_format == "index"


def _open_index(source: str, options: dict[str, Any]) -> IndexPoints:
    for option in ("metadata", "tensor"):
        if options[option] is not None:
            raise ParameterError(
                f"--{option}",
                f"{source} is an index, which holds its own vectors and labels",
                "build another index with it",
            )
    index = open_index(source)
    changed = index.changed_source()
    if changed:
        log.warning(
            "%s: %s has changed since this index was built, and these are its old points; "
            "build it again with embviz index",
            source, changed,
        )  # fmt: skip
    recall = 1.0 if options["exact"] else options["recall"] or index.quick_recall(options["k"])
    if not 0 < recall <= 1:
        raise ParameterError(f"--recall {recall:g}", "must be above 0 and at most 1")
    return IndexPoints(index, recall, index.columns)


def _open_table(
    source: str, options: dict[str, Any], config: dict[str, Any], label: str | None
) -> TablePoints:
    tensor, metadata = (options[n] or config.get(n) for n in ("tensor", "metadata"))
    shape = options["input_format"]
    in_place = Path(source).suffix == ".npy" and not options["drop_nonfinite"]
    table = load_table(
        source, tensor=tensor, metadata=None if in_place else metadata, input_format=shape
    )
    if in_place and metadata is not None:
        try:
            lines = open_metadata_lines(Path(metadata), table.n_points)
        except OSError:
            lines = None  # What is wrong with the file is said by what reads it whole.
        if lines is not None:
            return TablePoints(table, lines)
        table = load_table(source, tensor=tensor, metadata=metadata, input_format=shape)
    if options["drop_nonfinite"]:
        table = drop_nonfinite(table)
    if table.verify is not None:
        table.verify()
    return TablePoints(table, TableColumns(dict(table.metadata), label or table.label_column()))


def drop_nonfinite(table: EmbeddingTable) -> EmbeddingTable:
    """Return a table without the rows that hold NaN or infinity, and tell how many those are.

    Raises:
        LoadError: If there are no others.
    """
    bad = table.nonfinite_rows()
    if not len(bad):
        return table
    if len(bad) == table.n_points:
        table.check_finite()
    if table.verify is not None:
        table.verify()
    log.info("%s: %s", table.source, nonfinite_note(len(bad)))
    return table.take(np.setdiff1d(np.arange(table.n_points), bad))


def nonfinite_note(n_rows: int) -> str:
    """Say how many rows --drop-nonfinite left out."""
    were = "was" if n_rows == 1 else "were"
    return f"{counted(n_rows, 'row')} with NaN or infinity {were} left out"


def labels_table(points: Points) -> EmbeddingTable:
    """Return a table of the columns alone, for queries; its vectors are all zero."""
    columns = {name: points.columns.column(name) for name in points.columns.names}
    nothing = np.broadcast_to(np.zeros((1, 1), np.float32), (points.n_points, 1))
    return EmbeddingTable(nothing, columns, source=points.source, rows=points.row_numbers())
