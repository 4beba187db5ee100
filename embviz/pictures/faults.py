"""The two faults of a picture: false neighbors, and missing ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating[Any]]
Rows = NDArray[np.integer[Any]]

AS_NEAR = 1 + 1e-6  # Points whose distances differ by less are neighbors alike.


@dataclass(frozen=True, eq=False)
class Near:
    """What is near some rows, in the original space and in a picture; all (n_rows, width).

    Attributes:
        n_points: Of how many points the rows are.
        listed: The nearest in the original space, ties by row number.
        limits: Their distances there.
        ranks_placed: Their ranks in the picture, 1 for the nearest, equal for equally near points.
        placed: The nearest in the picture.
        distances: Their distances in the original space, as `limits`.
        ranks: Their ranks in the original space.
    """

    n_points: int
    listed: Rows
    limits: Numbers
    ranks_placed: NDArray[Any]
    placed: Rows
    distances: Numbers
    ranks: NDArray[Any]

    def faults(self, k: int) -> tuple[Numbers, Numbers, Numbers]:
        """Return the share kept, the trustworthiness and the continuity of k neighbors a row.

        NaN where a rank is not known.
        """
        as_near = self.distances[:, :k] <= self.limits[:, k - 1 : k] * AS_NEAR
        # Those are in place, whatever an estimate of their ranks says.
        false = np.where(as_near, 0, np.maximum(self.ranks[:, :k] - k, 0)).sum(axis=1)
        most = k * (2 * self.n_points - 3 * k - 1) / 2
        return as_near.mean(axis=1), 1 - false / most, 1 - self._missing(k) / most

    def _missing(self, k: int) -> Numbers:
        """Return by how many ranks the k nearest are too far away in the picture, in sum.

        Of points that are as near as the k-th those come first that are among the k nearest in the
        picture too, then those that are listed first: equally near points are not missed.
        """
        limit = self.limits[:, k - 1 : k]
        both = (self.listed[:, :k, None] == self.placed[:, None, :k]).any(axis=2)
        too_far = np.where(both, 0, np.maximum(self.ranks_placed[:, :k] - k, 0))
        tied = self.limits[:, :k] * AS_NEAR >= limit
        within = self.distances[:, :k]
        n_seen = ((within * AS_NEAR >= limit) & (within <= limit * AS_NEAR)).sum(axis=1)
        # So many others of the picture's are as near, and take the places of the last tied ones.
        instead = n_seen - (tied & both).sum(axis=1)
        loose = tied & ~both
        from_last = np.cumsum(loose[:, ::-1], axis=1)[:, ::-1]
        too_far[loose & (from_last <= instead[:, None])] = 0
        return np.asarray(too_far.sum(axis=1))
