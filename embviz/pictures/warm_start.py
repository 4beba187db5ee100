"""Where the points of a map begin at the next step, so that those stay which may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.values import FEW
from embviz.pictures.alignment import find_similarity

Places = NDArray[np.float64]

STAYED = 0.5
"""The share of its 10 nearest that a point keeps whose neighbors stayed."""
_NEAR = 0.95  # The quantile of points that lie as near to their neighbors as points do.
_FARTHEST = 0.2  # Of the spread: beyond, a picture shows no neighborhoods.
_VAGUE = 0.5  # Of the spread: of noise it is above 1, of words 0.6, of clusters below 0.1.
_FEWEST_BESIDE = 3  # Neighbors in place beside which a point is put.
_FEWEST_IN_PLACE = 0.25  # The share of points in place below which a map is made anew.


@dataclass(frozen=True, eq=False)
class Beginning:
    """Where points begin, float64 (n_points, n_components).

    `goes_on` is whether the most of them are where their neighbors are, so that the map of the step
    before is one of this step too. `is_vague` is whether that map hardly shows neighborhoods, so
    that it may hold together what another map would show apart.
    """

    places: Places
    goes_on: bool
    is_vague: bool


def begin(
    before: Places, kept: NDArray[np.float64], nearest: NDArray[np.integer[Any]], reach: float
) -> Beginning:
    """Say where points begin.

    A point is in place where half of its neighbors stayed, or where it lies as near to those that
    it has now as points did before. The others are put into the middle (the median) of their
    neighbors that are in place, in rounds, and are in place then: those whose neighbors changed
    would not find through a map that holds together, and those that come have no place yet.

    Args:
        before: float64 (n_points, n_components), the map before; NaN where a point was not in it.
        kept: float64 (n_points,), the share of its 10 nearest that each point keeps; NaN if new.
        nearest: (n_points, up to 10), the neighbors now, by their places.
        reach: What `find_reach` said of the map before.
    """
    known = _is_known(before)
    places = before.copy()
    spread = find_spread(before[known]) if known.any() else 0.0
    there = known[nearest].sum(axis=1) >= min(_FEWEST_BESIDE, nearest.shape[1])
    apart = np.full(len(before), np.inf)
    apart[there] = _distance(before[there], _middles(before, known, nearest[there]))
    in_place = known & ((np.nan_to_num(kept) >= STAYED) | (apart <= min(reach, _FARTHEST * spread)))
    share = float(in_place.sum()) / max(1, int(known.sum()))
    while True:
        lost = np.flatnonzero(~in_place)
        enough = in_place[nearest[lost]].sum(axis=1) >= min(_FEWEST_BESIDE, nearest.shape[1])
        lost = lost[enough]
        if not len(lost):
            break
        places[lost] = _middles(places, in_place, nearest[lost])
        in_place[lost] = True
    homeless = np.isnan(places).any(axis=1)
    if homeless.any():
        places[homeless] = before[known].mean(axis=0) if known.any() else 0.0
    found = float(in_place.mean())
    goes_on = share >= _FEWEST_IN_PLACE and found >= 0.5
    return Beginning(places, goes_on, reach > _VAGUE * spread)


def find_reach(places: Places, nearest: NDArray[np.integer[Any]]) -> float:
    """Return how far from the middle of their neighbors points of a map lie, but for a few.

    Args:
        places: float64 (n_points, n_components).
        nearest: (n_points, up to 10), the neighbors that the map shows, by their places.
    """
    if not nearest.shape[1]:
        return 0.0
    everywhere = np.ones(len(places), np.bool_)
    return float(np.quantile(_distance(places, _middles(places, everywhere, nearest)), _NEAR))


def find_spread(places: NDArray[np.floating[Any]]) -> float:
    """Return the root of the mean squared distance of points from their mean."""
    around = np.asarray(places, np.float64) - np.mean(places, axis=0, dtype=np.float64)
    return float(np.sqrt(np.square(around).sum(axis=1).mean()))


def count_shown(places: Places, nearest: NDArray[np.integer[Any]]) -> float:
    """Return the share of neighbors that a map shows among the nearest of each point.

    Args:
        places: float64 (n_points, n_components).
        nearest: (n_points, up to 10), the neighbors, by their places.
    """
    from scipy.spatial import KDTree

    k = nearest.shape[1]
    _, found = KDTree(places).query(places, k + 1, workers=-1)
    shown = (nearest[:, :, None] == np.asarray(found)[:, None, :]).any(axis=2)
    return float(shown.mean())


def lay_on(places: Places, before: Places, kept: NDArray[np.float64]) -> Places:
    """Return a map that is laid on the one before by the points whose neighbors stayed.

    All points that both have say where it lies if fewer than 10 or 1 % of them kept half of
    their 10 nearest.

    Args:
        places: float64 (n_points, n_components).
        before: float64 (n_points, n_components), the map before; NaN where a point was not in it.
        kept: float64 (n_points,), the share of its 10 nearest that each point keeps.
    """
    common = _is_known(before)
    if not common.any():
        return places
    stayed = common & (np.nan_to_num(kept) >= STAYED)
    if stayed.sum() < max(FEW, common.sum() / 100):
        stayed = common
    return find_similarity(places[stayed], before[stayed]).apply(places)


def _is_known(places: Places) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(places).all(axis=1), np.bool_)


def _distance(a: Places, b: Places) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(a - b, axis=1))


def _middles(
    places: Places, counted: NDArray[np.bool_], nearest: NDArray[np.integer[Any]]
) -> Places:
    """Return the median of some points' neighbors, of those that count."""
    found = np.where(counted[nearest][:, :, None], places[nearest], np.nan)
    return np.asarray(np.nanmedian(found, axis=1))
