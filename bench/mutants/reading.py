"""Files read as the commands read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from embviz.errors import EmbvizError
from embviz.loaders import list_tensors, load_table
from embviz.rows import read_rows
from mutants.changing import (
    Kind,
    mutate_files,
)


def read_table(path: Path, **options: Any) -> np.ndarray | None:
    """List and load a table as the commands do; return its vectors where they were checked."""
    list_tensors(path)
    table = load_table(path, **options)
    read_rows(table.vectors, np.s_[:: max(1, table.n_points // 9)])
    table.label(0)
    if table.verify is not None:
        table.verify()
    size = table.n_points * table.n_dims * table.vectors.dtype.itemsize
    return np.asarray(table.vectors[0 : table.n_points]) if size < 1 << 24 else None


def read_all(path: Path) -> None:
    """Read some rows and the labels of every table of a source."""
    for info in list_tensors(path):
        if len(info.shape) == 2:
            try:
                table = load_table(path, tensor=info.name)
            except EmbvizError as error:
                if not str(error).startswith((str(path), "tensor")):
                    raise
                continue
            next(iter(table.blocks()))
            table.label(table.n_points - 1)


def one_file(name: str, content: bytes, **options: Any) -> Kind:
    def make(folder: Path) -> None:
        (folder / name).write_bytes(content)

    def read(folder: Path) -> None:
        read_table(folder / name, **options)

    return Kind(make, mutate_files, read)
