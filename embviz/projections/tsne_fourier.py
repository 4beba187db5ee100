"""The gradient of t-SNE in two dimensions, its repulsion by Fourier transforms on a grid.

The repulsion of N points is a convolution of their density with an odd kernel. Density and
forces go to and from a regular grid by cubic Lagrange interpolation, and the convolution is a
product of Fourier transforms, as in FIt-SNE (Linderman, Rachh, Hoskins, Steinerberger and Kluger
2019). Unlike there, the kernel is the force itself, d / (1 + |d|^2)^2, so that one transform
forward and two back suffice and nothing large cancels, which makes float32 good enough.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

SPACING = 0.5  # Distance of grid nodes, where the Cauchy kernel has a width of 1.
LEAST_INTERVALS = 100  # A map smaller than the kernel gets a finer grid.
EPSILON = 1e-16
# Points that are cast at once, or an eighth of all: sums are by parts, whatever number of threads.
PART, MOST_PARTS = 1 << 14, 8

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, eq=False)
class _Kernels:
    """Spectra of the kernels for a padded grid of `size` x `size` nodes.

    `force` is complex64 (2, size, size // 2 + 1), one a component; `affinity` float32, the
    spectrum of 1 / (1 + |d|^2) times how often each entry of half a spectrum counts.
    """

    size: int
    spacing: float
    force: NDArray[np.complex64]
    affinity: NDArray[np.float32]


@dataclass(eq=False)
class FourierRepulsion:
    """The repulsion of all points on a grid.

    Args:
        n_threads: Threads.
        spacing: Distance of the grid's nodes in the map's unit.
    """

    n_threads: int = 1
    spacing: float = SPACING
    _kernels: _Kernels | None = None
    _pool: ThreadPoolExecutor | None = field(default=None, repr=False)

    def __call__(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """Return the sums of d / (1 + |d|^2)^2 and the sum of 1 / (1 + |d|^2) over all pairs.

        Args:
            points: float64 (n_points, 2), of an extent for whose grid there is memory.

        Returns:
            float64 (n_points, 2), over all others of each point; a number, without the points
            themselves.
        """
        from scipy.fft import fft, ifft, irfft, rfft

        low = np.ascontiguousarray(points.T).min(axis=1)
        spacing, n_nodes = lay_grid(points, self.spacing)
        kernels = self._kernels_for(n_nodes, spacing)
        size = kernels.size
        parts = cut_in_parts(len(points))

        def cast(part: slice) -> tuple[Any, NDArray[np.float32]]:
            weights = cast_on_grid(points[part], low, spacing, n_nodes)
            return weights, weights.T @ np.ones(weights.shape[0], np.float32)

        weights = []
        sums = np.zeros(n_nodes * n_nodes, np.float32)
        for of_part, cast_there in self._map(cast, parts):
            weights.append(of_part)
            sums += cast_there
        density = sums.reshape(n_nodes, n_nodes)
        workers = self.n_threads
        half = rfft(density, n=size, axis=1, workers=workers)
        spectrum = fft(half, n=size, axis=0, workers=workers, overwrite_x=True)
        power = spectrum.real**2 + spectrum.imag**2
        total = float(np.vdot(power, kernels.affinity)) / size**2 - len(points)
        spectra = kernels.force * spectrum
        columns = ifft(spectra, axis=1, workers=workers, overwrite_x=True)[:, :n_nodes]
        fields = irfft(columns, n=size, axis=2, workers=workers)[:, :, :n_nodes]
        there = np.ascontiguousarray(fields.reshape(2, n_nodes * n_nodes).T)
        forces = np.empty(points.shape)

        def gather(i: int) -> None:
            forces[parts[i]] = weights[i] @ there

        list(self._map(gather, range(len(parts))))
        return forces, max(total, EPSILON)

    def _map(self, function: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
        """Yield what a function makes of items, in their order."""
        if self.n_threads == 1:
            return map(function, items)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.n_threads)
        return self._pool.map(function, items)

    def _kernels_for(self, n_nodes: int, spacing: float) -> _Kernels:
        """Return the kernels' spectra for a grid, kept until the grid changes."""
        from scipy.fft import rfft2

        size = pad_grid(n_nodes)
        held = self._kernels
        if held is not None and (held.size, held.spacing) == (size, spacing):
            return held
        steps = np.arange(size)
        apart = (np.where(steps < size / 2, steps, steps - size) * spacing).astype(np.float32)
        affinity = 1 / (1 + apart[:, None] ** 2 + apart**2)
        force = np.stack([apart[:, None] * affinity**2, apart * affinity**2])
        counted = np.full(size // 2 + 1, 2, np.float32)
        counted[0] = 1
        if size % 2 == 0:
            counted[-1] = 1
        workers = self.n_threads
        self._kernels = _Kernels(
            size,
            spacing,
            rfft2(force, workers=workers),
            np.ascontiguousarray(rfft2(affinity, workers=workers).real * counted),
        )
        return self._kernels


def cut_in_parts(n_points: int) -> list[slice]:
    """Return slices of the points, as many for any number of threads."""
    step = max(PART, math.ceil(n_points / MOST_PARTS))
    return [slice(start, min(start + step, n_points)) for start in range(0, n_points, step)]


def lay_grid(points: NDArray[np.float64], spacing: float = SPACING) -> tuple[float, int]:
    """Return the distance of nodes, at most `spacing`, and how many a side cover the points."""
    columns = np.ascontiguousarray(points.T)  # Many times as quick as along the other axis.
    extent = max(float((columns.max(axis=1) - columns.min(axis=1)).max()), 1e-30)
    spacing = min(spacing, extent / LEAST_INTERVALS)
    return spacing, 16 * math.ceil((extent / spacing + 5) / 16)


def pad_grid(n_nodes: int) -> int:
    """Return how many nodes a side has so that nothing comes round: even, and quick."""
    from scipy.fft import next_fast_len

    size: int = next_fast_len(2 * n_nodes, real=True)
    return size if size % 2 == 0 else int(next_fast_len(size + 1, real=True))


def split_places(
    points: NDArray[np.float64], low: NDArray[np.float64], spacing: float
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the node before each point in both components, and how far it is on from there."""
    places = (points - low) * (1 / spacing) + 1.5
    cells = places.astype(np.int32)
    return cells, (places - cells).astype(np.float32)


def lagrange_factors(t: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cubic Lagrange weights of the four nodes around places, float32 (n, 2, 4)."""
    factors = np.empty((*t.shape, 4), np.float32)
    factors[..., 0] = t * (t - 1) * (2 - t) / 6
    factors[..., 1] = (t + 1) * (t - 1) * (t - 2) / 2
    factors[..., 2] = t * (t + 1) * (2 - t) / 2
    factors[..., 3] = t * (t * t - 1) / 6
    return factors


def cast_on_grid(
    points: NDArray[np.float64], low: NDArray[np.float64], spacing: float, n_nodes: int
) -> Any:
    """Return cubic Lagrange weights, scipy CSR float32 (n_points, n_nodes * n_nodes)."""
    from scipy.sparse import csr_matrix

    n_points = len(points)
    cells, t = split_places(points, low, spacing)
    factors = lagrange_factors(t)
    around = np.arange(-1, 3, dtype=np.int32)
    data = factors[:, 0, :, None] * factors[:, 1, None, :]
    nodes = (cells[:, :1] + around)[:, :, None] * np.int32(n_nodes)
    nodes = nodes + (cells[:, 1:] + around)[:, None, :]
    starts = np.arange(0, 16 * n_points + 1, 16, dtype=np.int32)
    return csr_matrix(
        (data.ravel(), nodes.ravel(), starts), shape=(n_points, n_nodes * n_nodes), copy=False
    )
