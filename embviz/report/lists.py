"""The nearest neighbors that travel where vectors do not, so that a click is always answered."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.values import FEW
from embviz.errors import LoadError, ParameterError
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.neighbors.known import shown_recall
from embviz.report.blocks import FEW_VALUES, array_block, rounded_block
from embviz.report.budget import Level, Made, Offer
from embviz.report.coders import fitting_exponent
from embviz.report.vectors import VECTORS
from embviz.rows import BLOCK_BYTES

LEAST = 3
"""Neighbors of each point without which a list is none, where there is not room for ten."""
NEAREST, MORE, DIGITS = "nearest neighbors", "more neighbors", "digits of distances"
"""The names of the offers."""
_NOBODY = -1


@dataclass(frozen=True, eq=False)
class Listed:
    """The neighbors of points in one state of theirs.

    Attributes:
        rows: int64 (n,), the points that have some.
        neighbors: Theirs, among all points by their indices.
    """

    rows: NDArray[np.int64]
    neighbors: Neighbors


@dataclass(frozen=True, eq=False)
class Lists:
    """The lists of all states, which travel with the same number of neighbors.

    Attributes:
        n_points: All points.
        known: How many neighbors each point has at most, before they are found.
        find: Finds them; raises EmbvizError where they cannot be had.
        n_states: How many states there are.
    """

    n_points: int
    known: int
    find: Callable[[], Sequence[Listed]]
    n_states: int = 1

    @property
    def found(self) -> Sequence[Listed]:
        """The neighbors of each state; none where they cannot be had."""
        return self._attempt[0]

    @property
    def problem(self) -> str:
        """Why they cannot be had; "" where they can."""
        return self._attempt[1]

    @cached_property
    def _attempt(self) -> tuple[Sequence[Listed], str]:
        try:
            return self.find(), ""
        except (LoadError, ParameterError) as error:
            # The picture is there, and vectors that it does not need are at fault.
            return (), f"{error.what}: {error.why}"

    def level(self, k: int, rounded: bool = True) -> Level:
        """Return the level at which k neighbors of each point travel."""
        count = self.n_states * self.n_points * k
        # Places are noise; distances grow little from one neighbor to the next.
        place, distance = self.n_points.bit_length() / 8, 0.8 if rounded else 3.2
        return Level(
            int(count * (math.ceil(place) + (2 if rounded else 4)) * 1.4) + 5_000,
            lambda: int(count * (place + distance) * 4 / 3) + 2_000,
            lambda: self._pack(k, rounded),
            str(k),
        )

    def _pack(self, k: int, rounded: bool) -> Made | None:
        if not self.found:
            return None
        return pack_lists(self.found, self.n_points, k, rounded)


def list_offers(lists: Lists, always: bool = False) -> tuple[list[Offer], list[Offer]]:
    """Return what is offered of lists: ten neighbors, or as many as there is room for.

    Args:
        lists: What is known of them.
        always: Whether they travel beside vectors too, as those of a comparison.

    Returns:
        What is offered first, and what last of all.
    """
    if lists.known < 1:
        return [], []
    few = min(FEW, lists.known)
    counts = tuple(map(lists.level, range(few, min(LEAST, few) - 1, -1)))
    instead_of = "" if always else VECTORS
    first = Offer(NEAREST, counts, is_needed=True, instead_of=instead_of)

    def last(name: str, k: int, rounded: bool, better: str) -> Offer:
        return Offer(name, (lists.level(k, rounded),), instead_of=VECTORS, better=better)

    found, better = [], NEAREST
    if lists.known > few:
        found, better = [last(MORE, lists.known, True, NEAREST)], MORE
    if lists.n_states * lists.n_points * lists.known <= FEW_VALUES:
        found.append(last(DIGITS, lists.known, False, better))
    return [first], found


def pack_lists(found: Sequence[Listed], n_points: int, k: int, rounded: bool) -> Made:
    """Pack the k nearest of each point in each state, both blocks (k, n_states, n_points).

    Args:
        found: The neighbors of each state; of points that have none -1 travels.
        n_points: All points.
        k: Neighbors a point.
        rounded: Whether distances travel in 16 bits, within 0.4 % of each.
    """
    peak = max(float(each.neighbors.distances[:, :k].max(initial=0)) for each in found)
    exponent = fitting_exponent(peak, 2.0**-100, 1e38)
    shape = (k, len(found), n_points)
    indices, distances = np.full(shape, _NOBODY, np.int32), np.zeros(shape, np.float32)
    for i, each in enumerate(found):
        near = each.neighbors
        indices[:, i, each.rows] = near.indices[:, :k].T
        distances[:, i, each.rows] = np.ldexp(near.distances[:, :k].T, -exponent)
    names = ("neighbors", "neighbor_distances")
    entry = {
        "k": k,
        "metric": found[0].neighbors.metric,
        "recall": shown_recall(min(each.neighbors.recall for each in found)),
        "scale": 2.0**exponent,
        "indices": names[0],
        "distances": names[1],
    }
    packed = rounded_block if rounded else array_block
    blocks = (
        array_block(names[0], indices),
        packed(names[1], distances),
    )
    return Made(blocks, entry)


def without_zero_rows(table: EmbeddingTable, neighbors: Neighbors) -> Listed:
    """Return neighbors of the points of a table that have some: a zero vector has no direction."""
    rows = np.arange(table.n_points)
    if neighbors.metric != "cosine" or not neighbors.indices.shape[1]:
        return Listed(rows, neighbors)
    apart = np.flatnonzero((neighbors.distances == 1).all(axis=1))
    step = max(1, BLOCK_BYTES // (4 * table.n_dims))
    parts = [apart[i : i + step] for i in range(0, len(apart), step)]
    zero = [part[~table.take_block(part, np.float64).any(axis=1)] for part in parts]
    kept = np.delete(rows, np.concatenate([np.empty(0, np.int64), *zero]))
    return Listed(kept, _of_rows(neighbors, kept))


def _of_rows(neighbors: Neighbors, rows: NDArray[np.int64]) -> Neighbors:
    return replace(
        neighbors,
        indices=neighbors.indices[rows],
        distances=neighbors.distances[rows],
        unrounded=None,
    )


def check_neighbors(given: Neighbors, table: EmbeddingTable, metric: Metric) -> Neighbors:
    """Return neighbors that a caller gave for a report, at most ten of each point.

    Raises:
        ParameterError: If they are of other points, or of another metric than the report's.
    """
    n_rows, held = given.indices.shape
    if n_rows != table.n_points:
        raise ParameterError(
            "neighbors", f"those of {n_rows:,} points, the report has {table.n_points:,}"
        )
    if given.metric != metric:
        raise ParameterError(
            "neighbors",
            f"by {given.metric}, the report shows those by {metric}",
            f'metric="{given.metric}" shows these',
        )
    if held < 1:
        raise ParameterError("neighbors", "none of each point", "give 10")
    wrong = given.indices[(given.indices < 0) | (given.indices >= n_rows)]
    if len(wrong):
        raise ParameterError("neighbors", f"there is no point {wrong[0]} in 0 .. {n_rows - 1}")
    return given.first(min(FEW, held))
