"""Principal components: exact and centered, from blocks of rows."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, get_args

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_one_of, check_whole
from embviz.errors import ParameterError
from embviz.kernels import one_blas_thread
from embviz.model import BLOCK_BYTES, EmbeddingTable, Projection
from embviz.moments import Moments
from embviz.space import (
    Floats,
    Kind,
    Normalize,
    Space,
    open_space,
    shown_unit,
)

log = logging.getLogger("embviz")
progress = logging.getLogger("embviz.progress")

# Up to so many multiplications float64 products cost a fraction of a second.
CHEAP_PRODUCTS = 2e10
# float32 products are kept while the eigenvalues that must be told apart differ by this share of
# the largest: rounding then turns the subspace by less than 1e-4.
SAFE_GAP = 4e-3
SAFE_GAP_FLOAT64 = 1e-9  # Of float64 products, where directions are taken out of their sum.
KRYLOV_SIZE = 1200  # Fewer dimensions are decomposed at once in under half a second.
KRYLOV_BLOCKS, KRYLOV_RESTARTS = 6, 30
KRYLOV_TOLERANCE = 1e-11  # Of the largest eigenvalue, for the residuals.


@dataclass(frozen=True, eq=False)
class Components:
    """The leading principal components of some vectors.

    Attributes:
        directions: float64 (n_components, n_dims), orthonormal; zero where there is no variance.
        variances: float64 (n_components,), with the divisor n_points - 1, descending.
        total: The variance of all dimensions together.
        mean: float64 (n_dims,), the mean of the vectors.
    """

    directions: NDArray[np.float64]
    variances: NDArray[np.float64]
    total: float
    mean: NDArray[np.float64]

    @property
    def shares(self) -> list[float]:
        """The share of the total variance along each direction, 0 when there is none."""
        return [float(v / self.total) if self.total > 0 else 0.0 for v in self.variances]


@dataclass(frozen=True)
class PCA:
    """Principal component analysis on every row and column.

    Args:
        n_components: Components wanted; there are never more than rows or columns.
        normalize: What is done to the vectors before; see `Space`.

    Raises:
        ParameterError: If a parameter fits no table.
    """

    figures: ClassVar[tuple[str, ...]] = ("variance_share", "total_variance")

    n_components: int = 10
    normalize: Normalize = "none"

    def __post_init__(self) -> None:
        check_whole("n_components", self.n_components, 1)
        check_one_of("normalize", self.normalize, get_args(Normalize))

    def project(self, table: EmbeddingTable, space: Space | None = None) -> Projection:
        """Place the points on their leading principal components.

        Args:
            table: The vectors.
            space: What `open_space` gave, where it was opened before.

        Returns:
            `stats` holds `variance_shares` (one a component), `total_variance` and
            `mean_projection`, what is subtracted from a raw vector times the directions. Signs
            are such that the loading of largest magnitude is positive.

        Raises:
            ParameterError: If there is one row only.
        """
        progress.info("PCA of %s points", f"{table.n_points:,}")
        space = open_space(table, self.normalize, space)
        found, coordinates = lead(space, self.n_components)
        own = 2.0**space.rows_exponent
        unit = shown_unit(own, float(np.abs(coordinates).max(initial=0)))
        if unit != own:
            coordinates = coordinates * (own / unit)
        elif unit != 1:
            log.info("PCA: coordinates in units of %.6g, to fit float32", unit)
        linear = self.normalize != "sphere" and unit == 1
        middle = found.mean if self.normalize == "none" else found.mean + space.mean
        stats: dict[str, Any] = {
            "variance_shares": found.shares,
            "total_variance": float(np.ldexp(found.total, 2 * math.frexp(own / unit)[1] - 2)),
        }
        if linear:
            stats["mean_projection"] = [float(v) for v in found.directions @ middle * space.unit]
        return Projection(
            name="pca",
            title="PCA",
            kind="linear",
            coordinates=coordinates.astype(np.float32),
            axes=tuple(f"PC{i + 1}" for i in range(len(found.variances))),
            params={
                "n_components": len(found.variances),
                "normalize": self.normalize,
                "unit": unit,
            },
            stats=stats,
            directions=found.directions.astype(np.float32) if linear else None,
        )


@one_blas_thread()
def find_components(
    space: Space, n_components: int, removed: NDArray[np.float64] | None = None
) -> Components:
    """Find the leading principal components of the vectors, exactly.

    The covariance is summed over blocks of rows; where there are fewer points than dimensions
    the Gram matrix takes its place. Products are float64 where that is cheap and float32 with
    float64 sums elsewhere, unless the eigenvalues then turn out too close to trust.

    Args:
        space: The vectors.
        n_components: Components wanted.
        removed: float64 (n, n_dims), orthonormal directions taken out of the vectors before.

    Raises:
        ParameterError: If there is one row only.
    """
    n_points, n_dims = space.shape
    if n_points < 2:
        raise ParameterError(
            space.table.source or "vectors", "1 row cannot be projected", "2 rows are the least"
        )
    k = min(n_components, n_points, n_dims)
    if n_points < n_dims:
        return _components_from_gram(space, k, removed)
    cheap = space.working is np.float64 or n_points * n_dims**2 <= CHEAP_PRODUCTS
    left = _left(space, removed, np.float64 if cheap else np.float32)
    values, vectors = leading_eigenpairs(left.covariance, k)
    if not cheap and _too_close(values, k, left, SAFE_GAP):
        left = _left(space, removed, np.float64)
        values, vectors = leading_eigenpairs(left.covariance, k)
    if removed is not None and _too_close(values, k, left, SAFE_GAP_FLOAT64):
        left = _left_of_rows(space, removed)
        values, vectors = leading_eigenpairs(left.covariance, k)
    noise = max(float(values[0]), left.taken) * left.precision * max(16, n_dims)
    real = values[:k] > max(noise, left.rounding)
    directions = np.where(real[:, None], vectors[:k], 0)
    total = left.total if left.total > left.rounding else 0.0
    return Components(fix_signs(directions), np.where(real, values[:k], 0), total, left.mean)


@one_blas_thread()
def project_rows(space: Space, found: Components) -> NDArray[np.float64]:
    """Return the coordinates of all rows on the components, float64 (n_points, n_components)."""
    out = np.empty((space.shape[0], len(found.directions)))
    cheap = space.shape[0] * space.shape[1] * len(found.directions) <= CHEAP_PRODUCTS / 100
    dtype = np.float64 if cheap else space.working
    directions, mean = found.directions.T.astype(dtype), found.mean.astype(dtype)
    for start, block in space.blocks():
        out[start : start + len(block)] = (block - mean) @ directions
    return out


def fix_signs(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return directions (n, n_dims) whose loading of largest magnitude is positive."""
    largest = np.abs(directions).argmax(axis=1)
    flipped = np.take_along_axis(directions, largest[:, None], axis=1) < 0
    return np.where(flipped, -directions, directions)


