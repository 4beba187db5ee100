"""Rows of files by path, opened where they are read and kept open for a while."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.rows import Rows, read_rows, release_pages

if TYPE_CHECKING:
    from embviz.shards.values import Piece, ShardedRows

KEPT_OPEN = 8
"""Files that a process keeps open: those of the blocks that are read next to each other."""
_Key = tuple[str, str | None, str | None, tuple[int, ...]]
_opened: OrderedDict[_Key, Rows] = OrderedDict()
_lock = threading.Lock()


def read_piece(piece: Piece) -> NDArray[Any]:
    """Return the rows of a piece as `Piece.read` does."""
    shown = piece.shown or piece.path
    try:
        rows = _open(piece)
        if rows.shape[0] < piece.stop:
            raise LoadError(
                piece.path, f"has {rows.shape[0]} rows where {piece.stop} were", "run it again"
            )
        # A copy, so that what is mapped may go: else all files end up in memory.
        found = np.array(read_rows(rows, slice(piece.start, piece.stop)))
        release_pages(rows, slice(piece.start, piece.stop))
        return found
    except LoadError as error:
        _forget(piece)
        what = error.what.replace(piece.path, shown)
        raise LoadError(what, error.why.replace(piece.path, shown), error.way_out) from None


def _open(piece: Piece) -> Rows:
    """Open a file, or take it from those that are open.

    Raises:
        LoadError: If it is missing or damaged.
    """
    key = _key(piece)
    with _lock:  # Held while it opens, lest threads open one file each.
        if key in _opened:
            _opened.move_to_end(key)
            return _opened[key]
        rows = open_rows(*key[:3])
        _opened[key] = rows
        while len(_opened) > KEPT_OPEN:
            _opened.popitem(last=False)
        return rows


def open_rows(path: str, tensor: str | None, input_format: str | None) -> Rows:
    """Open the rows of a file by its path.

    Raises:
        LoadError: If it is missing or damaged.
    """
    from embviz.loaders.formats import open_path, telling
    from embviz.loaders.reading import Reading

    with telling(Path(path)):
        opened = open_path(Path(path), Reading(tensor=tensor, input_format=input_format))
        for found in opened.tensors:  # By the very name: the choice was made and told before.
            if tensor in (None, found.name):
                return found.rows()
    raise LoadError(path, f"has no tensor '{tensor}' any more", "run it again")


def _key(piece: Piece) -> _Key:
    """Return by what an open file is known: another one of its name is opened anew."""
    try:
        found = os.stat(piece.path)
        state: tuple[int, ...] = (found.st_mtime_ns, found.st_size, found.st_ino)
    except (OSError, ValueError):  # Told by what opens it.
        state = ()
    return piece.path, piece.tensor, piece.input_format, state


def _forget(piece: Piece) -> None:
    with _lock:
        _opened.pop(_key(piece), None)


class FileRows:
    """The rows of several files as `Rows`: a file is opened when it is read."""

    def __init__(self, sharded: ShardedRows) -> None:
        """Take rows that `blocks.open_shards` found."""
        self._sharded = sharded
        self.shape = (sharded.n_rows, sharded.n_dims)
        self.dtype = sharded.dtype

    def __getitem__(self, rows: slice, /) -> NDArray[Any]:
        start, stop, _ = rows.indices(self.shape[0])
        if start >= stop:
            return np.empty((0, self.shape[1]), self.dtype)
        return self._sharded.block(start, stop).read()
