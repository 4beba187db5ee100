"""The header of a safetensors file, with every check that the format asks for.

Layout: u64 n, little-endian; n bytes of JSON, {name: {dtype, shape, data_offsets: [begin, end]}}
and perhaps `__metadata__` of texts; then the tensors' bytes, little-endian, row by row, one behind
the other without a gap up to the end of the file. `data_offsets` count from the end of the header.
Source: https://github.com/safetensors/safetensors, README.md and safetensors/src/tensor.rs.
"""

from __future__ import annotations

import os
import reprlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, printable
from embviz.inputs import map_file, open_file
from embviz.loaders.bytes.json_text import parse_json
from embviz.loaders.refusals import describe_start
from embviz.loaders.weights.number_types import numpy_type

SUFFIX = ".safetensors"
MOST_NAME = 4096  # characters
_LENGTH_BYTES = 8
_MOST_HEADER = 100_000_000
_MOST_COUNT = (1 << 63) - 1
_AGAIN = "fetch or write it again"
_NUMPY = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "U16": "uint16",
    "I16": "int16",
    "U32": "uint32",
    "I32": "int32",
    "U64": "uint64",
    "I64": "int64",
    "F16": "float16",
    "F32": "float32",
    "F64": "float64",
    "C64": "complex64",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
}
CODES = {name: code for code, name in _NUMPY.items()}
"""Types as safetensors spells them by their names in NumPy."""
_SMALLER_BITS = {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6}


@dataclass(frozen=True)
class Entry:
    """One tensor of a safetensors file.

    Attributes:
        name: As in the file.
        path: The file.
        code: Its type as the format spells it, such as `BF16`.
        shape: Its sides.
        offset: Where its bytes begin in the file.
    """

    name: str
    path: Path
    code: str
    shape: tuple[int, ...]
    offset: int

    @property
    def dtype(self) -> str:
        """Its type as NumPy spells it, else as the format does."""
        return _NUMPY.get(self.code, self.code)

    @property
    def refusal(self) -> LoadError | None:
        """Why its values are no real numbers that can be read, None where they are."""
        what = f"{self.path}: tensor '{printable(self.name)}'"
        if self.code in _SMALLER_BITS:
            why = f"floats of {_SMALLER_BITS[self.code]} bits ({self.code}), which are not read"
            return LoadError(what, why, "save it as bfloat16 or float32")
        if self.code not in _NUMPY:
            return LoadError(
                what, f"of a type that is not known ({printable(self.code[:200], 40)})"
            )
        if self.code == "C64":
            return LoadError(what, "complex numbers (C64), real ones are needed")
        return None

    def map(self) -> NDArray[Any]:
        """Map the tensor, which must have values, into memory; bool as uint8."""
        return map_file(self.path, _stored_dtype(self.code), self.offset, self.shape)


def _stored_dtype(code: str) -> np.dtype[Any]:
    name = _NUMPY[code]
    found = np.dtype(name) if name == "complex64" else numpy_type(name)
    assert found is not None
    if found.kind == "b":
        return np.dtype(np.uint8)
    return found if found.kind == "V" else found.newbyteorder("<")


def looks_like_safetensors(head: bytes, size: int) -> bool:
    """Tell whether a file of so many bytes begins as a safetensors file does."""
    length = int.from_bytes(head[:_LENGTH_BYTES], "little")
    return (
        size >= _LENGTH_BYTES + 2
        and 2 <= length <= min(_MOST_HEADER, size - _LENGTH_BYTES)
        and head[_LENGTH_BYTES : _LENGTH_BYTES + 2] in (b'{"', b"{}", b"{ ", b"{\n")
    )


def read_header(path: Path) -> list[Entry]:
    """Read the header of a safetensors file and check it against the file.

    Returns:
        Its tensors in the order of their bytes.

    Raises:
        LoadError: If it is cut off, or breaks a rule of the format.
    """
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(_LENGTH_BYTES)
        length = int.from_bytes(start, "little")
        _check_length(path, start, length, size)
        raw = file.read(length)
    if len(raw) < length or not raw.startswith(b"{"):
        raise LoadError(path, "damaged: its header does not begin with {", _AGAIN)
    found = parse_json(raw, f"{path}: the header")
    if not isinstance(found, dict):
        raise LoadError(path, "damaged: its header is no JSON object", _AGAIN)
    _check_metadata(path, found.pop("__metadata__", None))
    begin = _LENGTH_BYTES + length
    placed = [_parse_entry(path, name, value) for name, value in found.items()]
    placed.sort(key=lambda place: place[:2])
    _check_places(path, placed, size - begin)
    return [Entry(name, path, code, shape, begin + a) for a, _, name, code, shape in placed]


