"""How true groups are: in which of them the true neighbors of their members lie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.clusters.values import K, Partition, Toward
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.space import Space

MOST_TOWARD = 3
MOST_TYPICAL = 5
COST = 2e10
"""Multiplications of looking for the true neighbors of a sample of points."""
_FEWEST = 200


@dataclass(frozen=True, eq=False)
class Known:
    """The true neighbors of some points.

    Attributes:
        rows: int64 (n,), the points, ascending.
        near: int32 (n, k), their nearest others among all points.
    """

    rows: NDArray[np.int64]
    near: NDArray[np.int32]


def find_known(
    table: EmbeddingTable, metric: Metric, given: Neighbors | None, space: Space | None = None
) -> Known:
    """Return the ten true neighbors of all points where they are known, else of a sample.

    A zero vector has none by cosine distance.

    Args:
        table: The points.
        metric: Of the neighbors.
        given: Those of all points by the metric, where they were found already.
        space: What `open_space` gave of the table, where it was opened before.
    """
    from embviz.neighbors import find_neighbors, list_neighbors

    n = table.n_points
    k = min(K, n - 1)
    if given is None and n * n * table.n_dims <= COST:
        given = list_neighbors(table, k, metric, space)
    if given is not None:
        k = min(k, int(given.indices.shape[1]))
        rows = _with_direction(table, np.arange(n), metric, given)
        return Known(rows, given.indices[rows, :k])
    size = min(n, max(_FEWEST, int(COST / (n * table.n_dims))))
    rows = np.sort(np.random.default_rng(0).choice(n, size, replace=False))
    rows = _with_direction(table, rows, metric, None)
    if not len(rows):
        return Known(rows, np.empty((0, k), np.int32))
    return Known(rows, find_neighbors(table, rows, k, metric).indices)


def _with_direction(
    table: EmbeddingTable, rows: NDArray[np.int64], metric: Metric, found: Neighbors | None
) -> NDArray[np.int64]:
    """Return the rows that are not zero vectors where the metric is cosine.

    Args:
        table, rows, metric: Which are looked at.
        found: The neighbors of all points: a zero vector's are at distance 1.
    """
    if metric != "cosine":
        return rows
    suspects = rows
    if found is not None and found.distances.shape[1]:
        suspects = rows[(found.distances[rows] == 1).all(axis=1)]
    zero = [
        part[~table.take_block(part, np.float64).any(axis=1)]
        for part in np.array_split(suspects, max(1, len(suspects) // 10_000))
        if len(part)
    ]
    return np.setdiff1d(rows, np.concatenate([np.empty(0, np.int64), *zero]), assume_unique=True)


def measure(partition: Partition, known: Known, places: NDArray[np.floating[Any]]) -> Partition:
    """Return a partition with its figures and typical members.

    Args:
        partition: The groups.
        known: The true neighbors of some points.
        places: float (n_points, dims), where the points lie in the picture that is shown first.
    """
    codes, n = partition.codes, partition.n_groups
    k = int(known.near.shape[1])
    own = codes[known.rows]
    looked_at = np.bincount(own[own >= 0], minlength=n)
    near = codes[known.near]
    both = (own[:, None] >= 0) & (near >= 0)
    pairs = np.broadcast_to(own[:, None], near.shape)[both].astype(np.int64) * n + near[both]
    counts = np.bincount(pairs, minlength=n * n).reshape(n, n)
    shares = counts / np.maximum(looked_at * k, 1)[:, None]
    share = np.full(len(codes), -1.0)
    share[known.rows] = (near == own[:, None]).mean(axis=1) if k else 0.0
    return replace(
        partition,
        inside=tuple(float(shares[i, i]) if looked_at[i] and k else None for i in range(n)),
        toward=tuple(_others(shares[i], i) for i in range(n)),
        typical=tuple(_typical(partition.members(i), share, places) for i in range(n)),
        neighbors=k,
        measured=len(known.rows),
    )


def _others(shares: NDArray[np.float64], own: int) -> Toward:
    """Return the other groups with the largest shares, equal ones by their order."""
    order = [j for j in np.argsort(-shares, kind="stable")[: MOST_TOWARD + 1].tolist() if j != own]
    return tuple((j, float(shares[j])) for j in order[:MOST_TOWARD] if shares[j] > 0)


def _typical(
    members: NDArray[np.int64], share: NDArray[np.float64], places: NDArray[np.floating[Any]]
) -> tuple[int, ...]:
    """Return members most of whose true neighbors lie in the group, near its middle first."""
    own = places[members].astype(np.float64)
    apart = ((own - np.median(own, axis=0)) ** 2).sum(axis=1)
    order = np.lexsort((members, apart, -share[members]))
    return tuple(members[order[:MOST_TYPICAL]].tolist())
