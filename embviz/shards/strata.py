"""Groups of rows that keep some points in a sample: cells, what lies beyond them, classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import choose_kernels, one_blas_thread
from embviz.projections.pca import Components
from embviz.shards.components import LEAF_ROWS
from embviz.shards.hashes import hash_rows
from embviz.shards.values import Block

Floats = NDArray[np.float64]
BANDS = (1.0, 2.0, 4.0, 8.0)
"""What lies beyond the pilot points of a cell, by how many times as far: few come by chance as far
as a group that lies apart, which is then alone in its band."""
MOST_CLASSES = 50
_KMEANS_STEPS = 10
_FEW = 8  # Pilot points that tell too little of how far a cell reaches.
_STRAY = 2  # Pilot points of a cell that may belong to a small group, and tell nothing of the rest.
_ROUNDING = 1e-9  # Of the total variance.


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells in the space of leading components, and how far their pilot points reach.

    Distances are squares: in the plane of the components from the cell's center, and from that
    plane. `middle` and `reach` are the mean and the third largest of the pilot points' squares,
    (n_cells, 2).
    """

    mean: Floats
    directions: Floats
    centers: Floats
    middle: Floats
    reach: Floats

    @property
    def n_strata(self) -> int:
        return len(self.centers) * (len(BANDS) + 1)

    def strata(self, rows: Floats) -> NDArray[np.int64]:
        """Return the stratum of each of some rows: its cell and its band, int64 (n,)."""
        cells, squares = _place(rows, self.mean, self.directions, self.centers)
        middle = self.middle[cells]
        far = ((squares - middle) / (self.reach[cells] - middle)).max(axis=1)
        bands = np.searchsorted(BANDS, far)
        return np.asarray(cells * (len(BANDS) + 1) + bands, np.int64)


