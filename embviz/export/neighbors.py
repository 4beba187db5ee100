"""The neighbors of all points as arrays, text, or Parquet."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Neighbors
from embviz.outputs.cells import cell
from embviz.outputs.files import fresh_file
from embviz.outputs.text import to_utf8, writable

LINES = 20_000
Writer = Callable[[IO[bytes], EmbeddingTable, Neighbors], None]


def write_neighbors(path: str | os.PathLike[str], table: EmbeddingTable, found: Neighbors) -> int:
    """Write the neighbors of all points, by row numbers of the source.

    `.npz` holds `rows` int64 (n,), `neighbors` int64 (n, k), `distances` float32 (n, k), `metric`
    and `recall`; `.tsv` and `.parquet` a line a pair: `row`, `label`, `neighbor_row`,
    `neighbor_label`, `distance`.

    Args:
        path: The file to write.
        table: The points.
        found: Of each of them, as `neighbors_of_all` finds them.

    Returns:
        Its size in bytes, 0 where that is not known.

    Raises:
        ParameterError: If the file's name says no format.
        OutputError: If it cannot be written.
    """
    write = find_writer(Path(path))
    with fresh_file(Path(path)) as out:
        write(out, table, found)
        return out.tell() if out.seekable() else 0


def find_writer(path: Path) -> Writer:
    """Return what writes a file's format.

    Raises:
        ParameterError: If its name says none, or a package is missing.
    """
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise ParameterError(path, "no known format", f"name it {', '.join(WRITERS)}")
    if writer is _write_parquet:
        _pyarrow()
    return writer


def _row_numbers(table: EmbeddingTable) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.arange(table.n_points) if table.rows is None else table.rows


def _write_npz(out: IO[bytes], table: EmbeddingTable, found: Neighbors) -> None:
    """Write rows (n,), neighbors (n, k) as row numbers, distances (n, k), recall, metric."""
    numbers = _row_numbers(table)
    order = np.argsort(numbers, kind="stable")
    np.savez(
        out,
        rows=numbers[order],
        neighbors=numbers[found.indices][order],
        distances=found.distances[order],
        recall=np.float64(found.recall),
        metric=np.array(found.metric),
    )


def _columns(table: EmbeddingTable, found: Neighbors, rows: Any) -> tuple[Any, ...]:
    """Return what a long table says of some points: row, label, neighbor, its label, distance."""
    numbers = _row_numbers(table)
    k = found.indices.shape[1]
    points = np.repeat(rows, k)
    others = found.indices[rows].ravel()
    name = table.label_column()
    texts = None if name is None else table.metadata[name]
    labels = [""] * len(points) if texts is None else [texts[i] for i in points.tolist()]
    near = [""] * len(points) if texts is None else [texts[i] for i in others.tolist()]
    return numbers[points], labels, numbers[others], near, found.distances[rows].ravel()


def _write_tsv(out: IO[bytes], table: EmbeddingTable, found: Neighbors) -> None:
    order = np.argsort(_row_numbers(table), kind="stable")
    out.write(b"row\tlabel\tneighbor_row\tneighbor_label\tdistance\n")
    for start in range(0, table.n_points, LINES):
        columns = _columns(table, found, order[start : start + LINES])
        rows, labels, others, near, distances = columns
        lines = zip(
            rows.tolist(), map(cell, labels), others.tolist(), map(cell, near),
            distances.tolist(), strict=True,
        )  # fmt: skip
        text = "".join(f"{a}\t{b}\t{c}\t{d}\t{e:.7g}\n" for a, b, c, d, e in lines)
        out.write(to_utf8(text))


def _write_parquet(out: IO[bytes], table: EmbeddingTable, found: Neighbors) -> None:
    pyarrow, parquet = _pyarrow()
    order = np.argsort(_row_numbers(table), kind="stable")
    names = ("row", "label", "neighbor_row", "neighbor_label", "distance")
    types = ("int64", "string", "int64", "string", found.distances.dtype.name)
    notes = {"metric": found.metric, "recall": repr(found.recall)}
    schema = pyarrow.schema(
        [(name, getattr(pyarrow, kind)()) for name, kind in zip(names, types, strict=True)],
        metadata=notes,
    )
    with parquet.ParquetWriter(out, schema) as rows:
        for start in range(0, table.n_points, LINES):
            ids, labels, others, near, distances = _columns(
                table, found, order[start : start + LINES]
            )
            texts = (list(map(writable, column)) for column in (labels, near))
            columns = (ids, next(texts), others, next(texts), distances)
            rows.write_table(pyarrow.table(list(map(pyarrow.array, columns)), schema=schema))


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ParameterError(
            ".parquet", "the package pyarrow is not installed", "pip install 'embviz[parquet]'"
        ) from None
    return pyarrow, parquet


WRITERS: dict[str, Writer] = {
    ".npz": _write_npz,
    ".tsv": _write_tsv,
    ".parquet": _write_parquet,
}
