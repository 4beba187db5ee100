"""Places of points that took no part in a map, among those that did."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.floating[Any]]
Numbers = NDArray[np.float64]

NEIGHBORS = 10
"""How many of its neighbors in the map a point is placed by."""
_SHARPNESS = 0.2
_SMOOTHED = 0.1
_STEPS, _MIDDLE_STEPS = 8, 32
_BATCH = 1 << 15


def spacings(places: Places) -> Numbers:
    """Return how far from each point of a map another one lies at the least, float64 (n,).

    Points at one place have none between them: the nearest elsewhere counts, and 0 where all are
    at one place.

    Args:
        places: (n, 2 or 3), of the points that made the map.
    """
    from scipy.spatial import KDTree

    distinct, which = np.unique(places.astype(np.float64), axis=0, return_inverse=True)
    if len(distinct) < 2:
        return np.zeros(len(places))
    apart = KDTree(distinct).query(distinct, 2, workers=1)[0][:, 1]
    return np.asarray(apart[which.ravel()], dtype=np.float64)


def affinities(lengths: Numbers) -> Numbers:
    """Return how much each neighbor of a point counts, float64 (n, k), summing to 1.

    A Gaussian of the distance beyond that of the nearest, whose variance is a fifth of what the
    neighbors have on average, so that two or three of them count.

    Args:
        lengths: float64 (n, k), distances ascending.
    """
    scale = np.where(lengths[:, -1:] > 0, lengths[:, -1:], 1)
    ratios = lengths / scale
    beyond = ratios**2 - ratios[:, :1] ** 2
    mean = beyond.mean(axis=1, keepdims=True)
    near = np.exp(-beyond / np.where(mean > 0, _SHARPNESS * mean, 1))
    return np.asarray(near / near.sum(axis=1, keepdims=True), dtype=np.float64)


def middle_of(places: Places) -> NDArray[np.float32]:
    """Return about the geometric median of a map, (2,) or (3,): where what is near to none goes.

    Args:
        places: (n, 2 or 3), of the points that made the map.
    """
    wide = places.astype(np.float64)
    middle = wide.mean(axis=0)
    for _ in range(_MIDDLE_STEPS):
        lengths = np.linalg.norm(wide - middle, axis=1)
        pull = 1 / np.maximum(lengths, max(float(lengths.max()) * 1e-9, np.finfo(np.float64).tiny))
        middle = (pull / pull.sum()) @ wide
    low, high = places.min(axis=0), places.max(axis=0)
    return np.asarray(np.clip(middle.astype(np.float32), low, high), dtype=np.float32)


def place_among(
    places: Places, apart: Numbers, found: NDArray[np.integer[Any]], lengths: Numbers
) -> NDArray[np.float32]:
    """Return where points belong in a map by their neighbors in it, float32 (n, 2 or 3).

    That is the geometric median of the neighbors' places, each weighted by its affinity, as eight
    steps from the nearest reach it: one that lies far off moves it no farther than one near by
    (Weiszfeld 1937). Distances are rounded off below a tenth of the map's spacing, so that points
    do not all fall onto those that made it. The place turns with the map and lies within the hull
    of the neighbors. A point at distance 0 from its nearest has the very place of that one.

    Args:
        places: (n_map, 2 or 3), of the points that made the map.
        apart: What `spacings` returns of them.
        found: (n, k), of each point its nearest among them, nearest first.
        lengths: float64 (n, k), how far they are.
    """
    out = np.empty((len(found), places.shape[1]), np.float32)
    for first in range(0, len(found), _BATCH):
        part = slice(first, first + _BATCH)
        out[part] = _place(places, apart, found[part], lengths[part])
    return out


def _place(
    places: Places, apart: Numbers, found: NDArray[np.integer[Any]], lengths: Numbers
) -> NDArray[np.float32]:
    near = places[found].astype(np.float64)
    weights = affinities(lengths)
    own = near[:, 0].copy()
    least = np.square(_SMOOTHED * apart[found[:, 0]])[:, None]
    middle = own
    for _ in range(_STEPS):
        squares = np.square(near - middle[:, None]).sum(axis=2) + least
        pull = weights / np.sqrt(np.maximum(squares, np.finfo(np.float64).tiny))
        pull /= pull.sum(axis=1, keepdims=True)
        middle = (pull[:, :, None] * near).sum(axis=1)
    same = lengths[:, 0] == 0
    middle[same] = own[same]
    rounded = middle.astype(np.float32)
    # Rounding must not leave the neighbors' box.
    low, high = near.min(axis=1).astype(np.float32), near.max(axis=1).astype(np.float32)
    return np.asarray(np.clip(rounded, low, high), dtype=np.float32)
