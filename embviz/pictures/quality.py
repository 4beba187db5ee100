"""How faithful a picture is to the space that it shows."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_seed
from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Neighbors, Projection
from embviz.neighbors.bounds import product_rounding
from embviz.neighbors.exact_rows import ExactRows, open_rows
from embviz.space import Normalize, Space, open_space

progress = logging.getLogger("embviz.progress")

K = 10
SAMPLE = 1000
PAIRS = 20_000
# Multiplications that the sample may take; it becomes smaller where all points are very many.
_COST = 1e10
_FEWEST = 200
TIE = 1e-4  # Points whose squared distances differ by less of them are as near.


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
    space: Space | None = None,
) -> tuple[Quality, ...]:
    """Measure how faithful a projection is, in 2 and in 3 dimensions where it has them.

    Args:
        table: The vectors.
        projection: Of all points of the table.
        neighbors: Of all points of the table, as `build_graph` finds them; their metric is the
            one of the original space.
        normalize: What the neighbors' vectors were, as for `build_graph`.
        seed: Of the sample of points and pairs.
        space: What `open_space` gave, where it was opened before.

    Raises:
        ParameterError: If the projection or the neighbors are of another number of points.
    """
    opened = open_space(table, normalize, space)
    return measure_qualities(opened, [projection], neighbors, seed)[0]


def measure_qualities(
    space: Space, projections: Sequence[Projection], neighbors: Neighbors, seed: int = 0
) -> list[tuple[Quality, ...]]:
    """Measure several projections of a space as `measure_quality` does, all in one pass.

    Raises:
        ParameterError: If a projection or the neighbors are of another number of points.
    """
    check_seed("seed", seed)
    n = space.shape[0]
    progress.info("quality of the pictures of %s points", f"{n:,}")
    counts = [("projection", len(projection.coordinates)) for projection in projections]
    for what, count in [*counts, ("neighbors", len(neighbors.indices))]:
        if count != n:
            raise ParameterError(what, f"of {count:,} points where the table has {n:,}")
    k = min(K, int(neighbors.indices.shape[1]), (n - 1) // 2)
    if k < 1:
        return [() for _ in projections]
    pictures = [_pictures(projection) for projection in projections]
    found = iter(_measure(space, [p for some in pictures for p in some], neighbors, k, seed))
    return [tuple(next(found) for _ in some) for some in pictures]


def _pictures(projection: Projection) -> list[NDArray[np.float32]]:
    """Return the coordinates in each number of dimensions that is shown."""
    components = projection.coordinates.shape[1]
    linear = projection.kind == "linear"
    wanted = [d for d in (2, 3) if d <= components and (d == components or linear)]
    return [projection.coordinates[:, :d] for d in wanted]


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


def _measure(
    space: Space,
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
    exact = open_rows(space, neighbors.metric)
    apart = exact.measure_many(first, second[:, None])[:, 0]
    near = [_nearest_placed(placed, k) for placed in pictures]
    ranks = _ranks(exact, rows, np.hstack([found[rows] for found in near]))
    for i, placed in enumerate(pictures):
        kept = _share_kept(near[i], neighbors, k)
        too_far = np.maximum(ranks[:, i * k : (i + 1) * k] - k, 0).sum(axis=1)
        trust = 1 - 2 / (k * (2 * n - 3 * k - 1)) * float(too_far.mean())
        seen = np.linalg.norm(placed[first].astype(np.float64) - placed[second], axis=1)
        correlation = _spearman(apart, seen)
        dims = placed.shape[1]
        yield Quality(dims, k, float(kept.mean()), kept, trust, correlation, size)


def _nearest_placed(placed: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the k nearest other points in the picture, int64 (n_points, k).

    Places are searched, not points, since a tree of many equal points is as slow as none. Of
    the points at one place those that follow in it come first.
    """
    from scipy.spatial import KDTree

    n_points = len(placed)
    order = np.lexsort(placed.T)  # Place by place.
    first = np.ones(n_points, np.bool_)
    first[1:] = (placed[order[1:]] != placed[order[:-1]]).any(axis=1)
    starts = np.flatnonzero(first)
    places = placed[order[starts]]
    counts = np.diff(np.append(starts, n_points))
    _, found = KDTree(places).query(places, min(k + 1, len(places)), workers=-1)
    found = np.asarray(found, np.int64).reshape(len(places), -1)
    # The place itself comes first, wherever rounding has put it.
    found = np.take_along_axis(
        found, np.argsort(found != np.arange(len(places))[:, None], axis=1, kind="stable"), axis=1
    )
    held = np.cumsum(counts[found], axis=1)  # Points in the place and those before it.
    near = np.empty((n_points, k), np.int64)
    step = max(1, (1 << 24) // (k * found.shape[1]))
    for start in range(0, n_points, step):
        member = np.arange(start, min(start + step, n_points))  # Of `order`.
        place = np.searchsorted(starts, member, side="right") - 1
        own = counts[place]
        wanted = np.arange(1, k + 1) + np.zeros_like(member)[:, None]
        inside = wanted < own[:, None]
        which = (wanted[:, :, None] >= held[place][:, None, :]).sum(axis=2)
        other = np.take_along_axis(found[place], which, 1)
        before = np.take_along_axis(held[place], which, 1) - counts[other]
        there = starts[other] + wanted - before
        rank = (member - starts[place])[:, None] + wanted
        there = np.where(inside, starts[place][:, None] + rank % own[:, None], there)
        near[order[member]] = order[there]
    return near


def _share_kept(near: NDArray[np.int64], neighbors: Neighbors, k: int) -> NDArray[np.float32]:
    """Return the share of neighbors in the picture that are as near as the k-th originally."""
    out = np.empty(len(near), np.float32)
    apart = neighbors.proportions
    limit = apart[:, k - 1 : k] * (1 + 1e-6)
    step = max(1, (1 << 24) // (k * neighbors.indices.shape[1]))
    for start in range(0, len(near), step):
        part = slice(start, start + step)
        true = np.where(apart[part] <= limit[part], neighbors.indices[part], -1)
        out[part] = (near[part, :, None] == true[:, None, :]).any(axis=2).mean(axis=1)
    return out


def _ranks(exact: ExactRows, rows: NDArray[np.int64], near: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rank, 1 for the nearest, of some points in the original order of each row.

    Args:
        exact: The vectors.
        rows: int64 (n_rows,).
        near: int64 (n_rows, k), other points of each row.
    """
    asked = exact.take_near_one(rows)
    middle = asked.mean(axis=0)  # So that products keep their digits far from zero.
    asked = asked - middle
    lengths = np.einsum("ij,ij->i", asked, asked)
    apart = exact.measure_many(rows, near)
    cosine = exact.metric == "cosine"
    own = 2 * apart if cosine else np.square(np.ldexp(apart, -exact.to_unit))
    off = 4 * product_rounding(own.dtype, asked.shape[1]) * (own + lengths[:, None])
    close = (apart > 0) & (TIE * own < off)  # So close that products do not tell.
    limit = np.where(close, own + off, -np.inf).max(axis=1)
    some = np.flatnonzero(close.any(axis=1))
    ranks = np.ones(near.shape, np.int64)
    doubtful: list[NDArray[np.int64]] = [np.empty((2, 0), np.int64)]
    step = max(1, (1 << 24) // (4 * max(exact.space.shape[1], len(rows))))
    for start in range(0, exact.space.shape[0], step):
        part = slice(start, min(start + step, exact.space.shape[0]))
        block = exact.take_near_one(part) - middle
        squares = np.einsum("ij,ij->i", block, block) - 2 * asked @ block.T
        squares += lengths[:, None]
        here = np.flatnonzero((rows >= part.start) & (rows < part.stop))
        squares[here, rows[here] - part.start] = np.inf
        for column in range(near.shape[1]):
            nearer = (1 - TIE) * own[:, column] - off[:, column]
            ranks[:, column] += np.count_nonzero(squares < nearer[:, None], axis=1)
        query, other = np.nonzero(squares[some] <= limit[some, None])
        doubtful.append(np.stack([some[query], other + start]))
    query, other = np.concatenate(doubtful, axis=1)
    distances = exact.measure_many(rows[query], other[:, None])[:, 0]
    for i in some.tolist():
        known = np.sort(distances[query == i])
        there = np.flatnonzero(close[i])
        ranks[i, there] = 1 + np.searchsorted(known, apart[i, there] * (1 - TIE))
    return ranks


def _spearman(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return Spearman's rank correlation; 0.0 where one of the two does not vary."""
    first, second = rank(a), rank(b)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def rank(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return ranks from 1, float64 (n,), for equal values the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse])
