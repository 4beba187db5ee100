"""Tensors that a checkpoint stores in slices: their keys, their coverage, their joining.

TensorFlow saves a partitioned variable as boxes of the full tensor. A box has one (start, length)
an axis. Source: tensorflow/core/util/saved_tensor_slice_util.cc and tsl/platform/ordered_code.cc.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.loaders.bytes.protobuf import LENGTH, VARINT, MalformedError, fields, signed

Box = tuple[tuple[int, int], ...]
Extents = tuple[tuple[int, int], ...]  # as stored: (0, -1) is the whole axis
MAX_TILES = 10_000
# Header bits of a signed number of n bytes.
SIGNED_HEADER = (
    *("80", "c000", "e00000", "f0000000", "f800000000", "fc0000000000", "fe000000000000"),
    *("ff00000000000000", "ff8000000000000000", "ffc00000000000000000"),
)


def order_signed(value: int) -> bytes:
    """Encode a 64-bit integer so that bytes sort as numbers do (OrderedCode, signed)."""
    magnitude = value if value >= 0 else ~value
    n = 1 if magnitude < 64 else magnitude.bit_length() // 7 + 1
    header = int(SIGNED_HEADER[n - 1], 16)
    low = value & ((1 << (8 * n)) - 1)
    return (low ^ header).to_bytes(n, "big")


def order_number(value: int) -> bytes:
    """Encode a non-negative integer so that bytes sort as numbers do (OrderedCode, unsigned)."""
    body = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([len(body)]) + body


def encode_slice_key(name: bytes, extents: Extents) -> bytes:
    """Return the table's key of one slice of a tensor."""
    escaped = re.sub(rb"[\x00\xff]", lambda m: m[0] + bytes([255 - m[0][0]]), name)
    parts = [b"\x00", escaped, b"\x00\x01", order_number(len(extents))]
    for start, length in extents:
        parts += [order_signed(start), order_signed(length)]
    return b"".join(parts)


def parse_slice(data: bytes, start: int, end: int) -> Extents:
    """Read a TensorSliceProto {extent=1 {start=1, length=2}}; no length means the whole axis."""
    extents = []
    for tag, a, b in fields(data, start, end):
        if tag != 1 << 3 | LENGTH:
            continue
        first, length = 0, -1
        for inner, value, _ in fields(data, a, b):
            if inner == 1 << 3 | VARINT:
                first = signed(value)
            elif inner == 2 << 3 | VARINT:
                length = signed(value)
                if length < 0:
                    raise MalformedError(f"a slice of length {length}")
        extents.append((first, length))
    return tuple(extents)


def resolve_box(extents: Extents, shape: Sequence[int]) -> Box:
    """Return the box of a slice with every length spelled out.

    Raises:
        MalformedError: If it does not lie in a tensor of this shape.
    """
    if len(extents) != len(shape):
        raise MalformedError(f"a slice of {len(extents)} dimensions in a tensor of {len(shape)}")
    box = tuple(
        (start, size if length == -1 else length)
        for (start, length), size in zip(extents, shape, strict=True)
    )
    for axis, ((start, length), size) in enumerate(zip(box, shape, strict=True)):
        if start < 0 or start + length > size:
            raise MalformedError(
                f"a slice from {start} to {start + length} on axis {axis}, which has {size}"
            )
    return box


def box_shape(box: Box) -> tuple[int, ...]:
    """Return the lengths of a box."""
    return tuple(length for _, length in box)


def check_coverage(shape: Sequence[int], boxes: Sequence[Box]) -> None:
    """Check that boxes cover a tensor, each element once.

    Raises:
        MalformedError: If there is a gap or an overlap, with its place.
    """
    filled = sorted(box for box in boxes if math.prod(box_shape(box)))
    cut = [axis for axis, size in enumerate(shape) if any(box[axis] != (0, size) for box in filled)]
    if len(cut) > 1:
        _check_tiles(shape, filled)
        return
    axis = cut[0] if cut else 0
    size = shape[axis] if shape else 1
    at = 0
    for box in filled:
        start, length = box[axis] if shape else (0, 1)
        if start != at:
            word = "in no slice" if start > at else "in two slices"
            low, high = sorted((start, at))
            raise MalformedError(f"{low} to {high} on axis {axis} lie {word}")
        at = start + length
    if at != size and 0 not in shape:
        raise MalformedError(f"{at} to {size} on axis {axis} lie in no slice")


def _check_tiles(shape: Sequence[int], boxes: Sequence[Box]) -> None:
    """Check boxes that cut several axes: disjoint, and of the tensor's volume in sum."""
    if len(boxes) > MAX_TILES:
        raise MalformedError(f"{len(boxes):,} slices on several axes, at most {MAX_TILES:,} fit")
    found = sum(math.prod(box_shape(box)) for box in boxes)
    wanted = math.prod(shape)
    if found != wanted:
        word = "overlap" if found > wanted else "leave gaps"
        raise MalformedError(f"its slices {word}: {found:,} elements in all, {wanted:,} wanted")
    bounds = np.array(boxes, dtype=np.int64)  # (n_boxes, n_axes, 2), within the shape: no overflow
    low, high = bounds[:, :, 0], bounds[:, :, 0] + bounds[:, :, 1]
    for i in range(len(boxes) - 1):
        meets = (low[i + 1 :] < high[i]) & (low[i] < high[i + 1 :])
        if meets.all(axis=1).any():
            raise MalformedError(f"its slices overlap: the one at {low[i].tolist()} and another")


def place_slices(
    shape: Sequence[int], dtype: np.dtype[Any], parts: Iterable[tuple[Box, NDArray[Any]]]
) -> NDArray[Any]:
    """Join slices into one array; the boxes must have been checked to cover the shape."""
    out = np.empty(tuple(shape), dtype)
    for box, values in parts:
        target = tuple(slice(start, start + length) for start, length in box)
        out[target] = values.reshape(box_shape(box))
    return out
