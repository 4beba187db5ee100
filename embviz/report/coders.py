"""The ways in which vectors travel in the page: what is stored, and what the page makes of it.

A value is what is stored times a power of two, and times its row's step where rows have one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from embviz.neighbors.bounds import measure_lengths
from embviz.report.blocks import Block, Steps, array_block
from embviz.space import divide

Numbers = NDArray[np.float64]
Stored = tuple[NDArray[Any], ...]


class Coder(Protocol):
    """One way; `encode` and `decode` take rows over 2^exponent."""

    @property
    def precision(self) -> str:
        """What the manifest calls it."""
        ...

    @property
    def exponent(self) -> int:
        """Of the power of two that all values are divided by."""
        ...

    @property
    def note(self) -> str:
        """What the reader is told of it, beside its precision."""
        ...

    def encode(self, rows: Numbers) -> Stored:
        """Return the arrays that are stored, each with a line a row."""
        ...

    def decode(self, stored: Stored) -> Numbers:
        """Return the rows as the page has them."""
        ...

    def blocks(self, stored: Stored) -> tuple[Block, ...]:
        """Return the page's blocks of all rows."""
        ...


@dataclass(frozen=True, eq=False)
class Few:
    """A byte a number: its place among the values that occur, float32 (n,), sorted."""

    values: NDArray[np.float32]
    precision: str = "float32"
    exponent: int = 0
    note: str = ""

    def encode(self, rows: Numbers) -> Stored:
        return (np.searchsorted(self.values, rows.astype(np.float32)).astype(np.uint8),)

    def decode(self, stored: Stored) -> Numbers:
        return self.values[stored[0]].astype(np.float64)

    def blocks(self, stored: Stored) -> tuple[Block, ...]:
        return (array_block("vectors", stored[0], values=[float(v) for v in self.values]),)


@dataclass(frozen=True, eq=False)
class Plain:
    """Numbers of a NumPy type."""

    precision: str
    exponent: int = 0
    note: str = ""

    def encode(self, rows: Numbers) -> Stored:
        with np.errstate(over="ignore"):
            return (rows.astype(self.precision),)

    def decode(self, stored: Stored) -> Numbers:
        return stored[0].astype(np.float64)

    def blocks(self, stored: Stored) -> tuple[Block, ...]:
        return (array_block("vectors", stored[0]),)


@dataclass(frozen=True, eq=False)
class Stepped:
    """Even steps from the least to the largest value of each column."""

    steps: Steps
    exponent: int = 0
    precision: str = "float16"

    @property
    def note(self) -> str:
        wide = np.max(self.steps.bits) > 16
        return ", in 24 bits a number" if wide else ", in 65,536 steps a dimension"

    def encode(self, rows: Numbers) -> Stored:
        return (self.steps.encode(rows),)

    def decode(self, stored: Stored) -> Numbers:
        return self.steps.decode(stored[0]).astype(np.float64)

    def blocks(self, stored: Stored) -> tuple[Block, ...]:
        return (array_block("vectors", stored[0], **self.steps.entry()),)


@dataclass(frozen=True, eq=False)
class RowSteps:
    """A byte a number, from -127 to 127 steps, and a float32 step a row."""

    exponent: int = 0
    precision: str = "int8"
    note: str = ""

    def encode(self, rows: Numbers) -> Stored:
        wanted = np.abs(rows).max(axis=1) / 127
        steps = wanted.astype(np.float32)
        # What rounding has made smaller would need more than 127 of them.
        rough = (steps < wanted) & (steps < np.finfo(np.float32).tiny)
        steps = np.where(rough, np.nextafter(steps, np.float32(np.inf)), steps)
        steps = np.where(steps > 0, steps, np.float32(1))
        counts = np.rint(rows / steps[:, None].astype(np.float64)).clip(-127, 127)
        return counts.astype(np.int8), steps

    def decode(self, stored: Stored) -> Numbers:
        return np.asarray(stored[0] * stored[1][:, None].astype(np.float64), dtype=np.float64)

    def blocks(self, stored: Stored) -> tuple[Block, ...]:
        return array_block("vectors", stored[0]), array_block("vector_scales", stored[1])


def fitting_exponent(peak: float, least: float, largest: float) -> int:
    """Return the exponent of a power of two that brings a peak into a range; 0 where it is."""
    if peak == 0 or least <= peak <= largest:
        return 0
    if peak > largest:
        return math.ceil(math.log2(peak) - math.log2(largest))
    return math.frexp(peak)[1]


def row_error(rows: Numbers, back: Numbers) -> float:
    """Return the largest error of a row as a share of its length."""
    lengths = measure_lengths(rows)
    wrong = measure_lengths(back - rows)
    return float(np.divide(wrong, lengths, out=np.sign(wrong), where=lengths > 0).max(initial=0))


def axis_error(sample: Numbers, coder: Coder) -> float:
    """Return how far coordinates on an axis between two points are off, as a share of its span.

    The largest of 64 pairs of the sample, those apart; near duplicates have no firm direction.

    Args:
        sample: float64 (n, n_dims), vectors as they are.
        coder: How they travel.
    """
    exact = divide(sample, coder.exponent)
    back = coder.decode(coder.encode(exact))
    rng = np.random.default_rng(0)
    start, end = rng.integers(0, len(sample), (2, 256))
    apart = measure_lengths(exact[end] - exact[start])
    firm = np.flatnonzero(apart > 0.5 * np.median(apart))[:64]
    worst = 0.0
    for i in firm[apart[firm] > 0]:
        coordinates = []
        for points in (exact, back):
            direction = points[end[i]] - points[start[i]]
            coordinates.append(points @ (direction / max(np.linalg.norm(direction), 1e-300)))
        off = np.abs(coordinates[1] - coordinates[0]).max() / np.ptp(coordinates[0])
        worst = max(worst, float(off))
    return worst
