"""The nearest neighbors of all points, approximate where exact ones would take too long."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.neighbors.exact import check_k, check_metric
from embviz.space import (
    Normalize,
    NormalizedVectors,
    normalize_vectors,
    unit_rows,
)

log = logging.getLogger("embviz")

Matrix = NDArray[np.float32]

# Multiplications of comparing all points with all; below it takes seconds and is simply done.
FLAT_COST = 2.5e11
SEARCHED_DIMS = 80  # Leading components in which candidates are sought; more where they must.
SAMPLE = 1000  # Points whose true neighbors say how many the graph has.
WANTED_RECALL = 0.98


def build_graph(
    table: EmbeddingTable,
    k: int,
    metric: Metric = "cosine",
    normalize: Normalize = "none",
    seed: int = 0,
) -> Neighbors:
    """Find the nearest neighbors of all points.

    Every point is compared with every other where that is cheap. Elsewhere candidates come from
    an inverted file (k-means cells; Jégou, Douze and Schmid 2011) over the leading principal
    components, with as many cells visited as the recall on a sample asks for, and are then put
    in order by their distances in all dimensions.

    Args:
        table: The vectors.
        k: Neighbors a point, without itself; below n_points.
        metric: Cosine is euclidean between rows of unit length, as 1 - cos.
        normalize: What is done to the vectors before.
        seed: For the cells and the sample; the same seed gives the same bytes.

    Returns:
        Neighbors of every row, by distances of float32 precision; `recall` is the share of true
        neighbors found for a sample of 1,000 points, 1.0 where all were compared. A zero vector
        is at cosine distance 1 from all others.

    Raises:
        ParameterError: If k is out of range, or a vector's distances are beyond float32.
    """
    check_k(table.n_points, k, table.n_points - 1)
    check_metric(metric)
    space = normalize_vectors(table, normalize)
    points = _gather(space, metric)
    if metric == "cosine":
        indices, distances, recall = _find_directions(points, k, seed)
        return Neighbors(indices.astype(np.int32), distances, metric, recall)
    indices, distances, recall = _find(points, k, seed)
    if space.unit != 1:
        peak = float(distances.max()) * space.unit
        if not (peak == 0 or 1e-30 < peak < 3e38):
            raise ParameterError(
                table.source or "vectors",
                f"distances of {peak:.3g} do not fit float32",
                "divide the vectors by a constant first",
            )
        distances = (distances.astype(np.float64) * space.unit).astype(np.float32)
    return Neighbors(indices.astype(np.int32), distances, metric, recall)


def _find(points: Matrix, k: int, seed: int) -> tuple[NDArray[np.int64], Matrix, float]:
    """Return neighbors and euclidean distances of all points, both (n, k), and the recall."""
    n_points, n_dims = points.shape
    if n_points * n_points * n_dims <= FLAT_COST or n_points <= 4 * SAMPLE:
        return *_compare_all(points, k), 1.0
    indices, distances, recall = _visit_cells(points, k, seed)
    log.info(
        "neighbors: %d of each of %s points, %.1f %% of the true ones on a sample of %s",
        k, f"{n_points:,}", 100 * recall, f"{SAMPLE:,}",
    )  # fmt: skip
    return indices, distances, recall


def _find_directions(points: Matrix, k: int, seed: int) -> tuple[NDArray[np.int64], Matrix, float]:
    """Return neighbors and cosine distances of rows of length 1 or 0, and the recall."""
    zero = np.flatnonzero(~np.asarray(points.any(axis=1)))
    if not len(zero):
        indices, distances, recall = _find(points, k, seed)
        return indices, (distances**2 / 2).astype(np.float32), recall
    warn_of_zeros(len(zero))
    n_points = len(points)
    others = np.delete(np.arange(n_points), zero)
    indices = np.empty((n_points, k), np.int64)
    distances = np.ones((n_points, k), np.float32)
    indices[zero] = list_zero_neighbors(zero, k)
    if not len(others):
        return indices, distances, 1.0
    near, apart, recall = np.empty((len(others), 0), np.int64), np.empty((len(others), 0)), 1.0
    if len(others) > 1:
        found, lengths, recall = _find(points[others], min(k, len(others) - 1), seed)
        near, apart = others[found], lengths**2 / 2
    listed = np.broadcast_to(zero[:k], (len(others), min(k, len(zero))))
    near = np.concatenate([near, listed], axis=1)
    apart = np.concatenate([apart, np.ones(listed.shape)], axis=1).astype(np.float32)
    order = np.lexsort((near, apart), axis=-1)[:, :k]
    indices[others] = np.take_along_axis(near, order, axis=1)
    distances[others] = np.take_along_axis(apart, order, axis=1)
    return indices, distances, (recall * len(others) + len(zero)) / n_points


def warn_of_zeros(count: int) -> None:
    """Say that there are zero vectors, and where cosine distance has them."""
    many = "1 zero vector has" if count == 1 else f"{count:,} zero vectors have"
    log.warning("%s no direction: at cosine distance 1 from all others", many)


def list_zero_neighbors(zero: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Return the neighbors of zero vectors (n, k): all others are as near, so by row number."""
    first = np.arange(k)
    return np.asarray(first + (first >= zero[:, None]), dtype=np.int64)


