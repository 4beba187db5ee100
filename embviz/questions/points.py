"""What is asked for neighbors: the points of a table or of an index, with their metadata."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard, Unpack

import numpy as np

from embviz.checks import check_column, check_kind
from embviz.errors import ParameterError, counted
from embviz.loaders.opened import Columns, TextColumns
from embviz.loaders.reading import Reading, ReadingOptions
from embviz.model import EmbeddingTable
from embviz.questions.search import Search, TableSearch

if TYPE_CHECKING:
    from embviz.neighbors.index.index import NeighborIndex

log = logging.getLogger("embviz")


@dataclass(frozen=True, eq=False)
class Points:
    """Points whose neighbors can be asked for by label, numbered 0 .. n_points - 1.

    Attributes:
        search: What finds neighbors among them.
        columns: Their metadata, one column of which names them.
        source: The name of the file or folder, as it is shown.
        files: What they are read from.
    """

    search: Search
    columns: Columns
    source: str
    files: tuple[Path, ...] = ()

    @property
    def n_points(self) -> int:
        return self.search.n_points

    def label(self, point: int) -> str:
        """Return a point's label, or its row number where there is none."""
        column = self.columns.label
        text = self.columns.value(column, point) if column else ""
        return text or f"row {self.search.row_number(point)}"

    def labelled_by(self, column: str | None) -> Points:
        """Return the points named by another column; None leaves it to them.

        Raises:
            ParameterError: If there is no such column.
        """
        columns = self.columns
        if column is None or column == columns.label:
            return self
        check_column("--label-by", column, columns.names)
        read = {name: columns.column(name) for name in columns.names}
        return replace(self, columns=TextColumns(read, column))

    def metadata_table(self) -> EmbeddingTable:
        """Return a table of the columns alone, for queries; its vectors are all zero."""
        columns = {name: self.columns.column(name) for name in self.columns.names}
        nothing = np.broadcast_to(np.zeros((1, 1), np.float32), (self.n_points, 1))
        rows = self.search.row_numbers()
        return EmbeddingTable(nothing, columns, source=self.source, rows=rows)


def as_points(
    asked: Points | EmbeddingTable | NeighborIndex, label_by: str | None = None
) -> Points:
    """Return what can be asked: the points of a table or of an index.

    Args:
        asked: A table, an index, or points, which stay as they are.
        label_by: The column that names the points; None is the first that is not all numbers.

    Raises:
        ParameterError: If there is no such column, or fewer than two points.
    """
    if isinstance(asked, EmbeddingTable):
        columns = TextColumns(asked.metadata)
        asked = Points(TableSearch(asked), columns, asked.source)
    elif not isinstance(asked, Points):
        from embviz.neighbors.index.index import NeighborIndex

        way_out = "give a table, or what open_points or open_index gives"
        check_kind("points", asked, NeighborIndex, way_out)
        asked = Points(asked, asked.columns, str(asked.path), (asked.path,))
    points = asked.labelled_by(label_by)
    if points.n_points < 2:
        raise ParameterError(points.source or "vectors", "1 row has no neighbors")
    return points


def open_points(
    source: str | Path | Sequence[str | Path],
    *,
    label_by: str | None = None,
    drop_nonfinite: bool = False,
    **options: Unpack[ReadingOptions],
) -> Points:
    """Open points to ask: the folder of an index, or any source that `load_table` reads.

    Labels in a metadata file are looked up where they lie, so that a question takes no longer
    for them.

    Args:
        source: A file, a checkpoint's prefix, or a folder; several files are one table.
        label_by: The metadata column that names the points.
        drop_nonfinite: Whether to leave out rows with NaN or infinity.
        options: As for `load_table`: `tensor`, `metadata`, `input_format` and the other fields of
            `Reading`.

    Raises:
        LoadError: If it is damaged or of no known format.
        ParameterError: If an option does not go with it.
    """
    reading = Reading(**options)
    if is_index(source, reading.input_format):
        for option in ("metadata", "tensor", "metadata_key", "unlabeled", "drop_unused"):
            if getattr(reading, option) not in (None, False):
                raise ParameterError(
                    f"--{option.replace('_', '-')}",
                    f"{source} is an index, which holds its own vectors and labels",
                    "build another index with it",
                )
        return as_points(_open_index(source), label_by)
    return as_points(_open_table(source, reading, drop_nonfinite), label_by)


def is_index(
    source: str | Path | Sequence[str | Path], input_format: str | None = None
) -> TypeGuard[str | Path]:
    """Tell whether a source is the folder of an index, or what is left of one."""
    if not isinstance(source, (str, Path)):
        return False
    from embviz.neighbors.index.files import looks_like_index

    return looks_like_index(Path(source)) if input_format is None else input_format == "index"


def _open_index(source: str | Path) -> NeighborIndex:
    from embviz.neighbors.index.index import open_index

    index = open_index(source)
    changed = index.changed_source()
    if changed:
        log.warning(
            "%s: %s has changed since this index was built, and these are its old points; "
            "build it again with embviz index",
            source, changed,
        )  # fmt: skip
    return index


def _open_table(
    source: str | Path | Sequence[str | Path], reading: Reading, only_finite: bool
) -> Points:
    from embviz.loaders import choose_tensor, open_columns, open_source, read_table

    opened = open_source(source, reading)
    tensor = choose_tensor(opened, reading.tensor)
    columns: Columns | None
    if only_finite or reading.drop_unused or reading.unlabeled == "drop":
        table = read_table(opened, tensor, reading)
        table = drop_nonfinite(table) if only_finite else table
        columns = TextColumns(table.metadata)
    else:
        table = read_table(opened, tensor, bare=True)
        columns = open_columns(opened, tensor, table.n_points, reading)
    if table.verify is not None:
        table.verify()
    named = () if reading.metadata is None else (Path(reading.metadata),)
    files = (opened.path, *opened.files, *named)
    return Points(TableSearch(table), columns or TextColumns({}), table.source, files)


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
    finite = table.take(np.setdiff1d(np.arange(table.n_points), bad))
    return replace(finite, left_out={**table.left_out, "nonfinite": len(bad)})


def nonfinite_note(n_rows: int) -> str:
    """Say how many rows were left out for NaN or infinity."""
    were = "was" if n_rows == 1 else "were"
    return f"{counted(n_rows, 'row')} with NaN or infinity {were} left out"
