"""How the input's vectors travel in the page, so that it can find neighbors and draw axes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable
from embviz.report.blocks import Block, Steps, array_block, compress

PRECISIONS = ("auto", "float32", "float16", "int8", "none")
# The whole page stays below 25 MB where it can; the rest is Plotly, coordinates and labels.
PAGE_BYTES = 25_000_000
_SAMPLE_BYTES = 1 << 20
# Coordinates on an axis typed in the page are those of the command line, to this share of the span.
AXIS_ERROR = 1e-4
log = logging.getLogger("embviz")


@dataclass(frozen=True)
class PackedVectors:
    """The blocks of the vectors, and what the manifest and the reader are told about them."""

    blocks: tuple[Block, ...]
    entry: dict[str, Any] | None
    note: str


def pack_vectors(table: EmbeddingTable, precision: str, budget: int) -> PackedVectors:
    """Encode a table's vectors at a precision, or at the best one that fits.

    Args:
        table: The points that travel.
        precision: One of `PRECISIONS`; `auto` takes the first of exact, float16, int8 and none
            that is estimated to fit.
        budget: Bytes of text that the vectors may take under `auto`.

    Raises:
        ParameterError: If the precision is unknown.
    """
    if precision not in PRECISIONS:
        raise ParameterError("--vectors", f"'{precision}' is not one of {', '.join(PRECISIONS)}")
    if precision == "none":
        return PackedVectors((), None, "Vectors were left out (--vectors none)")
    exact = _exact_dtype(table.vectors.dtype)
    tried = ["exact", "float16", "int8"] if precision == "auto" else [precision]
    if tried[0] in ("exact", "float32") and table.vectors.dtype == np.float32:
        values = _few_values(table)
        if values is not None and (precision != "auto" or _estimate_codes(table) <= budget):
            return _pack_codes(table, values)
    for choice in tried:
        if choice == "float16":
            for coder in _two_byte_coders(table):
                size = _estimate_coded(table, coder)
                if _estimate(table, "exact", 0) <= size:
                    return _pack_exact(table, exact)  # no larger, and right
                if precision != "auto" or size <= budget:
                    return _pack_coded(table, coder)
        elif precision != "auto" or _estimate(table, choice, budget) <= budget:
            if choice == "int8":
                return _pack_int8(table)
            return _pack_exact(table, exact if choice == "exact" else "float32")
    note = (
        f"Vectors were left out: {table.n_points:,} × {table.n_dims} would make the page larger "
        f"than {PAGE_BYTES // 1_000_000} MB; --vectors int8 puts them in"
    )
    log.info("%s", note)
    return PackedVectors((), None, note)


def _exact_dtype(dtype: np.dtype[Any]) -> str:
    """Return the smallest page dtype that holds every value of a stored dtype, else float32."""
    if dtype.kind == "b" or (dtype.kind == "u" and dtype.itemsize == 1):
        return "uint8"
    if dtype.kind == "i" and dtype.itemsize == 1:
        return "int8"
    return "float16" if dtype == np.float16 else "float32"


def _estimate(table: EmbeddingTable, choice: str, budget: int) -> int:
    """Return the bytes of text that a precision would take, from a spread sample of rows."""
    kind = _exact_dtype(table.vectors.dtype) if choice == "exact" else choice
    width = np.dtype(kind).itemsize * table.n_dims
    most = width * table.n_points * 137 // 100  # base64 of what does not compress
    if most <= budget:
        return most
    sample = _sample(table, width)
    packed = _quantize(sample)[0] if choice == "int8" else _cast(sample, kind)
    return _size_of(packed, table.n_points)


def _estimate_codes(table: EmbeddingTable) -> int:
    sample = _sample(table, table.n_dims).astype(np.float32)
    return _size_of(np.searchsorted(np.unique(sample), sample).astype(np.uint8), table.n_points)


def _sample(table: EmbeddingTable, width: int) -> NDArray[np.float64]:
    """Return rows spread over the table, about a megabyte at `width` bytes a row."""
    n = max(1, min(table.n_points, _SAMPLE_BYTES // width))
    rows = np.unique(np.linspace(0, table.n_points - 1, n).astype(np.int64))
    return table.take_block(rows, np.float64).astype(np.float64, copy=False)


def _size_of(packed: NDArray[Any], n_points: int) -> int:
    """Return the characters that n_points rows like these take in the page."""
    planes = packed.view(np.uint8).reshape(-1, packed.dtype.itemsize).T
    return int(len(compress(np.ascontiguousarray(planes).tobytes())) * n_points / len(packed))


def _cast(block: NDArray[Any], kind: str) -> NDArray[Any]:
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(block, dtype=np.dtype(kind).newbyteorder("<"))


def _scale(table: EmbeddingTable, limit: float) -> float:
    """Return a power of two that brings the largest magnitude under a limit; 1 where it is."""
    largest = max(
        (float(np.abs(block).max()) for _, block in table.blocks(np.float64)), default=0.0
    )
    return 1.0 if largest <= limit else float(2.0 ** np.ceil(np.log2(largest / limit)))


def _few_values(table: EmbeddingTable) -> NDArray[np.float32] | None:
    """Return the float32 values, sorted, if no more than 256 occur, as in scaled 8-bit images."""
    known: NDArray[np.float32] = np.empty(0, np.float32)
    for _, block in table.blocks(np.float32, 1 << 20):
        known = np.union1d(known, block)
        if len(known) > 256:
            return None
    return known


def _pack_codes(table: EmbeddingTable, values: NDArray[np.float32]) -> PackedVectors:
    """Pack one byte a value, its place among the few that occur."""
    out = np.empty(table.vectors.shape, np.uint8)
    for start, block in table.blocks(np.float32):
        out[start : start + len(block)] = np.searchsorted(values, block)
    entry = {"precision": "float32", "exact": True, "scale": 1.0, "error": 0.0}
    codes = array_block("vectors", out, values=[float(v) for v in values])
    return PackedVectors((codes,), entry, "Vectors travel as float32, exactly")


def _pack_exact(table: EmbeddingTable, kind: str) -> PackedVectors:
    # float64 beyond float32's range is divided by a power of two, which the page multiplies back.
    scale = _scale(table, 1e38) if kind == "float32" and table.vectors.dtype.itemsize > 4 else 1.0
    out = np.empty(table.vectors.shape, np.dtype(kind))
    for start, block in table.blocks(np.float64):
        out[start : start + len(block)] = block / scale
    rounded = table.vectors.dtype.itemsize > np.dtype(kind).itemsize
    note = f"Vectors travel as {kind}" + (", rounded from a wider type" if rounded else ", exactly")
    entry = {"precision": kind, "exact": not rounded, "scale": scale, "error": 0.0}
    return PackedVectors((array_block("vectors", out),), entry, note)


@dataclass(frozen=True, eq=False)
class _Coder:
    """How values divided by a power of two travel: as steps, or as IEEE 754 half precision."""

    scale: float
    steps: Steps | None = None

    def encode(self, block: NDArray[Any]) -> NDArray[Any]:
        scaled = block / self.scale
        return self.steps.encode(scaled) if self.steps else scaled.astype(np.float16)

    def decode(self, stored: NDArray[Any]) -> NDArray[np.float64]:
        values = self.steps.decode(stored) if self.steps else stored
        return values.astype(np.float64) * self.scale

    @property
    def note(self) -> str:
        if self.steps is None:
            return ""
        wide = self.steps.bits > 16
        return ", in 24 bits a number" if wide else ", in 65,536 steps a dimension"


def _two_byte_coders(table: EmbeddingTable) -> list[_Coder]:
    """Return the ways to send vectors at two bytes a number, the best first.

    Where an axis typed in the page would be off by more than `AXIS_ERROR` of its span, three
    bytes a number come first. That is so for values far from zero or with a few far outside.
    """
    scale = _scale(table, 3e4)
    low = np.full(table.n_dims, np.inf)
    high = np.full(table.n_dims, -np.inf)
    for _, block in table.blocks(np.float64):
        np.minimum(low, block.min(axis=0), out=low)
        np.maximum(high, block.max(axis=0), out=high)

    def stepped(bits: int) -> _Coder:
        return _Coder(scale, Steps.spanning(low / scale, high / scale, bits))

    sample = _sample(table, 2 * table.n_dims)
    narrow = [stepped(16), _Coder(scale)]
    off = [_axis_error(sample, coder) for coder in narrow]
    best = narrow[int(np.argmin(off))]
    if min(off) <= AXIS_ERROR / 2:
        return [best]
    wide = stepped(24)
    return [wide, best] if _axis_error(sample, wide) < min(off) / 2 else [best]


def _axis_error(sample: NDArray[np.float64], coder: _Coder) -> float:
    """Return how far coordinates on an axis between two points are off, as a share of its span.

    The largest of 64 pairs of the sample, those apart; near duplicates have no firm direction.
    """
    exact, back = sample / coder.scale, coder.decode(coder.encode(sample)) / coder.scale
    rng = np.random.default_rng(0)
    start, end = rng.integers(0, len(sample), (2, 256))
    apart = np.linalg.norm(exact[end] - exact[start], axis=1)
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


def _estimate_coded(table: EmbeddingTable, coder: _Coder) -> int:
    return _size_of(coder.encode(_sample(table, 2 * table.n_dims)), table.n_points)


def _pack_coded(table: EmbeddingTable, coder: _Coder) -> PackedVectors:
    """Pack two bytes a number, or three; the error is relative to a row's norm."""
    out = np.empty(table.vectors.shape, coder.encode(np.zeros((1, table.n_dims))).dtype)
    worst = 0.0
    for start, block in table.blocks(np.float64):
        stored = coder.encode(block)
        out[start : start + len(block)] = stored
        worst = max(worst, _row_error(block / coder.scale, coder.decode(stored) / coder.scale))
    note = f"Vectors travel as float16{coder.note}: each is within {worst:.2g} of its length"
    off = _axis_error(_sample(table, 2 * table.n_dims), coder)
    if off > AXIS_ERROR:
        note += f", axes typed here within {off:.1g} of their span"
    entry = {
        "precision": "float16",
        "exact": False,
        "scale": coder.scale,
        "error": float(f"{worst:.2g}"),
    }
    said = coder.steps.entry() if coder.steps else {}
    return PackedVectors((array_block("vectors", out, **said),), entry, note)


