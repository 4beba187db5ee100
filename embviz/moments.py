"""Count, mean and scatter of rows, which merge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import choose_kernels


@dataclass(frozen=True, eq=False)
class Moments:
    """The first two moments of some rows; those of two sets of rows merge to those of both.

    Attributes:
        count: How many rows.
        mean: float64 (n_dims,).
        scatter: float64 (n_dims, n_dims), the sum of products of the rows less their mean.
    """

    count: int
    mean: NDArray[np.float64]
    scatter: NDArray[np.float64]

    @classmethod
    def nothing(cls, n_dims: int) -> Moments:
        """Return the moments of no rows."""
        return cls(0, np.zeros(n_dims), np.zeros((n_dims, n_dims)))

    @classmethod
    def of(
        cls,
        rows: NDArray[np.floating[Any]],
        near: NDArray[np.float64] | None = None,
        products: type[np.floating[Any]] = np.float64,
    ) -> Moments:
        """Return the moments of rows (n, n_dims).

        Args:
            rows: At least one.
            near: float64 (n_dims,), a point near their mean; None is the mean. Products are taken
                of what lies between, so that they keep their digits far from zero.
            products: The float type of the products.
        """
        middle = rows.mean(axis=0, dtype=np.float64) if near is None else near
        around = middle.astype(rows.dtype)
        apart = (rows - around).astype(products, copy=False)
        offset = (np.ones(len(rows), products) @ apart).astype(np.float64) / len(rows)
        scatter = choose_kernels().gram(apart).astype(np.float64, copy=False)
        scatter -= np.outer(len(rows) * offset, offset)
        return cls(len(rows), around.astype(np.float64) + offset, scatter)

    def merge(self, other: Moments) -> Moments:
        """Return the moments of the rows of both (Chan, Golub and LeVeque 1983)."""
        if not self.count or not other.count:
            return self if self.count else other
        count = self.count + other.count
        apart = other.mean - self.mean
        share = other.count / count
        scatter = np.outer(apart * (self.count * share), apart)
        scatter += self.scatter
        scatter += other.scatter
        return Moments(count, self.mean + apart * share, scatter)

    @property
    def covariance(self) -> NDArray[np.float64]:
        """With the divisor count - 1, float64 (n_dims, n_dims)."""
        return self.scatter / (self.count - 1)
