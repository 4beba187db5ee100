"""The repulsion of t-SNE by one potential on a grid, in any number of dimensions.

The force d / (1 + |d|^2)^2 is half the slope of 1 / (1 + |d|^2), down. So one transform forward and
one back give the potential on a grid, whatever the number of dimensions, and its slope follows
from that of the interpolation, as in the smooth particle mesh Ewald method (Essmann et al. 1995).
Density and potential go to and from the grid by cubic B-splines, which are smoother than Lagrange's
polynomials, so that the nodes may be farther apart; what they blur is made good in the spectrum,
with the factors of least error (Hockney and Eastwood 1988, chapter 8).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import one_blas_thread

T = TypeVar("T")

SPACING = 0.75  # Distance of grid nodes, where the Cauchy kernel has a width of 1.
LEAST_INTERVALS = 24  # A map smaller than the kernel gets a finer grid.
TINY = 1e-3  # Within a map of this extent the kernel is 1 and the force linear, to float32.
EPSILON = 1e-16
CHUNK = 16_384  # Points at once: vectors of them stay in a core's cache.
PLANE_STEP = 20
BLOCK = 8  # Planes of the grid at once.
SLOWEST, FASTEST = 1e-9, 25.0  # Gaussians of other rates hardly matter in 1 / (1 + |d|^2).
N_RATES = 40
FINER = 16  # Nodes of a Gaussian for one of the grid.
ALIASES = np.arange(-4, 5)  # Of a wave number, that count.
PAIRED = np.arange(4)[:, None] - np.arange(4)  # Nodes between two of a stencil.


@dataclass(frozen=True)
class Grid:
    """A regular grid around points.

    Attributes:
        low: The least coordinates of the points.
        spacing: Distance of its nodes.
        shape: How many there are along each side.
    """

    low: tuple[float, ...]
    spacing: float
    shape: tuple[int, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many nodes each side has where convolutions do not come round: even, and quick."""
        from scipy.fft import next_fast_len

        # In the plane a spectrum takes longer than what steps of some nodes add to a grid, and is
        # found anew for each size that a map grows through.
        step = PLANE_STEP if len(self.shape) == 2 else 1
        up = (step * math.ceil(n / step) for n in self.shape)
        return tuple(2 * int(next_fast_len(n, real=True)) for n in up)

    @property
    def n_entries(self) -> int:
        """How many nodes there are where convolutions do not come round."""
        return math.prod(self.sizes)


def lay_grid(points: NDArray[np.float64], spacing: float = SPACING) -> Grid:
    """Return a grid around points, float64 (n_points, n_components), nodes at most so far apart."""
    columns = np.ascontiguousarray(points.T)  # Many times as quick as along the other axis.
    low = columns.min(axis=1)
    extents = columns.max(axis=1) - low
    spacing = min(spacing, max(float(extents.max()), 1e-30) / LEAST_INTERVALS)
    shape = tuple(int(extent / spacing) + 5 for extent in extents)
    return Grid(tuple(map(float, low)), spacing, shape)


@dataclass(frozen=True, eq=False)
class _Kernel:
    """The spectrum of 1 / (1 + |d|^2) - floor on a grid, and what a point meets of itself there.

    `spectrum` is float32 (size, ..., size // 2 + 1); `itself` is the potential of a point at its
    own place on average, and `drift` the slope of it along each component between two nodes, per
    node's distance, times the sine of how far on it is.
    """

    sizes: tuple[int, ...]
    spacing: float
    spectrum: NDArray[np.float32]
    floor: float
    itself: float
    drift: tuple[float, ...]


