"""The vectors as a method sees them: in a safe range, centered or spherized, block by block."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast, get_args

import numpy as np
from numpy.typing import NDArray

from embviz.devices import Arrays, Device, choose_device
from embviz.errors import ParameterError
from embviz.kernels import map_in_order
from embviz.model import EmbeddingTable
from embviz.moments import Moments
from embviz.rows import BLOCK_BYTES

log = logging.getLogger("embviz")

Normalize = Literal["none", "center", "sphere"]
Floats = NDArray[np.floating[Any]]
Kind = type[np.floating[Any]]
T = TypeVar("T")
F = TypeVar("F", bound=NDArray[np.floating[Any]])

# Squares of values in this range, and sums of a million of them, fit float32.
SMALLEST, LARGEST = 2.0**-40, 2.0**40


def working_type(dtype: np.dtype[Any]) -> Kind:
    """Return the float type that holds every value of a dtype: float32 or float64."""
    wide = dtype.itemsize > 4 or (dtype.kind in "iu" and dtype.itemsize > 2)
    return np.float64 if wide else np.float32


def safe_exponent(peak: float) -> int:
    """Return k such that values of magnitude `peak` over 2^k are near 1: the safe unit.

    0 where their squares fit float32 as they are. Dividing by a power of two is exact but for what
    underflows, and `divide` does so also where 1 / 2^k is beyond the type.

    Args:
        peak: The largest magnitude, finite, from the least number of float64 on.
    """
    if peak == 0 or SMALLEST <= peak <= LARGEST:
        return 0
    return min(math.frexp(peak)[1], 1023)


def divide(values: F, exponent: int) -> F:
    """Return values over 2^exponent, in their own type; the same array where exponent is 0."""
    return values if exponent == 0 else cast(F, np.ldexp(values, -exponent))


@dataclass(frozen=True, eq=False)
class Extent:
    """How far a table's vectors reach.

    Attributes:
        low: float64 (n_dims,), the least value of each column.
        high: float64 (n_dims,), the largest.
        exponent: Of the safe unit 2^exponent.
        mean: float64 (n_dims,), the mean of all rows, over the unit.
        mean_square: The mean of the rows' squared norms, over the squared unit.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    exponent: int
    mean: NDArray[np.float64]
    mean_square: float

    @property
    def peak(self) -> float:
        """The largest magnitude."""
        return max(float(self.high.max()), -float(self.low.min()))


