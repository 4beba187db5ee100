"""How densely points lie in the original space and in a map, by their local radii."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError

_LEAST = 1e-8
"""What is added to a squared radius, so that points at one place have a logarithm."""
_ALIKE = 1e-3


def measure_radii(distances: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the logarithm of the mean squared distance to the neighbors, float64 (n_points,).

    Args:
        distances: (n_points, k), of each point's nearest others.
    """
    squares = np.square(np.asarray(distances, np.float64)).mean(axis=1)
    return np.asarray(np.log(_LEAST + squares))


def check_density(distances: NDArray[np.floating[Any]], source: str) -> None:
    """Refuse points that lie equally densely everywhere.

    Args:
        distances: (n_points, k), of each point's nearest others, in one unit.
        source: What the points are of.

    Raises:
        ParameterError: If their radii are the same, or beyond float32.
    """
    radii = measure_radii(distances)
    if not np.isfinite(radii).all():
        raise ParameterError("density", "distances are beyond float32", "leave it out")
    if np.ptp(radii) < _ALIKE:
        raise ParameterError(
            "density", f"is the same everywhere in {source or 'the vectors'}", "leave it out"
        )


def correlate_radii(
    distances: NDArray[np.floating[Any]], coordinates: NDArray[np.float32]
) -> float:
    """Return Pearson's correlation of the log radii of points with those in a map, -1 to 1.

    Args:
        distances: (n_points, k), of each point's nearest others in the original space.
        coordinates: (n_points, n_components), the map, whose own k nearest count.
    """
    from scipy.spatial import KDTree

    found, _ = KDTree(coordinates).query(coordinates, distances.shape[1] + 1, workers=-1)
    here = measure_radii(np.asarray(found)[:, 1:])
    if np.ptp(here) == 0:
        return 0.0
    return round(float(np.corrcoef(measure_radii(distances), here)[0, 1]), 4)
