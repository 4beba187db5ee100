"""The nearest neighbors of so many points that not all are compared: candidates from cells."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import Cells, choose_kernels, one_blas_thread
from embviz.neighbors.candidates import AS_NEAR, Found, order_candidates
from embviz.neighbors.exact_rows import ExactRows
from embviz.neighbors.rounded import RoundedRows

progress = logging.getLogger("embviz.progress")

Matrix = NDArray[np.float32]
Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

SAMPLE = 1000  # Points whose true neighbors say how many the graph has.
SEARCHED_DIMS = 80  # Leading components in which candidates are sought; more where they must.
TRAINING_STEPS = 8
MOST_CANDIDATES = 6  # Times the neighbors wanted.
BLOCK = 1 << 15  # Points that are asked at once.
NARROWED = 2  # Times that a number of cells is sought between enough and too few.
FEWEST_VISITED = 4  # Cells; a share of all would make the time grow with the square of the points.


@dataclass(frozen=True, eq=False)
class Sample:
    """Some points with the distances of their true neighbors, float64 (n_rows, k)."""

    exact: ExactRows
    rounded: RoundedRows
    places: Rows
    truth: Numbers

    @property
    def k(self) -> int:
        return int(self.truth.shape[1])

    @property
    def n_candidates(self) -> int:
        """How many candidates are put in order for each point, at least."""
        return min(len(self.rounded.rows), self.k + 1 + max(32, 3 * self.k // 4))

    def thinned(self, step: int) -> Sample:
        """Return every so manieth of them."""
        return replace(self, places=self.places[::step], truth=self.truth[::step])

    def recall(self, candidates: Rows) -> float:
        """Return the share of true neighbors among candidates (n_rows, n)."""
        found = order_candidates(self.exact, self.rounded, self.places, candidates, self.k)[1]
        # A neighbor as near as the last true one is as good; ties have no order.
        return float((found <= self.truth[:, -1:] * AS_NEAR).mean())


@dataclass(frozen=True, eq=False)
class _Search:
    """Cells, and how they are asked so that enough of the true neighbors are found."""

    cells: Cells
    n_candidates: int
    n_visited: int
    recall: float

    def ask(self, queries: Matrix, fewest: int) -> Rows:
        """Return candidates of some points (n_queries, n_candidates), at least so many of each.

        Where cells hold few points more of them are looked into.
        """
        found = self.cells.search(queries, self.n_candidates, self.n_visited)
        few, n_visited = np.flatnonzero((found[:, :fewest] < 0).any(axis=1)), self.n_visited
        while len(few):
            n_visited *= 2
            found[few] = self.cells.search(queries[few], self.n_candidates, n_visited)
            few = few[(found[few, :fewest] < 0).any(axis=1)]
        return found


def visit_cells(sample: Sample, wanted: float, seed: int) -> Found:
    """Return neighbors and distances of all points, and the recall on the sample.

    Args:
        sample: Of the points.
        wanted: The recall that is enough.
        seed: Of the cells.
    """
    reduced = _reduce(sample, wanted, seed)
    search = _choose_search(sample, reduced, wanted, seed)
    shape = (len(reduced), sample.k)
    rows, distances = np.empty(shape, np.int64), np.empty(shape)
    # Points of a cell have much the same candidates, which are then in the cache.
    members = search.cells.members()
    for block in _blocks(len(reduced)):
        places = members[block]
        candidates = search.ask(reduced[places], sample.k + 1)
        rows[places], distances[places], _ = order_candidates(
            sample.exact, sample.rounded, places, candidates, sample.k
        )
    return Found(rows, distances, estimate_recall(search.recall, sample.truth.size))


def _blocks(n_points: int) -> Iterator[slice]:
    """Yield slices of all points, telling how far they are."""
    for first in range(0, n_points, BLOCK):
        if first:
            progress.info(
                "neighbors of %s points, %.0f %%", f"{n_points:,}", 100 * first / n_points
            )
        yield slice(first, min(first + BLOCK, n_points))


def _choose_search(sample: Sample, reduced: Matrix, wanted: float, seed: int) -> _Search:
    """Return the search that finds enough of the sample's neighbors at the least cost.

    Points within cells are looked at as short codes first (product quantization of 4 bits a
    component; Jégou, Douze and Schmid 2011; André, Kermarrec and Le Scouarnec 2015), which takes a
    tenth of the time; where codes are too coarse for the points, as they are.
    """
    queries = np.ascontiguousarray(reduced[sample.places])
    n_cells = max(1, round(math.sqrt(len(reduced))))
    sort = choose_kernels().sort_into_cells
    coded = sort(reduced, n_cells, TRAINING_STEPS, seed, coded=True)
    most = min(len(reduced), MOST_CANDIDATES * sample.n_candidates)
    n_candidates = sample.n_candidates
    while True:
        at_best = sample.recall(coded.search(queries, n_candidates, n_cells))
        if at_best >= (1 + 3 * wanted) / 4:
            return _visit_enough(sample, coded, queries, n_candidates, wanted, n_cells)
        if n_candidates == most:
            break
        n_candidates = min(most, math.ceil(n_candidates * 1.2))
    plain = sort(reduced, n_cells, TRAINING_STEPS, seed, coded=False)
    return _visit_enough(sample, plain, queries, sample.n_candidates, wanted, n_cells)


def _visit_enough(
    sample: Sample, cells: Cells, queries: Matrix, n_candidates: int, wanted: float, n_cells: int
) -> _Search:
    """Return a search of about as many cells as a recall needs."""

    def visit(n_visited: int) -> _Search:
        recall = sample.recall(cells.search(queries, n_candidates, n_visited))
        return _Search(cells, n_candidates, n_visited, recall)

    few, found = 1, visit(min(FEWEST_VISITED, n_cells))
    while found.recall < wanted and found.n_visited < n_cells:
        few = found.n_visited
        found = visit(min(n_cells, math.ceil(few * 1.4)))
    for _ in range(NARROWED):
        n_visited = math.ceil(math.sqrt(few * found.n_visited))
        if not max(few, FEWEST_VISITED) < n_visited < found.n_visited:
            break
        tried = visit(n_visited)
        if tried.recall >= wanted:
            found = tried
        else:
            few = n_visited
    return found


def _reduce(sample: Sample, wanted: float, seed: int) -> Matrix:
    """Return the points in as few dimensions as show enough of the true neighbors of a sample."""
    points, some = sample.rounded.points, sample.thinned(4)
    n_dims = SEARCHED_DIMS
    while n_dims * 1.5 <= points.shape[1]:
        reduced = np.ascontiguousarray(points @ main_directions(points, n_dims, seed))
        queries = np.ascontiguousarray(reduced[some.places])
        _, candidates = choose_kernels().nearest(queries, reduced, some.n_candidates)
        if some.recall(candidates) >= (1 + wanted) / 2:
            return reduced
        n_dims *= 2
    return points


def main_directions(points: Matrix, n_directions: int, seed: int) -> Matrix:
    """Return about the leading components, orthonormal, float32 (n_dims, n_directions).

    They only choose candidates, so that a sample of rows and a few steps of subspace iteration
    do (Halko, Martinsson and Tropp 2011).
    """
    rows = points[:: max(1, len(points) // 10_000)]
    rows = rows - rows.mean(axis=0)
    rng = np.random.default_rng(seed)
    basis = rng.standard_normal((points.shape[1], n_directions)).astype(np.float32)
    with one_blas_thread():
        for _ in range(4):
            basis = np.linalg.qr(rows.T @ (rows @ basis))[0]
    return basis


def estimate_recall(share: float, count: int) -> float:
    """Return the recall that a share of so many true neighbors lets expect, below 1.

    What a sample does not show may still be so once in twice as many.
    """
    return min(share, 1 - 1 / (2 * count))
