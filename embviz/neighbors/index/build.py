"""Building an index on disk in bounded memory, and adding rows to it."""

from __future__ import annotations

import logging
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_column, check_seed
from embviz.errors import ParameterError
from embviz.kernels import TRAINED_PER_CENTER, choose_kernels
from embviz.model import EmbeddingTable, Metric
from embviz.neighbors.exact import check_metric
from embviz.neighbors.index.files import crc32c, sample_file, write_manifest
from embviz.neighbors.index.index import NeighborIndex, open_index, opened
from embviz.neighbors.index.labels import encode_column, ends_part, sort_labels, text_part
from embviz.neighbors.index.recall import measure_recall
from embviz.neighbors.index.writer import FolderWriter, fresh_index
from embviz.outputs.files import told
from embviz.outputs.locks import locked
from embviz.outputs.unfinished import undone
from embviz.rows import take_rows
from embviz.space import LARGEST, Floats, divide, open_space, unit_rows, working_type

log = logging.getLogger("embviz")
progress = logging.getLogger("embviz.progress")

SMALLEST_WITH_CELLS = 5000  # Below, reading all rows takes no time.
CELLS_PER_ROOT = 2.0  # Cells are this many times the root of the number of points.
TRAINING_STEPS = 8
CHUNK_BYTES = 64 << 20


@dataclass(frozen=True, eq=False)
class _Cells:
    """The cells' centers float32 (n_cells, n_dims), for rows divided by `unit` minus `mean`."""

    metric: Metric
    unit: float
    mean: NDArray[np.float64]
    centers: NDArray[np.float32]

    def place(self, rows: Floats) -> NDArray[np.float32]:
        """Return rows (n, n_dims) as they are compared with the centers; may change them."""
        if self.metric == "cosine":
            return unit_rows(rows).astype(np.float32)
        exponent = math.frexp(self.unit)[1] - 1
        scaled = divide(rows, exponent) - self.mean.astype(rows.dtype)
        return np.ascontiguousarray(scaled, dtype=np.float32)


def build_index(
    table: EmbeddingTable,
    path: str | Path,
    *,
    metric: Metric = "cosine",
    label_column: str | None = None,
    seed: int = 0,
) -> NeighborIndex:
    """Write an index of a table and open it.

    The folder appears under its name when it is complete. Memory beyond the table's own grows by
    some 30 bytes a point, and by the labels'.

    Args:
        table: The points; vectors of any real dtype are stored as they are.
        path: The folder to write; an index that is there is replaced.
        metric: The one that queries are fast in; the other one reads every row.
        label_column: The column that names the points; None is the table's own choice.
        seed: For the cells and the sample of points on which the recall is measured.

    Raises:
        LoadError: If a row holds NaN or infinity, or a checksum of the source is wrong.
        ParameterError: If a value is out of range.
        OutputError: If the folder cannot be written, or something else is there.
    """
    check_metric(metric)
    folder = Path(path)
    if table.n_points < 2:
        raise ParameterError(table.source or "vectors", "1 row has no neighbors")
    if label_column is not None:
        check_column("--label-by", label_column, table.metadata)
    check_seed("--seed", seed)
    with fresh_index(folder) as building:
        if table.verify is not None:
            table.verify()
        cells = _make_cells(table, metric, seed)
        content = {
            "name": table.name,
            "source": _shown(table.source),
            "origin": _origin(table, folder),
            "metric": metric,
            "unit": cells.unit,
            "n_cells": len(cells.centers),
            "segments": [],
            "columns": list(table.metadata),
            "label_column": label_column or table.label_column(),
            "seed": seed,
        }
        writer = FolderWriter(building)
        with undone(writer.abandon):
            writer.write("centers", cells.centers)
            writer.write("mean", cells.mean)
            if table.rows is not None:
                writer.write("rows", table.rows)
            _write_all(building, writer, table, cells, content)
    return open_index(folder)


