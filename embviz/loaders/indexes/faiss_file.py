"""FAISS's index files: the vectors in them, by `faiss_layout`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from embviz.loaders.indexes.faiss_layout import FaissIndex, looks_like_faiss, read_index
from embviz.loaders.opened import Claim, Columns, Source, Start, Tensor, TextColumns
from embviz.loaders.reading import Reading


class FaissFormat:
    """Reads indexes that hold vectors as they are: flat, HNSW and inverted lists, with ids."""

    name = "faiss"

    def claim(self, start: Start) -> Claim | None:
        """Claim what begins with the letters and the header of an index."""
        return Claim.MAGIC if start.kind == "file" and looks_like_faiss(start.head) else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the headers of an index.

        Returns:
            Its vectors in float32: those of a flat index or a graph mapped, those of inverted
            lists in the order of their ids; ids that are not the rows' numbers as column `id`.

        Raises:
            LoadError: If it is damaged, or its vectors are compressed.
        """
        index = read_index(path)
        tensor = Tensor(
            path.name,
            index.shape,
            "float32",
            rows=index.rows,
            aliases=(path.stem,),
            note=f"FAISS {index.kind}, {index.metric}",
            columns=None if index.ids is None else lambda: _columns(index),
        )
        return Source(path, (tensor,), files=index.files)


FAISS = FaissFormat()


def _columns(index: FaissIndex) -> Columns:
    assert index.ids is not None
    ids = index.ids()
    if np.array_equal(ids, np.arange(len(ids))):
        return TextColumns({})
    return TextColumns({"id": tuple(map(str, ids.tolist()))}, named_by="id")