@contextmanager
def calm_threads() -> Iterator[None]:
    """Let OpenMP's threads sleep between tasks, in runtimes that are loaded meanwhile.

    Several libraries bring an OpenMP runtime each; threads of one that spin while they wait take
    the cores from the other. A setting of the user's own is kept.
    """
    missing = "OMP_WAIT_POLICY" not in os.environ
    if missing:
        os.environ["OMP_WAIT_POLICY"] = "passive"
    try:
        yield
    finally:
        if missing:
            del os.environ["OMP_WAIT_POLICY"]


def load_faiss() -> ModuleType:
    """Return the module, loaded so that its threads sleep between tasks."""
    with calm_threads():
        import faiss
    module: ModuleType = faiss
    return module


def _gather(space: NormalizedVectors, metric: Metric) -> Matrix:
    """Return the points as float32 (n_points, n_dims), centered, or of unit length for cosine."""
    out = np.empty(space.shape, np.float32)
    center = space.center.astype(space.working)
    for start, block in space.blocks():
        rows = unit_rows(block) if metric == "cosine" else block - center
        out[start : start + len(block)] = rows
    return out


def _compare_all(points: Matrix, k: int) -> tuple[NDArray[np.int64], Matrix]:
    """Compare every point with every other."""
    wanted = min(len(points), k + 1 + max(8, k // 8))
    _, candidates = load_faiss().knn(points, points, wanted)
    return _order(points, np.arange(len(points)), candidates, k)


def _order(
    points: Matrix, rows: NDArray[np.int64], candidates: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int64], Matrix]:
    """Return the k nearest of each row's candidates: (indices int64, distances), both (n, k).

    Distances are taken from differences in all dimensions, so that those of duplicates are 0.
    """
    faiss = load_faiss()
    index = faiss.IndexFlat(points.shape[1])
    chosen_indices = np.empty((len(rows), k), np.int64)
    chosen_distances = np.empty((len(rows), k), np.float32)
    index.add(points)
    swig = faiss.swig_ptr
    step = max(1, (1 << 22) // candidates.shape[1])
    for first in range(0, len(rows), step):
        part = slice(first, min(first + step, len(rows)))
        queries = np.ascontiguousarray(points[rows[part]])
        found = np.sort(candidates[part], axis=1)
        squares = np.empty(found.shape, np.float32)
        index.compute_distance_subset(
            len(queries), swig(queries), found.shape[1], swig(squares), swig(found)
        )
        squares[(found == rows[part, None]) | (found < 0)] = np.inf
        order = np.argsort(squares, axis=1, kind="stable")[:, :k]
        chosen_indices[part] = np.take_along_axis(found, order, axis=1)
        chosen_distances[part] = np.sqrt(np.take_along_axis(squares, order, axis=1))
    return chosen_indices, chosen_distances


@dataclass(frozen=True, eq=False)
class _Sample:
    """Some points with the distances of their true neighbors, float32 (n_rows, k)."""

    points: Matrix
    rows: NDArray[np.int64]
    truth: Matrix

    @property
    def k(self) -> int:
        return int(self.truth.shape[1])

    @property
    def n_candidates(self) -> int:
        """How many candidates are put in order for each point."""
        return min(len(self.points), self.k + 1 + max(32, 3 * self.k // 4))

    def recall(self, candidates: NDArray[np.int64]) -> float:
        """Return the share of true neighbors among candidates (n_rows, n)."""
        found = _order(self.points, self.rows, candidates, self.k)[1]
        # A neighbor as near as the last true one is as good; ties have no order.
        return float((found <= self.truth[:, -1:] * (1 + 1e-5)).mean())


def _visit_cells(points: Matrix, k: int, seed: int) -> tuple[NDArray[np.int64], Matrix, float]:
    """Return neighbors and distances of all points and the recall on a sample."""
    n_points = len(points)
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(n_points, min(SAMPLE, n_points), replace=False))
    wanted = min(n_points, k + 1 + max(8, k // 8))
    _, candidates = load_faiss().knn(np.ascontiguousarray(points[rows]), points, wanted)
    sample = _Sample(points, rows, _order(points, rows, candidates, k)[1])
    reduced = _reduce(sample, seed)
    n_cells = max(1, round(math.sqrt(n_points)))
    cells = _make_cells(reduced, n_cells, seed)
    queries = np.ascontiguousarray(reduced[rows])
    cells.nprobe = max(1, n_cells // 24)
    while True:
        recall = sample.recall(cells.search(queries, sample.n_candidates)[1])
        if recall >= WANTED_RECALL or cells.nprobe >= n_cells:
            break
        cells.nprobe = min(n_cells, math.ceil(cells.nprobe * 1.4))
    _, candidates = cells.search(reduced, sample.n_candidates)
    indices, distances = _order(points, np.arange(n_points), candidates, k)
    return indices, distances, recall


def _reduce(sample: _Sample, seed: int) -> Matrix:
    """Return the points in as few dimensions as show enough of the true neighbors of a sample."""
    points = sample.points
    n_dims = SEARCHED_DIMS
    while n_dims * 1.5 <= points.shape[1]:
        reduced = np.ascontiguousarray(points @ _main_directions(points, n_dims, seed))
        queries = np.ascontiguousarray(reduced[sample.rows])
        _, candidates = load_faiss().knn(queries, reduced, sample.n_candidates)
        if sample.recall(candidates) >= (1 + WANTED_RECALL) / 2:
            return reduced
        n_dims *= 2
    return points


def _main_directions(points: Matrix, n_directions: int, seed: int) -> Matrix:
    """Return about the leading components, orthonormal, float32 (n_dims, n_directions).

    They only choose candidates, so that a sample of rows and a few steps of subspace iteration
    do (Halko, Martinsson and Tropp 2011).
    """
    rows = points[:: max(1, len(points) // 20_000)]
    rows = rows - rows.mean(axis=0)
    rng = np.random.default_rng(seed)
    basis = rng.standard_normal((points.shape[1], n_directions)).astype(np.float32)
    for _ in range(4):
        basis = np.linalg.qr(rows.T @ (rows @ basis))[0]
    return basis


def _make_cells(points: Matrix, n_cells: int, seed: int) -> Any:
    """Return a faiss index that holds the points sorted into k-means cells."""
    faiss = load_faiss()
    n_dims = points.shape[1]
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(n_dims), n_dims, n_cells, faiss.METRIC_L2)
    index.cp.seed = seed % (1 << 31)
    index.cp.niter = 8
    index.train(points)
    index.add(points)
    return index