def append_rows(table: EmbeddingTable, path: str | Path) -> NeighborIndex:
    """Add points to an index: they join its cells, and its recall is measured again.

    Their row numbers go on from the last. A reader sees the index without or with all of them.

    Args:
        table: The new points, with the index's columns and width.
        path: The index folder.

    Raises:
        LoadError: If the index or a new row is damaged.
        ParameterError: If the new points do not fit the index.
        OutputError: If the folder cannot be written, or another process is writing to it.
    """
    folder = Path(path)
    open_index(folder)
    with locked(folder):
        index = open_index(folder)
        _check_fit(index, table)
        if table.verify is not None:
            table.verify()
        files = index.store.files
        exponent = open_space(table).exponent
        if exponent - index.store.exponent > math.log2(LARGEST):
            raise ParameterError(
                table.source or "vectors", "too large for this index", "build anew"
            )
        cells = _Cells(index.metric, index.store.unit, files.read("mean"), files.read("centers"))
        content = {**index.manifest.to_json(), "origin": None}
        with told(folder):
            writer = FolderWriter(folder, files)
            with undone(writer.abandon):
                _append_row_numbers(writer, index, table)
                _write_all(folder, writer, table, cells, content)
    return open_index(folder)


def _append_row_numbers(writer: FolderWriter, index: NeighborIndex, table: EmbeddingTable) -> None:
    """Write the row numbers of new points, where they or those before are not 0, 1, 2, …"""
    files = index.store.files
    known = "rows" in files.parts
    if not known and table.rows is None:
        return
    last = int(files.read("rows").max()) if known else index.n_points - 1
    if not known:
        writer.write("rows", np.arange(index.n_points))
    own = np.arange(table.n_points) if table.rows is None else table.rows
    writer.write("rows", last + 1 + own)


def _write_all(
    folder: Path,
    writer: FolderWriter,
    table: EmbeddingTable,
    cells: _Cells,
    content: dict[str, Any],
) -> None:
    """Write the parts of new points, measure the recall, and write the manifest last."""
    first = sum(content["segments"])
    _write_points(writer, table, cells, first)
    _write_columns(writer, table, content, first)
    parts = writer.close()
    content["segments"] = [*content["segments"], table.n_points]
    described = {name: part.to_json() for name, part in parts.items()}
    index = opened(folder, {**content, "recall": None, "parts": described})
    content["recall"] = measure_recall(index.store, content["seed"])
    del index  # A mapped file cannot be moved everywhere.
    write_manifest(folder, content, parts)


def _make_cells(table: EmbeddingTable, metric: Metric, seed: int) -> _Cells:
    """Place the centers by k-means on a sample."""
    progress.info("index: reading %s vectors", f"{table.n_points:,}")
    space = open_space(table)
    mean = np.zeros(table.n_dims) if metric == "cosine" else space.mean
    none = _Cells(metric, space.unit, mean, np.empty((0, table.n_dims), np.float32))
    if table.n_points < SMALLEST_WITH_CELLS:
        return none
    n_cells = round(CELLS_PER_ROOT * math.sqrt(table.n_points))
    rng = np.random.default_rng(seed)
    n_sample = min(table.n_points, n_cells * TRAINED_PER_CENTER)
    rows = np.sort(rng.choice(table.n_points, n_sample, replace=False))
    raw = take_rows(table.vectors, rows).astype(working_type(table.vectors.dtype))
    sample = none.place(raw)
    progress.info("index: placing %s cells", f"{n_cells:,}")
    centers = choose_kernels().centers(sample, n_cells, TRAINING_STEPS, seed, metric == "cosine")
    return _Cells(metric, space.unit, mean, centers)


def _assign(table: EmbeddingTable, cells: _Cells) -> NDArray[np.int32]:
    """Return the cell of each point, the one with the nearest center."""
    out = np.zeros(table.n_points, np.int32)
    kernels, inner = choose_kernels(), cells.metric == "cosine"
    for start, block in table.blocks(working_type(table.vectors.dtype)):
        if len(cells.centers):
            placed = cells.place(block)
            out[start : start + len(block)] = kernels.assign(placed, cells.centers, inner)
        done = 100 * (start + len(block)) // table.n_points
        progress.info("index: %d %% of the points are in cells", done)
    return out


