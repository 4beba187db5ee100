"""How the input's vectors travel in the page, so that it can find neighbors and draw axes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable
from embviz.report.blocks import STEPS, Block, array_block, compress

PRECISIONS = ("auto", "float32", "float16", "int8", "none")
# The whole page stays below 25 MB where it can; the rest is Plotly, coordinates and labels.
PAGE_BYTES = 25_000_000
_SAMPLE_BYTES = 1 << 20
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
        if precision == "auto" and _estimate(table, choice, budget) > budget:
            continue
        if choice in ("exact", "float32"):
            return _pack_exact(table, exact if choice == "exact" else "float32")
        return _pack_lossy(table, choice)
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


def _pack_lossy(table: EmbeddingTable, kind: str) -> PackedVectors:
    """Pack two bytes or one byte a number. The error is relative to a row's norm.

    Two bytes are float16, or steps of each dimension's span where those are nearer, as they are
    unless single values lie far off; int8 has a scale a row.
    """
    if kind == "int8":
        scale, steps = 1.0, None
    else:
        scale = _scale(table, 3e4)
        steps = _nearer_steps(table, scale)
    stored = np.dtype(np.uint16 if steps else kind)
    out = np.empty(table.vectors.shape, stored)
    scales = np.ones(table.n_points, np.float32)
    worst = 0.0
    for start, block in table.blocks(np.float64):
        stop = start + len(block)
        if kind == "int8":
            out[start:stop], scales[start:stop] = _quantize(block)
            back = out[start:stop] * scales[start:stop, None].astype(np.float64)
        elif steps:
            out[start:stop] = steps.encode(np.divide(block, scale, dtype=np.float64))
            back = steps.decode(out[start:stop]) * scale
        else:
            out[start:stop] = block / scale
            back = out[start:stop].astype(np.float64) * scale
        norm = np.sqrt(np.einsum("ij,ij->i", block, block))
        error = np.sqrt(np.square(back - block).sum(axis=1))
        worst = max(worst, float((error / np.where(norm > 0, norm, 1)).max()))
    said = steps.entry() if steps else {}
    blocks = [array_block("vectors", out, **said)]
    if kind == "int8":
        blocks.append(array_block("vector_scales", scales))
    error = float(f"{worst:.2g}")
    how = ", in 65,536 steps a dimension, which is nearer" if steps else ""
    note = f"Vectors travel as {kind}{how}: each is within {error:g} of its length"
    entry = {"precision": kind, "exact": False, "scale": scale, "error": error}
    return PackedVectors(tuple(blocks), entry, note)


@dataclass(frozen=True, eq=False)
class _Steps:
    """65,536 even steps from the least to the largest value of each dimension."""

    low: NDArray[np.float64]
    step: NDArray[np.float64]

    def encode(self, block: NDArray[np.float64]) -> NDArray[np.uint16]:
        return np.rint((block - self.low) / self.step).clip(0, STEPS).astype(np.uint16)

    def decode(self, steps: NDArray[np.uint16]) -> NDArray[np.float64]:
        return self.low + steps * self.step

    def entry(self) -> dict[str, list[float]]:
        return {"offset": self.low.tolist(), "step": self.step.tolist()}


def _nearer_steps(table: EmbeddingTable, scale: float) -> _Steps | None:
    """Return steps where they stand for a sample of rows better than float16 does."""
    low = np.full(table.n_dims, np.inf)
    high = np.full(table.n_dims, -np.inf)
    for _, block in table.blocks(np.float64):
        np.minimum(low, block.min(axis=0), out=low)
        np.maximum(high, block.max(axis=0), out=high)
    low, span = low / scale, (high - low) / scale
    steps = _Steps(low, np.where(span > 0, span / STEPS, 1.0))
    sample = _sample(table, 2 * table.n_dims) / scale
    length = np.square(sample).sum(axis=1)
    sample, length = sample[length > 0], length[length > 0]

    def off(back: NDArray[np.float64]) -> float:
        return float((np.square(back - sample).sum(axis=1) / length).sum())

    halves = sample.astype(np.float16).astype(np.float64)
    return steps if off(steps.decode(steps.encode(sample))) < off(halves) else None


def _quantize(block: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 steps and the float32 step of each row."""
    largest = np.abs(block).max(axis=1)
    scale = np.where(largest > 0, largest / 127, 1.0).astype(np.float32)
    return np.rint(block / scale[:, None].astype(np.float64)).astype(np.int8), scale
