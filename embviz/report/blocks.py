"""Typed arrays and JSON as compressed text blocks of the page.

A block is little-endian bytes, gzip'd and base64'd. Arrays of more than one byte an item are stored
byte plane by byte plane ("shuffled"), which compresses better: first the lowest byte of every item,
then the next.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.kernels import count_cores
from embviz.outputs.text import to_utf8

GZIP_LEVEL = 6
_PART, _WINDOW = 1 << 22, 1 << 15
FEW_VALUES = 1 << 16
"""More numbers than these do not travel with more digits than a screen can show."""


@dataclass(frozen=True, eq=False)
class Steps:
    """Even steps from the least to the largest value of each column, in at most 16, or 24 bits.

    65,536 steps are 8e-6 of a column's span: of an axis, a hundredth of a pixel.

    Attributes:
        low: Where each column begins, float64 (n_columns,).
        step: Between values of each column that follow each other, float64 (n_columns,).
        bits: Of all columns, or of each.
    """

    low: NDArray[np.float64]
    step: NDArray[np.float64]
    bits: int | Sequence[int]

    @classmethod
    def spanning(
        cls,
        low: NDArray[np.float64],
        high: NDArray[np.float64],
        bits: int | Sequence[int] = 16,
    ) -> Steps:
        """Return the steps between two rows of values, float64 (n_columns,)."""
        span = high - low
        return cls(low, np.where(span > 0, span / (2.0 ** np.asarray(bits) - 1), 1.0), bits)

    def encode(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the nearest step of each value (…, n_columns), uint16 or uint32."""
        most = 2.0 ** np.asarray(self.bits) - 1
        steps = np.rint((values - self.low) / self.step).clip(0, most)
        return steps.astype(np.uint16 if np.max(self.bits) <= 16 else np.uint32)

    def decode(self, steps: NDArray[Any]) -> NDArray[np.float32]:
        """Return what the page makes of steps."""
        return (self.low + steps * self.step).astype(np.float32)

    def entry(self) -> dict[str, list[float]]:
        """Return what the manifest says of a block of steps."""
        return {"offset": self.low.tolist(), "step": self.step.tolist()}


@dataclass(frozen=True)
class Block:
    """One payload block: its name, what the manifest says of it, and its text."""

    name: str
    entry: dict[str, Any]
    text: str


def compress(data: bytes) -> str:
    """Return bytes gzip'd without a time stamp and base64'd."""
    packed = gzip.compress(data, GZIP_LEVEL, mtime=0) if len(data) <= _PART else _gzip_parts(data)
    return base64.b64encode(packed).decode("ascii")


def _gzip_parts(data: bytes) -> bytes:
    """Return bytes gzip'd as one stream, of parts that are compressed on all cores.

    Each part but the last ends on a whole byte, and begins with what came before it as its
    dictionary, as pigz does (RFC 1951, 1952).
    """
    whole = memoryview(data)

    def deflate(start: int) -> bytes:
        known = whole[max(0, start - _WINDOW) : start]
        packer = zlib.compressobj(GZIP_LEVEL, wbits=-zlib.MAX_WBITS, zdict=known)
        packed = packer.compress(whole[start : start + _PART])
        is_last = start + _PART >= len(data)
        return packed + packer.flush(zlib.Z_FINISH if is_last else zlib.Z_SYNC_FLUSH)

    with ThreadPoolExecutor(count_cores()) as pool:  # zlib leaves the interpreter lock
        parts = pool.map(deflate, range(0, len(data), _PART))
        ends = struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
        return b"".join([b"\x1f\x8b\x08", bytes(6), b"\xff", *parts, ends])


def array_block(name: str, array: NDArray[Any], **entry: Any) -> Block:
    """Pack an array of uint8, int8, uint16, int32, float16 or float32, C order."""
    kind = array.dtype.newbyteorder("<")
    data = np.ascontiguousarray(array, dtype=kind)
    size = kind.itemsize
    planes = data.view(np.uint8).reshape(-1, size).T if size > 1 else data
    return Block(
        name,
        {"dtype": kind.name, "shape": list(array.shape), **entry},
        compress(np.ascontiguousarray(planes).tobytes()),
    )


def json_block(name: str, value: Any) -> Block:
    """Pack a JSON value."""
    return Block(name, {"dtype": "json"}, compress(_to_json(value)))


def _to_json(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return to_utf8(text)


def rounded_block(name: str, values: NDArray[np.float32]) -> Block:
    """Pack positive float32 values rounded to their upper 16 bits, within 0.4 % of each.

    Along the first axis each is what it differs by from the one before, modulo 65,536: values that
    grow little take less.
    """
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    upper = ((bits.astype(np.uint64) + 0x8000) >> 16).astype(np.uint16)
    upper[1:] -= upper[:-1].copy()
    packed = array_block(name, upper, delta=True)
    return Block(name, {**packed.entry, "dtype": "bfloat16"}, packed.text)


def texts_block(name: str, values: Sequence[str]) -> Block:
    """Pack texts, one a point: as JSON, or as places among those that differ where these are few.

    These come as JSON, in the order in which they occur, then a line feed and the places, in one
    or two bytes each.
    """
    places = {text: i for i, text in enumerate(dict.fromkeys(values))}
    if len(places) > min(len(values) // 4, 1 << 16):
        return json_block(name, values)
    codes = np.fromiter(map(places.__getitem__, values), np.uint16, len(values))
    kind = np.uint8 if len(places) <= 256 else np.dtype("<u2")
    planes = codes.astype(kind).view(np.uint8).reshape(len(values), -1).T
    data = _to_json(list(places)) + b"\n" + planes.tobytes()
    return Block(name, {"dtype": "texts", "shape": [len(values)]}, compress(data))


def coordinates_block(
    name: str, coordinates: NDArray[np.float32], bits: int | Sequence[int] = 16
) -> Block:
    """Pack coordinates (n, k) as uint16 steps of each axis's span, one axis after the other."""
    steps = _spanning(coordinates, bits)
    codes = np.ascontiguousarray(steps.encode(coordinates).T)
    packed = array_block(name, codes, by_axis=True, **steps.entry())
    return Block(name, {**packed.entry, "shape": list(coordinates.shape)}, packed.text)


def frames_block(name: str, frames: NDArray[np.float32], moves: bool = False) -> Block:
    """Pack frames of coordinates (m, n, k) as uint16 steps of each axis's span.

    With `moves` each frame but the first is what it differs by from the one before, modulo 65,536:
    points that move little take less.
    """
    steps = _spanning(frames.reshape(-1, frames.shape[-1]), 16)
    codes = steps.encode(frames)
    if not moves:
        return array_block(name, codes, **steps.entry())
    codes[1:] -= codes[:-1].copy()
    return array_block(name, codes, delta=True, **steps.entry())


def through_steps(values: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    """Return what the page makes of values (…, k) that travel as steps of each column's span."""
    steps = _spanning(values.reshape(-1, values.shape[-1]), bits)
    return steps.decode(steps.encode(values))


def _spanning(rows: NDArray[np.float32], bits: int | Sequence[int]) -> Steps:
    low, high = (end.astype(np.float64) for end in (rows.min(axis=0), rows.max(axis=0)))
    return Steps.spanning(low, high, bits)


def plain(value: Any) -> Any:
    """Return a value as plain JSON: numbers of NumPy as Python's, non-finite ones as None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