def _write_points(writer: FolderWriter, table: EmbeddingTable, cells: _Cells, first: int) -> None:
    """Write the points cell by cell, with the tables that say where each is."""
    cell = _assign(table, cells)
    order = np.argsort(cell, kind="stable")
    sizes = np.bincount(cell, minlength=max(1, len(cells.centers)))
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    writer.write("bounds", first + bounds[None, :])
    places = np.empty(len(order), np.int64)
    places[order] = first + np.arange(len(order))
    writer.write("places", places)
    writer.write("points", first + order)
    dtype = table.vectors.dtype
    little = dtype.newbyteorder("<") if dtype.byteorder == ">" else dtype
    width = table.n_dims * 8
    step = max(1, CHUNK_BYTES // width)
    checksums = np.zeros((1, len(sizes)), np.uint32)
    for start in range(0, len(order), step):
        rows = order[start : start + step]
        by_row = np.argsort(rows)
        chunk = np.empty((len(rows), table.n_dims), writer.dtype("vectors", little))
        chunk[by_row] = take_rows(table.vectors, rows[by_row])
        writer.write("vectors", chunk)
        raw = chunk.reshape(-1).view(np.uint8)
        for number in range(int(cell[rows[0]]), int(cell[rows[-1]]) + 1):
            ends = np.clip(bounds[number : number + 2] - start, 0, len(rows))
            a, b = (ends * table.n_dims * chunk.itemsize).tolist()
            checksums[0, number] = crc32c(raw[a:b], int(checksums[0, number]))
        wide = np.ldexp(chunk.astype(np.float64), 1 - math.frexp(cells.unit)[1])
        with np.errstate(over="ignore"):
            writer.write("norms", np.linalg.norm(wide, axis=1).astype(np.float32))
        done = 100 * (start + len(rows)) // len(order)
        progress.info("index: %d %% of the points are written", done)
    writer.write("checksums", checksums)


def _write_columns(
    writer: FolderWriter, table: EmbeddingTable, content: dict[str, Any], first: int
) -> None:
    """Write the columns and the sorted table of the labels."""
    for number, name in enumerate(content["columns"]):
        values = table.metadata[name]
        text, ends = encode_column(values, writer.n_rows(text_part(number)))
        writer.write(text_part(number), np.frombuffer(text, np.uint8))
        writer.write(ends_part(number), ends)
        if name == content["label_column"]:
            writer.write("sorted", sort_labels(values, first))


def _check_fit(index: NeighborIndex, table: EmbeddingTable) -> None:
    """Refuse points that do not go with those of an index."""
    what = table.source or "vectors"
    if table.n_dims != index.n_dims:
        raise ParameterError(
            what, f"{table.n_dims} dimensions where the points of {index.path} have {index.n_dims}"
        )
    if not np.can_cast(table.vectors.dtype, index.dtype, "safe"):
        raise ParameterError(
            what,
            f"{table.vectors.dtype.name} does not fit the index's {index.dtype.name} unchanged",
            "convert it, or build a new index of all points",
        )
    if tuple(table.metadata) != index.columns.names:
        here, there = (
            ", ".join(names) or "none" for names in (table.metadata, index.columns.names)
        )
        raise ParameterError(what, f"its columns are {here}, those of {index.path} are {there}")


def _shown(source: str) -> str:
    return Path(source).name if source and Path(source).is_absolute() else source


def _origin(table: EmbeddingTable, folder: Path) -> dict[str, Any] | None:
    """Return what a source can be recognized by when it has changed: its size and some of it."""
    file = Path(table.source) if table.source else None
    if file is None or file.is_absolute() or folder.is_absolute() or not file.is_file():
        return None
    return {"file": Path(os.path.relpath(file, folder.parent)).as_posix(), **sample_file(file)}
