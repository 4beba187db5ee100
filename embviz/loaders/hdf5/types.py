"""Types of HDF5 that pyfive reads otherwise than they are (IV.A.2.d of the format).

It takes every number for IEEE's, so that bfloat16 would be read as float16, and does not know
records of the version that h5py writes for members that are arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_TYPE = 3
_FIXED, _FLOAT, _STRING, _RECORDS, _ENUM, _ANY_LENGTH, _ARRAY = 0, 1, 3, 6, 8, 9, 10
# Where a text of any length lies: its own length, a heap and its number there.
REFERENCE = np.dtype([("length", "<u4"), ("heap", "<u8"), ("number", "<u4")])
_TEXT = "a text of any length"
# Exponent's place and size, mantissa's place and size, bias; by bytes.
_IEEE = {
    2: (10, 5, 0, 10, 15),
    4: (23, 8, 0, 23, 127),
    8: (52, 11, 0, 52, 1023),
}
_MOST_MEMBERS = 4096


class UnreadTypeError(Exception):
    """Why a type is not read, in a few words."""


class RecordType:
    """What pyfive asks of a type."""

    is_atomic = True
    size = 0

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype


def type_bytes(objects: Any) -> bytes:
    """Return the message that says the type of a data set, empty where there is none."""
    found = objects.find_msg_type(_TYPE)
    if not found:
        return b""
    at = found[0]["offset_to_message"]
    return bytes(objects.msg_data[at : at + found[0]["size"]])


def is_records(raw: bytes) -> bool:
    """Tell whether a type is one of records."""
    return len(raw) > 8 and raw[0] & 15 == _RECORDS


def odd_number(raw: bytes) -> bool:
    """Tell whether numbers of a type are stored otherwise than as whole bytes, or IEEE's floats."""
    kind, size = (raw[0] & 15, int.from_bytes(raw[4:8], "little")) if len(raw) >= 12 else (-1, 0)
    if kind not in (_FIXED, _FLOAT):
        return False
    offset, precision = (int.from_bytes(raw[at : at + 2], "little") for at in (8, 10))
    if offset or precision != 8 * size:
        return True
    if kind == _FIXED:
        return False
    found = (*raw[12:16], int.from_bytes(raw[16:20], "little"))
    return found != _IEEE.get(size) or bool(raw[1] & 0x40)  # The order of a VAX.


def read_records(raw: bytes) -> np.dtype[Any]:
    """Return the type of records as NumPy has it.

    Raises:
        UnreadTypeError: If it is damaged, or a member is of another type than numbers, texts and
            arrays of them.
    """
    try:
        dtype, _ = _read(raw, 0, 0)
    except (IndexError, OverflowError, TypeError, ValueError) as error:  # NumPy's of odd types too.
        raise UnreadTypeError(str(error)) from None
    if dtype.names == ("r", "i") and dtype["r"] == dtype["i"] and dtype["r"].kind == "f":
        return np.dtype(f"{dtype['r'].byteorder}c{2 * dtype['r'].itemsize}")  # As h5py writes it.
    return dtype


def refers_to_texts(dtype: np.dtype[Any]) -> bool:
    """Tell whether a member is a `REFERENCE` of texts of any length."""
    return _TEXT in (dtype.metadata or {})


def _read(raw: bytes, at: int, depth: int) -> tuple[np.dtype[Any], int]:
    """Return the type that begins at a byte, and the byte behind it."""
    if depth > 8 or at + 8 > len(raw):
        raise ValueError("a type that is cut off")
    version, kind, flags = raw[at] >> 4, raw[at] & 15, raw[at + 1]
    size = int.from_bytes(raw[at + 4 : at + 8], "little")
    order = ">" if flags & 1 else "<"
    if kind in (_FIXED, _FLOAT):
        if odd_number(raw[at:]):
            raise ValueError("numbers of an unusual type")
        letter = "f" if kind == _FLOAT else "i" if flags & 8 else "u"
        return np.dtype(f"{order}{letter}{size}"), at + (12 if kind == _FIXED else 20)
    if kind == _STRING:
        return np.dtype(f"S{size}"), at + 8
    if kind == _ARRAY:
        return _read_array(raw, at, depth, version)
    if kind == _ANY_LENGTH:
        if flags & 15 != 1 or size != REFERENCE.itemsize:
            raise ValueError("members that are lists of any length")
        return np.dtype(REFERENCE, metadata={_TEXT: True}), _read(raw, at + 8, depth + 1)[1]
    if kind == _ENUM:
        return _read_enumeration(raw, at, depth, version)
    if kind != _RECORDS:
        raise ValueError("members of a type that is not read")
    return _read_members(raw, at, depth, version)


def _read_array(raw: bytes, at: int, depth: int, version: int) -> tuple[np.dtype[Any], int]:
    rank = raw[at + 8]
    start = at + (12 if version == 2 else 9)
    sides = [int.from_bytes(raw[start + 4 * i : start + 4 * i + 4], "little") for i in range(rank)]
    inner, end = _read(raw, start + 4 * rank * (2 if version == 2 else 1), depth + 1)
    return np.dtype((inner, tuple(sides))), end


def _read_enumeration(raw: bytes, at: int, depth: int, version: int) -> tuple[np.dtype[Any], int]:
    """Return the type of an enumeration's values; bool for FALSE and TRUE, as h5py writes it."""
    count = int.from_bytes(raw[at + 1 : at + 3], "little")
    base, end = _read(raw, at + 8, depth + 1)
    names = []
    for _ in range(min(count, _MOST_MEMBERS)):
        name, end = _name(raw, end, version)
        names.append(name)
    end += count * base.itemsize
    return np.dtype(bool) if names == ["FALSE", "TRUE"] and base.itemsize == 1 else base, end


def _read_members(raw: bytes, at: int, depth: int, version: int) -> tuple[np.dtype[Any], int]:
    count = int.from_bytes(raw[at + 1 : at + 3], "little")
    size = int.from_bytes(raw[at + 4 : at + 8], "little")
    if not 0 < count <= _MOST_MEMBERS:
        raise ValueError(f"records of {count} members")
    names, kinds, offsets = [], [], []
    end = at + 8
    for _ in range(count):
        name, end = _name(raw, end, version)
        width = 4 if version < 3 else max(1, (size.bit_length() + 7) // 8)
        offsets.append(int.from_bytes(raw[end : end + width], "little"))
        end += width
        sides: tuple[int, ...] = ()
        if version == 1:
            rank = raw[end]
            lengths = (raw[end + 12 + 4 * i : end + 16 + 4 * i] for i in range(min(rank, 4)))
            sides = tuple(int.from_bytes(length, "little") for length in lengths)
            end += 28
        inner, end = _read(raw, end, depth + 1)
        names.append(name)
        kinds.append(np.dtype((inner, sides)) if sides else inner)
    return np.dtype({"names": names, "formats": kinds, "offsets": offsets, "itemsize": size}), end


def _name(raw: bytes, at: int, version: int) -> tuple[str, int]:
    end = raw.index(b"\0", at)
    length = end - at + 1
    return raw[at:end].decode("utf-8"), at + (length if version >= 3 else -(-length // 8) * 8)
