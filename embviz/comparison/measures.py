"""The rows of one side, and distances between them with all digits of float64."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import count_cores
from embviz.model import EmbeddingTable, Metric
from embviz.neighbors.exact_rows import MEASURED_NUMBERS, ExactRows, open_rows
from embviz.space import Space, open_space

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]
Indices = NDArray[np.integer[Any]]

HELD_NUMBERS = 1 << 27
TIED = 1e-9  # Of float64: squared distances that differ by a smaller share are equal.


def open_exact(table: EmbeddingTable, metric: Metric, space: Space | None = None) -> ExactRows:
    """Return the rows of a table between which distances are measured, its zero rows known."""
    held = table.n_points * table.n_dims <= HELD_NUMBERS
    exact = open_rows(open_space(table, known=space), metric, held=held)
    if metric == "euclidean":
        return exact
    zero = [p.start + np.flatnonzero(~exact.take(p).any(axis=1)) for p in exact.parts()]
    return replace(exact, zero=np.concatenate(zero))


def measure_closely(exact: ExactRows, rows: Rows, others: Indices) -> Numbers:
    """Return distances as `ExactRows.measure_many` does, with all digits of float64."""
    squares = np.empty(others.shape)
    step = max(1, MEASURED_NUMBERS // (others.shape[1] * exact.space.shape[1]))

    def measure(first: int) -> None:
        part = slice(first, first + step)
        apart = exact.take_near_one(others[part].ravel().astype(np.int64)).reshape(
            *others[part].shape, -1
        )
        apart -= exact.take_near_one(rows[part])[:, None]
        np.einsum("ijk,ijk->ij", apart, apart, out=squares[part])

    with ThreadPoolExecutor(count_cores()) as pool:
        list(pool.map(measure, range(0, len(rows), step)))
    if exact.metric == "euclidean":
        return np.asarray(np.ldexp(np.sqrt(squares), exact.to_unit))
    undirected = np.isin(others, exact.zero) | np.isin(rows, exact.zero)[:, None]
    return np.where(undirected, 1, squares / 2)


def measure_squares(exact: ExactRows, rows: Rows, others: Indices) -> Numbers:
    """Return squared distances of rows from others, in the unit of `take_near_one`."""
    apart = measure_closely(exact, rows, others)
    if exact.metric == "cosine":
        return 2 * apart
    return np.asarray(np.square(np.ldexp(apart, -exact.to_unit)))
