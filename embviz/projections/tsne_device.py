"""t-SNE on a device: its gradient, its descent and where its map is torn.

Schedule, steps and figures are those of the processor (`tsne_descent`). Places, steps and long sums
are float64; what is between two points, and the grid, are float32.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.devices import Array, Arrays, telling_shortage
from embviz.projections.tsne_descent import LONGEST_STEP, Descent, Phase
from embviz.projections.tsne_device_affinities import Affinities, find_affinities
from embviz.projections.tsne_device_repulsion import (
    MOST_ENTRIES,
    Grid,
    GridRepulsion,
    lay_grid,
    spline,
    sum_repulsion,
)
from embviz.projections.tsne_exact import sum_curvature
from embviz.projections.tsne_fourier import SPACING
from embviz.projections.tsne_grid_curvature import ORDERS, Side
from embviz.projections.tsne_near import count_near
from embviz.projections.tsne_tears import Tears, choose_sums, score

progress = logging.getLogger("embviz.progress")

EXACT_POINTS = 2_000  # Up to so many all pairs are summed in less time than a grid takes.
EXACT_TOTAL_POINTS = 20_000


@dataclass(eq=False)
class DeviceGradient:
    """The gradient of the Kullback-Leibler divergence of a map on a device.

    Args:
        affinities: Joint probabilities.
        near: Those of near neighbors.
    """

    affinities: Affinities
    near: Affinities | None = None
    methods: list[str] = field(default_factory=list)
    """Those used so far, in the order of their first use."""

    def __post_init__(self) -> None:
        self.arrays: Arrays = self.affinities.arrays
        self._on_grid = GridRepulsion(self.arrays)

    def __call__(
        self,
        points: Array,
        exaggeration: float = 1,
        with_divergence: bool = True,
        near: bool = False,
    ) -> tuple[Array, float]:
        """Return what `tsne_gradient.Gradient` does, of points (n_components, n_points)."""
        method = self.choose_method(points)
        if method not in self.methods:
            self.methods.append(method)
        if method == "exact":
            forces, total = sum_repulsion(self.arrays, points)
        else:
            forces, total = self._on_grid(points)
        pulling = self.near if near and self.near is not None else self.affinities
        gradient = exaggeration * pulling.attract(points) - forces / total
        known = self.affinities.divergence(points, total) if with_divergence else 0.0
        return gradient, known

    def choose_method(self, points: Array, spacing: float = SPACING) -> str:
        """Return "exact" or "fourier": all pairs of few points, and where no grid fits."""
        few = points.shape[1] <= EXACT_POINTS
        return "exact" if few or not self._fits(points, spacing) else "fourier"

    def _fits(self, points: Array, spacing: float) -> bool:
        grid = lay_grid(self.arrays, points, spacing)
        return grid.n_entries <= MOST_ENTRIES[grid.n_components]

    def params(self) -> dict[str, Any]:
        """Return which methods were used, in the order of their first use."""
        return {"gradient": ", ".join(self.methods)}

    def divergence(self, points: Array) -> float:
        """Return the divergence of a map, over all pairs up to 20,000 points.

        Beyond, the sum of 1 / (1 + |d|^2) comes from a grid finer than the gradient's, if it fits.
        """
        if points.shape[1] <= EXACT_TOTAL_POINTS:
            total = sum_repulsion(self.arrays, points)[1]
        else:
            self._on_grid = GridRepulsion(self.arrays)  # Its kernels make room.
            fine = next((s for s in (SPACING / 2, SPACING) if self._fits(points, s)), 0.0)
            if fine:
                total = self._on_grid.sum_affinity(points, fine)
            else:
                total = sum_repulsion(self.arrays, points)[1]
        return self.affinities.divergence(points, total)


@dataclass(eq=False)
class DeviceDescent(Descent):
    """Descent of a map whose points, (n_components, n_points), stay on a device."""

    def __post_init__(self) -> None:
        self.arrays: Arrays = self.gradient.arrays
        self.points = self.arrays.put(np.ascontiguousarray(self.points.T))
        super().__post_init__()

    def begin(self) -> None:
        self.update = 0 * self.points
        self.gains = 0 * self.points + 1

    def n_points(self) -> int:
        return int(self.points.shape[1])

    def is_slow(self) -> bool:
        return False

    def places(self) -> NDArray[np.float64]:
        return np.ascontiguousarray(self.arrays.get(self.points).T)

    def step(self, gradient: Array, momentum: float, rate: float) -> None:
        """Take one step as on the processor."""
        arrays = self.arrays
        turned = arrays.sign(self.update) != arrays.sign(gradient)
        self.gains = arrays.where(turned, self.gains + 0.2, self.gains * 0.8 + 0.01)
        self.update = momentum * self.update - rate * self.gains * gradient
        lengths = arrays.sqrt(arrays.sum(self.update * self.update, 0))
        self.update *= LONGEST_STEP / arrays.where(lengths > LONGEST_STEP, lengths, LONGEST_STEP)
        self.points += self.update
        self.points -= (arrays.sum(self.points, 1) / self.n_points())[:, None]
        self.enlarge()

    def deviation(self) -> float:
        return math.sqrt(self.arrays.total(self.points * self.points) / self.n_points())


def descend_on(
    arrays: Arrays,
    start: NDArray[np.float64],
    graph: tuple[NDArray[np.int32], NDArray[np.float64]],
    perplexity: float,
    phases: list[Phase],
) -> tuple[DeviceDescent, Tears | None]:
    """Return the descent from a start, at its end, and where its map is torn.

    Args:
        arrays: Of the device.
        start: float64 (n_points, n_components).
        graph: Neighbors (n_points, k) and their distances in a unit in which they are near 1.
        perplexity: Below k.
        phases: Of the descent.

    Raises:
        ParameterError: If the device has too little memory, or the coordinates leave the range of
            numbers.
    """
    progress.info("t-SNE: affinities")
    with telling_shortage(arrays, f"t-SNE of {len(start):,} points"):
        affinities, near = find_affinities(arrays, *graph, perplexity, count_near(perplexity))
        gradient = DeviceGradient(affinities, near if any(p.near for p in phases) else None)
        descent = DeviceDescent(start, gradient, sum(p.iterations for p in phases))
        for phase in phases:
            descent.run(phase)
        descent.finish()
        return descent, _measure_tears(descent)


def _measure_tears(descent: DeviceDescent) -> Tears | None:
    """Do as `tsne_tears.measure_tears` does."""
    places, points, gradient = descent.places(), descent.points, descent.gradient
    method = choose_sums(places)
    if method is None:
        return None
    if method == "exact":
        repulsion = sum_curvature(places)
    else:
        spacing = float(method.removeprefix("grid "))
        repulsion = sum_curvature_on_grid(descent.arrays, points, spacing)
    found = descent.arrays.get(gradient.affinities.curve(points)).T
    dims = places.shape[1]
    return score(places, method, repulsion, (found[:, :dims], found[:, dims:].copy()))


def sum_curvature_on_grid(
    arrays: Arrays, points: Array, spacing: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return what `tsne_grid_curvature.sum_curvature_on_grid` does.

    Args:
        arrays: Of the device.
        points: float64 (2, n_points).
        spacing: Distance of the grid's nodes in the map's unit.
    """
    grid = replace(lay_grid(arrays, points, spacing), weights=spline)
    spectrum = grid.spectrum(points)
    own = _own_shares(grid, points)
    side = Side.of(grid.size, grid.spacing)
    sums = []
    for orders in ORDERS:
        first, second = (side.spectra[order] for order in orders)
        half = np.ascontiguousarray(second[:, : grid.size // 2 + 1])
        kernel = arrays.products(arrays.put(np.ascontiguousarray(first.T)), arrays.put(half))
        turned = spectrum * (1j if sum(orders) == 1 else 1)
        there = arrays.transform_back(turned * kernel, grid.size)
        found = grid.gather(points, [there])[0]
        if 1 not in orders:
            itself = side.near[orders[0]].T @ side.near[orders[1]]
            met = arrays.products(arrays.put(np.ascontiguousarray(itself)), own[1])
            found -= arrays.sum(own[0] * met, 0)
        sums.append(arrays.get(found))
    return np.stack(sums[1:3], axis=1), np.stack(sums[3:], axis=1), 2 * float(sums[0].sum())


def _own_shares(grid: Grid, points: Array) -> list[Array]:
    """Return how much of a point meets itself at -3 .. 3 nodes' distance, two of (7, n_points)."""
    arrays, shares = grid.arrays, []
    for t in grid.split(points)[1]:
        factors = arrays.cast(grid.weights(arrays, t), "float64")
        own = arrays.full((7, len(t)), 0, "float64")
        for i in range(4):
            for j in range(4):
                own[i - j + 3] += factors[i] * factors[j]
        shares.append(own)
    return shares
