"""A coarser start of t-SNE of very many points: a map of a sample, and the others beside it.

Where groups lie is settled on a map of few points, in little time; the others begin in the middle
of their neighbors in it, and all go on with fewer iterations, as in Kobak and Berens 2019 ("The art
of using t-SNE for single-cell transcriptomics"), who begin large maps so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.model import EmbeddingTable, Neighbors

COARSE_POINTS = 50_000
"""Beyond so many points a map begins so where neither a start nor iterations are asked for."""
SHARE = 20  # One point of so many is in the sample.
DEVIATION = 3.0  # Of the start, in the map's unit: exaggeration draws it together anyway.
JITTER = 1e-3  # Of the deviation; keeps points with the same neighbors apart.
BLOCK = 1 << 15  # Points at once.
_CURVE_BITS = 10


@dataclass(frozen=True, eq=False)
class Ordered:
    """Points in an order in which near ones of the start follow each other.

    Affinities and grid are then read along, not from all over the memory.

    Attributes:
        order: int64 (n_points,), the rows in that order.
        start: float64 (n_points, n_components), in that order.
        neighbors: Theirs, in that order and by it.
    """

    order: NDArray[np.int64]
    start: NDArray[np.float64]
    neighbors: Neighbors

    def undo(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values of the points (n_points, ...) by their rows again."""
        out = np.empty_like(values)
        out[self.order] = values
        return out


def draw_rows(n_points: int, seed: int) -> NDArray[np.int64]:
    """Return the rows of the sample, int64 ascending."""
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(n_points, n_points // SHARE, replace=False))


def take_rows(table: EmbeddingTable, rows: NDArray[np.int64]) -> EmbeddingTable:
    """Return the vectors of some rows, without metadata."""
    return EmbeddingTable(table.vectors, name=table.name, source=table.source).take(rows)


def place_beside(
    indices: NDArray[np.integer[Any]], rows: NDArray[np.int64], placed: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Return places of all points: the mean of their neighbors that have one.

    In rounds, since a point may have no neighbor in the sample, but neighbors that have; points of
    which no neighbor ever has one are put in the middle.

    Args:
        indices: (n_points, k), the neighbors of all points.
        rows: int64 (n,), the points that have places.
        placed: float (n, n_components), theirs.
    """
    places = np.zeros((len(indices), placed.shape[1]))
    places[rows] = placed
    known = np.zeros(len(indices), np.bool_)
    known[rows] = True
    lost = np.flatnonzero(~known)
    while len(lost):
        found: list[NDArray[np.int64]] = []
        for first in range(0, len(lost), BLOCK):
            part = lost[first : first + BLOCK]
            near = indices[part]
            counted = known[near]
            many = counted.sum(axis=1)
            own = np.flatnonzero(many)
            sums = np.einsum("ij,ijc->ic", counted[own], places[near[own]])
            places[part[own]] = sums / many[own, None]
            found.append(part[own])
        new = np.concatenate(found)
        if not len(new):
            places[lost] = placed.mean(axis=0)
            break
        known[new] = True
        lost = np.flatnonzero(~known)
    return places


def begin(places: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Return places as a descent begins with them: centered, drawn together and jittered."""
    start = places - places.mean(axis=0)
    deviation = float(start.std())
    if deviation > 0:
        start *= DEVIATION / deviation
    rng = np.random.default_rng(seed)
    start += rng.normal(0, DEVIATION * JITTER, start.shape)
    return np.asarray(start)


def order_along_curve(start: NDArray[np.float64], neighbors: Neighbors) -> Ordered:
    """Return points in the order of a curve through the start (Morton 1966)."""
    low = start.min(axis=0)
    extent = max(float(np.ptp(start, axis=0).max()), 1e-30)
    cells = ((start - low) / extent * ((1 << _CURVE_BITS) - 1)).astype(np.int64)
    keys = np.zeros(len(start), np.int64)
    n_components = start.shape[1]
    for bit in range(_CURVE_BITS):
        for c in range(n_components):
            keys |= (cells[:, c] >> bit & 1) << (bit * n_components + c)
    order = np.argsort(keys, kind="stable")
    ranks = np.empty(len(order), np.int32)
    ranks[order] = np.arange(len(order), dtype=np.int32)
    there = replace(
        neighbors,
        indices=ranks[neighbors.indices[order]],
        distances=neighbors.distances[order],
        unrounded=None if neighbors.unrounded is None else neighbors.unrounded[order],
    )
    return Ordered(order, np.ascontiguousarray(start[order]), there)
