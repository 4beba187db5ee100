"""The vectors as a method sees them: in a safe range, centered or spherized, block by block."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable
from embviz.rows import BLOCK_BYTES

Normalize = Literal["none", "center", "sphere"]
Floats = NDArray[np.floating[Any]]

# Squares of values in this range, and sums of a million of them, fit float32.
SMALLEST, LARGEST = 2.0**-40, 2.0**40


def working_type(dtype: np.dtype[Any]) -> type[np.floating[Any]]:
    """Return the float type that holds every value of a dtype: float32 or float64."""
    wide = dtype.itemsize > 4 or (dtype.kind in "iu" and dtype.itemsize > 2)
    return np.float64 if wide else np.float32


@dataclass(frozen=True, eq=False)
class NormalizedVectors:
    """A table's vectors divided by `unit`, then centered or spherized.

    Attributes:
        table: The raw vectors.
        normalize: `center` subtracts the mean; `sphere` also divides each row by its norm, where a
            zero row stays zero (the Embedding Projector's "spherize data").
        unit: A power of two, 1.0 unless the values' squares would leave the range of float32.
        mean: float64 (n_dims,), the mean of all rows, in `unit`.
        working: The float type in which the rows are read.
    """

    table: EmbeddingTable
    normalize: Normalize
    unit: float
    mean: NDArray[np.float64]
    working: type[np.floating[Any]]

    @property
    def shape(self) -> tuple[int, int]:
        return self.table.n_points, self.table.n_dims

    @property
    def center(self) -> NDArray[np.float64]:
        """A point near the middle of the normalized vectors, float64 (n_dims,)."""
        return self.mean if self.normalize == "none" else np.zeros_like(self.mean)

    def blocks(self, block_bytes: int = BLOCK_BYTES) -> Iterator[tuple[int, Floats]]:
        """Yield (first row, block) over all rows, in the working type."""
        for start, block in self.table.blocks(self.working, block_bytes):
            yield start, self.apply(block)

    def take(self, rows: slice | NDArray[np.integer[Any]]) -> Floats:
        """Return some rows in the working type."""
        return self.apply(self.table.take_block(rows, self.working))

    def apply(self, raw: Floats) -> Floats:
        """Return raw rows (n, n_dims) of the working type, normalized; may change them in place."""
        scaled = np.multiply(raw, self.working(1 / self.unit)) if self.unit != 1 else raw
        if self.normalize == "none":
            return scaled
        shifted: Floats = scaled - self.mean.astype(self.working)
        return unit_rows(shifted) if self.normalize == "sphere" else shifted

    def columns(self, part: slice, norms: Floats | None) -> Floats:
        """Return some columns of all rows (n_points, n), in the working type.

        Args:
            part: The columns.
            norms: What `row_norms` returned.
        """
        raw = self.table.take_columns(part, self.working)
        scaled = np.multiply(raw, self.working(1 / self.unit)) if self.unit != 1 else raw
        if self.normalize == "none":
            return scaled
        shifted: Floats = scaled - self.mean[part].astype(self.working)
        return shifted if norms is None else shifted / norms[:, None]

    def row_norms(self) -> Floats | None:
        """Return what `columns` divides each row by, (n_points,), or None for nothing."""
        if self.normalize != "sphere":
            return None
        centered = NormalizedVectors(self.table, "center", self.unit, self.mean, self.working)
        norms = np.concatenate([np.linalg.norm(b, axis=1) for _, b in centered.blocks()])
        return np.where(norms > 0, norms, 1).astype(self.working)


def normalize_vectors(table: EmbeddingTable, normalize: Normalize = "none") -> NormalizedVectors:
    """Measure a table's range and mean in one pass and return its vectors as a method sees them.

    Raises:
        ParameterError: If `normalize` is not one of the three.
        LoadError: If a row holds NaN or infinity.
    """
    if normalize not in get_args(Normalize):
        choices = ", ".join(get_args(Normalize))
        raise ParameterError("normalize", f"'{normalize}' is not one of {choices}")
    working = working_type(table.vectors.dtype)
    peak, mean = _peak_and_mean(table, working, 1.0)
    unit = 1.0
    if peak > LARGEST or 0 < peak < SMALLEST:
        unit = 2.0 ** max(-1000, math.frexp(peak)[1])
        _, mean = _peak_and_mean(table, working, unit)
    return NormalizedVectors(table, normalize, unit, mean, working)


def _peak_and_mean(
    table: EmbeddingTable, working: type[np.floating[Any]], unit: float
) -> tuple[float, NDArray[np.float64]]:
    """Return the largest magnitude (raw) and the mean (in `unit`), float64 (n_dims,)."""
    peak, total = 0.0, np.zeros(table.n_dims)
    for _, block in table.blocks(working):
        peak = max(peak, float(block.max()), -float(block.min()))
        scaled = block * working(1 / unit) if unit != 1 else block
        with np.errstate(over="ignore", invalid="ignore"):
            total += np.ones(len(block), working) @ scaled
    return peak, total / table.n_points


def unit_rows(rows: Floats) -> Floats:
    """Return rows divided by their norms; a zero row stays zero, the smallest norm counts.

    Args:
        rows: float (n, n_dims), whatever its range; not changed.
    """
    with np.errstate(over="ignore", under="ignore"):
        squares = np.einsum("ij,ij->i", rows, rows)
    limits = np.finfo(rows.dtype)
    odd = np.flatnonzero((squares < limits.tiny / limits.eps) | ~np.isfinite(squares))
    norms = np.sqrt(squares)
    norms[odd] = 1
    out: Floats = rows / norms[:, None]
    if len(odd):
        peaks = np.abs(rows[odd]).max(axis=1, keepdims=True)
        some = rows[odd] / np.where(peaks > 0, peaks, 1)
        lengths = np.linalg.norm(some, axis=1, keepdims=True)
        out[odd] = some / np.where(lengths > 0, lengths, 1)
    return out
