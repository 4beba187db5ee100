"""FAISS's inverted lists: each holds some rows, and then their ids."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, printable
from embviz.inputs import open_file
from embviz.loaders.bytes.row_reads import read_rows_at
from embviz.loaders.confined import check_within


def read_numbers(path: Path, begin: int, count: int, dtype: str) -> NDArray[np.int64]:
    """Read whole numbers that are known to be within a file; those above 2^63 become negative."""
    with open_file(path) as file:
        file.seek(begin)
        raw = file.read(count * np.dtype(dtype).itemsize)
    return np.frombuffer(raw, dtype).astype(np.int64)


@dataclass(frozen=True)
class InvertedLists:
    """Lists that are not empty, each of so many rows and ids.

    Attributes:
        path: The file that they lie in.
        n_dims: The length of a row of float32.
        sizes: How many rows each has, int64 (n_lists,), as are the others.
        rows_at: Where its rows begin.
        ids_at: Where its ids begin, int64 each.
    """

    path: Path
    n_dims: int
    sizes: NDArray[np.int64]
    rows_at: NDArray[np.int64]
    ids_at: NDArray[np.int64]

    @cached_property
    def _in_order(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The ids in ascending order, and where each one's row lies."""
        stops = np.cumsum(self.sizes)
        within = np.arange(int(self.sizes.sum())) - np.repeat(stops - self.sizes, self.sizes)
        offsets = np.repeat(self.rows_at, self.sizes) + within * 4 * self.n_dims
        ids_at = np.repeat(self.ids_at, self.sizes) + within * 8
        ids = read_rows_at(self.path, ids_at, 8).view("<i8")[:, 0].astype(np.int64)
        order = np.argsort(ids, kind="stable")
        return ids[order], offsets[order]

    def ids(self) -> NDArray[np.int64]:
        """Return all ids in ascending order."""
        return self._in_order[0]

    def rows(self) -> InvertedRows:
        """Open the rows in the order of their ids."""
        return InvertedRows(self.path, self.n_dims, self._in_order[1])


class InvertedRows:
    """Rows that lie anywhere in a file, read where they are sliced."""

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(self, path: Path, n_dims: int, offsets: NDArray[np.int64]) -> None:
        self._path, self._offsets = path, offsets
        self.shape = (len(offsets), n_dims)

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        raw = read_rows_at(self._path, self._offsets[rows], 4 * self.shape[1])
        return raw.view("<f4").astype(np.float32, copy=False)


def find_beside(index: Path, raw: bytes) -> Path:
    """Return the file of lists that an index names, which must lie in the index's folder.

    FAISS writes the path that it was given then; of one that leads elsewhere the name is looked
    for beside the index, as with its IO_FLAG_ONDISK_SAME_DIR.

    Raises:
        LoadError: If there is no such file, or it leads out of the folder.
    """
    name = raw.decode("utf-8", "surrogateescape").replace("\\", "/").rpartition("/")[2]
    what = f"{index}: its lists in '{printable(name, 100)}'"
    if "\0" in name or name in ("", ".", ".."):
        raise LoadError(what, "not the name of a file")
    path = index.parent / name
    if not path.is_file():
        raise LoadError(what, "no such file beside it", f"put it into {index.parent}")
    check_within(index.parent, path)
    return path
