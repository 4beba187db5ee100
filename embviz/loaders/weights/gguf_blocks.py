"""How ggml packs numbers in blocks, and what each block stands for.

Source: ggml-common.h (the layouts) and ggml-quants.c (`dequantize_row_*`), whose float32 products
and sums are made here in the same order, so that the values are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_K = 256  # values in a block of the K types
_AT_ONCE = 1 << 19  # values that are unpacked together
_NONLINEAR = np.array(
    (-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113), np.float32
)
# The values of a 4-bit float, doubled: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and the same below 0.
_E2M1 = np.array((0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12), np.float32)


@dataclass(frozen=True)
class BlockType:
    """A type of ggml's that packs numbers in blocks.

    Attributes:
        name: As ggml spells it.
        n_values: The numbers in a block.
        n_bytes: What a block takes.
        unpack: Returns the numbers of blocks, uint8 (n, n_bytes), as float32 (n, n_values).
    """

    name: str
    n_values: int
    n_bytes: int
    unpack: Callable[[Bytes], Floats]


class BlockRows:
    """Rows of a table in blocks, float32, unpacked when they are sliced."""

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(self, raw: Bytes, kind: BlockType) -> None:
        """Take the bytes, uint8 (n_rows, bytes of a row), such as a memory map."""
        self.mapped: Bytes = raw
        self._kind = kind
        self.shape = (raw.shape[0], raw.shape[1] // kind.n_bytes * kind.n_values)

    def __getitem__(self, rows: slice, /) -> Floats:
        raw = self.mapped[rows]
        n_dims = self.shape[1]
        out = np.empty((len(raw), n_dims), np.float32)
        step = max(1, _AT_ONCE // n_dims)
        with np.errstate(all="ignore"):  # A scale may be infinite; its row is refused later.
            for start in range(0, len(raw), step):
                blocks = np.ascontiguousarray(raw[start : start + step])
                values = self._kind.unpack(blocks.reshape(-1, self._kind.n_bytes))
                out[start : start + step] = values.reshape(-1, n_dims)
        return out


def _half(blocks: Bytes, at: int) -> Floats:
    """Return the float16 at a byte of each block, (n, 1)."""
    return np.ascontiguousarray(blocks[:, at : at + 2]).view("<f2").astype(np.float32)


def _fields(packed: Bytes, width: int, bits: int) -> Bytes:
    """Return fields of some bits, (n, values): of `width` bytes each the lowest first, then on."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)[:, None]
    groups: Bytes = packed.reshape(len(packed), -1, 1, width) >> shifts
    return (groups & np.uint8((1 << bits) - 1)).reshape(len(packed), -1)


def _with_top_bit(low: Bytes, packed: Bytes) -> Bytes:
    """Return 4-bit numbers with a fifth bit, whose bits lie value by value."""
    return low | np.unpackbits(packed, axis=1, bitorder="little") << np.uint8(4)


def _scaled(scales: Floats, values: NDArray[Any]) -> Floats:
    """Return values times the scale of their part, (n, parts, values of a part)."""
    parts: Floats = scales.reshape(*scales.shape, 1) * values.astype(np.float32).reshape(
        *scales.shape, -1
    )
    return parts


def _whole(parts: Floats) -> Floats:
    return parts.reshape(len(parts), -1)


def _q4_0(b: Bytes) -> Floats:
    return _half(b, 0) * (_fields(b[:, 2:], 16, 4).astype(np.float32) - np.float32(8))


def _q4_1(b: Bytes) -> Floats:
    return _half(b, 0) * _fields(b[:, 4:], 16, 4).astype(np.float32) + _half(b, 2)


def _q5_0(b: Bytes) -> Floats:
    q = _with_top_bit(_fields(b[:, 6:], 16, 4), b[:, 2:6])
    return _half(b, 0) * (q.astype(np.float32) - np.float32(16))


def _q5_1(b: Bytes) -> Floats:
    q = _with_top_bit(_fields(b[:, 8:], 16, 4), b[:, 4:8])
    return _half(b, 0) * q.astype(np.float32) + _half(b, 2)


def _q8_0(b: Bytes) -> Floats:
    return _half(b, 0) * b[:, 2:].view(np.int8).astype(np.float32)


def _q2_k(b: Bytes) -> Floats:
    scales = b[:, :16]
    d, least = _half(b, 80), _half(b, 82)
    values = _scaled(d * (scales & 15).astype(np.float32), _fields(b[:, 16:80], 32, 2))
    return _whole(values - (least * (scales >> 4).astype(np.float32))[:, :, None])