def _row_error(block: NDArray[Any], back: NDArray[Any]) -> float:
    """Return the largest error of a row relative to its norm."""
    norm = np.sqrt(np.einsum("ij,ij->i", block, block))
    error = np.sqrt(np.square(back - block).sum(axis=1))
    return float((error / np.where(norm > 0, norm, 1)).max())


def _pack_int8(table: EmbeddingTable) -> PackedVectors:
    """Pack a byte a number and a scale a row; the error is relative to a row's norm."""
    out = np.empty(table.vectors.shape, np.int8)
    scales = np.ones(table.n_points, np.float32)
    scale = _scale(table, 1e30)
    worst = 0.0
    for start, block in table.blocks(np.float64):
        stop = start + len(block)
        scaled = block / scale
        out[start:stop], scales[start:stop] = _quantize(scaled)
        back = out[start:stop] * scales[start:stop, None].astype(np.float64)
        worst = max(worst, _row_error(scaled, back))
    blocks = (array_block("vectors", out), array_block("vector_scales", scales))
    error = float(f"{worst:.2g}")
    note = f"Vectors travel as int8: each is within {error:g} of its length"
    return PackedVectors(
        blocks, {"precision": "int8", "exact": False, "scale": scale, "error": error}, note
    )


def _quantize(block: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 steps and the float32 step of each row."""
    largest = np.abs(block).max(axis=1)
    scale = np.where(largest > 0, largest / 127, 1.0).astype(np.float32)
    return np.rint(block / scale[:, None].astype(np.float64)).astype(np.int8), scale
