"""The gradient of t-SNE: attraction along the affinities, repulsion by the cheapest right sum.

The repulsion is summed over all pairs of a few points, on a grid, or along a tree. Which one
depends on the number of points and on how far the map extends, never on a clock, so that a run can
be repeated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import calm_threads
from embviz.projections.tsne_exact import sum_affinity, sum_repulsion
from embviz.projections.tsne_fourier import SPACING, FourierRepulsion, lay_grid
from embviz.projections.tsne_spline import Pool, SplineRepulsion
from embviz.projections.tsne_volume import FINE, VolumeRepulsion, plan_sums

EPSILON = 1e-16
# Nanoseconds on two cores, measured: a pair of points; a point in a tree of two or three
# dimensions; an entry of the padded grid in two; a point on it. So a tree would begin to pay at
# 1,100 points in two dimensions, where the grid is cheaper still from 600 on, and at 2,300 in 3.
PAIR, LEAF, ENTRY, CAST = 1.6, {2: 1700, 3: 3600}, 13, 300
MOST_ENTRIES = 4096**2  # 0.5 GB.
VOLUME_POINTS = 20_000  # A grid in three dimensions pays for more.
EXACT_TOTAL_POINTS = 20_000  # Summing their pairs once takes half a second.
THETA = 0.5
FINE_THETA = 0.2
TREE_CHUNK = 20_000  # Points between two looks for Ctrl-C; less than a second.
APART = 1e-4  # openTSNE's tree takes points nearer than 1e-6 for one.
ONCE_ROWS = 1 << 14  # Rows at once where each pair is taken once.
TINY = 0.03  # The kernel is 1 to a thousandth within a map of this extent.


@dataclass(eq=False)
class Gradient:
    """The gradient of the Kullback-Leibler divergence of a map.

    Args:
        affinities: Joint probabilities, scipy CSR float64 (n_points, n_points), symmetric, that sum
            to 1.
        n_threads: Threads for the parts that have them.
        near: Those of near neighbors (`tsne_near.keep_near`).
    """

    affinities: Any
    n_threads: int = 1
    near: Any = None
    methods: list[str] = field(default_factory=list)
    """Those used so far, in the order of their first use."""
    _once: tuple[Any, int] | None = None
    _fourier: FourierRepulsion | SplineRepulsion | None = None
    _volume: VolumeRepulsion | None = None

    def __call__(
        self,
        points: NDArray[np.float64],
        exaggeration: float = 1,
        with_divergence: bool = True,
        near: bool = False,
    ) -> tuple[NDArray[np.float64], float]:
        """Return the gradient, a quarter of it as in openTSNE, and the divergence.

        Args:
            points: float64 (n_points, 2 or 3), contiguous.
            exaggeration: What the affinities are multiplied with in the gradient.
            with_divergence: Whether the divergence is wanted, too.
            near: Whether near neighbors alone attract.

        Returns:
            float64 as `points`; the divergence from all affinities as they are, in nats, or 0.
        """
        method = choose_method(points)
        if method not in self.methods:
            self.methods.append(method)
        forces, total = self._repulsion(points, method)
        gradient = forces * (-1 / (exaggeration * total + EPSILON))
        if not near or self.near is None:
            divergence = self._attract(points, gradient, total, with_divergence)
        else:
            attract(self.near, points, gradient, self.n_threads)
            divergence = self._divergence(points, total) if with_divergence else 0.0
        gradient *= exaggeration
        return gradient, divergence

    def params(self) -> dict[str, Any]:
        """Return which methods were used, in the order of their first use."""
        used = {"gradient": ", ".join(self.methods)}
        return used | ({"theta": THETA} if "barnes-hut" in self.methods else {})

    def divergence(self, points: NDArray[np.float64]) -> float:
        """Return the divergence of a map, over all pairs up to 20,000 points.

        Beyond, the sum of 1 / (1 + |d|^2) comes from a grid or tree finer than the gradient's.
        """
        if len(points) <= EXACT_TOTAL_POINTS:
            total = sum_affinity(points)
        else:
            self._fourier = self._volume = None  # Their kernels make room.
            total = self._sum_finely(points)
        return self._divergence(points, total)

    def _divergence(self, points: NDArray[np.float64], total: float) -> float:
        if self._once is None:
            self._once = take_once(self.affinities, self.n_threads)
        pairs, times = self._once
        mass, error = attract(pairs, points, np.zeros_like(points), self.n_threads, with_sums=True)
        return times * (error + mass * math.log(total + EPSILON))

    def _sum_finely(self, points: NDArray[np.float64]) -> float:
        """Return the sum of 1 / (1 + |d|^2) over all pairs of many points."""
        if points.shape[1] == 3:
            plan = plan_sums(points, FINE) or plan_sums(points)
            if plan is not None:
                return VolumeRepulsion(self.n_threads)(points, plan)[1]
        elif choose_method(points, SPACING / 2) == "fourier":
            return FourierRepulsion(self.n_threads, SPACING / 2)(points)[1]
        return sum_by_tree(points, self.n_threads, FINE_THETA)[1]

    def _repulsion(
        self, points: NDArray[np.float64], method: str
    ) -> tuple[NDArray[np.float64], float]:
        if method == "exact":
            return sum_repulsion(points)
        if method == "barnes-hut":
            return sum_by_tree(points, self.n_threads)
        if points.shape[1] == 3:
            self._volume = self._volume or VolumeRepulsion(self.n_threads)
            return self._volume(points)
        if self._fourier is None:
            # Quicker of many points; of few the more exact one takes no longer.
            many = len(points) > EXACT_TOTAL_POINTS
            kind = SplineRepulsion if many else FourierRepulsion
            self._fourier = kind(self.n_threads, SPACING)
        return self._fourier(points)

    def _attract(
        self,
        points: NDArray[np.float64],
        gradient: NDArray[np.float64],
        total: float,
        with_divergence: bool = True,
    ) -> float:
        """Add the attraction to a gradient; return the divergence, if wanted."""
        mass, error = attract(self.affinities, points, gradient, self.n_threads, with_divergence)
        return error + mass * math.log(total + EPSILON) if with_divergence else 0.0


def attract(
    affinities: Any,
    points: NDArray[np.float64],
    gradient: NDArray[np.float64],
    n_threads: int,
    with_sums: bool = False,
) -> tuple[float, float]:
    """Add the sums of p d / (1 + |d|^2) over all others of each point to a gradient.

    Args:
        affinities: Joint probabilities p, scipy CSR float64.
        points: float64 (n_points, 2 or 3), contiguous.
        gradient: As `points`; changed in place.
        n_threads: Threads for the sums.
        with_sums: Whether the sums of p and of p log(p (1 + |d|^2)) are wanted.

    Returns:
        These sums, or what they are not asked for.
    """
    mass, error = load_kernels().estimate_positive_gradient_nn(
        affinities.indices, affinities.indptr, affinities.data, points, points, gradient, 1,
        num_threads=n_threads, should_eval_error=with_sums,
    )  # fmt: skip
    return float(mass), float(error)


def take_once(affinities: Any, n_threads: int = 1) -> tuple[Any, int]:
    """Return affinities of each pair once, and how many times its own each stands for.

    That is those beyond the diagonal, and 2; or all and 1, where some stand on it.

    Args:
        affinities: Symmetric, scipy CSR.
        n_threads: Threads; the result is the same for any number.
    """
    from scipy.sparse import csr_matrix, vstack

    if affinities.diagonal().any():
        return affinities, 1
    n_points = affinities.shape[0]

    def keep(start: int) -> Any:
        part = affinities[start : start + ONCE_ROWS]
        rows = np.arange(start, start + part.shape[0], dtype=part.indices.dtype)
        kept = part.indices > np.repeat(rows, np.diff(part.indptr))
        ends = np.concatenate([[0], np.cumsum(kept)])[part.indptr]
        return csr_matrix((part.data[kept], part.indices[kept], ends), part.shape)

    with Pool(n_threads) as pool:
        return vstack(list(pool.map(keep, range(0, n_points, ONCE_ROWS))), "csr"), 2


@cache
def load_kernels() -> ModuleType:
    """Return openTSNE's kernels, loaded so that their threads sleep between tasks."""
    with calm_threads():
        from openTSNE import _tsne
    module: ModuleType = _tsne
    return module


