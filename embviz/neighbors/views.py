"""How rows that were not there when a space was opened are compared with those that were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.model import Metric
from embviz.neighbors.bounds import measure_lengths, rounding_error
from embviz.neighbors.scan import precise_units
from embviz.space import Floats, Normalize, Space, divide, unit_rows

Matrix = NDArray[np.float32]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class View:
    """Rows as a metric and a normalization see them, near 1 and near zero.

    Attributes:
        metric: Cosine is euclidean between rows of length 1.
        normalize: What is done to raw rows before.
        exponent: Of the unit 2^exponent of the raw rows.
        mean: float64 (n_dims,), what `center` and `sphere` subtract, in that unit.
        middle: float64 (n_dims,), what is subtracted last, so that float32 keeps its digits.
    """

    metric: Metric
    normalize: Normalize
    exponent: int
    mean: Numbers
    middle: Numbers

    @property
    def to_unit(self) -> int:
        """Distances between seen rows times 2 to this are in the vectors' unit."""
        return 0 if self.metric == "cosine" or self.normalize == "sphere" else self.exponent

    def normalized(self, raw: NDArray[Any]) -> Numbers:
        """Return raw rows (n, n_dims) in their unit and normalized, float64."""
        rows: Floats = divide(raw.astype(np.float64), self.exponent)
        if self.normalize != "none":
            rows = rows - self.mean
            rows = unit_rows(rows) if self.normalize == "sphere" else rows
        return np.asarray(rows, dtype=np.float64)

    def see(self, raw: NDArray[Any]) -> Numbers:
        """Return raw rows (n, n_dims) as they are compared, float64."""
        rows = self.normalized(raw)
        rows = precise_units(rows) if self.metric == "cosine" else rows
        return np.asarray(rows - self.middle, dtype=np.float64)

    def without_direction(self, raw: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which raw rows have no direction under cosine, bool (n,)."""
        if self.metric != "cosine":
            return np.zeros(len(raw), np.bool_)
        wide = divide(raw.astype(np.float64), self.exponent)
        wide = wide if self.normalize == "none" else wide - self.mean
        return np.asarray(~wide.any(axis=1))

    def round(self, raw: NDArray[Any]) -> tuple[Matrix, float]:
        """Return raw rows as float32, and by which share of their lengths they are off, at most."""
        rows = self.see(raw)
        rounded = rows.astype(np.float32)
        return rounded, rounding_error(rounded, rows)

    def in_unit(self, lengths: Numbers) -> Numbers:
        """Return lengths of differences of seen rows as distances, in 2^`to_unit`."""
        return np.asarray(np.square(lengths) / 2 if self.metric == "cosine" else lengths)

    def tell(self, lengths: Numbers) -> Numbers:
        """Return the same in the vectors' unit."""
        with np.errstate(over="ignore"):
            return np.asarray(np.ldexp(self.in_unit(lengths), self.to_unit))


def view_of(space: Space, metric: Metric) -> View:
    """Return how rows are compared with those of a space.

    Args:
        space: The rows that are known, with their normalization.
        metric: `cosine` or `euclidean`.
    """
    middle = space.center
    if metric == "cosine":
        # Near the mean of the directions, where the rows are of like lengths.
        length = float(np.sqrt(space.extent.mean_square))
        middle = middle / length if length > 0 else middle
    return View(metric, space.normalize, space.exponent, space.mean, middle)


def measure_apart(rows: Numbers, others: Numbers) -> Numbers:
    """Return the lengths of differences, float64 (n, m).

    Args:
        rows: float64 (n, n_dims).
        others: float64 (n, m, n_dims).
    """
    apart = others - rows[:, None]
    return measure_lengths(apart.reshape(-1, apart.shape[-1])).reshape(apart.shape[:2])
