"""Principal components of rows whose moments are known, and rows placed on them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import one_blas_thread
from embviz.model import Projection
from embviz.moments import Moments
from embviz.projections.pca import Components, fix_signs, leading_eigenpairs

_EPS = float(np.finfo(np.float64).eps)


@one_blas_thread()
def components_of(moments: Moments, n_components: int) -> Components:
    """Find the leading principal components of rows by their moments, all in float64.

    Args:
        moments: Of two rows or more, each taken about a mean of rows near to it.
        n_components: Components wanted; there are never more than rows or dimensions.
    """
    n_dims = len(moments.mean)
    k = min(n_components, moments.count, n_dims)
    covariance = moments.covariance
    values, vectors = leading_eigenpairs(covariance, k)
    # What rounding leaves of a variance: of the sums, and of means that are far from zero.
    noise = max(float(values[0]), 0.0) * _EPS * max(16, n_dims)
    rounding = n_dims * (8 * _EPS * float(np.abs(moments.mean).max())) ** 2
    real = values[:k] > max(noise, rounding)
    total = max(float(np.trace(covariance)), 0.0)
    directions = np.where(real[:, None], vectors[:k], 0)
    return Components(
        fix_signs(directions),
        np.where(real, values[:k], 0),
        total if total > rounding else 0.0,
        moments.mean,
    )


@one_blas_thread()
def place_on_components(found: Components, rows: NDArray[Any], n_all: int) -> Projection:
    """Place some rows on the components of all.

    Args:
        found: Of all rows.
        rows: (n, n_dims), some of them.
        n_all: How many rows the components are of.
    """
    out = np.empty((len(rows), len(found.directions)), np.float32)
    for start in range(0, len(rows), 4096):
        part = np.asarray(rows[start : start + 4096], np.float64) - found.mean
        out[start : start + len(part)] = part @ found.directions.T
    return Projection(
        name="pca",
        title="PCA",
        kind="linear",
        coordinates=out,
        axes=tuple(f"PC{i + 1}" for i in range(len(found.variances))),
        params={
            "n_components": len(found.variances),
            "normalize": "none",
            "unit": 1.0,
            "rows": n_all,
        },
        stats={
            "variance_shares": found.shares,
            "total_variance": found.total,
            "mean_projection": [float(v) for v in found.directions @ found.mean],
        },
        directions=found.directions.astype(np.float32),
    )