def _q3_k(b: Bytes) -> Floats:
    high = _fields(b[:, :32], 32, 1).astype(np.int8)  # 0 takes 4 off
    values = _fields(b[:, 32:96], 32, 2).astype(np.int8) + (high << 2) - np.int8(4)
    packed = b[:, 96:108]
    scales = _fields(packed[:, :8], 8, 4) | _fields(packed[:, 8:], 4, 2) << np.uint8(4)
    return _whole(_scaled(_half(b, 108) * (scales.astype(np.float32) - np.float32(32)), values))


def _scales_and_minima(packed: Bytes) -> tuple[Floats, Floats]:
    """Return eight scales and eight minima of 6 bits each, which 12 bytes hold."""
    first, second, low = packed[:, 0:4], packed[:, 4:8], packed[:, 8:12]
    scales = np.concatenate([first & 63, (low & 15) | ((first >> 2) & 48)], axis=1)
    minima = np.concatenate([second & 63, (low >> 4) | ((second >> 2) & 48)], axis=1)
    return scales.astype(np.float32), minima.astype(np.float32)


def _q4_k(b: Bytes) -> Floats:
    return _scaled_above_minima(b, _fields(b[:, 16:], 32, 4))


def _q5_k(b: Bytes) -> Floats:
    high = _fields(b[:, 16:48], 32, 1)
    return _scaled_above_minima(b, _fields(b[:, 48:], 32, 4) | high << np.uint8(4))


def _scaled_above_minima(b: Bytes, values: Bytes) -> Floats:
    scales, minima = _scales_and_minima(b[:, 4:16])
    return _whole(_scaled(_half(b, 0) * scales, values) - (_half(b, 2) * minima)[:, :, None])


def _q6_k(b: Bytes) -> Floats:
    q = _fields(b[:, :128], 64, 4) | _fields(b[:, 128:192], 32, 2) << np.uint8(4)
    scales = b[:, 192:208].view(np.int8).astype(np.float32)
    return _whole(_scaled(_half(b, 208) * scales, q.astype(np.int8) - np.int8(32)))


def _iq4_nl(b: Bytes) -> Floats:
    return _half(b, 0) * _NONLINEAR[_fields(b[:, 2:], 16, 4)]


def _iq4_xs(b: Bytes) -> Floats:
    low = np.stack([b[:, 4:8] & 15, b[:, 4:8] >> 4], axis=2).reshape(-1, 8)
    high = np.stack([(b[:, 2:4] >> shift) & 3 for shift in (0, 2, 4, 6)], axis=2).reshape(-1, 8)
    scales = _half(b, 0) * ((low | high << np.uint8(4)).astype(np.float32) - np.float32(32))
    return _whole(_scaled(scales, _NONLINEAR[_fields(b[:, 8:], 16, 4)]))


def _mxfp4(b: Bytes) -> Floats:
    power = b[:, :1].astype(np.uint32)  # of 2, with 127 added; halved, as the values are doubled
    small = np.uint32(1 << 21) << np.minimum(power, 1)
    bits = np.where(power < 2, small, (np.maximum(power, 1) - 1) << np.uint32(23))
    scales: Floats = bits.astype(np.uint32).view(np.float32)
    return scales * _E2M1[_fields(b[:, 1:], 16, 4)]


BLOCK_TYPES: dict[int, BlockType] = {
    2: BlockType("Q4_0", 32, 18, _q4_0),
    3: BlockType("Q4_1", 32, 20, _q4_1),
    6: BlockType("Q5_0", 32, 22, _q5_0),
    7: BlockType("Q5_1", 32, 24, _q5_1),
    8: BlockType("Q8_0", 32, 34, _q8_0),
    10: BlockType("Q2_K", _K, 84, _q2_k),
    11: BlockType("Q3_K", _K, 110, _q3_k),
    12: BlockType("Q4_K", _K, 144, _q4_k),
    13: BlockType("Q5_K", _K, 176, _q5_k),
    14: BlockType("Q6_K", _K, 210, _q6_k),
    20: BlockType("IQ4_NL", 32, 18, _iq4_nl),
    23: BlockType("IQ4_XS", _K, 136, _iq4_xs),
    39: BlockType("MXFP4", 32, 17, _mxfp4),
}
"""The packed types that are read, by their number in a file."""
