"""The second derivatives of t-SNE's repulsion in two dimensions, on a grid as its first ones.

The grid is finer than that of the gradient, since differences of large sums tell how loosely a
point is held, and what a point does to itself by way of its nodes is taken off.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.projections.tsne_fourier import cast_on_grid, lagrange_factors, lay_grid, split_places


def sum_curvature_on_grid(
    points: NDArray[np.float64], spacing: float, n_threads: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return what `tsne_exact.sum_curvature` does, of points in two dimensions.

    Against sums over all pairs, at a spacing of 0.125, the smallest eigenvalues are off by 0.3 % in
    95 of 100 points of maps of 10,000 digits; at 0.25 by 3 %.

    Args:
        points: float64 (n_points, 2), of an extent for whose grid there is memory.
        spacing: Distance of the grid's nodes in the map's unit.
        n_threads: Threads for the transforms.
    """
    from scipy.fft import irfft2, next_fast_len, rfft2

    low = points.min(axis=0)
    spacing, n_nodes = lay_grid(points, spacing)
    size = next_fast_len(2 * n_nodes, real=True)
    weights = cast_on_grid(points, low, spacing, n_nodes)
    density = (weights.T @ np.ones(len(points), np.float32)).reshape(n_nodes, n_nodes)
    shape, workers = (size, size), n_threads
    spectrum = rfft2(density, s=shape, workers=workers)
    steps = np.arange(size)
    apart = (np.where(steps < size / 2, steps, steps - size) * spacing).astype(np.float32)
    own = _own_shares(points, low, spacing)
    sums = np.empty((6, len(points)))
    near = np.arange(-3, 4) * spacing
    kernels = zip(
        list_kernels(apart[:, None], apart), list_kernels(near[:, None], near), strict=True
    )
    for i, (kernel, itself) in enumerate(kernels):
        fields = irfft2(spectrum * rfft2(kernel, workers=workers), s=shape, workers=workers)
        sums[i] = weights @ fields[:n_nodes, :n_nodes].ravel()
        sums[i] -= np.einsum("ia,ab,ib->i", own[0], itself, own[1], optimize=True)
    return sums[1:3].T, sums[3:].T, float(sums[0].sum())


def list_kernels(x: Any, y: Any) -> Iterator[Any]:
    """Yield w, w^2 d and the upper triangle of w^2 I - 4 w^3 d d^T, for all pairs of distances.

    Args:
        x: Of the first component, (n, 1).
        y: Of the second, (n,) or (1, n).
    """
    near = 1 / (1 + x**2 + y**2)
    yield near
    yield x * near**2
    yield y * near**2
    yield near**2 - 4 * x**2 * near**3
    yield -4 * x * y * near**3
    yield near**2 - 4 * y**2 * near**3


def _own_shares(
    points: NDArray[np.float64], low: NDArray[np.float64], spacing: float
) -> list[NDArray[np.float64]]:
    """Return how much of a point meets itself at -3 .. 3 nodes' distance, in both components.

    Each is float64 (n_points, 7); the product of both is the share at a difference of nodes.
    """
    _, t = split_places(points, low, spacing)
    factors = lagrange_factors(t).astype(np.float64)
    shares = []
    for c in range(2):
        own = np.zeros((len(points), 7))
        for i in range(4):
            for j in range(4):
                own[:, i - j + 3] += factors[:, c, i] * factors[:, c, j]
        shares.append(own)
    return shares
