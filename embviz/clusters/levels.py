"""Clusters of a map at a few scales, from large to small. docs/clusters.md says which."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.clusters.spanning import SpanningTree, span_map

Codes = NDArray[np.int32]
LARGE = (5, 20)
"""How many large clusters there should be."""
FEWER = (2, 4)
"""And where there are not as many, or these are much clearer."""
CLEARER = 3
"""How many times as persistent a few clusters are that are taken in the place of more."""
FINER = (3, 10)
"""How many times more the clusters of the next level should be."""
MOST = 300
"""Clusters of a level."""
MOST_LEVELS = 3
LEAST_SIZE = 10
DENSER = 4 / 3
"""How many times as dense as between it and the others a cluster is; less is found in noise."""
_LARGE_SHARE = 100
"""One of so many points is the least that a large cluster has."""


def find_levels(places: NDArray[np.floating[Any]]) -> list[Codes]:
    """Return the clusters of a map at up to three scales, from large to small.

    Those of one level are the leaves of the condensed tree of HDBSCAN* (Campello, Moulavi and
    Sander 2013) at a minimum size. The size is that where the number of clusters stays the same
    over the widest range of sizes: the most persistent of the numbers that a level may have (as in
    PLSCAN, Bot, McInnes and Aerts 2025). Clusters of a level lie within those of the one before, or
    where there were none. Only those count whose members lie `DENSER` than where the cluster parts
    from others, and a level where most do not is none.

    Args:
        places: float (n_points, dims), finite, of 2 or 3 dimensions.

    Returns:
        int32 (n_points,) a level: each point's cluster, from the largest to the smallest, -1 for
        none. No level where there are not two clusters.
    """
    n = len(places)
    if n < 2 * LEAST_SIZE or (places == places[0]).all():
        return []
    tree = span_map(places)
    sides = _smaller_sides(tree)
    found = [_leaves(tree, size) for size in _choose_sizes(sides, n)]
    least = DENSER ** (1 / places.shape[1])
    kept = [_standing_out(codes, tree, least) for codes in found]
    return [codes for codes in kept if codes.max() > 0]


@dataclass(frozen=True)
class _Scale:
    """How many clusters there are where each has `least` + 1 to `most` points at least."""

    count: int
    least: int
    most: int

    @property
    def persistence(self) -> float:
        return math.log(self.most / self.least)


def _choose_sizes(sides: NDArray[np.int64], n_points: int) -> list[int]:
    """Return the minimum size of the clusters of each level.

    Args:
        sides: int64 (n,), how many points the smaller side of each merge had.
        n_points: All points.
    """
    least = max(LEAST_SIZE, math.isqrt(n_points) // 4)
    scales = list(_scales(sides, least))
    large = [s for s in scales if s.most * _LARGE_SHARE >= n_points]
    chosen, few = _most_persistent(large, *LARGE), _most_persistent(large, *FEWER)
    if few and (chosen is None or few.persistence >= CLEARER * chosen.persistence):
        chosen = few
    found: list[_Scale] = []
    while chosen is not None and len(found) < MOST_LEVELS:
        found.append(chosen)
        low, high = (times * chosen.count for times in FINER)
        chosen = _most_persistent(scales, low, min(high, MOST))
    return [scale.most for scale in found]


def _scales(sides: NDArray[np.int64], least: int) -> Iterator[_Scale]:
    """Yield the numbers of clusters that there are at sizes from a least one up."""
    ordered = np.sort(sides[sides >= least])[::-1].tolist()
    for i, (size, below) in enumerate(pairwise([*ordered, least - 1])):
        if below < size:
            yield _Scale(i + 2, below, size)


def _most_persistent(scales: list[_Scale], low: int, high: int) -> _Scale | None:
    """Return the scale of so many clusters that has the widest range, the coarser of equal ones."""
    fitting = [scale for scale in scales if low <= scale.count <= high]
    return max(fitting, key=lambda scale: scale.persistence, default=None)


def _smaller_sides(tree: SpanningTree) -> NDArray[np.int64]:
    """Return how many points the smaller side of each merge has, int64 (n - 1,)."""
    parent = list(range(tree.n_points))
    size = [1] * tree.n_points
    found = []
    for a, b in zip(tree.first.tolist(), tree.second.tolist(), strict=True):
        while parent[a] != a:
            parent[a] = a = parent[parent[a]]
        while parent[b] != b:
            parent[b] = b = parent[parent[b]]
        if size[a] < size[b]:
            a, b = b, a
        found.append(size[b])
        parent[b] = a
        size[a] += size[b]
    return np.array(found, np.int64)


def _leaves(tree: SpanningTree, size: int) -> Codes:
    """Return the clusters of at least a size that hold no two others, from the largest on."""
    from scipy.sparse import csr_array
    from sklearn.cluster import HDBSCAN

    n = tree.n_points
    # Only the order of the edges counts, and as distances no two of them are equal.
    ranks = np.arange(1.0, n)
    ends = np.concatenate([tree.first, tree.second]), np.concatenate([tree.second, tree.first])
    distances = csr_array((np.concatenate([ranks, ranks]), ends), shape=(n, n))
    found = HDBSCAN(
        min_cluster_size=size,
        min_samples=1,
        metric="precomputed",
        cluster_selection_method="leaf",
        copy=False,
    ).fit(distances)
    return by_size(found.labels_)


def _standing_out(codes: Codes, tree: SpanningTree, least: float) -> Codes:
    """Return the clusters that are denser than around them; none where most of them are not.

    Args:
        codes: As `by_size` returns them.
        tree: Of the points.
        least: How many times as long as the way to a member's tenth neighbor, in the median, the
            edge that joins the cluster to others is.
    """
    n_clusters = int(codes.max()) + 1
    ends = np.stack([codes[tree.first], codes[tree.second]])
    parts = ends[0] != ends[1]
    joined = np.full(n_clusters, np.inf)
    for own in ends:
        leaving = parts & (own >= 0)
        np.minimum.at(joined, own[leaving], tree.lengths[leaving])
    inner = np.array([np.median(tree.core[codes == code]) for code in range(n_clusters)])
    kept = joined >= least * inner
    if 2 * kept.sum() < n_clusters:
        kept[:] = False
    place = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1).astype(np.int32)
    return place[codes]


def by_size(codes: NDArray[np.integer[Any]]) -> Codes:
    """Return codes anew, from the largest group to the smallest; equal ones by their first point.

    Args:
        codes: int (n_points,), -1 for none.
    """
    there = codes >= 0
    values, first, counts = np.unique(codes[there], return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))
    place = np.empty(int(values.max(initial=-1)) + 1, np.int32)
    place[values[order]] = np.arange(len(values), dtype=np.int32)
    out = np.full(len(codes), -1, np.int32)
    out[there] = place[codes[there]]
    return out
