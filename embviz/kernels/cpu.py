"""The kernels of the processor: faiss for neighbors and cells, NumPy for products."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embviz.kernels.threads import calm_threads

if TYPE_CHECKING:
    from embviz.kernels import Cells, Kernels, Matrix, Rows


def _faiss() -> ModuleType:
    """Return the module, loaded so that its threads sleep between tasks."""
    with calm_threads():
        import faiss
    module: ModuleType = faiss
    return module


@dataclass(frozen=True, eq=False)
class _InvertedFile:
    index: Any

    def search(self, queries: Matrix, k: int, n_visited: int) -> Rows:
        self.index.nprobe = n_visited
        found: Rows = self.index.search(queries, k)[1]
        return found

    def members(self) -> Rows:
        lists, there = self.index.invlists, _faiss().rev_swig_ptr
        counts = [lists.list_size(i) for i in range(lists.nlist)]
        parts = [there(lists.get_ids(i), n) for i, n in enumerate(counts) if n]
        return np.concatenate([np.empty(0, np.int64), *parts])


class _CPU:
    """Every core that OpenMP is given."""

    def nearest(self, queries: Matrix, points: Matrix, k: int) -> tuple[Matrix, Rows]:
        squares, found = _faiss().knn(queries, points, k)
        return squares, found

    def squares(self, queries: Matrix, points: Matrix, candidates: Rows) -> Matrix:
        faiss = _faiss()
        out, kept = np.empty(candidates.shape, np.float32), np.ascontiguousarray(candidates)
        x, y, n_dims = np.ascontiguousarray(queries), points, points.shape[1]
        place = faiss.swig_ptr
        faiss.fvec_L2sqr_by_idx(
            place(out), place(x), place(y), place(kept), n_dims, len(x), kept.shape[1]
        )
        return out

    def gram(self, rows: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        products: NDArray[np.floating[Any]] = rows.T @ rows
        return products

    def centers(
        self, points: Matrix, n_centers: int, steps: int, seed: int, spherical: bool
    ) -> Matrix:
        from embviz.kernels import TRAINED_PER_CENTER

        clustering = _faiss().Kmeans(
            points.shape[1],
            n_centers,
            niter=steps,
            seed=seed % (1 << 31),
            spherical=spherical,
            min_points_per_centroid=1,
            max_points_per_centroid=TRAINED_PER_CENTER,
        )
        clustering.train(points)
        return np.ascontiguousarray(clustering.centroids)

    def assign(self, points: Matrix, centers: Matrix, inner: bool) -> NDArray[np.int32]:
        faiss = _faiss()
        search = (faiss.IndexFlatIP if inner else faiss.IndexFlatL2)(centers.shape[1])
        search.add(centers)
        return np.asarray(search.search(points, 1)[1][:, 0], dtype=np.int32)

    def sort_into_cells(
        self, points: Matrix, n_cells: int, steps: int, seed: int, coded: bool
    ) -> Cells:
        faiss, n_dims = _faiss(), points.shape[1]
        coarse = faiss.IndexFlatL2(n_dims)
        if coded:
            index = faiss.IndexIVFPQFastScan(coarse, n_dims, n_cells, n_dims, 4)
            index.pq.cp.seed = seed % (1 << 31)
            index.pq.cp.max_points_per_centroid = 128
        else:
            index = faiss.IndexIVFFlat(coarse, n_dims, n_cells, faiss.METRIC_L2)
        index.cp.seed = seed % (1 << 31)
        index.cp.niter = steps
        index.cp.max_points_per_centroid = 64  # By 256 each no more are found.
        index.train(points)
        index.add(points)
        return _InvertedFile(index)

    def pack(self, cells: Cells) -> bytes:
        packed: bytes = _faiss().serialize_index(cells.index).tobytes()  # type: ignore[attr-defined]
        return packed

    def unpack(self, data: bytes) -> Cells:
        return _InvertedFile(_faiss().deserialize_index(np.frombuffer(data, np.uint8)))


CPU: Kernels = _CPU()
