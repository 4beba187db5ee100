"""Parquet and Arrow files as metadata: the columns that name and describe points."""

from __future__ import annotations

from pathlib import Path

from embviz.loaders.extras import need_package
from embviz.loaders.opened import Columns, Start
from embviz.loaders.tables.arrow import ARROW, open_arrow_file
from embviz.loaders.tables.arrow_table import ArrowTable, Part
from embviz.loaders.tables.arrow_tensors import metadata_columns
from embviz.loaders.tables.parquet import PARQUET, open_parquet_file


def is_table_file(start: Start) -> bool:
    """Tell whether a path is a Parquet or Arrow file by its content."""
    return start.kind == "file" and any(f.claim(start) for f in (PARQUET, ARROW))


def open_table_columns(path: Path, start: Start) -> tuple[Columns, int]:
    """Open the columns of a Parquet or Arrow file, vectors and bytes left out, which is told.

    Returns:
        The columns, read when they are asked for, and the number of rows.

    Raises:
        LoadError: If pyarrow is missing, or the file is damaged.
    """
    is_parquet = PARQUET.claim(start) is not None
    need_package(path, "Parquet" if is_parquet else "Arrow", "pyarrow", "parquet")
    part: Part = open_parquet_file(path) if is_parquet else open_arrow_file(path)
    table = ArrowTable(path, (part,))
    return metadata_columns(table), table.n_rows