_Place = tuple[int, int, str, str, tuple[int, ...]]


def _check_length(path: Path, start: bytes, length: int, size: int) -> None:
    """Check the header's length before it is read."""
    if len(start) == _LENGTH_BYTES and 2 <= length <= min(_MOST_HEADER, size - _LENGTH_BYTES):
        return
    if size == 0:
        raise LoadError(path, "0 bytes", _AGAIN)
    with open_file(path) as file:
        text = describe_start(file.read(256))
    if text != "other binary data":
        raise LoadError(path, f"{text}, where a safetensors file is needed", _AGAIN)
    if len(start) < _LENGTH_BYTES or length < 2:
        raise LoadError(path, f"no safetensors file: a header of {length} bytes", _AGAIN)
    if length > _MOST_HEADER:
        why = f"no safetensors file: a header of {length:,} bytes, at most {_MOST_HEADER:,} fit"
        raise LoadError(path, why, _AGAIN)
    why = f"cut off: its header takes {length:,} bytes, {size - _LENGTH_BYTES:,} are there"
    raise LoadError(path, why, _AGAIN)


def _check_metadata(path: Path, metadata: Any) -> None:
    if metadata is None:
        return
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise LoadError(path, "damaged: its __metadata__ is no object of texts", _AGAIN)


def _parse_entry(path: Path, name: str, value: Any) -> _Place:
    if len(name) > MOST_NAME:
        raise LoadError(path, f"damaged: a tensor's name of {len(name):,} characters", _AGAIN)
    what = f"{path}: tensor '{printable(name)}'"
    if not isinstance(value, dict):
        raise LoadError(what, f"described by {_brief(value)}", _AGAIN)
    code, shape, offsets = (value.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(code, str) or len(code) > MOST_NAME:
        raise LoadError(what, f"its dtype is {_brief(code)}", _AGAIN)
    for key, counts in (("shape", shape), ("data_offsets", offsets)):
        if not isinstance(counts, list) or not all(
            type(count) is int and 0 <= count <= _MOST_COUNT for count in counts
        ):
            raise LoadError(what, f"its {key} are {_brief(counts)}, no list of counts", _AGAIN)
    assert isinstance(shape, list)
    assert isinstance(offsets, list)
    if len(offsets) != 2 or offsets[0] > offsets[1]:
        raise LoadError(what, f"its data_offsets are {_brief(offsets)}", _AGAIN)
    begin, end = offsets
    bits = _bits(code)
    if bits is not None and _product(shape) * bits != (end - begin) * 8:
        sides = " x ".join(map(str, shape[:8])) or "a scalar"
        why = f"{sides} of {code} does not take the {end - begin:,} bytes that it has"
        raise LoadError(what, why, _AGAIN)
    return begin, end, name, code, tuple(shape)


def _brief(value: Any) -> str:
    return printable(reprlib.repr(value), 60)


def _product(counts: list[int]) -> int:
    """Return the product of counts, or some number that no file's size is."""
    product = 1
    for count in counts:
        product *= count
        if product > _MOST_COUNT:
            break
    return product


def _bits(code: str) -> int | None:
    """Return the bits of a value, None where the type is not known."""
    if code in _NUMPY:
        return _stored_dtype(code).itemsize * 8
    return _SMALLER_BITS.get(code)


def _check_places(path: Path, placed: list[_Place], n_bytes: int) -> None:
    """Check that tensors lie one behind the other, up to the end of the file."""
    at = 0
    for begin, end, name, _, _ in placed:
        if begin != at:
            word = "overlaps the one before it" if begin < at else f"leaves {begin - at:,} bytes"
            why = f"tensor '{printable(name)}' {word}: it begins at {begin:,}, {at:,} is free"
            raise LoadError(path, f"damaged: {why}", _AGAIN)
        at = end
    if at > n_bytes:
        why = f"cut off: its tensors take {at:,} bytes, {n_bytes:,} are there"
        raise LoadError(path, why, _AGAIN)
    if at < n_bytes:
        raise LoadError(path, f"damaged: {n_bytes - at:,} bytes follow its last tensor", _AGAIN)