@dataclass(eq=False)
class SplineRepulsion:
    """The repulsion of all points by a potential on a grid.

    Args:
        n_threads: Threads for the transforms and sums; the result is the same for any number.
        spacing: Distance of the grid's nodes in the map's unit.
    """

    n_threads: int = 1
    spacing: float = SPACING
    fastest: float = FASTEST
    _kernel: _Kernel | None = None

    def __call__(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """Return the sums of d / (1 + |d|^2)^2 and the sum of 1 / (1 + |d|^2) over all pairs.

        Args:
            points: float64 (n_points, n_components), of an extent for whose grid there is memory.

        Returns:
            float64 as `points`, over all others of each point; a number, without the points
            themselves.
        """
        n_points = len(points)
        grid = lay_grid(points, self.spacing)
        if grid.spacing <= TINY / LEAST_INTERVALS:
            return n_points * (points - points.mean(axis=0)), float(n_points * (n_points - 1))
        kernel = self._kernel_for(grid)
        forces = np.empty_like(points)
        parts = [slice(s, s + CHUNK) for s in range(0, n_points, CHUNK)]

        def gather(stencil: Stencil, part: slice) -> float:
            value, *slopes = stencil.gather(potential)
            for c, slope in enumerate(slopes):
                forces[part, c] = slope - kernel.drift[c] * np.sin(2 * np.pi * stencil.on[c])
            return float(value.sum(dtype=np.float64))

        with Pool(self.n_threads) as pool:
            stencils = list(pool.map(lambda part: Stencil.of(points[part], grid), parts))
            density = np.zeros(grid.shape, np.float32)
            for stencil in stencils:
                stencil.spread(density.reshape(-1))
            potential = _convolve(density, kernel, pool)
            total = math.fsum(pool.map(gather, stencils, parts))
        forces *= -0.5 / grid.spacing
        forces -= np.ascontiguousarray(forces.T).mean(axis=1)  # They add up to nothing.
        total += kernel.floor * n_points**2 - kernel.itself * n_points
        return forces, max(total, EPSILON)

    def _kernel_for(self, grid: Grid) -> _Kernel:
        """Return the kernel's spectrum for a grid, kept until the grid changes."""
        held = self._kernel
        if held is None or (held.sizes, held.spacing) != (grid.sizes, grid.spacing):
            self._kernel = held = None  # It makes room.
            self._kernel = held = _find_kernel(grid, self.fastest)
        return held


class Pool:
    """Threads that take items in order, or none."""

    def __init__(self, n_threads: int) -> None:
        self._pool = ThreadPoolExecutor(n_threads) if n_threads > 1 else None

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def map(self, function: Callable[..., T], *items: Iterable[Any]) -> Iterator[T]:
        """Yield what a function makes of items, in their order."""
        return self._pool.map(function, *items) if self._pool else map(function, *items)


@dataclass(frozen=True, eq=False)
class Stencil:
    """The nodes around some points, their weights, and how those grow along each component.

    Attributes:
        base: int64 (n_points,), the first node in the flat grid.
        strides: From one node to the next along each component in the flat grid.
        on: For each component, how far points are on from the node before, float32 (n_points,).
        weights: For each component, float32 (4, n_points).
        slopes: Of the weights, per node's distance.
    """

    base: NDArray[np.int64]
    strides: tuple[int, ...]
    on: list[NDArray[np.float32]]
    weights: list[NDArray[np.float32]]
    slopes: list[NDArray[np.float32]]

    @classmethod
    def of(cls, points: NDArray[np.float64], grid: Grid) -> Stencil:
        """Return the nodes around points, float64 (n_points, n_components), within a grid."""
        strides = tuple(math.prod(grid.shape[c + 1 :]) for c in range(len(grid.shape)))
        base = np.zeros(len(points), np.int64)
        on = []
        for column, low, stride in zip(points.T, grid.low, strides, strict=True):
            places = (column - low) * (1 / grid.spacing)
            cells = places.astype(np.int64)
            base += cells * stride
            on.append((places - cells).astype(np.float32))
        return cls(base, strides, on, [*map(spline_weights, on)], [*map(spline_slopes, on)])

    def spread(self, density: NDArray[np.float32]) -> None:
        """Add the points to a flat density."""
        for nodes in itertools.product(range(4), repeat=len(self.strides) - 1):
            before = self.weights[0][nodes[0]]
            for weights, node in zip(self.weights[1:], nodes[1:], strict=False):
                before = before * weights[node]
            offset = sum(n * stride for n, stride in zip(nodes, self.strides, strict=False))
            for node, weight in enumerate(self.weights[-1]):
                np.add.at(density[offset + node :], self.base, before * weight)

    def values(self, fields: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Return flat fields at the points."""
        sums = [np.zeros(len(self.base), np.float32) for _ in fields]
        for nodes in itertools.product(range(4), repeat=len(self.strides)):
            weight = self.weights[0][nodes[0]]
            for weights, node in zip(self.weights[1:], nodes[1:], strict=True):
                weight = weight * weights[node]
            offset = sum(n * stride for n, stride in zip(nodes, self.strides, strict=True))
            for total, field in zip(sums, fields, strict=True):
                total += field[offset:].take(self.base) * weight
        return sums

    def gather(
        self, potential: NDArray[np.float32], component: int = 0
    ) -> list[NDArray[np.float32]]:
        """Return a flat potential at the points, and its slopes along this component and on."""
        if component == len(self.strides):
            return [potential.take(self.base)]
        sums: list[NDArray[np.float32]] = []
        weights, slopes = self.weights[component], self.slopes[component]
        for node in range(4):
            value, *beyond = self.gather(potential[node * self.strides[component] :], component + 1)
            terms = [value * weights[node], value * slopes[node]]
            terms += [slope * weights[node] for slope in beyond]
            sums = [s + t for s, t in zip(sums, terms, strict=True)] if sums else terms
        return sums


def spline_weights(t: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cubic B-spline's weights of four nodes, t on from the second; float32 (4, n)."""
    rest, square = 1 - t, t * t
    first, last = rest * rest * rest / 6, square * t / 6
    second = square * (t / 2 - 1) + np.float32(2 / 3)
    return np.stack([first, second, 1 - first - second - last, last])


def spline_slopes(t: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the derivatives of `spline_weights`."""
    rest, square = 1 - t, t * t
    first, last = rest * rest / -2, square / 2
    second = square * 1.5 - 2 * t
    return np.stack([first, second, -first - second - last, last])


def _convolve(density: NDArray[np.float32], kernel: _Kernel, pool: Pool) -> NDArray[np.float32]:
    """Return the potential of a density, flat, by Fourier transforms that leave out zeros.

    Planes go through the transforms a few at a time, so that they stay in a core's cache.
    """
    from scipy.fft import fft, ifft, irfft, rfft

    sizes, inner = kernel.sizes, range(1, density.ndim - 1)
    rows = (len(density), *sizes[1:-1], sizes[-1] // 2 + 1)
    spectrum = np.empty(rows, np.complex64)
    potential = np.empty_like(density)

    def forward(part: slice) -> None:
        found = rfft(density[part], n=sizes[-1], axis=-1)
        for axis in inner:
            found = fft(found, n=sizes[axis], axis=axis)
        spectrum[part] = found

    def filter_planes(part: slice) -> None:
        found = fft(spectrum[:, part], n=sizes[0], axis=0)
        found *= kernel.spectrum[:, part]
        spectrum[:, part] = ifft(found, axis=0, overwrite_x=True)[: rows[0]]

    def back(part: slice) -> None:
        found = spectrum[part]
        for axis in inner:
            kept = (slice(None),) * axis + (slice(0, density.shape[axis]),)
            found = ifft(found, axis=axis)[kept]
        potential[part] = irfft(found, n=sizes[-1], axis=-1)[..., : density.shape[-1]]

    for step, n in ((forward, rows[0]), (filter_planes, rows[1]), (back, rows[0])):
        for _ in pool.map(step, [slice(s, s + BLOCK) for s in range(0, n, BLOCK)]):
            pass
    return potential.reshape(-1)


def _find_kernel(grid: Grid, fastest: float) -> _Kernel:
    """Return the spectrum of 1 / (1 + |d|^2) with what the splines blur made good.

    The kernel is a sum of Gaussians, so that its spectrum is one of products of numbers along each
    side, and so are the factors of least error.
    """
    rates, shares = find_gaussians(fastest)
    sides = [_find_side(rates, size, grid.spacing) for size in grid.sizes]
    # A kernel that is near 1 everywhere would drown its differences in float32.
    extents = (np.array(grid.shape) - 5) * grid.spacing
    floor = float(1 / (1 + np.square(extents).sum()))
    half = sides[-1][0][:, : grid.sizes[-1] // 2 + 1]
    product = shares[:, None]
    for side, *_ in sides[:-1]:
        product = (product[:, :, None] * side[:, None, :]).reshape(len(rates), -1)
    with one_blas_thread():
        spectrum = product.T.astype(np.float32) @ half.astype(np.float32)
    whole = float((shares * math.prod(side[:, 0] for side, *_ in sides)).sum())
    spectrum[0, 0] = whole - floor * grid.n_entries
    owns = [own for _, own, _ in sides]
    itself = float((shares * math.prod(owns)).sum())
    drift = tuple(
        float((shares * slope * math.prod(owns[:c] + owns[c + 1 :])).sum())
        for c, (_, _, slope) in enumerate(sides)
    )
    shape = (*grid.sizes[:-1], half.shape[1])
    return _Kernel(grid.sizes, grid.spacing, spectrum.reshape(shape), floor, itself, drift)


def find_gaussians(fastest: float = FASTEST) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rates t and shares of Gaussians exp(-t |d|^2) that add up to 1 / (1 + |d|^2).

    It is the integral of exp(-t (1 + |d|^2)) over t, here over log t by Gauss and Legendre's rule.

    Args:
        fastest: The highest rate; below `FASTEST` the sum is 1 - exp(-fastest (1 + |d|^2)) of it.
    """
    nodes, weights = np.polynomial.legendre.leggauss(N_RATES)
    half = math.log(fastest / SLOWEST) / 2
    rates = SLOWEST * np.exp(half * (nodes + 1))
    return rates, half * weights * rates * np.exp(-rates)


def _find_side(
    rates: NDArray[np.float64], size: int, spacing: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the spectra of Gaussians along one side, and what a point meets of itself there.

    Args:
        rates: exp(-rate d^2), (n_rates,).
        size: Nodes of the side, twice as many as points may be on.
        spacing: Distance of the nodes.

    Returns:
        float64 (n_rates, size); (n_rates,), the mean between two nodes, and the sine's factor in
        the slope.
    """
    n_fine = size * FINER
    steps = np.arange(n_fine)
    apart = np.minimum(steps, n_fine - steps) * (spacing / FINER)
    fine = np.fft.rfft(np.exp(-rates[:, None] * apart**2), axis=1).real / FINER
    waves = np.minimum(np.arange(size), size - np.arange(size))
    met, blurs = np.zeros((len(rates), size)), np.zeros(size)
    for alias in ALIASES:
        wave = np.abs(waves + alias * size)
        blur = np.sinc(wave / size) ** 8  # Of a cubic B-spline there and one back.
        met += blur * fine[:, wave]
        blurs += blur
    spectra = met / blurs**2
    near = np.fft.irfft(spectra[:, : size // 2 + 1], n=size, axis=1)[:, abs(PAIRED)]
    between = ((np.arange(16) + 0.5) / 16).astype(np.float32)
    weights, slopes = spline_weights(between), spline_slopes(between)
    own = np.einsum("rab,at,bt->rt", near, weights, weights)
    slope = np.einsum("rab,at,bt->rt", near, slopes, weights)
    return spectra, own.mean(axis=1), 2 * (slope * np.sin(2 * np.pi * between)).mean(axis=1)
