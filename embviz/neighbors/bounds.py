"""How far rounding can move a distance: one lemma each, with what it is used for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Kind = np.dtype[Any]
Numbers = NDArray[np.float64]

ROUNDED = 1 + 1e-6
"""Two distances closer than this factor may be the same float32: its steps are 1.2e-7 apart."""

UNDERFLOW = {np.dtype(np.float32): 1e-36, np.dtype(np.float64): 1e-280}
"""A sum of squares below this may have lost some to zero: a million of the least number squared."""

LEAST_ROUNDED = 1e-30
"""Near 1, rounding to float32 moves a row of a million numbers by less, beside its relative error:
a number below float32's reach is off by 7e-46."""


def product_rounding(kind: Kind, n_dims: int) -> float:
    """Return the largest relative error of a sum of n_dims products.

    The computed x . y is off by at most n_dims unit roundoffs times |x| |y| (Higham 2002, section
    3.1), so that |x|^2 - 2 x . y + |y|^2 is off by at most twice this times (|x|^2 + |y|^2) / 2 a
    term. The 16 are for the roundings around the sum.
    """
    return float(np.finfo(kind).eps) * (n_dims + 16)


def rounding_error(points: NDArray[np.float32], exact: Numbers) -> float:
    """Return by which share of their lengths rounded rows are off, at most.

    Args:
        points: float32 (n, n_dims).
        exact: What they are rounded from.
    """
    wrong = np.maximum(measure_lengths(points - exact) - LEAST_ROUNDED, 0)
    lengths = measure_lengths(points.astype(np.float64))
    share = np.divide(wrong, lengths, out=np.where(wrong > 0, np.inf, 0), where=lengths > 0)
    return float(share.max(initial=0))


def least_unfound(sizes: Numbers, last: Numbers, n_dims: int, error: float) -> Numbers:
    """Return the least distance that a point which float32 products did not find can have, (n,).

    A squared distance by products is wrong by up to `product_rounding` of both squared norms; the
    other point's norm is at most the row's and the distance together, and the points themselves
    are off by their rounding.

    Args:
        sizes: The rows' squared norms (n,).
        last: The largest squared distance of a point that was found (n,).
        n_dims: Of the points.
        error: What `rounding_error` returned.
    """
    rounding = product_rounding(np.dtype(np.float32), n_dims)
    squares = last - UNDERFLOW[np.dtype(np.float32)] - 3 * rounding * sizes
    error *= ROUNDED
    lower = np.sqrt(np.maximum(squares / (1 + 2 * rounding), 0)) * (1 - error)
    return np.asarray(lower - 2 * error * np.sqrt(sizes) - LEAST_ROUNDED, dtype=np.float64)


def blur(sizes: Numbers, distances: Numbers, error: float) -> Numbers:
    """Return how far distances between rounded points can be from the true ones, (n,).

    Args:
        sizes: The rows' squared norms (n,).
        distances: From differences of float32, (n,).
        error: What `rounding_error` returned.
    """
    underflow = float(np.sqrt(UNDERFLOW[np.dtype(np.float32)]))
    return np.asarray(error * ROUNDED * (2 * np.sqrt(sizes) + distances) + underflow)


def measure_lengths(differences: Numbers) -> Numbers:
    """Return the norms of rows, also where their squares leave the range of float64."""
    with np.errstate(over="ignore"):
        squares = np.einsum("ij,ij->i", differences, differences)
    odd = np.flatnonzero((squares < UNDERFLOW[np.dtype(np.float64)]) | ~np.isfinite(squares))
    lengths = np.sqrt(squares)
    if len(odd):
        peaks = np.abs(differences[odd]).max(axis=1)
        scaled = differences[odd] / np.where(peaks > 0, peaks, 1)[:, None]
        lengths[odd] = peaks * np.sqrt(np.einsum("ij,ij->i", scaled, scaled))
    return np.asarray(lengths, dtype=np.float64)
