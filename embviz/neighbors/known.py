"""Neighbors that are known, as what is made of them takes them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.space import Space


def first_neighbors(
    given: Neighbors | None, table: EmbeddingTable, k: int, metric: Metric
) -> Neighbors | None:
    """Return the first k of neighbors that are known already; None where none are given.

    Raises:
        ParameterError: If they are of other points, too few, or of another metric.
    """
    if given is None:
        return None
    n_rows, held = given.indices.shape
    if n_rows != table.n_points or held < k or given.metric != metric:
        raise ParameterError(
            "neighbors",
            f"{held} of {n_rows:,} points ({given.metric}) where {k} of "
            f"{table.n_points:,} ({metric}) are needed",
        )
    return given.first(k)


def shown_recall(recall: float) -> float:
    """Return a recall to four digits, 1.0 only where it is."""
    return math.floor(recall * 10_000) / 10_000


def tell_device(space: Space) -> dict[str, str]:
    """Return what is said of a map whose neighbors come from a card; nothing of others."""
    return {} if space.arrays is None else {"neighbors_device": space.arrays.title}


def bandwidth_distances(neighbors: Neighbors, own_units: bool = True) -> NDArray[np.float64]:
    """Return euclidean distances of neighbors in a unit in which the median of the last is near 1.

    What t-SNE and UMAP make of them, a bandwidth a row, knows no unit, but their search for it
    begins at 1 and ends within a tolerance. The unit is a power of two, so that vectors times any
    other give the same bytes. Rows far from 1 in it have a unit of their own.

    Args:
        neighbors: Of all points.
        own_units: Whether rows may have one; not where rows are compared, as densities are.
    """
    distances = neighbors.proportions.astype(np.float64)
    if neighbors.metric == "cosine":
        # Euclidean between rows of unit length.
        distances = np.sqrt(2 * distances)
    peaks = distances.max(axis=1, keepdims=True)
    exponents = np.frexp(peaks)[1]
    some = np.sort(exponents[peaks > 0])
    common = some[len(some) // 2] if len(some) else 0
    odd = own_units & (peaks > 0) & (np.abs(exponents - common) > 20)
    return np.asarray(np.ldexp(distances, -np.where(odd, exponents, common)))
