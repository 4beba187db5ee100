"""`embviz neighbors --all`: the nearest neighbors of all points, into a file."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from embviz.commands.neighbors.output import escaped
from embviz.commands.shared.source import refuse_overwriting
from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Neighbors
from embviz.outputs.files import check_output, fresh_file
from embviz.questions.all_points import is_exact, neighbors_of_all, whole_table
from embviz.questions.points import Points

if TYPE_CHECKING:
    from embviz.commands.neighbors.neighbors import Request

log = logging.getLogger("embviz")

LINES = 20_000


def write_all(points: Points, request: Request) -> None:
    """Find the neighbors of all points and write them.

    Raises:
        ParameterError: If the file's name says no format.
        OutputError: If it cannot be written.
    """
    output = Path(request.output or "")
    writer = WRITERS.get(output.suffix.lower())
    if writer is None:
        raise ParameterError(output, "no known format", f"name it {', '.join(WRITERS)}")
    if output.suffix.lower() == ".parquet":
        _pyarrow()
    refuse_overwriting(output, {"source": points.source, "metadata": request.metadata})
    check_output(output)
    table = whole_table(points)
    metric = request.metric or points.search.metric
    found = neighbors_of_all(table, request.k, metric, request.exact)
    share = f"{100 * found.recall:.1f} % of the true ones on a sample"
    share = "exact" if is_exact(table, request.exact) else share
    with fresh_file(output) as out:
        writer(out, table, found)
        size = out.tell() if out.seekable() else 0
    shown = f" ({size / 1e6:,.1f} MB)" if size else ""
    log.info(
        "Wrote %s%s: %d neighbors of each of %s points, %s",
        output, shown, found.indices.shape[1], f"{table.n_points:,}", share,
    )  # fmt: skip


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
            rows.tolist(), map(escaped, labels), others.tolist(), map(escaped, near),
            distances.tolist(), strict=True,
        )  # fmt: skip
        text = "".join(f"{a}\t{b}\t{c}\t{d}\t{e:.7g}\n" for a, b, c, d, e in lines)
        out.write(text.encode("utf-8"))


def _write_parquet(out: IO[bytes], table: EmbeddingTable, found: Neighbors) -> None:
    pyarrow, parquet = _pyarrow()
    order = np.argsort(_row_numbers(table), kind="stable")
    names = ("row", "label", "neighbor_row", "neighbor_label", "distance")
    types = ("int64", "string", "int64", "string", "float32")
    notes = {"metric": found.metric, "recall": repr(found.recall)}
    schema = pyarrow.schema(
        [(name, getattr(pyarrow, kind)()) for name, kind in zip(names, types, strict=True)],
        metadata=notes,
    )
    with parquet.ParquetWriter(out, schema) as rows:
        for start in range(0, table.n_points, LINES):
            columns = _columns(table, found, order[start : start + LINES])
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


WRITERS: dict[str, Callable[[IO[bytes], EmbeddingTable, Neighbors], None]] = {
    ".npz": _write_npz,
    ".tsv": _write_tsv,
    ".parquet": _write_parquet,
}