def choose_method(points: NDArray[np.float64], spacing: float = SPACING) -> str:
    """Return "exact", "fourier" or "barnes-hut", whichever takes least time for this map."""
    n_points, n_components = points.shape
    costs = {"exact": PAIR * n_points**2, "barnes-hut": LEAF[n_components] * n_points}
    if n_components == 2:
        entries = (2 * lay_grid(points, spacing)[1]) ** 2
        if entries <= MOST_ENTRIES:
            costs["fourier"] = ENTRY * entries + CAST * n_points
    elif n_points > VOLUME_POINTS and (plan := plan_sums(points)) is not None:
        costs["fourier"] = plan.cost
    return min(costs, key=costs.__getitem__)


def sum_by_tree(
    points: NDArray[np.float64], n_threads: int, theta: float = THETA
) -> tuple[NDArray[np.float64], float]:
    """Return the sums of `sum_repulsion` by Barnes and Hut's approximation.

    Points are moved by about 1e-4, since the tree takes those at one place for one point,
    whose pairs it leaves out.

    Args:
        points: float64 (n_points, 2 or 3).
        n_threads: Threads for the sums.
        theta: Extent of a cell by its distance up to which it is taken as one point.
    """
    kernels = load_kernels()
    from openTSNE.quad_tree import QuadTree

    n_points = len(points)
    extent = float(np.ptp(points, axis=0).max())
    if extent <= TINY:
        return n_points * (points - points.mean(axis=0)), float(n_points * (n_points - 1))
    moves = np.random.default_rng(0).normal(0, APART, points.shape)
    apart = points + moves
    tree = QuadTree(apart)
    forces = np.zeros_like(points)
    total = 0.0
    for start in range(0, n_points, TREE_CHUNK):
        part = slice(start, start + TREE_CHUNK)
        share = kernels.estimate_negative_gradient_bh(
            tree, apart[part], forces[part], theta=theta, dof=1, num_threads=n_threads,
            pairwise_normalization=True,
        )  # fmt: skip
        forces[part] *= -share  # It divides what it sums.
        total += share
    return forces, total