@dataclass(frozen=True, eq=False)
class _Left:
    """What is left of the vectors' variance where directions are taken out.

    Attributes:
        covariance: float64 (n_dims, n_dims).
        mean: float64 (n_dims,), of the whole vectors.
        total: The variance of the whole vectors.
        taken: The variance that was taken out of the covariance after it was summed.
        rounding: The noise in a variance that the distance of the mean leaves.
        precision: Of the products.
    """

    covariance: NDArray[np.float64]
    mean: NDArray[np.float64]
    total: float
    taken: float
    rounding: float
    precision: float


def _left(space: Space, removed: NDArray[np.float64] | None, products: Kind) -> _Left:
    """Take directions out of the covariance."""
    moments = space.moments(products)
    covariance, taken = moments.covariance, 0.0
    total = max(float(np.trace(covariance)), 0.0)
    if removed is not None:
        along = covariance @ removed.T
        inner = removed @ along
        covariance = covariance - along @ removed
        covariance -= removed.T @ along.T
        covariance += removed.T @ inner @ removed
        taken = float(np.trace(inner))
    return _Left(covariance, moments.mean, total, taken, *_noise(space, moments.mean, products))


def _left_of_rows(space: Space, removed: NDArray[np.float64]) -> _Left:
    """Take directions out of the rows, where they hold nearly all of the variance."""
    left = Moments.nothing(space.shape[1])
    for _, block in space.blocks(max(BLOCK_BYTES, 64 * space.shape[1] * 8)):
        rows = (block - space.center.astype(space.working)).astype(np.float64, copy=False)
        left = left.merge(Moments.of(rows - rows @ removed.T @ removed))
    whole = space.moments(np.float64)
    total = max(float(np.trace(whole.covariance)), 0.0)
    return _Left(left.covariance, whole.mean, total, 0.0, *_noise(space, whole.mean, np.float64))


def _noise(space: Space, mean: NDArray[np.float64], products: Kind) -> tuple[float, float]:
    """Return the noise in a variance, and the precision of the products."""
    precision = float(np.finfo(products).eps)
    offset = mean - space.center
    return 64 * space.shape[1] * precision * float(offset @ offset), precision


