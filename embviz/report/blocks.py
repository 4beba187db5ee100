"""Typed arrays and JSON as compressed text blocks of the page.

A block is little-endian bytes, gzip'd and base64'd. Arrays of more than one byte an item are stored
byte plane by byte plane ("shuffled"), which compresses better: first the lowest byte of every item,
then the next.
"""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

GZIP_LEVEL = 6
# Quantized coordinates: 65,536 steps an axis are 8e-6 of its span, a hundredth of a pixel.
STEPS = 65_535


@dataclass(frozen=True)
class Block:
    """One payload block: its name, what the manifest says of it, and its text."""

    name: str
    entry: dict[str, Any]
    text: str


def compress(data: bytes) -> str:
    """Return bytes gzip'd without a time stamp and base64'd."""
    return base64.b64encode(gzip.compress(data, GZIP_LEVEL, mtime=0)).decode("ascii")


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
    """Pack a JSON value, such as the texts of a metadata column."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Block(name, {"dtype": "json"}, compress(text.encode("utf-8", "surrogatepass")))


def coordinates_block(name: str, coordinates: NDArray[np.float32], exact: bool) -> Block:
    """Pack coordinates (n, k) or frames (m, n, k): float32, or uint16 steps of each axis's span."""
    if exact:
        return array_block(name, coordinates)
    flat = coordinates.reshape(-1, coordinates.shape[-1])
    low = flat.min(axis=0).astype(np.float64)
    span = flat.max(axis=0) - low
    step = np.where(span > 0, span / STEPS, 1.0)
    scaled = np.rint((coordinates - low) / step).astype(np.uint16)
    return array_block(name, scaled, offset=low.tolist(), step=step.tolist())
