"""How the input's vectors travel in the page, so that it can find neighbors and draw axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError
from embviz.kernels import count_cores
from embviz.model import EmbeddingTable
from embviz.report.blocks import Block, Steps
from embviz.report.budget import Level, Made, Offer
from embviz.report.coders import (
    Coder,
    Few,
    Plain,
    RowSteps,
    Stepped,
    Stored,
    axis_error,
    fitting_exponent,
    row_error,
)
from embviz.report.shell import block_size
from embviz.rows import release_pages
from embviz.space import Space, divide, open_space

PRECISIONS = ("auto", "float32", "float16", "int8", "neighbors", "none")
UNSENT = ("neighbors", "none")
"""Those at which no vectors travel: the nearest neighbors of each point instead, or nothing."""
_SAMPLE_BYTES = 1 << 20
_FEW_BYTES = 1 << 16
_CACHED_NUMBERS = 1 << 17  # In a batch of rows, which each step finds in the cache.
# Coordinates on an axis typed in the page are those of the command line, to this share of the span.
AXIS_ERROR = 1e-4
LOST = 0.5  # A row that is off by so much of its length has lost its direction.
WHOLE_FLOATS = 2.0**53  # From there on, float64 does not hold every whole number.


@dataclass(frozen=True, eq=False)
class State:
    """Points whose vectors travel: those of a report, or of one of its steps.

    Attributes:
        table: The points that are there.
        known: What `open_space` gave, where it was opened before.
        suffix: What the names of their blocks end with.
    """

    table: EmbeddingTable
    known: Space | None = None
    suffix: str = ""

    @cached_property
    def space(self) -> Space:
        """The table, opened."""
        return open_space(self.table, known=self.known)

    @cached_property
    def coders(self) -> dict[str, Coder]:
        """The ways to send the vectors, by the names of `LEVELS`."""
        exact = self._exact
        *wide, narrow = _two_byte_coders(self.space)
        found = {"wide": wide[0] if wide else narrow, "narrow": narrow, "int8": self.int8}
        most = _estimate(self.table, exact)
        # What is no smaller is not taken, as the exact numbers are right.
        better = {n: exact if most <= _estimate(self.table, c) else c for n, c in found.items()}
        return {"exact": exact, **better}

    @property
    def int8(self) -> Coder:
        """The way to send them in a byte a number."""
        return RowSteps(fitting_exponent(self.space.extent.peak, 2.0**-60, 1e30))

    @property
    def float32(self) -> Coder:
        """The way to send them as float32."""
        values = _few_values(self.table)
        return _float32_coder(self.space) if values is None else Few(values)

    @cached_property
    def _exact(self) -> Coder:
        values = _few_values(self.table)
        return _exact_coder(self.space) if values is None else Few(values)


LEVELS = {"exact": 4, "wide": 3, "narrow": 2, "int8": 1}
"""Ways to send vectors, the most faithful first, and the bytes a number that they take at most."""
VECTORS, EXACT = "vectors", "exact vectors"
"""The names of the offers."""


def vector_offers(states: Sequence[State], precision: str) -> tuple[list[Offer], list[Offer]]:
    """Return what is offered of the vectors of all states: those of all travel, or of none.

    Args:
        states: One, or each step of a run or a side of a comparison.
        precision: One of `PRECISIONS`; `auto` leaves the choice to the budget.

    Returns:
        What is offered first, and last of all.

    Raises:
        ParameterError: If the precision is unknown.
    """
    if precision not in PRECISIONS:
        raise ParameterError("--vectors", f"'{precision}' is not one of {', '.join(PRECISIONS)}")
    if precision in UNSENT:
        return [], []
    if precision != "auto":
        return [Offer(VECTORS, (_asked_for(states, precision),), is_needed=True)], []
    first = tuple(_level(states, name) for name in LEVELS if name != "exact")
    return [Offer(VECTORS, first)], [Offer(EXACT, (_level(states, "exact"),), better=VECTORS)]


def _level(states: Sequence[State], name: str) -> Level:
    """Return the level at which the vectors of all states travel in one way."""

    def make() -> Made | None:
        return _encode_all(states, [state.coders[name] for state in states], least=LOST)

    def guess() -> int:
        return sum(_estimate(state.table, state.coders[name]) for state in states)

    return Level(sum(_bound(state.table, LEVELS[name]) for state in states), guess, make)


def _asked_for(states: Sequence[State], precision: str) -> Level:
    """Return the level of a precision that was asked for, however large it is."""

    def coder(state: State) -> Coder:
        if precision == "float16":
            return state.coders["wide"]
        return state.float32 if precision == "float32" else state.int8

    def make() -> Made | None:
        return _encode_all(states, list(map(coder, states)))

    def guess() -> int:
        return sum(_estimate(state.table, coder(state)) for state in states)

    return Level(sum(_bound(state.table, 4) for state in states), guess, make)


def _encode_all(
    states: Sequence[State], coders: Sequence[Coder], least: float = math.inf
) -> Made | None:
    """Return the vectors of all states; None where rows lose their direction.

    Args:
        states: Whose vectors are encoded.
        coders: How, one a state.
        least: The error, as a share of a row's length, from which on they are of no use.
    """
    blocks: list[Block] = []
    entries = []
    for state, coder in zip(states, coders, strict=True):
        stored, error, same = _encode(state.space, coder)
        if error >= least:
            return None
        own = [replace(b, name=b.name + state.suffix) for b in coder.blocks(stored)]
        blocks += own
        told = _told(state.space, coder, error, same)
        entries.append({**told, "blocks": [block.name for block in own]})
    return Made(tuple(blocks), entries)


def _exact_coder(space: Space) -> Coder:
    """Return the smallest numbers that hold every value of a stored dtype, else float32."""
    dtype = space.table.vectors.dtype
    if dtype.kind == "b" or (dtype.kind == "u" and dtype.itemsize == 1):
        return Plain("uint8")
    if dtype.kind == "i" and dtype.itemsize == 1:
        return Plain("int8")
    return Plain("float16") if dtype == np.float16 else _float32_coder(space)


def _float32_coder(space: Space) -> Coder:
    return Plain("float32", fitting_exponent(space.extent.peak, 2.0**-100, 1e38))


def _few_values(table: EmbeddingTable) -> NDArray[np.float32] | None:
    """Return the float32 values, sorted, if no more than 256 occur, as in scaled 8-bit images."""
    if table.vectors.dtype != np.float32:
        return None
    known: NDArray[np.float32] = np.empty(0, np.float32)
    for _, block in table.blocks(np.float32, _FEW_BYTES):
        known = np.union1d(known, block)
        if len(known) > 256:
            return None
    return known


def _two_byte_coders(space: Space) -> list[Coder]:
    """Return the ways to send vectors at two bytes a number, the best first.

    Where an axis typed in the page would be off by more than `AXIS_ERROR` of its span, three
    bytes a number come first. That is so for values far from zero or with a few far outside.
    """
    exponent = fitting_exponent(space.extent.peak, 2.0**-10, 3e4)
    low, high = (divide(end, exponent) for end in (space.extent.low, space.extent.high))

    def stepped(bits: int) -> Coder:
        return Stepped(Steps.spanning(low, high, bits), exponent)

    sample = _sample(space.table, 2 * space.table.n_dims)
    narrow: list[Coder] = [stepped(16), Plain("float16", exponent)]
    off = [axis_error(sample, coder) for coder in narrow]
    best = narrow[int(np.argmin(off))]
    if min(off) <= AXIS_ERROR / 2:
        return [best]
    wide = stepped(24)
    return [wide, best] if axis_error(sample, wide) < min(off) / 2 else [best]


def _bound(table: EmbeddingTable, width: int) -> int:
    """Return the bytes at most that vectors take at some bytes a number."""
    each = width * table.n_dims + 4
    return table.n_points * each * 134 // 100 + 60 * table.n_dims + 10_000


def _estimate(table: EmbeddingTable, coder: Coder) -> int:
    """Return the bytes that vectors would take, from a spread sample of rows."""
    empty = coder.encode(np.zeros((1, table.n_dims)))[0]
    width = empty.dtype.itemsize * table.n_dims
    # As many rows whether steps take two bytes or three.
    sample = _sample(table, min(width, 2 * table.n_dims) if empty.dtype.kind == "u" else width)
    blocks = coder.blocks(coder.encode(divide(sample, coder.exponent)))
    texts = sum(len(block.text) for block in blocks)
    told = sum(map(block_size, blocks)) - texts
    return int(texts * table.n_points / len(sample)) + told


def _sample(table: EmbeddingTable, width: int) -> NDArray[np.float64]:
    """Return rows spread over the table, about a megabyte at `width` bytes a row."""
    n = max(1, min(table.n_points, _SAMPLE_BYTES // width))
    rows = np.unique(np.linspace(0, table.n_points - 1, n).astype(np.int64))
    return table.take_block(rows, np.float64).astype(np.float64, copy=False)


def _encode(space: Space, coder: Coder) -> tuple[Stored, float, bool]:
    """Return all rows as stored, their largest error, and whether they come back as they are."""
    table, rounded = space.table, _beyond_float64(space)
    like = coder.encode(np.zeros((1, table.n_dims)))
    out = tuple(np.empty((table.n_points, *a.shape[1:]), a.dtype) for a in like)
    step = max(1, _CACHED_NUMBERS // table.n_dims)

    def encode(first: int) -> tuple[float, bool]:
        part = slice(first, min(first + step, table.n_points))
        block = table.take_block(part, np.float64)
        rows = np.asarray(divide(block, coder.exponent), dtype=np.float64)
        stored = coder.encode(rows)
        for whole, some in zip(out, stored, strict=True):
            whole[part] = some
        back = coder.decode(stored)
        release_pages(table.vectors, part)
        same = bool((np.ldexp(back, coder.exponent) == block).all())
        return row_error(rows, back), same

    with ThreadPoolExecutor(count_cores()) as pool:
        errors, same = zip(*pool.map(encode, range(0, table.n_points, step)), strict=True)
    least = float(np.finfo(np.float64).eps) if rounded else 0.0
    return out, max(least, *errors), not rounded and all(same)


def _beyond_float64(space: Space) -> bool:
    """Tell whether float64 may have rounded the vectors already."""
    dtype = space.table.vectors.dtype
    if dtype.kind in "iu":
        return space.extent.peak >= WHOLE_FLOATS
    return dtype.kind == "f" and dtype.itemsize > 8


def _told(space: Space, coder: Coder, error: float, same: bool) -> dict[str, Any]:
    """Return what the manifest says of vectors."""
    note = f"Vectors travel as {coder.precision}"
    if same:
        note += ", exactly"
    else:
        wide = coder.precision == "float32"
        note += f", rounded from {space.table.vectors.dtype.name}" if wide else coder.note
        note += f": each is within {error:.2g} of its length"
    if coder.precision == "float16" and not same:
        off = axis_error(_sample(space.table, 2 * space.table.n_dims), coder)
        if off > AXIS_ERROR:
            note += f", axes typed here within {off:.1g} of their span"
    entry = {
        "precision": coder.precision,
        "exact": same,
        "scale": 2.0**coder.exponent,
        "error": float(f"{error:.2g}"),
    }
    return {"vectors": entry, "vectors_note": note}
