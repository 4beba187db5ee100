"""Rows of bytes that lie anywhere in a file, read where they are wanted.

A memory map would bring in what the system reads ahead for each row, which can be megabytes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.inputs import open_raw


def read_rows_at(path: Path, offsets: NDArray[np.int64], row_bytes: int) -> NDArray[np.uint8]:
    """Return the rows at some offsets, those that lie one behind the other in one read.

    Args:
        path: The file.
        offsets: Where rows begin, int64 (n_rows,), in any order.
        row_bytes: The length of each.

    Returns:
        uint8 (n_rows, row_bytes), in the order of `offsets`.

    Raises:
        LoadError: If the file ends before a row does.
    """
    order = np.argsort(offsets, kind="stable")
    ascending = offsets[order]
    out = np.empty((len(offsets), row_bytes), np.uint8)
    into = out.reshape(-1).data
    stops = np.append(np.flatnonzero(np.diff(ascending) != row_bytes) + 1, len(offsets))
    with open_raw(path) as file:
        at = 0
        for stop in stops[stops > 0].tolist():
            file.seek(int(ascending[at]))
            wanted = into[at * row_bytes : stop * row_bytes]
            while len(wanted):
                n_read = file.readinto(wanted)
                if not n_read:
                    raise LoadError(path, "ends before its last row", "write or fetch it again")
                wanted = wanted[n_read:]
            at = stop
    if np.array_equal(ascending, offsets):
        return out
    back = np.empty_like(out)
    back[order] = out
    return back
