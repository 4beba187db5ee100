"""The repulsion of t-SNE on a device: over all pairs, or on a grid in two and three dimensions.

As on the processor (`tsne_fourier`): density and forces go to and from a regular grid by cubic
Lagrange interpolation, and the convolution is a product of Fourier transforms. The density is
summed in whole numbers, so that it does not depend on the order in which a card adds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from embviz.devices import Array, Arrays, in_blocks
from embviz.projections.tsne_fourier import SPACING, pad_grid

EPSILON = 1e-16
LEAST_INTERVALS = {2: 100, 3: 40}  # A map smaller than the kernel gets a finer grid.
MOST_ENTRIES = {2: 8192**2, 3: 640**3}  # Of the padded grid.
NODES = 1 << 25  # Weights of points on nodes at once.
PAIRS = 1 << 24  # At once where all are summed.
ONE = 2.0**32  # A weight of 1 as a whole number.


@dataclass(frozen=True, eq=False)
class Grid:
    """A regular grid around points.

    Attributes:
        arrays: Of the device.
        low: float64 (n_components, 1), the least coordinates of the points.
        spacing: Distance of its nodes.
        n_nodes: How many there are along each side.
        weights: Of the four nodes around places that are so far on from the second.
    """

    arrays: Arrays
    low: Array
    spacing: float
    n_nodes: int
    weights: Callable[[Arrays, Array], Array] = field(default_factory=lambda: lagrange)

    @property
    def n_components(self) -> int:
        return int(self.low.shape[0])

    @property
    def size(self) -> int:
        """How many nodes a side has where convolutions do not come round."""
        return pad_grid(self.n_nodes)

    @property
    def n_entries(self) -> int:
        return int(self.size**self.n_components)

    def split(self, points: Array) -> tuple[Array, Array]:
        """Return the node before each point, int64, and how far it is on from there, float32."""
        places = (points - self.low) / self.spacing + 1.5
        cells = self.arrays.floor(places)
        return self.arrays.cast(cells, "int64"), self.arrays.cast(places - cells, "float32")

    def weigh(self, points: Array) -> tuple[Array, Array]:
        """Return the nodes around points and their weights, both (4^n_components, n_points)."""
        cells, t = self.split(points)
        around = self.arrays.steps(4)[:, None] - 1
        nodes, weights = cells[0] + around, self.weights(self.arrays, t[0])
        for cell, on in zip(cells[1:], t[1:], strict=True):
            nodes = nodes[:, None] * self.n_nodes + (cell + around)
            weights = weights[:, None] * self.weights(self.arrays, on)
            nodes, weights = (x.reshape(-1, x.shape[-1]) for x in (nodes, weights))
        return nodes, weights

    def spectrum(self, points: Array) -> Array:
        """Return the Fourier transform of the points' density."""
        arrays, n_components = self.arrays, self.n_components
        counts = arrays.full((self.n_nodes**n_components,), 0, "int64")

        def cast(part: slice) -> None:
            nodes, weights = self.weigh(points[:, part])
            whole = arrays.cast(arrays.round(weights * ONE), "int64")
            arrays.scatter_add(counts, nodes.reshape(-1), whole.reshape(-1))

        in_blocks(arrays, points.shape[1], self._step(), cast)
        density = arrays.cast(arrays.cast(counts, "float64") / ONE, "float32")
        return arrays.transform(density.reshape((self.n_nodes,) * n_components), self.size)

    def gather(self, points: Array, fields: list[Array]) -> Array:
        """Return padded fields at points, float64 (n_fields, n_points)."""
        arrays = self.arrays
        inner = (slice(0, self.n_nodes),) * self.n_components
        fields = [field[inner].reshape(-1) for field in fields]
        out = arrays.full((len(fields), points.shape[1]), 0, "float64")

        def collect(part: slice) -> None:
            nodes, weights = self.weigh(points[:, part])
            for i, values in enumerate(fields):
                found = arrays.sum(arrays.take(values, nodes) * weights, 0)
                out[i, part] = arrays.cast(found, "float64")

        in_blocks(arrays, points.shape[1], self._step(), collect)
        return out

    def apart(self) -> list[Array]:
        """Return the components of differences of nodes, float32, each along its own axis."""
        arrays, size = self.arrays, self.size
        steps = arrays.steps(size)
        steps = arrays.where(steps < size / 2, steps, steps - size)
        along = arrays.cast(arrays.cast(steps, "float64") * self.spacing, "float32")
        shape = (1,) * self.n_components
        return [along.reshape(*shape[:c], size, *shape[c + 1 :]) for c in range(self.n_components)]

    def _step(self) -> int:
        return max(1, int(NODES // 4**self.n_components))


def lay_grid(arrays: Arrays, points: Array, spacing: float = SPACING) -> Grid:
    """Return a grid around points, float64 (n_components, n_points), nodes at most so far apart."""
    n_components = len(points)
    low, high = arrays.least(points, 1), arrays.largest(points, 1)
    extent = max(float(arrays.get(arrays.largest(high - low, 0))), 1e-30)
    spacing = min(spacing, extent / LEAST_INTERVALS[n_components])
    return Grid(arrays, low[:, None], spacing, 16 * math.ceil((extent / spacing + 5) / 16))


def lagrange(arrays: Arrays, t: Array) -> Array:
    """Return the cubic Lagrange weights of the four nodes around places, (4, n)."""
    found = [
        t * (t - 1) * (2 - t) / 6,
        (t + 1) * (t - 1) * (t - 2) / 2,
        t * (t + 1) * (2 - t) / 2,
        t * (t * t - 1) / 6,
    ]
    return arrays.join([factors[None, :] for factors in found], 0)


def spline(arrays: Arrays, t: Array) -> Array:
    """Return the cubic B-spline's weights of the four nodes around places, (4, n)."""
    rest, square = 1 - t, t * t
    first, last = rest * rest * rest / 6, square * t / 6
    second = square * (t / 2 - 1) + 2 / 3
    found = [first, second, 1 - first - second - last, last]
    return arrays.join([factors[None, :] for factors in found], 0)


@dataclass(frozen=True, eq=False)
class _Kernels:
    """Spectra of the kernels on a grid.

    Those of the components of the force d / (1 + |d|^2)^2, which is odd, are imaginary; that of
    1 / (1 + |d|^2) is real, times how often each entry of half a spectrum counts.
    """

    size: int
    spacing: float
    force: list[Array]
    affinity: Array


@dataclass(eq=False)
class GridRepulsion:
    """The repulsion of all points on a grid."""

    arrays: Arrays
    _kernels: _Kernels | None = None

    def __call__(self, points: Array, spacing: float = SPACING) -> tuple[Array, float]:
        """Return the sums of d / (1 + |d|^2)^2 and the sum of 1 / (1 + |d|^2) over all pairs.

        Args:
            points: float64 (n_components, n_points).
            spacing: Distance of the grid's nodes.

        Returns:
            float64 as `points`; a number, without the points themselves.
        """
        arrays = self.arrays
        grid = lay_grid(arrays, points, spacing)
        kernels = self._kernels_for(grid)
        spectrum = grid.spectrum(points)
        total = _sum_pairs(arrays, spectrum, kernels.affinity) / grid.n_entries - points.shape[1]
        spectrum = spectrum * 1j
        # One after the other, so that one field alone is there.
        forces = arrays.join(
            [
                grid.gather(points, [arrays.transform_back(spectrum * kernel, grid.size)])
                for kernel in kernels.force
            ],
            0,
        )
        return forces, max(total, EPSILON)

    def sum_affinity(self, points: Array, spacing: float) -> float:
        """Return the sum of 1 / (1 + |d|^2) alone."""
        grid = lay_grid(self.arrays, points, spacing)
        affinity = _counted(self.arrays, grid, _affinity(grid))
        spectrum = grid.spectrum(points)
        total = _sum_pairs(self.arrays, spectrum, affinity) / grid.n_entries
        return max(total - int(points.shape[1]), EPSILON)

    def _kernels_for(self, grid: Grid) -> _Kernels:
        """Return the kernels' spectra for a grid, kept until the grid changes."""
        held = self._kernels
        if held is not None and (held.size, held.spacing) == (grid.size, grid.spacing):
            return held
        self._kernels = held = None
        near = _affinity(grid)
        force = []
        for along in grid.apart():
            # The farthest difference has no opposite; no two points are so far apart.
            odd = self.arrays.where(along > -grid.size / 2 * grid.spacing, along, 0.0)
            force.append(self.arrays.transform(odd * near * near, grid.size).imag + 0.0)
        affinity = _counted(self.arrays, grid, near)
        self._kernels = _Kernels(grid.size, grid.spacing, force, affinity)
        return self._kernels


def _affinity(grid: Grid) -> Array:
    """Return 1 / (1 + |d|^2) of differences of nodes."""
    squares = 1.0
    for along in grid.apart():
        squares = along * along + squares
    return 1 / squares


def _counted(arrays: Arrays, grid: Grid, kernel: Array) -> Array:
    """Return the spectrum of an even kernel, times how often each entry of the half counts."""
    found = 2 * arrays.transform(kernel, grid.size).real
    found[..., 0] /= 2
    found[..., -1] /= 2
    return found


def _sum_pairs(arrays: Arrays, spectrum: Array, affinity: Array) -> float:
    power = spectrum.real * spectrum.real
    power += spectrum.imag * spectrum.imag
    power *= affinity
    return arrays.total(power)


def sum_repulsion(arrays: Arrays, points: Array) -> tuple[Array, float]:
    """Return what `GridRepulsion` does, over all pairs, in float64."""
    n_components, n_points = points.shape
    forces = arrays.full((n_components, n_points), 0, "float64")
    totals: list[float] = []

    def add(part: slice) -> None:
        apart = [column[part][:, None] - column[None, :] for column in points]
        near = 1.0
        for difference in apart:
            near = difference * difference + near
        near = 1 / near
        total = arrays.total(near) - (part.stop - part.start)
        near *= near
        for i, difference in enumerate(apart):
            forces[i, part] = arrays.sum(near * difference, 1)
        totals.append(total)

    in_blocks(arrays, n_points, max(1, PAIRS // n_points), add)
    return forces, max(math.fsum(totals), EPSILON)