def _components_from_gram(space: Space, k: int, removed: NDArray[np.float64] | None) -> Components:
    """Find components from the products of rows, in blocks of columns, all in float64."""
    n_points, n_dims = space.shape
    step = max(1, BLOCK_BYTES // (8 * n_points))
    norms = space.row_norms()
    parts = [slice(a, min(a + step, n_dims)) for a in range(0, n_dims, step)]
    mean = np.empty(n_dims)
    on_removed = np.zeros((n_points, 0 if removed is None else len(removed)))

    def centered(part: slice) -> NDArray[np.float64]:
        return space.columns(part, norms).astype(np.float64) - mean[part]

    for part in parts:
        mean[part] = space.columns(part, norms).mean(axis=0, dtype=np.float64)
        if removed is not None:
            on_removed += centered(part) @ removed[:, part].T

    def deflated(part: slice) -> NDArray[np.float64]:
        columns = centered(part)
        return columns if removed is None else columns - on_removed @ removed[:, part]

    gram, squares = np.zeros((n_points, n_points)), 0.0
    for part in parts:
        columns = deflated(part)
        gram += columns @ columns.T
    squares = float(np.trace(gram)) + float((on_removed**2).sum())
    values, vectors = leading_eigenpairs(gram, k)
    values, vectors = values[:k], vectors[:k]
    rounding = n_points * n_dims * (8 * float(np.finfo(np.float64).eps) * np.abs(mean).max()) ** 2
    real = values > max(_rank_threshold(values, np.float64, n_points), rounding)
    squares = squares if squares > rounding else 0.0
    scale = np.where(real, 1 / np.sqrt(np.where(real, values, 1)), 0)
    directions = np.empty((k, n_dims))
    for part in parts:
        directions[:, part] = (vectors * scale[:, None]) @ deflated(part)
    variances = np.where(real, values, 0) / (n_points - 1)
    return Components(fix_signs(directions), variances, squares / (n_points - 1), mean)


def leading_eigenpairs(
    matrix: NDArray[np.float64], k: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the k + 1 largest eigenvalues, descending, and their vectors as rows."""
    found = _krylov_eigenpairs(matrix, k + 1) if len(matrix) >= KRYLOV_SIZE else None
    if found is not None:
        return found
    values, vectors = np.linalg.eigh(matrix)
    return values[::-1][: k + 1], np.ascontiguousarray(vectors[:, ::-1][:, : k + 1].T)


def _krylov_eigenpairs(
    matrix: NDArray[np.float64], wanted: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the largest eigenvalues, descending, and their vectors as rows, if they converge.

    Block Krylov iteration with Rayleigh-Ritz restarts (Golub and Van Loan, Matrix Computations,
    chapter 10), which for a few of thousands of eigenvectors costs a fraction of finding all. The
    start is random with a fixed seed, so that it is orthogonal to none of them.
    """
    block = np.random.default_rng(0).standard_normal((len(matrix), wanted + 8))
    for _ in range(KRYLOV_RESTARTS):
        parts: list[NDArray[np.float64]] = []
        for _ in range(KRYLOV_BLOCKS):
            for _ in range(2):
                for part in parts:
                    block -= part @ (part.T @ block)
                block = np.linalg.qr(block)[0]
            parts.append(block)
            block = matrix @ block
        basis = np.hstack(parts)
        image = matrix @ basis
        values, turns = np.linalg.eigh(basis.T @ image)
        values, turns = values[::-1], turns[:, ::-1]
        block = basis @ turns[:, : wanted + 8]
        missed = image @ turns[:, :wanted] - block[:, :wanted] * values[:wanted]
        if np.linalg.norm(missed, axis=0).max() <= KRYLOV_TOLERANCE * max(values[0], 0):
            return values[:wanted], np.ascontiguousarray(block[:, :wanted].T)
    return None


def _too_close(values: NDArray[np.float64], k: int, left: _Left, gap: float) -> bool:
    """Tell whether rounding may turn the space of the first k eigenvectors too far."""
    largest = float(values[0]) + left.taken
    if len(values) <= k or largest <= 0:
        return False
    return float(values[k - 1] - values[k]) < gap * largest


def _rank_threshold(
    values: NDArray[np.float64], products: type[np.floating[Any]], size: int
) -> float:
    """Return the eigenvalue below which there is only rounding."""
    return max(float(values[0]), 0.0) * float(np.finfo(products).eps) * max(16, size)


def lead(space: Space, n_components: int = 10) -> tuple[Components, NDArray[np.float64]]:
    """Return the leading components and all rows on them, (n_points, n_components); made once.

    Ten and fewer are cut from ten, so that all who ask for some get the same.
    """

    def make() -> tuple[Components, NDArray[np.float64]]:
        found = find_components(space, max(10, n_components))
        return found, project_rows(space, found)

    found, coordinates = space.keep(("lead", max(10, n_components)), make)
    first = slice(n_components)
    cut = replace(found, directions=found.directions[first], variances=found.variances[first])
    return cut, coordinates[:, first]


def leading_coordinates(space: Space, n_components: int) -> Floats:
    """Return coordinates on the leading components, float64 (n_points, n_components).

    Components that the vectors lack are filled with zeros.
    """
    found, coordinates = lead(space, n_components)
    out = np.zeros((space.shape[0], n_components))
    out[:, : len(found.variances)] = coordinates
    return out
