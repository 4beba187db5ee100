"""Whether what moves in a picture has changed its neighbors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from embviz.pictures.correlation import rank
from embviz.pictures.warm_start import find_spread

Places = NDArray[np.float64]
Figures = dict[str, tuple[float | None, ...]]
_FEWEST = 3


def measure_motion(
    places: Sequence[Places], kept: Sequence[NDArray[np.float64]], linear: bool
) -> tuple[dict[str, float | None], Figures]:
    """Correlate how far points move from step to step with how many of their neighbors change.

    The figure is Spearman's rank correlation of a point's way in the picture, in units of the
    picture's spread (the root mean square of the distances from the mean, at the step before), and
    the share of its 10 nearest neighbors that it does not keep. Near 0, or below, what moves does
    not mean anything: the map turns, or settles.

    Args:
        places: float64 (n_points, n_components) of each step, NaN where a point is not there.
        kept: float64 (n_points,) from each step to the next; NaN where one of them lacks the point.
        linear: Whether fewer components are a picture too.

    Returns:
        The figure of all steps together by the number of dimensions, and those from each step to
        the next: `motion`, and `motion_3d` beside it where two and three components are shown. None
        where nothing moves or changes.
    """
    width = places[0].shape[1]
    shown = [d for d in (2, 3) if d <= width and (d == width or linear)] or [width]
    overall: dict[str, float | None] = {}
    each: Figures = {}
    for dims in shown:
        ways = [_ways(a[:, :dims], b[:, :dims]) for a, b in pairwise(places)]
        name = "motion" if dims == shown[0] else f"motion_{dims}d"
        found = [_correlation(way, 1 - share) for way, share in zip(ways, kept, strict=True)]
        each[name] = (None, *found)
        overall[str(dims)] = _correlation(np.concatenate(ways), 1 - np.concatenate(kept))
    return overall, each


def _ways(before: Places, after: Places) -> NDArray[np.float64]:
    """Return how far points move, in units of the spread before, NaN where one is missing."""
    there = before[np.isfinite(before).all(axis=1)]
    spread = find_spread(there) if len(there) else 0.0
    way = np.linalg.norm(after - before, axis=1)
    return np.asarray(way / spread if spread > 0 else way)


def _correlation(way: NDArray[np.float64], lost: NDArray[np.float64]) -> float | None:
    """Return Spearman's rank correlation of what is known, None where one does not vary."""
    known = np.isfinite(way) & np.isfinite(lost)
    if known.sum() < _FEWEST:
        return None
    moved, changed = rank(way[known]), rank(lost[known])
    if np.ptp(moved) == 0 or np.ptp(changed) == 0:
        return None
    return round(float(np.corrcoef(moved, changed)[0, 1]), 4)
