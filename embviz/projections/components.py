"""Principal components of rows whose moments are known."""

from __future__ import annotations

import numpy as np

from embviz.kernels import one_blas_thread
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
