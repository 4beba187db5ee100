"""PNG in seven passes (Adam7), of every type of color and depth, as the standard describes them."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from embviz.errors import LoadError
from embviz.sprites.images import decode_array, open_image

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
KINDS = [
    *((0, depth) for depth in (1, 2, 4, 8, 16)),
    *((3, depth) for depth in (1, 2, 4, 8)),
    *((color, depth) for color in (2, 4, 6) for depth in (8, 16)),
]
# https://www.w3.org/TR/png-3/#8Interlace: first column and row of each pass, and the steps.
PASSES = [
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
    (0, 1, 1, 2),
]  # fmt: skip
PALETTE = np.random.default_rng(1).integers(0, 256, (256, 3), np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def packed(values: np.ndarray, depth: int) -> bytes:
    """Return the rows of a pass, (rows, columns, channels), each behind the number of no filter."""
    rows = values.reshape(len(values), -1)
    if depth == 16:
        data = rows.astype(">u2").view(np.uint8)
    else:
        bits = np.unpackbits(rows.astype(np.uint8)[..., None], axis=2)[:, :, 8 - depth :]
        data = np.packbits(bits.reshape(len(rows), -1), axis=1)
    return b"".join(b"\0" + row.tobytes() for row in data)


def interlaced(values: np.ndarray, color: int, depth: int) -> tuple[bytes, bytes, bytes]:
    """Return what stands before the pixels, their stream and what stands behind."""
    height, width = values.shape[:2]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 1))
    colors = chunk(b"PLTE", PALETTE[: 1 << depth].tobytes()) if color == 3 else b""
    parts = [values[y::down, x::right] for x, y, right, down in PASSES]
    stream = zlib.compress(b"".join(packed(part, depth) for part in parts if part.size))
    return b"\x89PNG\r\n\x1a\n" + header + colors, stream, chunk(b"IEND", b"")


def in_8_bits(values: np.ndarray, color: int, depth: int) -> np.ndarray:
    if color == 3:
        return PALETTE[values[..., 0]]
    if depth == 16:
        return np.rint(values / 257) if color == 0 else values >> 8
    return values * (255 // ((1 << depth) - 1))


@pytest.mark.parametrize(("color", "depth"), KINDS)
@pytest.mark.parametrize("size", [(13, 11), (1, 1), (3, 9)])
def test_interlaced_pixels_are_read_in_their_places_and_no_damage_passes(
    color: int, depth: int, size: tuple[int, int]
) -> None:
    shape = (*size, CHANNELS[color])
    values = np.random.default_rng(depth).integers(0, 1 << depth, shape)
    start, stream, end = interlaced(values, color, depth)
    found = decode_array(open_image(start + chunk(b"IDAT", stream) + end, "x"), "x")
    expected = in_8_bits(values, color, depth)
    if color == 4:  # Gray is given in three channels where it can be transparent.
        expected = expected[..., [0, 0, 0, 1]]
    assert found.reshape(*size, -1).tolist() == expected.tolist()
    seen = 0
    for at in range(0, len(stream), max(1, len(stream) // 9)):
        hurt = bytearray(stream)
        hurt[at] ^= 1 << at % 8
        for damaged in (chunk(b"IDAT", bytes(hurt)), chunk(b"IDAT", stream[:at])):
            try:
                given = decode_array(open_image(start + damaged + end, "x"), "x")
            except LoadError:
                seen += 1
            else:  # A bit that no decoder looks at, behind the last code of a block.
                assert given.tolist() == found.tolist()
    assert seen >= 10
