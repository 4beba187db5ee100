"""Arrays that are stored in chunks, as rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHUNKS_KEPT = 4

Place = tuple[int, ...]


class ChunkedRows:
    """An array in chunks, which are unpacked as rows are asked for; the last ones are kept.

    Args:
        shape: Of the whole.
        dtype: Of the whole.
        sides: The shape of a chunk; those at the ends are as large, and reach beyond the array.
        read: Returns a chunk by the place of its first value.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        sides: tuple[int, ...],
        read: Callable[[Place], NDArray[Any]],
    ) -> None:
        self.shape, self.dtype = shape, dtype
        self._sides = sides
        self._chunk = lru_cache(maxsize=_CHUNKS_KEPT)(read)

    def __getitem__(self, rows: slice, /) -> NDArray[Any]:
        start, stop, step = rows.indices(self.shape[0])
        out = np.empty((max(0, stop - start), *self.shape[1:]), self.dtype)
        height, *wide = self._sides
        for top in range(start // height * height, stop, height):
            begin, end = max(start, top), min(stop, top + height)
            for corner in np.ndindex(*map(_parts, self.shape[1:], wide)):
                place = tuple(c * side for c, side in zip(corner, wide, strict=True))
                where = tuple(
                    slice(p, min(p + side, n))
                    for p, side, n in zip(place, wide, self.shape[1:], strict=True)
                )
                inner = tuple(slice(0, w.stop - w.start) for w in where)
                block = self._chunk((top, *place))[(slice(begin - top, end - top), *inner)]
                out[(slice(begin - start, end - start), *where)] = block
        return out[::step]


def _parts(n: int, side: int) -> int:
    return -(-n // side)


def unshuffle(data: bytes, size: int) -> bytes:
    """Put the bytes of values of a size together, which lie first bytes first."""
    whole = len(data) // size * size
    first = np.frombuffer(data[:whole], np.uint8).reshape(size, -1)
    return first.T.tobytes() + data[whole:]
