"""How the input's vectors travel in the page, so that it can find neighbors and draw axes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError, printable
from embviz.model import EmbeddingTable
from embviz.report.blocks import Block, Steps, compress
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
from embviz.space import Space, divide, open_space

PRECISIONS = ("auto", "float32", "float16", "int8", "none")
# The whole page stays below 25 MB where it can; the rest is Plotly, coordinates and labels.
PAGE_BYTES = 25_000_000
_SAMPLE_BYTES = 1 << 20
_FEW_BYTES = 1 << 16
# Coordinates on an axis typed in the page are those of the command line, to this share of the span.
AXIS_ERROR = 1e-4
LOST = 0.5  # A row that is off by so much of its length has lost its direction.
WHOLE_FLOATS = 2.0**53  # From there on, float64 does not hold every whole number.
log = logging.getLogger("embviz")


@dataclass(frozen=True)
class PackedVectors:
    """The blocks of the vectors, and what the manifest and the reader are told about them."""

    blocks: tuple[Block, ...]
    entry: dict[str, Any] | None
    note: str


def pack_vectors(
    table: EmbeddingTable,
    precision: str,
    budget: int,
    space: Space | None = None,
    largest: tuple[str, int] = ("", 0),
) -> PackedVectors:
    """Encode a table's vectors at a precision, or at the best one that fits.

    Args:
        table: The points that travel.
        precision: One of `PRECISIONS`; `auto` takes the first of exact, float16, int8 and none
            that is estimated to fit.
        budget: Bytes of text that the vectors may take under `auto`.
        space: What `open_space` gave, where it was opened before.
        largest: The metadata column that takes most of the page, and its bytes of text.

    Raises:
        ParameterError: If the precision is unknown.
    """
    if precision not in PRECISIONS:
        raise ParameterError("--vectors", f"'{precision}' is not one of {', '.join(PRECISIONS)}")
    if precision == "none":
        return PackedVectors((), None, "Vectors were left out (--vectors none)")
    space = open_space(table, known=space)
    why, way = _too_large(table), "--vectors int8 puts them in"
    name, taken = largest
    if taken > PAGE_BYTES // 3:
        why = (
            f"column '{printable(name, 60)}' takes {taken / 1e6:.0f} MB of a page that should have "
            f"{PAGE_BYTES // 1_000_000}"
        )
        way += ", or shorten that column or leave it out of the metadata"
    exact = _exact_coder(space)
    for coder in _coders(space, precision):
        size = _estimate(table, coder, budget)
        if precision == "auto" and size > budget:
            continue
        if coder.precision == "float16" and _estimate(table, exact, 0) <= size:
            coder = exact  # No larger, and right.
        stored, error, same = _encode(space, coder)
        if precision != "auto" or error < LOST:
            return _packed(space, coder, stored, error, same)
        why, way = "the lengths of their rows fit no number format together", "divide the rows"
    note = f"Vectors were left out: {why}; {way}"
    log.info("%s", note)
    return PackedVectors((), None, note)


def _too_large(table: EmbeddingTable) -> str:
    most = f"{PAGE_BYTES // 1_000_000} MB"
    return f"{table.n_points:,} × {table.n_dims} would make the page larger than {most}"


def _coders(space: Space, precision: str) -> Iterator[Coder]:
    """Yield the ways to send vectors at a precision, the most faithful first."""
    if precision in ("auto", "float32"):
        values = _few_values(space.table)
        if values is not None:
            yield Few(values)
        yield _exact_coder(space) if precision == "auto" else _float32_coder(space)
    if precision in ("auto", "float16"):
        yield from _two_byte_coders(space)
    if precision in ("auto", "int8"):
        yield RowSteps(fitting_exponent(space.extent.peak, 2.0**-60, 1e30))


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


def _estimate(table: EmbeddingTable, coder: Coder, budget: int) -> int:
    """Return the bytes of text that vectors would take, from a spread sample of rows."""
    empty = coder.encode(np.zeros((1, table.n_dims)))[0]
    width = empty.dtype.itemsize * table.n_dims
    most = width * table.n_points * 137 // 100  # base64 of what does not compress
    if most <= budget and coder.precision != "float16":
        return most
    # As many rows whether steps take two bytes or three.
    sample = _sample(table, min(width, 2 * table.n_dims) if empty.dtype.kind == "u" else width)
    packed = coder.encode(divide(sample, coder.exponent))[0]
    planes = packed.view(np.uint8).reshape(-1, packed.dtype.itemsize).T
    return int(len(compress(np.ascontiguousarray(planes).tobytes())) * table.n_points / len(packed))


def _sample(table: EmbeddingTable, width: int) -> NDArray[np.float64]:
    """Return rows spread over the table, about a megabyte at `width` bytes a row."""
    n = max(1, min(table.n_points, _SAMPLE_BYTES // width))
    rows = np.unique(np.linspace(0, table.n_points - 1, n).astype(np.int64))
    return table.take_block(rows, np.float64).astype(np.float64, copy=False)


def _encode(space: Space, coder: Coder) -> tuple[Stored, float, bool]:
    """Return all rows as stored, their largest error, and whether they come back as they are."""
    out: Stored = ()
    rounded = _beyond_float64(space)
    worst, same = float(np.finfo(np.float64).eps) if rounded else 0.0, not rounded
    for start, block in space.table.blocks(np.float64):
        rows = np.asarray(divide(block, coder.exponent), dtype=np.float64)
        stored = coder.encode(rows)
        out = out or tuple(np.empty((space.shape[0], *a.shape[1:]), a.dtype) for a in stored)
        for whole, part in zip(out, stored, strict=True):
            whole[start : start + len(rows)] = part
        back = coder.decode(stored)
        worst = max(worst, row_error(rows, back))
        same = same and bool((np.ldexp(back, coder.exponent) == block).all())
    return out, worst, same


def _beyond_float64(space: Space) -> bool:
    """Tell whether float64 may have rounded the vectors already."""
    dtype = space.table.vectors.dtype
    if dtype.kind in "iu":
        return space.extent.peak >= WHOLE_FLOATS
    return dtype.kind == "f" and dtype.itemsize > 8


def _packed(space: Space, coder: Coder, stored: Stored, error: float, same: bool) -> PackedVectors:
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
    return PackedVectors(coder.blocks(stored), entry, note)
