"""Tables and bundles written by hand: legal ones that TensorFlow seldom writes, and illegal ones.

Everything is written from the format's description, with right checksums, so that what is wrong on
purpose reaches the parser behind them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import google_crc32c
import numpy as np

MAGIC = bytes.fromhex("57fb808b247547db")
DTYPES = {"float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int16": 5, "int8": 6, "int64": 9}
DTYPES |= {"bool": 10, "bfloat16": 14, "uint16": 17, "float16": 19, "uint32": 22, "uint64": 23}
DTYPES |= {"float8_e5m2": 24, "float8_e4m3fn": 25, "int4": 29, "uint4": 30}


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def masked_crc(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) % (1 << 32)


def shape_proto(shape: Sequence[int]) -> bytes:
    return b"".join(field(2, field(1, n) if n else b"") for n in shape)


def slice_proto(extents: Sequence[tuple[int, int]]) -> bytes:
    return b"".join(
        field(1, b"" if e == (0, -1) else field(1, e[0]) + field(2, e[1])) for e in extents
    )


def entry(
    dtype: int,
    shape: Sequence[int],
    place: tuple[int, int, int] = (0, 0, 0),
    crc: int = 0,
    slices: Sequence[Sequence[tuple[int, int]]] = (),
) -> bytes:
    """A BundleEntryProto; `place` is (shard, offset, size)."""
    body = field(1, dtype) + field(2, shape_proto(shape))
    body += b"".join(field(n, v) for n, v in zip((3, 4, 5), place, strict=True) if v)
    body += varint(6 << 3 | 5) + struct.pack("<I", crc)
    return body + b"".join(field(7, slice_proto(s)) for s in slices)


def header(n_shards: int = 1, endianness: int = 0, least: int = 0) -> bytes:
    version = field(1, 1) + (field(2, least) if least else b"")
    return field(1, n_shards) + (field(2, endianness) if endianness else b"") + field(3, version)


def block(entries: Sequence[tuple[bytes, bytes]], restart: int = 16) -> bytes:
    out, starts, previous = bytearray(), [], b""
    for i, (key, value) in enumerate(entries):
        shared = 0
        if i % restart == 0:
            starts.append(len(out))
        else:
            while shared < min(len(key), len(previous)) and key[shared] == previous[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value))
        out += key[shared:] + value
        previous = key
    return (
        bytes(out)
        + struct.pack(f"<{len(starts) or 1}I", *(starts or [0]))
        + struct.pack("<I", len(starts) or 1)
    )


def snappy_literals(data: bytes) -> bytes:
    out = bytearray(varint(len(data)))
    for at in range(0, len(data), 60):
        piece = data[at : at + 60]
        out += bytes([(len(piece) - 1) << 2]) + piece
    return bytes(out)


def stored(content: bytes, kind: int = 0) -> bytes:
    """A block as it lies in the file; `content` is compressed already where kind says so."""
    body = content + bytes([kind])
    return body + struct.pack("<I", masked_crc(body))


def table(
    entries: Sequence[tuple[bytes, bytes]], per_block: int = 1000, compress: bool = False
) -> bytes:
    """A whole table; entries are written in the order given."""
    out, index = bytearray(), []
    for at in range(0, len(entries), per_block):
        group = entries[at : at + per_block]
        content = block(group)
        content = snappy_literals(content) if compress else content
        index.append((group[-1][0], varint(len(out)) + varint(len(content))))
        out += stored(content, int(compress))
    handles = b""
    for content in (block([]), block(index, restart=1)):
        handles += varint(len(out)) + varint(len(content))
        out += stored(content)
    return bytes(out) + handles.ljust(40, b"\0") + MAGIC


def write_bundle(
    prefix: Path,
    tensors: dict[str, np.ndarray],
    big_endian: bool = False,
    gap: int = 0,
    compress: bool = False,
) -> None:
    """Write numeric tensors as one data file, `gap` bytes before each, and an index."""
    data, entries = bytearray(), [(b"", header(endianness=int(big_endian)))]
    for name in sorted(tensors, key=str.encode):
        array = tensors[name]
        raw = array.tobytes()
        if big_endian and array.itemsize > 1:
            raw = array.view(f"u{array.itemsize}").byteswap().tobytes()
        data += b"\xaa" * gap
        place = (0, len(data), len(raw))
        entries.append(
            (name.encode(), entry(DTYPES[array.dtype.name], array.shape, place, masked_crc(raw)))
        )
        data += raw
    prefix.with_name(f"{prefix.name}.index").write_bytes(table(entries, compress=compress))
    prefix.with_name(f"{prefix.name}.data-00000-of-00001").write_bytes(bytes(data))
