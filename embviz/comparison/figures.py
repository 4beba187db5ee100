"""The figures of a comparison: what it says in a few numbers, and of each group of points."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from embviz.comparison.measures import Indices
from embviz.comparison.values import FEW, MANY
from embviz.model import EmbeddingTable

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

MOST_DIMS = 4096
"""Dimensions up to which it is found how much of a change is a rotation."""
NAMES = (
    *("overlap10", "overlap10_calibrated", "overlap50", "overlap50_calibrated"),
    *("rank_median", "rank_q1", "rank_q3", "rank_back_median", "rank_back_q1", "rank_back_q3"),
    *("overlap10_random", "procrustes_residual"),
)
"""The figures of a comparison, as `docs/compare.md` defines them."""
PAIRED = 1000  # Points whose neighbors under a random pairing are looked at.
MOST_VALUES = 50
Figures = dict[str, float | None]


def why_missing(name: str, a: EmbeddingTable, b: EmbeddingTable, n_matched: int) -> str:
    """Return why a figure of two tables cannot be had, "" where it can.

    Args:
        name: Of the figure.
        a, b: The tables.
        n_matched: How many points are in both.
    """
    if name.startswith(f"overlap{MANY}") and n_matched < MANY + 2:
        return f"needs {MANY + 2} points in both, and there are {n_matched:,}"
    if name == "procrustes_residual" and a.n_dims != b.n_dims:
        return f"needs vectors of one width, and they have {a.n_dims:,} and {b.n_dims:,}"
    if name == "procrustes_residual" and a.n_dims > MOST_DIMS:
        return f"is found of up to {MOST_DIMS:,} dimensions, and there are {a.n_dims:,}"
    return ""


def calibrate(overlap: float, k: int, n_points: int) -> float | None:
    """Return an overlap on a scale on which chance is 0 and all in common is 1.

    A random pairing has k / (n - 1) of the k nearest in common (Gröger, Wen and Brbić 2026,
    "Revisiting the Platonic Representation Hypothesis: an Aristotelian view").

    Args:
        overlap: The mean share in common.
        k: How many neighbors.
        n_points: All points; None is returned where all others are among the k.
    """
    chance = k / (n_points - 1)
    return (overlap - chance) / (1 - chance) if chance < 1 else None


def overlap_figures(common: Mapping[int, Numbers], n_points: int) -> Figures:
    """Return the shares of neighbors in common and the same calibrated, by name."""
    out: Figures = {}
    for k in (FEW, MANY):
        found = float(common[k].mean()) if k in common and len(common[k]) else None
        out[f"overlap{k}"] = found
        out[f"overlap{k}_calibrated"] = None if found is None else calibrate(found, k, n_points)
    return out


def rank_figures(ranks_in_b: Rows, ranks_in_a: Rows) -> Figures:
    """Return median and quartiles of the ranks of neighbors on the other side, by name."""
    out: Figures = {}
    for name, ranks in (("rank", ranks_in_b), ("rank_back", ranks_in_a)):
        low, middle, high = (
            np.percentile(ranks, [25, 50, 75]).tolist() if ranks.size else [None] * 3
        )
        out |= {f"{name}_median": middle, f"{name}_q1": low, f"{name}_q3": high}
    return out


def random_overlap(
    near_a: Indices, near_b: Indices, compared: Rows, n_points: int, seed: int
) -> float:
    """Return the overlap that a random pairing of the points has, of some of them.

    Each compared point gets the neighbors in B of another compared point, with all points renamed
    by the same permutation, so that hubs stay hubs.

    Args:
        near_a, near_b: int (n_compared, k), the nearest on each side.
        compared: int64 (n_compared,), the points that were compared.
        n_points: All points.
        seed: Of the permutation.
    """
    rng = np.random.default_rng(seed)
    renamed = np.arange(n_points)
    others = np.setdiff1d(renamed, compared, assume_unique=True)
    order = rng.permutation(len(compared))
    renamed[compared[order]] = compared  # The point that takes a name, by the old one.
    renamed[others] = rng.permutation(others)
    some = np.sort(rng.permutation(len(compared))[:PAIRED])
    paired = renamed[near_b[order[some]]]
    same = (near_a[some][:, :, None] == paired[:, None, :]).any(axis=2)
    return float(same.mean())


def procrustes_residual(a: EmbeddingTable, b: EmbeddingTable) -> float | None:
    """Return which share of the vectors' spread no rotation, scale and shift of B explains.

    It is 1 - (sum of the singular values of A'B)^2, both centered and of Frobenius norm 1
    (Gower 1975, "Generalized procrustes analysis"): 0 for a copy that is turned, scaled and
    shifted, near 1 where nothing is.

    Args:
        a, b: The same points; None is returned where their widths differ or are beyond 4,096.
    """
    width = a.n_dims
    if width != b.n_dims or width > MOST_DIMS:
        return None
    exponents = [_exponent(table) for table in (a, b)]
    means = [_mean(table, e) for table, e in zip((a, b), exponents, strict=True)]
    products, squares = np.zeros((width, width)), np.zeros(2)
    step = max(1, (1 << 24) // (8 * width))
    for first in range(0, a.n_points, step):
        part = slice(first, first + step)
        x, y = (
            np.ldexp(table.take_block(part, np.float64), -e) - mean
            for table, e, mean in zip((a, b), exponents, means, strict=True)
        )
        products += x.T @ y
        squares += [np.einsum("ij,ij->", x, x), np.einsum("ij,ij->", y, y)]
    if not squares.all():
        return 0.0 if not squares.any() else 1.0
    explained = np.linalg.svd(products, compute_uv=False).sum() ** 2 / squares.prod()
    return float(np.clip(1 - explained, 0, 1))


def _exponent(table: EmbeddingTable) -> int:
    """Return k such that the largest magnitude over 2^k is near 1, whose square every float has."""
    peak = max(float(np.abs(block).max(initial=0)) for _, block in table.blocks(np.float64))
    return int(np.frexp(peak)[1])


def _mean(table: EmbeddingTable, exponent: int) -> Numbers:
    total = np.zeros(table.n_dims)
    for _, block in table.blocks(np.float64):
        total += np.ldexp(block, -exponent).sum(axis=0)
    return np.asarray(total / table.n_points)


def group_figures(
    values: tuple[str, ...], common: Mapping[int, Numbers], ranks_in_b: Rows, n_points: int
) -> dict[str, dict[str, float]]:
    """Return figures of the points of each value of a column, most points first.

    Args:
        values: Of the compared points.
        common: The shares in common, as `Moved.common` has them.
        ranks_in_b: int64 (n_compared, 10).
        n_points: All points.
    """
    names, codes, counts = np.unique(
        np.asarray(values, object), return_inverse=True, return_counts=True
    )
    out: dict[str, dict[str, float]] = {}
    for code in np.lexsort((np.arange(len(names)), -counts)).tolist():
        here = codes == code
        figures: Figures = {"n": int(counts[code])}
        figures |= overlap_figures({k: found[here] for k, found in common.items()}, n_points)
        figures["rank_median"] = float(np.median(ranks_in_b[here]))
        out[str(names[code])] = {k: v for k, v in figures.items() if v is not None}
    return out
