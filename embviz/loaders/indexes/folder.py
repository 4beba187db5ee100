"""The folder that `embviz index` writes, as a table of its vectors and labels."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embviz.loaders.opened import Claim, Source, Start, Tensor, TextColumns
from embviz.loaders.reading import Reading

if TYPE_CHECKING:
    from embviz.neighbors.index.index import NeighborIndex


class IndexFormat:
    """Reads neighbor indexes; their points come cell by cell, with their own row numbers."""

    name = "index"

    def claim(self, start: Start) -> Claim | None:
        """Claim the folder of an index, or what is left of one."""
        from embviz.neighbors.index.files import looks_like_index

        if start.kind != "folder":
            return None
        return Claim.MAGIC if looks_like_index(start.path) else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Open an index.

        Raises:
            LoadError: If it is damaged or of another version.
        """
        from embviz.neighbors.index.index import open_index

        index = open_index(path)
        # The order of the points is read when labels or row numbers are asked for.
        table = functools.cache(index.table)

        def numbers() -> NDArray[np.int64]:
            rows = table().rows
            assert rows is not None
            return rows

        tensor = Tensor(
            index.name,
            (index.n_points, index.n_dims),
            index.dtype.name,
            rows=lambda: index.store.files.array("vectors"),
            note="neighbor index",
            columns=lambda: TextColumns(table().metadata, index.columns.label),
            numbers=numbers,
            verify=lambda: _read_all(index),
        )
        return Source(path, (tensor,), files=tuple(sorted(path.iterdir())))


INDEX = IndexFormat()


def _read_all(index: NeighborIndex) -> None:
    index.store.files.read("vectors")  # Checksums are compared on the way.
