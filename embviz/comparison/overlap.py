"""What two states of the same points have in common: neighbors, and their ranks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.measures import Indices, measure_closely, open_exact
from embviz.comparison.ranks import Asked
from embviz.comparison.sweep import count_nearer, is_swept, sweep_neighbors
from embviz.comparison.values import FEW, MANY
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.neighbors.exact_rows import ExactRows
from embviz.neighbors.scan import in_the_vectors_unit
from embviz.rows import BLOCK_BYTES
from embviz.space import working_type

progress = logging.getLogger("embviz.progress")

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
Places = NDArray[np.int32]

LISTED = 90
"""Neighbors a point that are kept: the 50 of the figures, and those that t-SNE looks at."""
_TOLD_APART = 1e-6  # Of distances of float32: those that differ by less are measured again.


@dataclass(frozen=True, eq=False)
class Side:
    """One state of the points, and what is near to those that are compared.

    Attributes:
        exact: The vectors.
        near: int32 (n_compared, k), their nearest others, nearest first.
        apart: float64 (n_compared, k), the distances, in the unit of `exact.measure`.
        lengths: float64 (n_compared,), of the compared vectors, in the same unit.
        rounding: The share by which rounding moves a vector of the stored dtype, a few times over.
        nearer: How many points are nearer than each of the 10 nearest on the other side, int64
            (n_compared, 10), where that was counted when these were found.
    """

    exact: ExactRows
    near: Indices
    apart: Numbers
    lengths: Numbers
    rounding: float
    nearer: Rows | None = None

    @property
    def n_points(self) -> int:
        return self.exact.space.shape[0]

    def limits(self, distances: Numbers, part: slice = slice(None)) -> Numbers:
        """Return the largest distances that are the same as others (n, m) of some points.

        They differ by no more than rounding the vectors to their stored type does: a copy that is
        turned and rounded again has the same neighbors.
        """
        moved = self.rounding * self.lengths[part, None]
        if self.exact.metric == "cosine":  # Half the square of how far apart they are.
            moved = moved * np.sqrt(2 * distances) + np.square(moved) / 2
        return np.asarray(distances * (1 + self.rounding) + moved)


def open_side(
    table: EmbeddingTable, rows: Rows, metric: Metric, other: Side | None = None
) -> tuple[Side, Neighbors]:
    """Find the nearest others of some rows, exactly.

    Args:
        table: The vectors.
        rows: int64 (n_compared,), ascending.
        metric: What near means.
        other: The other side, where it is known: the ranks here of what is near there are then
            counted in the same pass, where there are many.

    Raises:
        LoadError: If a vector holds NaN or infinity.
        ParameterError: If a distance is beyond float64.
    """
    exact = open_exact(table, metric)
    k, nearer = min(LISTED, table.n_points - 1), None
    if len(rows) == table.n_points:
        total, asked = f"{table.n_points:,}", None
        progress.info("exact neighbors of %s points", total)
        if other is not None and is_swept(exact, len(rows)):
            few = other.near[:, :FEW]
            asked = Asked(rows, few, np.ones(few.shape, np.bool_))
        best, nearer = sweep_neighbors(
            exact,
            k,
            asked,
            lambda done: progress.info("exact neighbors of %s of %s points", f"{done:,}", total),
        )
        found = best.neighbors(metric, exact.exponent)
    else:
        found = _find_some(exact, rows, k)
    near = found.indices
    apart = _apart(exact, rows, near, np.ldexp(found.distances.astype(np.float64), -exact.exponent))
    lengths, moved = _lengths(exact, rows), _rounding(table.vectors.dtype)
    return Side(exact, near, apart, lengths, moved, nearer), found


def _rounding(dtype: np.dtype[Any]) -> float:
    """Return what float32, or float64 for what it cannot hold, leaves open: some steps."""
    return 4 * float(np.finfo(np.float32 if working_type(dtype) is np.float32 else np.float64).eps)


def _apart(exact: ExactRows, rows: Rows, near: Indices, distances: Numbers) -> Numbers:
    """Return the distances, measured again where float32 cannot tell two in a row apart."""
    close = (distances[:, 1:] <= distances[:, :-1] * (1 + _TOLD_APART)).any(axis=1)
    some = np.flatnonzero(close)
    if len(some):
        distances[some] = np.maximum.accumulate(
            measure_closely(exact, rows[some], near[some]), axis=1
        )
    return distances


def _find_some(exact: ExactRows, rows: Rows, k: int) -> Neighbors:
    progress.info(
        "exact neighbors of %s of %s points", f"{len(rows):,}", f"{exact.space.shape[0]:,}"
    )
    near = np.empty((len(rows), k), np.int64)
    apart = np.empty((len(rows), k))
    zero = np.isin(rows, exact.zero)
    directed = np.flatnonzero(~zero)
    near[directed], apart[directed] = exact.search(rows[directed], k)
    for place in np.flatnonzero(zero):  # At distance 1 from all others.
        listed = np.arange(k + 1)
        near[place] = listed[listed != rows[place]][:k]
        apart[place] = 1
    return Neighbors(
        near.astype(np.int32), in_the_vectors_unit(apart, exact.exponent), exact.metric
    )


def _lengths(exact: ExactRows, rows: Rows) -> Numbers:
    out = np.ones(len(rows))
    if exact.metric == "cosine":
        return out
    step = max(1, BLOCK_BYTES // (8 * exact.space.shape[1]))
    for first in range(0, len(rows), step):
        part = slice(first, first + step)
        out[part] = np.linalg.norm(exact.take_near_one(rows[part]), axis=1)
    return np.asarray(np.ldexp(out, exact.to_unit))


@dataclass(frozen=True, eq=False)
class Moved:
    """How the neighbors on one side lie on the other.

    Attributes:
        ranks: int64 (n_compared, 10), the rank on the other side of each of the 10 nearest.
        own: Their ranks here, which are less than their places where they are equally near.
        gone: bool (n_compared, 10), which are not as near on the other side as its 10 nearest.
        common: The share of the k nearest here that are as near there, (n_compared,), by k.
    """

    ranks: Rows
    own: Rows
    gone: Flags
    common: dict[int, Numbers]


def find_moved(here: Side, there: Side, rows: Rows) -> Moved:
    """Find how the nearest others of some rows on one side lie on the other.

    Args:
        here, there: Both sides, of the same rows.
        rows: int64 (n_compared,).
    """
    places = _places(here, there)
    common = {k: _common(here, there, places, rows, k) for k in _widths(here.n_points)}
    wanted = here.near[:, :FEW]
    at = places[:, :FEW]
    known = at >= 0
    ranks = np.zeros(wanted.shape, np.int64)
    listed = _tied_ranks(there)
    some = np.nonzero(known)
    ranks[some] = listed[some[0], at[some]]
    lost = np.flatnonzero(~known.all(axis=1))
    if len(lost):
        found = _count_lost(there, Asked(rows[lost], wanted[lost], ~known[lost]), lost)
        ranks[lost] = np.where(known[lost], ranks[lost], found + 1)
    within = _as_near(there, places[:, :FEW], wanted, rows, FEW)
    return Moved(ranks, _tied_ranks(here)[:, :FEW].astype(np.int64), ~within, common)


def _count_lost(there: Side, asked: Asked, lost: Rows) -> Rows:
    """Count the points that are nearer there than neighbors that are not listed there."""
    if there.nearer is not None:
        return there.nearer[lost]
    total = f"{len(lost):,}"
    return count_nearer(
        there.exact,
        asked,
        lambda done: progress.info("ranks of neighbors of %s of %s points", f"{done:,}", total),
    )


def _widths(n_points: int) -> tuple[int, ...]:
    """Return the numbers of neighbors whose overlap says something: fewer than all others."""
    return tuple(k for k in (FEW, MANY) if k < n_points - 1)


def _places(here: Side, there: Side) -> Places:
    """Return the place of each point of a list here in the list there, -1 where it is not."""
    out = np.empty(here.near.shape, np.int32)
    n = here.n_points
    for part in _parts(out):
        row = np.arange(len(here.near[part]))[:, None] * n
        keys = (row + there.near[part]).ravel()
        order = np.argsort(keys, kind="stable")
        asked = (row + here.near[part]).ravel()
        at = np.minimum(np.searchsorted(keys, asked, sorter=order), len(keys) - 1)
        found = order[at]
        place = np.where(keys[found] == asked, found % there.near.shape[1], -1)
        out[part] = place.reshape(here.near[part].shape)
    return out


def _as_near(there: Side, places: Places, wanted: Indices, rows: Rows, k: int) -> Flags:
    """Tell which points of lists are as near there as the k-th nearest there."""
    limits = there.limits(there.apart[:, k - 1 : k])
    apart = np.where(places >= 0, np.take_along_axis(there.apart, np.maximum(places, 0), 1), np.inf)
    found = apart <= limits
    # Where more are equally near than are listed, those that are not have to be measured.
    tied = np.flatnonzero((there.apart[:, -1:] <= limits)[:, 0])
    if len(tied):
        found[tied] |= measure_closely(there.exact, rows[tied], wanted[tied]) <= limits[tied]
    return np.asarray(found, dtype=np.bool_)


def _common(here: Side, there: Side, places: Places, rows: Rows, k: int) -> Numbers:
    kept = _as_near(there, places[:, :k], here.near[:, :k], rows, k)
    return np.asarray(kept.mean(axis=1), dtype=np.float64)


def _tied_ranks(side: Side) -> Places:
    """Return the rank of each listed point, equal for those equally near: 1, 2, 2, 4."""
    out = np.empty(side.apart.shape, np.int32)
    for part in _parts(out):
        apart = side.apart[part]
        starts = np.ones(apart.shape, np.bool_)
        starts[:, 1:] = apart[:, 1:] > side.limits(apart[:, :-1], part)
        place = np.where(starts, np.arange(1, apart.shape[1] + 1), 0)
        out[part] = np.maximum.accumulate(place, axis=1)
    return out


def _parts(listed: NDArray[Any]) -> Iterator[slice]:
    """Yield parts of rows for which temporary arrays are small."""
    step = max(1, (1 << 22) // (listed.shape[1] or 1))
    for first in range(0, len(listed), step):
        yield slice(first, min(first + step, len(listed)))
