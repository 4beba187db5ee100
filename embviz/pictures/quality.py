"""How faithful a picture is to the space that it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Neighbors, Projection
from embviz.space import Normalize, NormalizedVectors, normalize_vectors, unit_rows

K = 10
SAMPLE = 1000
PAIRS = 20_000
# Multiplications that the sample may take; it becomes smaller where all points are very many.
_COST = 1e10
_FEWEST = 200


@dataclass(frozen=True, eq=False)
class Quality:
    """What of the original space is seen in a picture of `dims` dimensions.

    Attributes:
        dims: The leading components that were looked at, 2 or 3.
        k: Neighbors a point, 10 unless there are too few points.
        neighbors_kept: The share of each point's k nearest in the picture that are among its k
            nearest in the original space, the mean of all points, 0 to 1.
        kept: The same a point, float32 (n_points,).
        trustworthiness: 1 less the mean rank by which neighbors in the picture are too far away,
            scaled to 0 to 1 (Venna and Kaski 2001, "Neighborhood preservation in nonlinear
            projection methods"), of `sample` points ranked among all.
        rank_correlation: Spearman's, of the distances of 20,000 pairs of points, -1 to 1.
        sample: How many points were ranked.
    """

    dims: int
    k: int
    neighbors_kept: float
    kept: NDArray[np.float32]
    trustworthiness: float
    rank_correlation: float
    sample: int


def measure_quality(
    table: EmbeddingTable,
    projection: Projection,
    neighbors: Neighbors,
    normalize: Normalize = "none",
    seed: int = 0,
) -> tuple[Quality, ...]:
    """Measure how faithful a projection is, in 2 and in 3 dimensions where it has them.

    Args:
        table: The vectors.
        projection: Of all points of the table.
        neighbors: Of all points of the table, as `build_graph` finds them; their metric is the
            one of the original space.
        normalize: What the neighbors' vectors were, as for `build_graph`.
        seed: Of the sample of points and pairs.

    Raises:
        ParameterError: If the projection or the neighbors are of another number of points.
    """
    n = table.n_points
    counts = {"projection": len(projection.coordinates), "neighbors": len(neighbors.indices)}
    for what, count in counts.items():
        if count != n:
            raise ParameterError(what, f"of {count:,} points where the table has {n:,}")
    k = min(K, int(neighbors.indices.shape[1]), (n - 1) // 2)
    if k < 1:
        return ()
    space = normalize_vectors(table, normalize)
    components = projection.coordinates.shape[1]
    wanted = [d for d in (2, 3) if d <= components and (d == components or _is_cut(projection))]
    pictures = [projection.coordinates[:, :d] for d in wanted]
    return tuple(_measure(space, pictures, neighbors, k, seed))


def with_quality(projection: Projection, found: tuple[Quality, ...]) -> Projection:
    """Return a projection that carries what was measured, in `stats` and `per_point`."""
    stats: Mapping[str, Any] = {
        str(q.dims): {
            "k": q.k,
            "neighbors_kept": round(q.neighbors_kept, 4),
            "trustworthiness": round(q.trustworthiness, 4),
            "rank_correlation": round(q.rank_correlation, 4),
            "sample": q.sample,
        }
        for q in found
    }
    if not stats:
        return projection
    kept = {f"neighbors kept, {q.dims}D": q.kept for q in found}
    return replace(projection, stats={**projection.stats, "quality": stats}, per_point=kept)


def _is_cut(projection: Projection) -> bool:
    """Whether a picture of fewer dimensions shows the leading components."""
    return projection.name in ("pca", "custom", "none")


def _measure(
    space: NormalizedVectors,
    pictures: list[NDArray[np.float32]],
    neighbors: Neighbors,
    k: int,
    seed: int,
) -> Iterator[Quality]:
    n, n_dims = space.shape
    rng = np.random.default_rng(seed)
    size = min(n, SAMPLE, max(_FEWEST, int(_COST / (n * n_dims))))
    rows = np.sort(rng.choice(n, size, replace=False))
    first = rng.integers(0, n, PAIRS)
    second = (first + rng.integers(1, n, PAIRS)) % n
    apart = np.linalg.norm(
        _points(space, neighbors, first) - _points(space, neighbors, second), axis=1
    )
    near = [_nearest_placed(placed, k) for placed in pictures]
    ranks = _ranks(space, neighbors, rows, np.hstack([found[rows] for found in near]))
    for i, placed in enumerate(pictures):
        kept = _share_kept(near[i], neighbors, k)
        too_far = np.maximum(ranks[:, i * k : (i + 1) * k] - k, 0).sum(axis=1)
        trust = 1 - 2 / (k * (2 * n - 3 * k - 1)) * float(too_far.mean())
        seen = np.linalg.norm(placed[first].astype(np.float64) - placed[second], axis=1)
        correlation = _spearman(apart, seen)
        dims = placed.shape[1]
        yield Quality(dims, k, float(kept.mean()), kept, trust, correlation, size)


def _nearest_placed(placed: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the k nearest other points in the picture, int64 (n_points, k)."""
    from scipy.spatial import KDTree

    # Of many points at one place any may come first, the point itself not among them.
    _, found = KDTree(placed).query(placed, k + 1, workers=-1)
    found = np.asarray(found, np.int64)
    own = found == np.arange(len(placed))[:, None]
    own[~own.any(axis=1), -1] = True
    others: NDArray[np.int64] = found[~own].reshape(len(placed), k)
    return others


def _share_kept(near: NDArray[np.int64], neighbors: Neighbors, k: int) -> NDArray[np.float32]:
    """Return the share of neighbors in the picture that are as near as the k-th originally."""
    out = np.empty(len(near), np.float32)
    limit = neighbors.distances[:, k - 1 : k] * (1 + 1e-6)
    step = max(1, (1 << 24) // (k * neighbors.indices.shape[1]))
    for start in range(0, len(near), step):
        part = slice(start, start + step)
        true = np.where(neighbors.distances[part] <= limit[part], neighbors.indices[part], -1)
        out[part] = (near[part, :, None] == true[:, None, :]).any(axis=2).mean(axis=1)
    return out


def _points(
    space: NormalizedVectors, neighbors: Neighbors, rows: slice | NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return rows as float32, centered, or of unit length for cosine, as the neighbors saw them."""
    taken = space.take(rows)
    seen = unit_rows(taken) if neighbors.metric == "cosine" else taken - space.center
    return seen.astype(np.float32, copy=False)


def _ranks(
    space: NormalizedVectors,
    neighbors: Neighbors,
    rows: NDArray[np.int64],
    near: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the rank, 1 for the nearest, of some points in the original order of each row.

    Args:
        rows: int64 (n_rows,).
        near: int64 (n_rows, k), other points of each row.
    """
    asked = _points(space, neighbors, rows)
    lengths = np.einsum("ij,ij->i", asked, asked)
    own = np.empty(near.shape, np.float32)
    for column in range(near.shape[1]):
        apart = asked - _points(space, neighbors, near[:, column])
        own[:, column] = np.einsum("ij,ij->i", apart, apart)
    # Products round otherwise than differences; what is as near to four digits is a tie.
    own *= 1 - 1e-4
    ranks = np.ones(near.shape, np.int64)
    step = max(1, (1 << 25) // (4 * max(space.shape[1], len(rows))))
    for start in range(0, space.shape[0], step):
        stop = min(start + step, space.shape[0])
        block = _points(space, neighbors, slice(start, stop))
        squares = np.einsum("ij,ij->i", block, block) - 2 * asked @ block.T
        squares += lengths[:, None]
        here = np.flatnonzero((rows >= start) & (rows < stop))
        squares[here, rows[here] - start] = np.inf
        for column in range(near.shape[1]):
            ranks[:, column] += np.count_nonzero(squares < own[:, column, None], axis=1)
    return ranks


def _spearman(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return Spearman's rank correlation; 0.0 where one of the two does not vary."""
    ranks = []
    for values in (a, b):
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        last = np.cumsum(counts)
        ranks.append((last - (counts - 1) / 2)[inverse])
    if np.ptp(ranks[0]) == 0 or np.ptp(ranks[1]) == 0:
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
