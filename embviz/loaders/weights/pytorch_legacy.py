"""PyTorch files of before version 1.6: pickles one behind another, then the storages.

What `_legacy_save` of https://github.com/pytorch/pytorch/blob/main/torch/serialization.py writes:
a number to know it by, a version, facts of the machine, what was saved, and the keys of the
storages; then, in that order, how many elements each has (int64) and these. All little-endian.
"""

from __future__ import annotations

import mmap
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.inputs import map_file, open_file
from embviz.loaders.weights.pickle_machine import read_pickle
from embviz.loaders.weights.pickle_nodes import Persistent, PickleError
from embviz.loaders.weights.pickled_views import find_storage
from embviz.loaders.weights.stored_tensors import Piece, element_size

MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_VERSION = 1001


def read_legacy(path: Path) -> tuple[Any, dict[str, Piece]]:
    """Read what was saved, and where each storage lies.

    Raises:
        LoadError: If the file is damaged, cut off, or of another version.
        PickleError: If a pickle is.
    """
    kept: list[Persistent] = []
    with open_file(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        version, at = read_pickle(data, len(MAGIC))
        if version != _VERSION:
            raise LoadError(path, "a PyTorch file of an unknown version", "save it again")
        _, at = read_pickle(data, at)
        root, at = read_pickle(data, at, kept)
        keys, at = read_pickle(data, at)
        types = {s.key: s.dtype or "uint8" for s in map(find_storage, kept) if s is not None}
        pieces: dict[str, Piece] = {}
        for key in keys if isinstance(keys, list) else ():
            dtype = types.get(key, "") if isinstance(key, str) else ""
            size = element_size(dtype)
            if not size:
                raise PickleError(f"a storage of {dtype or 'no type'} before byte {at}")
            n_bytes = int.from_bytes(data[at : at + 8], "little") * size
            at += 8
            if at + n_bytes > len(data):
                why = f"cut off: {n_bytes} bytes at byte {at}, {max(0, len(data) - at)} are there"
                raise LoadError(path, why, "fetch or write it again")
            pieces[key] = Piece(n_bytes, partial(map_bytes, path, at, n_bytes))
            at += n_bytes
    return root, pieces


def map_bytes(path: Path, start: int, n_bytes: int) -> NDArray[np.uint8]:
    """Map some bytes of a file."""
    return map_file(path, np.uint8, start, (n_bytes,))
