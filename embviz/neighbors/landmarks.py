"""The nearest of some chosen points of rows that are none of them: of a sample, of landmarks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import Cells, choose_kernels
from embviz.neighbors.bounds import blur, least_unfound
from embviz.neighbors.candidates import AS_NEAR
from embviz.neighbors.cells import SAMPLE, SEARCHED_DIMS, TRAINING_STEPS, main_directions
from embviz.neighbors.row_blocks import RowBlock
from embviz.neighbors.scan import Request, scan
from embviz.neighbors.views import View, measure_apart
from embviz.rows import Rows, read_rows

Matrix = NDArray[np.float32]
Numbers = NDArray[np.float64]
Places = NDArray[np.int64]

WANTED_RECALL = 0.95
# All are compared where a row takes so many multiplications, or all rows together; finding the
# least of products takes the time of 55 more.
_FLAT_ROW, _FLAT_ALL, _ORDERED = 2.5e6, 4e12, 55
_SPARE = 8
_GOOD_ENOUGH = 1 - 1e-3
"""A point that was not found is nearer by a thousandth of its distance at most: else all are
compared in float64."""
_BATCH = 1 << 13
"""Rows that are compared together: always the same ones, so that products round as they did."""
_WIDE_NUMBERS = 1 << 21


@dataclass(frozen=True, eq=False)
class Coded:
    """Points in cells, where they are too many to be compared with every row.

    Attributes:
        cells: Of the points along `directions`.
        directions: float32 (n_dims, n); None where the points are as they are.
        n_visited: How many cells are looked into.
        n_candidates: How many points are then measured.
        recall: The share of true neighbors that this finds for points themselves.
    """

    cells: Cells
    directions: Matrix | None
    n_visited: int
    n_candidates: int
    recall: float


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Points among which the nearest of other rows are found.

    Attributes:
        view: How rows are compared.
        raw: (n_given, n_dims), the points as they were given.
        numbers: int64 (n,), which ones are distinct as `view` has them, the first of equal ones.
        points: float32 (n, n_dims), those, seen.
        error: By which share of their lengths they are off, at most.
        coded: The same in cells, where not all are compared.
        zero: The number of the first point without a direction, which only rows without one have
            for a neighbor; None where there is none.
    """

    view: View
    raw: Rows
    numbers: Places
    points: Matrix
    error: float
    coded: Coded | None = None
    zero: int | None = None

    @property
    def recall(self) -> float:
        """The share of true neighbors found: 1.0 where all points are compared with every row."""
        return 1.0 if self.coded is None else self.coded.recall

    def nearest(self, rows: NDArray[Any], k: int) -> tuple[Places, Numbers]:
        """Return the nearest points of raw rows, and how far they are.

        Args:
            rows: (n_rows, n_dims), of any real dtype, finite.
            k: How many; there are never more than distinct points.

        Returns:
            Their numbers among those given, int64, and the lengths of the differences of seen rows,
            float64, both (n_rows, k), nearest first, ties by number. A row without a direction has
            the first points at length sqrt(2), which is cosine distance 1, and before them a
            point without one at length 0.
        """
        k = min(k, len(self.points))
        found, lengths = np.empty((len(rows), k), np.int64), np.empty((len(rows), k))
        for first in range(0, len(rows), _BATCH):
            part = slice(first, first + _BATCH)
            found[part], lengths[part] = self._nearest(rows[part], k)
        none = self.view.without_direction(rows)
        if none.any():
            found[none], lengths[none] = np.arange(k), math.sqrt(2)
        numbers = self.numbers[found]
        if self.zero is not None and none.any():
            numbers[none, 0], lengths[none, 0] = self.zero, 0
        return numbers, lengths

    def _nearest(self, raw: NDArray[Any], k: int) -> tuple[Places, Numbers]:
        """Return places among the distinct points, and lengths."""
        wide = self.view.see(raw)
        rows = wide.astype(np.float32)
        sizes = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
        candidates, reach = self._candidates(rows, sizes, k)
        candidates = np.sort(candidates, axis=1)
        squares = choose_kernels().squares(rows, self.points, np.maximum(candidates, 0))
        squares[candidates < 0] = np.inf
        order = np.argsort(squares, axis=1, kind="stable")[:, :k]
        found = np.take_along_axis(candidates, order, axis=1)
        lengths = np.sqrt(np.take_along_axis(squares, order, axis=1), dtype=np.float64)
        off = blur(sizes, lengths[:, -1], self.error)
        unsure = ~(reach >= lengths[:, -1] * _GOOD_ENOUGH) | (found < 0).any(axis=1)
        blurred = (2 * off > lengths[:, -1] * (AS_NEAR - 1)) & ~unsure
        blurred |= (lengths[:, 0] <= 2 * off) & ~unsure
        for some in self._batches(np.flatnonzero(blurred), k):
            found[some], lengths[some] = self._measure(wide[some], found[some])
        if unsure.any():
            found[unsure], lengths[unsure] = self._compare_all(wide[unsure], k)
        return found, lengths

    def _candidates(self, rows: Matrix, sizes: Numbers, k: int) -> tuple[Places, Numbers]:
        """Return places of candidates (n, at least k), and what any other's length is at least."""
        if self.coded is not None:
            asked = rows if self.coded.directions is None else rows @ self.coded.directions
            found = self.coded.cells.search(
                np.ascontiguousarray(asked), self.coded.n_candidates, self.coded.n_visited
            )
            return found, np.full(len(rows), np.inf)
        wanted = min(len(self.points), k + _SPARE)
        squares, found = choose_kernels().nearest(rows, self.points, wanted)
        if wanted == len(self.points):
            return found, np.full(len(rows), np.inf)
        n_dims = self.points.shape[1]
        return found, least_unfound(sizes, squares[:, -1].astype(np.float64), n_dims, self.error)

    def _batches(self, some: Places, k: int) -> list[Places]:
        step = max(1, _WIDE_NUMBERS // (k * self.points.shape[1]))
        return [some[first : first + step] for first in range(0, len(some), step)]

    def _measure(self, wide: Numbers, found: Places) -> tuple[Places, Numbers]:
        """Put points that were found in order by float64."""
        once, which = np.unique(found, return_inverse=True)
        seen = self.view.see(read_rows(self.raw, self.numbers[once]))
        lengths = measure_apart(wide, seen[which.reshape(found.shape)])
        order = np.lexsort((found, lengths), axis=-1)
        return np.take_along_axis(found, order, 1), np.take_along_axis(lengths, order, 1)

    def _compare_all(self, wide: Numbers, k: int) -> tuple[Places, Numbers]:
        """Compare rows with all points in float64."""
        step = max(1, _WIDE_NUMBERS // self.points.shape[1])
        blocks = (
            RowBlock(self.view.see(read_rows(self.raw, self.numbers[first : first + step])), first)
            for first in range(0, len(self.points), step)
        )
        found = scan([blocks], Request(wide, k, "euclidean"), 0)
        if found is None:
            raise AssertionError("seen rows are in range")
        return found.rows, found.distances


def open_landmarks(view: View, raw: Rows, k: int, n_asked: int, seed: int) -> Landmarks:
    """Return points among which the nearest of other rows are found.

    All are compared with every row where that is cheap; elsewhere candidates come from cells of
    codes (as in `cells`), and their recall is that of points asked for their own neighbors.

    Args:
        view: How rows are compared.
        raw: The points, finite.
        k: How many neighbors will be wanted.
        n_asked: Of how many rows.
        seed: Of the cells and of the points that are asked.
    """
    given = read_rows(raw, slice(0, raw.shape[0]))
    seen, error = view.round(given)
    none = view.without_direction(given)
    numbers = _distinct(seen)
    if not none.all():
        numbers = numbers[~none[numbers]]
    zero = int(np.flatnonzero(none)[0]) if none.any() and not none.all() else None
    points = np.ascontiguousarray(seen[numbers]) if len(numbers) < len(seen) else seen
    cost = len(points) * (points.shape[1] + _ORDERED)
    few = len(points) <= max(4 * SAMPLE, 8 * k)
    coded = None
    if not (few or cost <= _FLAT_ROW or cost * n_asked <= _FLAT_ALL):
        coded = _code(points, k, seed)
    return Landmarks(view, raw, numbers, points, error, coded, zero)


def _distinct(rows: Matrix) -> Places:
    """Return the numbers of rows that are not equal to an earlier one, ascending."""
    plain = np.ascontiguousarray(rows + np.float32(0))  # -0 is 0.
    keys = plain.view(np.dtype((np.void, plain.shape[1] * 4))).ravel()
    return np.sort(np.unique(keys, return_index=True)[1]).astype(np.int64)


def _code(points: Matrix, k: int, seed: int) -> Coded:
    """Sort points into cells, and find how many must be visited."""
    directions, reduced = None, points
    if points.shape[1] >= 1.5 * SEARCHED_DIMS:
        directions = main_directions(points, SEARCHED_DIMS, seed)
        reduced = np.ascontiguousarray(points @ directions)
    n_cells = max(1, round(math.sqrt(len(points))))
    cells = choose_kernels().sort_into_cells(reduced, n_cells, TRAINING_STEPS, seed, coded=True)
    rng = np.random.default_rng(seed)
    asked = np.sort(rng.choice(len(points), SAMPLE, replace=False))
    queries, theirs = np.ascontiguousarray(points[asked]), np.ascontiguousarray(reduced[asked])
    truth = choose_kernels().nearest(queries, points, k + 1)[0][:, -1:]
    n_candidates, n_visited = 4 * k, max(1, n_cells // 64)
    while True:
        found = cells.search(theirs, n_candidates, n_visited)
        squares = choose_kernels().squares(queries, points, np.maximum(found, 0))
        squares[(found < 0) | (found == asked[:, None])] = np.inf
        # A neighbor as near as the last true one is as good; ties have no order.
        near = np.sort(squares, axis=1)[:, :k]
        recall = float((near <= truth * AS_NEAR**2).mean())
        if recall >= WANTED_RECALL or (n_visited == n_cells and n_candidates >= 64 * k):
            return Coded(cells, directions, n_visited, n_candidates, min(recall, 1 - 1e-4))
        if n_visited < n_cells:
            n_visited = min(n_cells, math.ceil(n_visited * 1.4))
        if n_candidates < 24 * k:
            n_candidates = math.ceil(n_candidates * 1.2)
        elif n_visited == n_cells:
            n_candidates *= 2
