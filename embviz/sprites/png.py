"""PNG written band by band, so that bands are compressed beside each other and never all held.

PNG, third edition: https://www.w3.org/TR/png-3/. Bands are deflated by themselves and joined at
byte borders (zlib's Z_SYNC_FLUSH), as pigz does.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_NONE, _SUB, _UP = 0, 1, 2
_ADLER = 65_521
# Below this share of its size a band is plain enough that the slower search pays.
_PLAIN_SHARE = 0.3


@dataclass(frozen=True)
class Band:
    """Compressed rows: raw deflate without an end, and the Adler-32 of what is in it."""

    data: bytes
    checksum: int
    n_bytes: int


def png_start(width: int, height: int, channels: int, note: str = "") -> bytes:
    """Return the signature, header and note of a PNG file of 8 bits a channel."""
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOR_TYPES[channels], 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)
    if note:
        text = note.encode("latin-1", "backslashreplace")
        start += _chunk(b"tEXt", b"embviz\0" + text)
    return start


def png_band(band: Band, first: bool) -> bytes:
    """Return the chunk of one band; the first begins the zlib stream."""
    return _chunk(b"IDAT", (b"\x78\x01" if first else b"") + band.data)


def png_end(checksum: int) -> bytes:
    """Return the end of the zlib stream, an empty last block and the Adler-32, and of the file."""
    return _chunk(b"IDAT", b"\x03\x00" + struct.pack(">I", checksum)) + _chunk(b"IEND", b"")


def compress_band(pixels: NDArray[np.uint8]) -> Band:
    """Filter and deflate rows of pixels, uint8 (rows, width, channels)."""
    rows = pixels.reshape(len(pixels), -1)
    channels = pixels.shape[2]
    filtered = _filter(rows, channels, _choose_filter(rows, channels))
    data = _deflate(filtered, 1, zlib.Z_RLE)
    if len(data) < _PLAIN_SHARE * filtered.size:
        data = min(data, _deflate(filtered, 6, zlib.Z_DEFAULT_STRATEGY), key=len)
    return Band(data, zlib.adler32(filtered.data), filtered.size)


def join_checksums(one: int, two: int, n_bytes: int) -> int:
    """Return the Adler-32 of two texts in a row, the second n_bytes long (RFC 1950, section 8)."""
    low = (one & 0xFFFF) + (two & 0xFFFF) - 1
    high = (one >> 16) + (two >> 16) + n_bytes * ((one & 0xFFFF) - 1)
    return (high % _ADLER) << 16 | low % _ADLER


def _deflate(data: NDArray[np.uint8], level: int, strategy: int) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    return packer.compress(data.data) + packer.flush(zlib.Z_SYNC_FLUSH)


def _choose_filter(rows: NDArray[np.uint8], channels: int) -> int:
    """Return the filter that leaves least of a few rows, found by trying."""
    middle = len(rows) // 2
    sample = rows[middle : middle + 4]
    sizes = {
        kind: len(zlib.compress(_filter(sample, channels, kind).data, 1))
        for kind in (_NONE, _SUB, _UP)
    }
    return min(sizes, key=lambda kind: sizes[kind])


def _filter(rows: NDArray[np.uint8], channels: int, kind: int) -> NDArray[np.uint8]:
    """Return rows with the filter's number before each; a band's first row looks at none above."""
    out = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
    out[:, 0] = kind
    body = out[:, 1:]
    if kind == _NONE:
        body[:] = rows
    elif kind == _SUB:
        body[:, :channels] = rows[:, :channels]
        np.subtract(rows[:, channels:], rows[:, :-channels], out=body[:, channels:])
    else:
        out[0, 0] = _NONE
        body[0] = rows[0]
        np.subtract(rows[1:], rows[:-1], out=body[1:])
    return out


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)))
