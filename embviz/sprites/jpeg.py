"""JPEG written band by band, so that a sheet is never held whole.

JPEG, ITU-T T.81 (https://www.w3.org/Graphics/JPEG/itu-t81.pdf): behind a restart marker a scan goes
on as a new one begins, at a byte's border and with no memory of the blocks before. So bands that
Pillow encodes by themselves, with the same tables, are one scan when such markers stand between
them, and the same pixels as the sheet encoded at once.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

_BLOCK = 8
# Eight rows of blocks, of at most 1,024 each, stay below the 65,535 that DRI counts.
_BAND_ROWS = 8 * _BLOCK
_FRAME, _SCAN, _INTERVAL, _RESTART = 0xC0, 0xDA, 0xDD, 0xD0


def write_jpeg(
    bands: Iterable[NDArray[np.uint8]], height: int, quality: int, exif: bytes = b""
) -> Iterator[bytes]:
    """Yield the bytes of a baseline JPEG file without subsampling.

    Args:
        bands: Rows of pixels from the top, uint8 (rows, width, 1 or 3), as many as come at once.
        height: How many rows in all, in pixels; more are left out.
        quality: 1 .. 100.
        exif: Exif data, as Pillow makes them.
    """
    for i, pixels in enumerate(_even(bands, height)):
        header, scan = _split(_encode(pixels, quality, b"" if i else exif))
        if i == 0:
            yield _set_frame(header, height, pixels.shape[1])
        else:
            yield bytes((0xFF, _RESTART + (i - 1) % 8))
        yield scan
    yield b"\xff\xd9"


def _even(bands: Iterable[NDArray[np.uint8]], height: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the same rows in bands of `_BAND_ROWS`, the last of as many as are left."""
    held: list[NDArray[np.uint8]] = []
    left = height
    for band in bands:
        while len(band) and left:
            rows = band[: min(left, _BAND_ROWS - sum(map(len, held)))]
            band, left = band[len(rows) :], left - len(rows)
            held.append(rows)
            if not left or sum(map(len, held)) == _BAND_ROWS:
                yield np.concatenate(held)
                held = []


def _encode(pixels: NDArray[np.uint8], quality: int, exif: bytes) -> bytes:
    from PIL import Image

    gray = pixels.shape[2] == 1
    image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if gray else pixels))
    out = io.BytesIO()
    # Without subsampling, colors do not run from tile to tile.
    image.save(out, "JPEG", quality=quality, subsampling=0, exif=exif)
    return out.getvalue()


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Return what is before the scan's header, that header included, and the scan's own bytes."""
    at = 2
    while data[at + 1] != _SCAN:
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    return data[:at], data[at:-2]


def _set_frame(header: bytes, height: int, width: int) -> bytes:
    """Return a band's header as the sheet's: its height, and blocks between restart markers."""
    out, at = bytearray(header), 2
    while out[at + 1] != _SCAN:
        if out[at + 1] == _FRAME:
            struct.pack_into(">H", out, at + 5, height)
        at += 2 + int(struct.unpack_from(">H", out, at + 2)[0])
    interval = _BAND_ROWS // _BLOCK * -(-width // _BLOCK)
    out[at:at] = struct.pack(">BBHH", 0xFF, _INTERVAL, 4, interval)
    return bytes(out)