@dataclass(frozen=True, eq=False)
class Space:
    """A table's vectors divided by `unit`, then centered or spherized.

    It is made once and handed to all that look at the vectors: what it has been asked for, such as
    its moments, it keeps.

    Attributes:
        table: The raw vectors.
        normalize: `center` subtracts the mean; `sphere` also divides each row by its norm, where a
            zero row stays zero (the Embedding Projector's "spherize data").
        extent: Of the raw vectors.
        arrays: Of the card that neighbors, t-SNE and quality are computed on; None for the
            processor.
    """

    table: EmbeddingTable
    normalize: Normalize
    extent: Extent
    _kept: dict[Any, Any] = field(default_factory=dict, repr=False)
    arrays: Arrays | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.table.n_points, self.table.n_dims

    @property
    def working(self) -> Kind:
        """The float type in which the rows are read."""
        return working_type(self.table.vectors.dtype)

    @property
    def exponent(self) -> int:
        return self.extent.exponent

    @property
    def unit(self) -> float:
        """A power of two, 1.0 unless the values' squares would leave the range of float32."""
        return 2.0**self.exponent

    @property
    def rows_exponent(self) -> int:
        """Normalized rows times 2 to this are in the vectors' unit; spherized ones have none."""
        return 0 if self.normalize == "sphere" else self.exponent

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean of all raw rows, in `unit`, float64 (n_dims,)."""
        return self.extent.mean

    @property
    def center(self) -> NDArray[np.float64]:
        """A point near the middle of the normalized vectors, float64 (n_dims,)."""
        return self.mean if self.normalize == "none" else np.zeros_like(self.mean)

    def seen(self, normalize: Normalize) -> Space:
        """Return the same vectors under another normalization; each is made once."""
        if normalize == self.normalize:
            return self
        siblings: dict[str, Space] = self.keep("siblings", lambda: {self.normalize: self})
        if normalize not in siblings:
            kept = {"siblings": siblings}
            siblings[normalize] = Space(self.table, normalize, self.extent, kept, self.arrays)
        return siblings[normalize]

    def on(self, device: Device) -> Space:
        """Return the same vectors for a device to work on; on a card already, they stay on it.

        Args:
            device: As `devices.choose_device` has it.

        Raises:
            ParameterError: If there is no such device.
        """
        if device == "cpu":
            return self.with_arrays(None)
        if self.arrays is not None:
            return self
        arrays = choose_device(device, self.shape[0])
        if arrays is not None:
            text = "device: neighbors, t-SNE and quality on %s; all else on the processor"
            log.info(text, arrays.title)
        return self.with_arrays(arrays)

    def with_arrays(self, arrays: Arrays | None) -> Space:
        """Return the same vectors for arrays to work on; what was found of them is kept."""
        if arrays is self.arrays:
            return self
        kept = {name: made for name, made in self._kept.items() if name != "siblings"}
        return Space(self.table, self.normalize, self.extent, kept, arrays)

    def keep(self, name: Any, make: Callable[[], T]) -> T:
        """Return what was made under a name, or make it."""
        if name not in self._kept:
            self._kept[name] = make()
        made: T = self._kept[name]
        return made

    def moments(self, products: Kind) -> Moments:
        """Return the moments of the rows, in one pass that is made once.

        Args:
            products: The float type of the products; sums are float64.
        """
        if self.normalize == "center":  # A shift changes nothing but the mean.
            raw = self.seen("none").moments(products)
            return Moments(raw.count, raw.mean - self.mean, raw.scatter)
        return self.keep(("moments", products), lambda: self._sum_moments(products))

    def _sum_moments(self, products: Kind) -> Moments:
        total = Moments.nothing(self.shape[1])
        center = self.center
        blocks = (block for _, block in self.blocks(max(BLOCK_BYTES, 64 * self.shape[1] * 8)))
        for found in map_in_order(lambda block: Moments.of(block, center, products), blocks):
            total = total.merge(found)
        return total

    def blocks(self, block_bytes: int = BLOCK_BYTES) -> Iterator[tuple[int, Floats]]:
        """Yield (first row, block) over all rows, in the working type."""
        for start, block in self.table.blocks(self.working, block_bytes):
            yield start, self.apply(block)

    def take(self, rows: slice | NDArray[np.integer[Any]], kind: Kind | None = None) -> Floats:
        """Return some rows in the working type, or in a wider one."""
        return self.apply(self.table.take_block(rows, kind or self.working))

    def apply(self, raw: Floats) -> Floats:
        """Return raw rows (n, n_dims) of a float type, normalized; may change them in place."""
        return self._shifted(divide(raw, self.exponent), self.mean)

    def columns(self, part: slice, norms: Floats | None) -> Floats:
        """Return some columns of all rows (n_points, n), in the working type.

        Args:
            part: The columns.
            norms: What `row_norms` returned.
        """
        scaled = divide(self.table.take_columns(part, self.working), self.exponent)
        if self.normalize == "none":
            return scaled
        shifted = _subtract(scaled, self.mean[part])
        return shifted if norms is None else shifted / norms[:, None]

    def row_norms(self) -> Floats | None:
        """Return what `columns` divides each row by, (n_points,), or None for nothing."""
        if self.normalize != "sphere":
            return None
        norms = np.concatenate([np.linalg.norm(b, axis=1) for _, b in self.seen("center").blocks()])
        return np.where(norms > 0, norms, 1).astype(self.working)

    def _shifted(self, scaled: Floats, mean: NDArray[np.float64]) -> Floats:
        if self.normalize == "none":
            return scaled
        shifted = _subtract(scaled, mean)
        return unit_rows(shifted) if self.normalize == "sphere" else shifted


def _subtract(rows: Floats, mean: NDArray[np.float64]) -> Floats:
    """Return rows less a mean that is more precise than they are.

    Near the mean a difference of floats is exact, so that the part of the mean that its rounding
    to the rows' type leaves can be subtracted after it.
    """
    rough = mean.astype(rows.dtype)
    shifted: Floats = rows - rough
    rest = (mean - rough).astype(rows.dtype)
    if rest.any():
        shifted -= rest
    return shifted


def open_space(
    table: EmbeddingTable, normalize: Normalize = "none", known: Space | None = None
) -> Space:
    """Measure a table's range and mean in one pass and return its vectors as a method sees them.

    Args:
        table: The vectors.
        normalize: What is done to them.
        known: A space that was opened before; where it is of the same vectors nothing is measured.

    Raises:
        ParameterError: If `normalize` is not one of the three.
        LoadError: If a row holds NaN or infinity.
    """
    if normalize not in get_args(Normalize):
        choices = ", ".join(get_args(Normalize))
        raise ParameterError("normalize", f"'{normalize}' is not one of {choices}")
    if known is not None and known.table.vectors is table.vectors:
        return known.seen(normalize)
    return Space(table, normalize, measure_extent(table))


def measure_extent(table: EmbeddingTable) -> Extent:
    """Return how far a table's vectors reach, in one pass; a second one in an odd unit."""
    found = _measure(table, 0)
    exponent = safe_exponent(found.peak)
    return found if exponent == 0 else _measure(table, exponent)


def _measure(table: EmbeddingTable, exponent: int) -> Extent:
    low, high = np.full(table.n_dims, np.inf), np.full(table.n_dims, -np.inf)
    total, squares = np.zeros(table.n_dims), 0.0
    for _, block in table.blocks(working_type(table.vectors.dtype)):
        np.minimum(low, block.min(axis=0), out=low)
        np.maximum(high, block.max(axis=0), out=high)
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = divide(block, exponent)
            total += scaled.sum(axis=0, dtype=np.float64)
            squares += float(np.vdot(scaled, scaled))
    return Extent(low, high, exponent, total / table.n_points, squares / table.n_points)


def shown_unit(unit: float, peak: float) -> float:
    """Return 1.0 where coordinates up to `peak` in `unit` fit float32 in the vectors' own unit.

    Else `unit`, in which they are then shown.
    """
    return 1.0 if unit == 1 or peak == 0 or 1e-30 < peak * unit < 3e38 else unit


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
