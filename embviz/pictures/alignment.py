"""Laying one picture of points on another: a rotation or reflection, a scale and a shift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Similarity:
    """A map that keeps all ratios of distances: x -> scale * (x - origin) @ rotation + target.

    Attributes:
        rotation: float64 (n_components, n_components), orthogonal; a reflection where its
            determinant is -1.
        scale: Above 0.
        origin: float64 (n_components,), what comes to lie on `target`.
        target: float64 (n_components,).
    """

    rotation: NDArray[np.float64]
    scale: float
    origin: NDArray[np.float64]
    target: NDArray[np.float64]

    def apply(self, places: Places) -> NDArray[np.float64]:
        """Return where points come to lie, float64 (n_points, n_components)."""
        moved = np.asarray(places, np.float64) - self.origin
        return np.asarray(self.scale * (moved @ self.rotation) + self.target)


def find_similarity(places: Places, others: Places) -> Similarity:
    """Find the similarity transform that lays points on others.

    The rotation is that of the least squares (Schönemann 1966, "A generalized solution of the
    orthogonal Procrustes problem"). The scale gives the points the spread of the others; that of
    the least squares would shrink a picture the more, the less the two agree, and a run's pictures
    to nothing in the end. Both are the same where the points can be laid on the others exactly.

    Args:
        places: (n_points, n_components), at least one point.
        others: Of the same shape, where each of them is to lie.
    """
    a, b = np.asarray(places, np.float64), np.asarray(others, np.float64)
    origin, target = a.mean(axis=0), b.mean(axis=0)
    a, b = a - origin, b - target
    # In units of their own, so that products stay in range.
    sizes = [float(np.abs(x).max()) or 1.0 for x in (a, b)]
    a, b = a / sizes[0], b / sizes[1]
    left, _, right = np.linalg.svd(a.T @ b)
    spreads = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    scale = spreads[1] / spreads[0] * (sizes[1] / sizes[0]) if min(spreads) > 0 else 1.0
    return Similarity(left @ right, scale, origin, target)
