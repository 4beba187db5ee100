"""The nearest neighbors of all points on a device: every pair is compared, in blocks."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.devices import Array, Arrays, in_blocks, telling_shortage

progress = logging.getLogger("embviz.progress")

Matrix = NDArray[np.float32]
Numbers = NDArray[np.float64]

QUERIES, COLUMNS = 4096, 1 << 17  # Of a block of products: 2 GB.
COLUMN_NUMBERS = 1 << 25  # In a block of points.
GROUPED = 64  # Columns of which first the least alone is looked at.
ALIGNED = 8  # Products of rows of so many numbers more are no slower.
DIFFERENCES = 1 << 27  # Numbers at once.


@dataclass(frozen=True, eq=False)
class Nearest:
    """Candidates of all points, the nearest first, those of equal distance by number.

    Attributes:
        places: int32 (n_points, wanted), the point itself last.
        squares: float32 (n_points, wanted), squared distances from differences; infinite for the
            point itself.
        last: float32 (n_points,), the largest square by products of what was found.
    """

    places: NDArray[np.int32]
    squares: Matrix
    last: Matrix


def find_nearest(arrays: Arrays, points: Matrix, sizes: Numbers, wanted: int) -> Nearest:
    """Find the points near to each point by products, and order them by differences.

    Args:
        arrays: Of the device.
        points: float32 (n_points, n_dims), about their middle.
        sizes: float64 (n_points,), their squared norms.
        wanted: Candidates a point, itself most often among them; at most n_points.

    Raises:
        ParameterError: If the device has too little memory for one row of it.
    """
    n_points = len(points)
    found = Nearest(
        np.empty((n_points, wanted), np.int32),
        np.empty((n_points, wanted), np.float32),
        np.empty(n_points, np.float32),
    )

    def search(part: slice) -> None:
        progress.info("neighbors: %s of %s points", f"{part.start:,}", f"{n_points:,}")
        queries = held.block(part)
        squares, places = _by_products(arrays, held, queries, wanted)
        found.last[part] = arrays.get(squares[:, -1]) + held.sizes[part]
        own = arrays.steps(part.stop - part.start)[:, None] + part.start
        places, squares = _by_differences(arrays, held, queries, places, own)
        found.places[part], found.squares[part] = arrays.get(places), arrays.get(squares)

    with telling_shortage(arrays, f"the neighbors of {n_points:,} points"):
        held = _Points(arrays, points, sizes)
        in_blocks(arrays, n_points, QUERIES, search)
    return found


class _Points:
    """Points with their squared norms as a column more, so that products alone give distances.

    They stay on the device where they fit it; else blocks of them go there when they are needed.
    """

    def __init__(self, arrays: Arrays, points: Matrix, sizes: Numbers) -> None:
        self.n_points, self.n_dims = points.shape
        self.sizes = sizes.astype(np.float32)
        self._arrays, self._points = arrays, points
        self._held: Array | None = None
        try:
            self._held = self._put(slice(0, self.n_points))
        except Exception as error:
            if not arrays.is_short(error):
                raise
        arrays.release()

    def _put(self, part: slice | NDArray[np.int64]) -> Array:
        some = self._points[part]
        width = -(-(self.n_dims + 1) // ALIGNED) * ALIGNED
        out = self._arrays.full((len(some), width), 0, "float32")
        out[:, : self.n_dims] = self._arrays.put(some)
        out[:, self.n_dims] = self._arrays.put(self.sizes[part])
        return out

    def block(self, part: slice) -> Array:
        """Return some rows and their norms, (n, n_dims + 1 or more)."""
        return self._put(part) if self._held is None else self._held[part]

    def rows(self, places: Array) -> Array:
        """Return the rows at places of any shape, (..., n_dims)."""
        if self._held is not None:
            return self._arrays.take(self._held, places)[..., : self.n_dims]
        return self._arrays.put(self._points[self._arrays.get(places)])


def _by_products(arrays: Arrays, held: _Points, queries: Array, wanted: int) -> tuple[Array, Array]:
    """Return squared distances less the queries' norms, ascending, and places of the nearest."""
    asked = -2 * queries
    asked[:, held.n_dims] = 1
    best: tuple[Array, Array] | None = None
    step = max(wanted, min(COLUMNS, COLUMN_NUMBERS // queries.shape[1]))
    for start in range(0, held.n_points, step):
        some = held.block(slice(start, min(start + step, held.n_points)))
        squares = arrays.products(asked, some.T)
        least, places = smallest_of_many(arrays, squares, min(wanted, len(some)))
        places = places + start
        if best is not None:
            least = arrays.join([best[0], least], 1)
            least, order = arrays.smallest(least, min(wanted, least.shape[1]))
            places = arrays.take_along(arrays.join([best[1], places], 1), order)
        best = least, places
    assert best is not None
    return best


def smallest_of_many(arrays: Arrays, values: Array, k: int) -> tuple[Array, Array]:
    """Return the k least of each row, ascending, and their places.

    Of a group of columns the least is looked at first: only the k groups whose least are least can
    hold any of the k least, so that almost all is read once.
    """
    n_rows, n = values.shape
    n_groups = n // GROUPED
    if n_groups < 4 * k:
        return arrays.smallest(values, k)
    grouped = values[:, : n_groups * GROUPED].reshape(n_rows, GROUPED, n_groups)
    groups = arrays.smallest(arrays.least(grouped, 1), k)[1]
    places = groups[:, None, :] + (arrays.steps(GROUPED) * n_groups)[None, :, None]
    rest = arrays.steps(n - n_groups * GROUPED) + n_groups * GROUPED
    rest = rest[None, :] + 0 * groups[:, :1]
    places = arrays.join([places.reshape(n_rows, GROUPED * k), rest], 1)
    least, order = arrays.smallest(arrays.take_along(values, places), k)
    return least, arrays.take_along(places, order)


def _by_differences(
    arrays: Arrays, held: _Points, queries: Array, places: Array, own: Array
) -> tuple[Array, Array]:
    """Return places in the order of distances from differences, and the squares of these."""
    places = arrays.sort(places)[0]
    asked = queries[:, : held.n_dims]
    step = max(1, DIFFERENCES // (places.shape[1] * held.n_dims))
    parts = []
    for start in range(0, len(places), step):
        part = slice(start, start + step)
        apart = held.rows(places[part]) - asked[part][:, None, :]
        apart *= apart
        parts.append(arrays.sum(apart, 2))
    squares = arrays.where(places == own, float("inf"), arrays.join(parts, 0))
    squares, order = arrays.sort(squares)
    return arrays.take_along(places, order), squares