def _place(
    rows: Floats, mean: Floats, directions: Floats, centers: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """Return the cell of each row and its two squared distances, (n, 2)."""
    apart = rows - mean
    places = apart @ directions.T
    from_plane = np.einsum("ij,ij->i", apart, apart) - np.einsum("ij,ij->i", places, places)
    # Less the squares of the places themselves, which change no order.
    near = (centers * centers).sum(axis=1) - 2 * (places @ centers.T)
    cells = near.argmin(axis=1)
    from_center = places - centers[cells]
    squares = np.einsum("ij,ij->i", from_center, from_center)
    return cells, np.stack([squares, np.maximum(from_plane, 0)], axis=1)


@one_blas_thread()
def learn_cells(
    found: Components, pilot: Iterable[Floats], n_cells: int, seed: int
) -> Cells | None:
    """Learn cells from pilot rows by k-means; None where there is no variance.

    Args:
        found: The leading components of all rows.
        pilot: The rows, some at a time.
        n_cells: How many cells, at most a quarter of the pilot rows.
        seed: Of k-means.
    """
    kept = found.directions[found.variances > 0]
    if not len(kept):
        return None
    places, rests = [], []
    nothing = np.zeros((1, len(kept)))
    for rows in pilot:
        _, squares = _place(rows, found.mean, kept, nothing)
        places.append((rows - found.mean) @ kept.T)
        rests.append(squares[:, 1])
    points, rest = np.concatenate(places), np.concatenate(rests)
    unit = np.sqrt(found.variances.max())  # Within float32, in which k-means is.
    scaled = np.ascontiguousarray(points / unit, np.float32)
    n_cells = max(1, min(n_cells, len(points) // 4))
    centers = choose_kernels().centers(scaled, n_cells, _KMEANS_STEPS, seed, False)
    centers = centers.astype(np.float64) * unit
    near = (centers * centers).sum(axis=1) - 2 * (points @ centers.T)
    cells = near.argmin(axis=1)
    squares = np.stack([((points - centers[cells]) ** 2).sum(axis=1), rest], axis=1)
    middle, reach = _extents(cells, squares, len(centers))
    return Cells(
        found.mean, kept, centers, middle, np.maximum(reach, middle + _ROUNDING * found.total)
    )


def _extents(cells: NDArray[np.int64], squares: Floats, n_cells: int) -> tuple[Floats, Floats]:
    """Return what is usual and what is far of squared distances in each cell, both (n_cells, 2).

    Cells of few pilot points have those of a usual cell.
    """
    counts = np.bincount(cells, minlength=n_cells)
    middle, reach = np.zeros((n_cells, 2)), np.zeros((n_cells, 2))
    for cell in np.flatnonzero(counts > _STRAY).tolist():
        inside = np.sort(squares[cells == cell], axis=0)
        middle[cell], reach[cell] = inside.mean(axis=0), inside[-1 - _STRAY]
    known = counts >= _FEW
    usual = known if known.any() else counts > _STRAY
    for values in (middle, reach):
        values[~known] = np.median(values[usual], axis=0) if usual.any() else 0
    return middle, np.maximum(reach, middle)


@dataclass(frozen=True, eq=False)
class Candidates:
    """Of each stratum the rows of the least hashes, and how many rows it has in all.

    Attributes:
        counts: int64 (n_strata,).
        strata, rows: int64 (n,), by strata, least hashes first.
        hashes: uint64 (n,).
    """

    counts: NDArray[np.int64]
    strata: NDArray[np.int64]
    rows: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    kept: int = 0
    """How many of each stratum are here at most."""

    @classmethod
    def none(cls, n_strata: int) -> Candidates:
        """Return the candidates of no rows."""
        nothing = np.empty(0, np.int64)
        return cls(np.zeros(n_strata, np.int64), nothing, nothing, nothing.astype(np.uint64))

    def least(self, kept: int) -> Candidates:
        """Return those with the least hashes of each stratum, at most so many of each."""
        order = np.lexsort((self.hashes, self.strata))
        strata = self.strata[order]
        first = np.searchsorted(strata, strata)  # Of each one's stratum.
        chosen = order[np.arange(len(order)) - first < kept]
        rows, hashes = self.rows[chosen], self.hashes[chosen]
        return Candidates(self.counts, self.strata[chosen], rows, hashes, kept)

    def merge(self, other: Candidates) -> Candidates:
        """Return those of both."""
        return Candidates(
            self.counts + other.counts,
            np.concatenate([self.strata, other.strata]),
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.hashes, other.hashes]),
        )


def candidates_of(
    strata: NDArray[np.int64], n_strata: int, rows: NDArray[np.int64], seed: int, kept: int
) -> Candidates:
    """Return the candidates of some rows whose strata are known; -1 is none."""
    there = strata >= 0
    strata, rows = strata[there], rows[there]
    counts = np.bincount(strata, minlength=n_strata)
    return Candidates(counts, strata, rows, hash_rows(rows, seed)).least(kept)


def sort_block(cells: Cells, seed: int, kept: int, block: Block) -> Candidates:
    """Return the candidates of a block; runs in a worker."""
    strata = [cells.strata(np.asarray(rows)) for _, rows in block.leaves(LEAF_ROWS, np.float64)]
    rows = np.arange(block.first, block.stop, dtype=np.int64)
    return candidates_of(np.concatenate(strata), cells.n_strata, rows, seed, kept)


@dataclass(frozen=True, eq=False)
class Classes:
    """A column of classes of all rows.

    Attributes:
        name: Of the column.
        codes: int32 (n_all,), the class of each row; -1 for none.
        n_classes: How many there are.
    """

    name: str
    codes: NDArray[np.int32]
    n_classes: int


def find_classes(name: str, values: Sequence[str]) -> Classes | None:
    """Return a column as classes where it has 2 to 50 of them; "" is none.

    Args:
        name: Of the column.
        values: One a row.
    """
    numbers: dict[str, int] = {"": -1}
    codes = np.empty(len(values), np.int32)
    for row, value in enumerate(values):
        codes[row] = numbers.setdefault(value, len(numbers) - 1)
        if len(numbers) > MOST_CLASSES + 1:
            return None
    return Classes(name, codes, len(numbers) - 1) if len(numbers) > 2 else None
