"""Where a t-SNE map is torn: how loosely each point of it is held in its place.

The singularity score of LOO-map (Liu, Ma and Zhong 2025, "Assessing and improving reliability of
neighbor embedding methods: a map-continuity perspective", Nature Communications 16:5037): of the
loss as a function of the place of one point alone, all others and the affinities held, one over
the smallest eigenvalue of its Hessian, which is a block of the diagonal of the Hessian of the
divergence. With w = 1 / (1 + |d|^2), d from the other points to this one, Z the sum of w over all
ordered pairs, which depends on the place too, and f the sum of w^2 d:

    4 sum p (w I - 2 w^2 d d^T) - 4 / Z sum (w^2 I - 4 w^3 d d^T) - 16 / Z^2 f f^T

Where it is high, a change of a point's vector however small throws it far away, as happens where
a map is cut in pieces that the vectors do not have.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.projections.tsne_exact import sum_curvature
from embviz.projections.tsne_fourier import lay_grid
from embviz.projections.tsne_grid_curvature import sum_curvature_on_grid
from embviz.projections.tsne_spline import Pool

EXACT_POINTS = {2: 20_000, 3: 30_000}
"""Up to so many points all pairs are summed: 5 to 10 % of what the map took."""
SPACINGS = (0.125, 0.25)  # Of the grid's nodes beyond, the first that fits.
MOST_ENTRIES = 4224**2  # Of the padded grid; 0.5 GB.
# From the minimum of a point's own loss: the kernel's width, and a share of the map's deviation.
FARTHEST, FARTHEST_SHARE = 1.0, 0.1
CHUNK = 1 << 16  # Affinities at once: vectors of them stay in a core's cache.


@dataclass(frozen=True, eq=False)
class Tears:
    """How loosely the points of a map are held.

    Attributes:
        scores: float64 (n_points,): the singularity score divided by the number of points, since
            the part of the loss that a point has is the smaller the more there are. NaN of points
            that have not settled: their loss has no minimum here, or by Newton's step one farther
            away than the kernel's width or a tenth of the map's deviation.
        method: How the pairs were summed: `exact`, or `grid` and the distance of its nodes.
    """

    scores: NDArray[np.float64]
    method: str

    @property
    def unsettled(self) -> float:
        """The share of points that have not settled, 0 to 1."""
        return float(np.isnan(self.scores).mean())


def measure_tears(points: NDArray[np.float64], affinities: Any, n_threads: int = 1) -> Tears | None:
    """Measure how loosely the points of a map are held.

    Args:
        points: float64 (n_points, 2 or 3), a map that has settled without exaggeration.
        affinities: The joint probabilities that it was made of, scipy CSR float64
            (n_points, n_points), symmetric, of sum 1.
        n_threads: Threads for the parts that have them.

    Returns:
        None where it would take too long: in three dimensions of many points, and in two of a map
        so extended that its grid does not fit.
    """
    method = choose_sums(points)
    if method is None:
        return None
    if method == "exact":
        repulsion = sum_curvature(points)
    else:
        spacing = float(method.removeprefix("grid "))
        repulsion = sum_curvature_on_grid(points, spacing, n_threads)
    return score(points, method, repulsion, _attraction(points, affinities, n_threads))


def score(
    points: NDArray[np.float64],
    method: str,
    repulsion: tuple[NDArray[np.float64], NDArray[np.float64], float],
    attraction: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> Tears:
    """Return how loosely points are held by what acts on them.

    Args:
        points: float64 (n_points, 2 or 3).
        method: How the pairs were summed.
        repulsion: What `tsne_exact.sum_curvature` returns.
        attraction: float64, the sums of p w d (n_points, n_components), and of
            p (w I - 2 w^2 d d^T), its upper triangle row by row; changed in place.
    """
    (forces, curvature, total), (pull, hessian) = repulsion, attraction
    gradient = 4 * (pull - forces / total)
    first, second = np.triu_indices(points.shape[1])
    hessian -= curvature / total + 4 * forces[:, first] * forces[:, second] / total**2
    blocks = np.empty((*points.shape, points.shape[1]))
    blocks[:, first, second] = blocks[:, second, first] = 4 * hessian
    deviation = math.sqrt(float(points.var(axis=0).sum()))
    farthest = min(FARTHEST, FARTHEST_SHARE * deviation)
    return Tears(_scores(blocks, gradient, farthest), method)


def choose_sums(points: NDArray[np.float64]) -> str | None:
    """Return `exact`, `grid` and its spacing, or None where neither is cheap."""
    n_points, n_components = points.shape
    if n_points <= EXACT_POINTS[n_components]:
        return "exact"
    if n_components == 2:
        for spacing in SPACINGS:
            if (2 * lay_grid(points, spacing)[1]) ** 2 <= MOST_ENTRIES:
                return f"grid {spacing:g}"
    return None


def _scores(
    blocks: NDArray[np.float64], gradient: NDArray[np.float64], farthest: float
) -> NDArray[np.float64]:
    """Return the scores of Hessians and gradients, one a point."""
    n_points = len(blocks)
    scores = np.full(n_points, np.nan)
    values, vectors = np.linalg.eigh(blocks * n_points)
    # Rounding alone leaves as much of a map in one place.
    held = values[:, 0] > 1e-9
    along = np.einsum("iab,ia->ib", vectors[held], gradient[held] * n_points)
    settled = np.linalg.norm(along / values[held], axis=1) <= farthest
    scores[np.flatnonzero(held)[settled]] = 1 / values[held][settled, 0]
    return scores


def _attraction(
    points: NDArray[np.float64], affinities: Any, n_threads: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sums of p w d and of p (w I - 2 w^2 d d^T), its upper triangle, a row a point."""
    first, second = np.triu_indices(points.shape[1])
    pull = np.zeros_like(points)
    hessian = np.zeros((len(points), len(first)))
    starts = affinities.indptr
    columns = np.ascontiguousarray(points.T)

    def add(rows: slice) -> None:
        n, part = rows.stop - rows.start, slice(starts[rows.start], starts[rows.stop])
        row = np.repeat(np.arange(n), np.diff(starts[rows.start : rows.stop + 1]))
        others = affinities.indices[part]
        apart = [column[rows].take(row) - column.take(others) for column in columns]
        near = 1 + apart[0] * apart[0]
        for differences in apart[1:]:
            near += differences * differences
        np.reciprocal(near, out=near)
        weight = affinities.data[part] * near
        turned = -2 * weight * near
        for c, differences in enumerate(apart):
            pull[rows, c] = np.bincount(row, weight * differences, n)
        for c, (a, b) in enumerate(zip(first, second, strict=True)):
            values = turned * apart[a] * apart[b] + (weight if a == b else 0)
            hessian[rows, c] = np.bincount(row, values, n)

    with Pool(n_threads) as pool:
        list(pool.map(add, _parts(starts)))
    return pull, hessian


def _parts(starts: NDArray[np.integer[Any]]) -> list[slice]:
    """Return rows of about `CHUNK` affinities, at least one each."""
    parts, begin = [], 0
    while begin < len(starts) - 1:
        last = np.searchsorted(starts, starts[begin] + CHUNK, side="right") - 1
        parts.append(slice(begin, int(max(begin + 1, last))))
        begin = parts[-1].stop
    return parts
