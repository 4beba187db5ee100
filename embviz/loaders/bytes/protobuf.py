"""Protocol buffer wire format, read by hand with every length checked.

Source: https://protobuf.dev/programming-guides/encoding/. A message is walked field by field; what
a field means is left to the caller, who compares whole tags (field number << 3 | wire type).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
MAX_VARINT_BYTES = 10
Buffer = bytes | mmap.mmap


class MalformedError(ValueError):
    """Bytes break their format; the message says how, the caller adds the file."""


def read_varint(data: Buffer, at: int, end: int) -> tuple[int, int]:
    """Read an unsigned varint and return (value below 2^64, position behind it).

    Raises:
        MalformedError: If it runs past `end`, is longer than 10 bytes or does not fit 64 bits.
    """
    value = shift = 0
    for here in range(at, min(end, at + MAX_VARINT_BYTES)):
        byte = data[here]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                raise MalformedError(f"the number at byte {at} does not fit 64 bits")
            return value, here + 1
        shift += 7
    if end - at >= MAX_VARINT_BYTES:
        raise MalformedError(f"the number at byte {at} is longer than {MAX_VARINT_BYTES} bytes")
    raise MalformedError(f"ends inside the number at byte {at}")


def signed(value: int) -> int:
    """Return a varint's 64 bits as a two's complement integer."""
    return value - (1 << 64) if value >> 63 else value


def fields(data: Buffer, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int, int]]:
    """Yield (tag, a, b) of each field of a message.

    `tag` is field number << 3 | wire type. For varint and fixed-width fields `a` is the value and
    `b` is 0; for length-delimited fields the content is data[a:b].

    Raises:
        MalformedError: If a field overruns the message, or a tag or wire type is unknown.
    """
    at, stop = start, len(data) if end is None else end
    while at < stop:
        tag = data[at]
        if tag < 0x80:
            at += 1
        else:
            tag, at = read_varint(data, at, stop)
        wire = tag & 7
        if tag < 8:
            raise MalformedError(f"field number 0 before byte {at}")
        if wire in (VARINT, LENGTH):
            if at < stop and data[at] < 0x80:
                value = data[at]
                at += 1
            else:
                value, at = read_varint(data, at, stop)
            if wire == VARINT:
                yield tag, value, 0
                continue
        elif wire in (FIXED64, FIXED32):
            value = 8 if wire == FIXED64 else 4
        else:
            raise MalformedError(f"wire type {wire} before byte {at} is not in use")
        if value > stop - at:
            raise MalformedError(f"a field of {value} bytes at byte {at} has {stop - at} left")
        at += value
        if wire == LENGTH:
            yield tag, at - value, at
        else:
            yield tag, int.from_bytes(data[at - value : at], "little"), 0


def unpack_varints(data: bytes) -> NDArray[np.uint64]:
    """Decode back-to-back varints.

    Args:
        data: A packed repeated field's content.

    Returns:
        uint64 (n,), the values in order.

    Raises:
        MalformedError: If the last one is cut or one is longer than 10 bytes.
    """
    raw = np.frombuffer(data, np.uint8)
    if not len(raw):
        return np.empty(0, np.uint64)
    if raw[-1] >= 0x80:
        raise MalformedError("ends inside a number")
    ends = np.flatnonzero(raw < 0x80)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    longest = int(lengths.max())
    if longest > MAX_VARINT_BYTES:
        raise MalformedError(f"a number is longer than {MAX_VARINT_BYTES} bytes")
    values = np.zeros(len(ends), np.uint64)
    for k in range(longest):
        has = np.flatnonzero(lengths > k)
        part = (raw[starts[has] + k] & 0x7F).astype(np.uint64)
        values[has] |= part << np.uint64(7 * k)
    return values
