"""The folder that `embviz index` writes, as a table of its vectors and labels."""

from __future__ import annotations

from pathlib import Path

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, TensorInfo
from embviz.neighbors.index.files import looks_like_index


def accepts(path: Path) -> bool:
    """Tell whether a folder is an index, or what is left of one."""
    return looks_like_index(path)


def list_tensors(path: Path) -> list[TensorInfo]:
    """Return the one table of an index.

    Raises:
        LoadError: If the index is damaged or of another version.
    """
    from embviz.neighbors.index.index import open_index

    index = open_index(path)
    shape = (index.n_points, index.n_dims)
    return [TensorInfo(index.name, shape, index.dtype.name, "neighbor index", taken=True)]


def load(path: Path, tensor: str | None = None) -> EmbeddingTable:
    """Map the vectors of an index; its points come cell by cell, with their own row numbers.

    Raises:
        LoadError: If the index is damaged or of another version.
        ParameterError: If a tensor is asked for that is not its own.
    """
    from embviz.neighbors.index.index import open_index

    index = open_index(path)
    if tensor not in (None, index.name):
        raise ParameterError(
            f"tensor '{tensor}'", f"{path} holds the tensor '{index.name}'", "leave --tensor out"
        )
    return index.table()
