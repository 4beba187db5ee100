"""The header of a GGUF file: its settings and where its tensors lie.

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Everything in it has a length
before it; each is checked against the file, and no text or array is read before it is asked for.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from embviz.errors import LoadError, printable
from embviz.inputs import open_file
from embviz.loaders.refusals import describe_start

Order = Literal["<", ">"]

MAGIC = b"GGUF"
VERSIONS = (2, 3)
STRING, ARRAY = 8, 9
_SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_INTEGERS = (0, 1, 2, 3, 4, 5, 10, 11)
_ALIGNMENT = 32
_MOST_SETTINGS = 1 << 16
_MOST_TENSORS = 1 << 20
_MOST_TEXTS = 1 << 24
_MOST_AXES = 4
_MOST_DEPTH = 4
_MOST_NAME = 1 << 16
_MOST_TEXT = 64 << 20
_SEEN = 1024


@dataclass(frozen=True)
class PackedArray:
    """Where an array of the settings lies: the type of its items, how many, and the first byte."""

    kind: int
    count: int
    at: int


@dataclass(frozen=True)
class TensorEntry:
    """What a header says of a tensor.

    Attributes:
        name: As it is stored.
        shape: Rows first, the reverse of the order in the file.
        kind: The number of its type in ggml.
        start: Where it begins in the file.
    """

    name: str
    shape: tuple[int, ...]
    kind: int
    start: int


@dataclass(frozen=True)
class GgufHeader:
    """A header of GGUF.

    Attributes:
        order: `<` or `>`, as NumPy and struct spell the order of bytes.
        settings: Numbers, truths, texts and `PackedArray`s by their keys.
        tensors: In the order of the file.
        size: The bytes of the file.
    """

    order: Order
    settings: Mapping[str, Any]
    tensors: tuple[TensorEntry, ...]
    size: int

    def integer(self, key: str, default: int = 0) -> int:
        """Return a setting that is a whole number, or the default where it is none."""
        value = self.settings.get(key, default)
        return value if type(value) is int else default


class _Cut(Exception):  # noqa: N818
    """The file ends before its header does."""


class _Damaged(Exception):  # noqa: N818
    """The header contradicts itself; the message says how."""


def read_header(path: Path) -> GgufHeader:
    """Read the header of a GGUF file.

    Raises:
        LoadError: If it is damaged, cut off or of a version that is not read.
    """
    with open_file(path) as file:
        start = file.read(_SEEN)
        if not start.startswith(MAGIC):
            raise LoadError(path, f"no GGUF file but {describe_start(start) if start else 'empty'}")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return _read(path, data)
            except (_Cut, struct.error, IndexError, OverflowError):
                why = f"cut off within its header ({len(data)} bytes are there)"
                raise LoadError(path, why, "write or fetch it again") from None
            except _Damaged as error:
                raise LoadError(path, f"damaged: {error}", "write or fetch it again") from None


def read_texts(path: Path, header: GgufHeader, array: PackedArray) -> list[bytes]:
    """Read an array of texts that the header holds, as their bytes.

    Raises:
        LoadError: If the file has become shorter since.
    """
    length_at = struct.Struct(header.order + "Q").unpack_from
    texts = []
    with (
        open_file(path) as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        at = array.at
        try:
            for _ in range(array.count):
                end = at + 8 + length_at(data, at)[0]
                texts.append(data[at + 8 : end])
                at = end
        except (struct.error, OverflowError):
            raise LoadError(path, "changed while it was read") from None
    return texts


def read_integers(path: Path, header: GgufHeader, array: PackedArray) -> list[int]:
    """Read an array of whole numbers that the header holds.

    Raises:
        LoadError: If it is of something else.
    """
    if array.kind not in _INTEGERS:
        raise LoadError(path, "damaged: an array of the header is of no whole numbers")
    dtype = np.dtype(_SCALARS[array.kind]).newbyteorder(header.order)
    with open_file(path) as file:
        found: list[int] = np.fromfile(file, dtype, array.count, offset=array.at).tolist()
    return found


def _read(path: Path, data: mmap.mmap) -> GgufHeader:
    order: Order = "<"
    (version,) = struct.unpack_from("<I", data, 4)
    if version & 0xFFFF == 0:
        order, (version,) = ">", struct.unpack_from(">I", data, 4)
    if version not in VERSIONS:
        why = f"GGUF version {version}; {VERSIONS[0]} and {VERSIONS[1]} are read"
        old = "convert the model again by a present converter of llama.cpp"
        raise LoadError(path, why, old if version < VERSIONS[0] else "")
    cursor = _Cursor(data, order, 8)
    n_tensors, n_settings = cursor.number("Q"), cursor.number("Q")
    if n_tensors > _MOST_TENSORS or n_settings > _MOST_SETTINGS:
        raise _Damaged(f"it announces {n_tensors} tensors and {n_settings} settings")
    settings: dict[str, Any] = {}
    for _ in range(n_settings):
        key = cursor.name()
        if key in settings:
            raise _Damaged(f"setting '{printable(key, 60)}' is there twice")
        settings[key] = cursor.value(cursor.number("I"))
    entries = [_read_entry(cursor) for _ in range(n_tensors)]
    alignment = _alignment(settings)
    first = -(-cursor.at // alignment) * alignment
    if cursor.at > len(data):
        raise _Cut
    for entry in entries:
        if entry.start % alignment:
            raise _Damaged(f"tensor '{printable(entry.name, 60)}' begins off its alignment")
    tensors = tuple(TensorEntry(e.name, e.shape, e.kind, first + e.start) for e in entries)
    names: set[str] = set()
    for entry in tensors:
        if entry.name in names:
            raise _Damaged(f"tensor '{printable(entry.name, 60)}' is there twice")
        names.add(entry.name)
    return GgufHeader(order, settings, tensors, len(data))


def _alignment(settings: Mapping[str, Any]) -> int:
    value = settings.get("general.alignment", _ALIGNMENT)
    if type(value) is not int or value <= 0 or value & (value - 1):
        raise _Damaged(f"general.alignment is {value!r:.40} and no power of two")
    return value


def _read_entry(cursor: _Cursor) -> TensorEntry:
    name = cursor.name()
    n_axes = cursor.number("I")
    if n_axes > _MOST_AXES:
        raise _Damaged(f"tensor '{printable(name, 60)}' has {n_axes} axes")
    shape = tuple(reversed([cursor.number("Q") for _ in range(n_axes)]))
    if math.prod(shape) >= 1 << 62:
        raise _Damaged(f"tensor '{printable(name, 60)}' announces {math.prod(shape)} numbers")
    return TensorEntry(name, shape, cursor.number("I"), cursor.number("Q"))


class _Cursor:
    """A place in the header that moves on with what is read."""

    def __init__(self, data: mmap.mmap, order: Order, at: int) -> None:
        self.data, self.order, self.at = data, order, at
        self._texts = 0

    def number(self, code: str) -> Any:
        (value,) = struct.unpack_from(self.order + code, self.data, self.at)
        self.at += struct.calcsize(self.order + code)
        return value

    def text(self, most: int) -> str:
        length = self.number("Q")
        if length > len(self.data) - self.at:
            raise _Cut
        if length > most:
            raise _Damaged(f"a text of {length} bytes at byte {self.at}")
        self.at += length
        return self.data[self.at - length : self.at].decode("utf-8", "replace")

    def name(self) -> str:
        """Read a name, which must be UTF-8, as two others could become alike."""
        start = self.at
        name = self.text(_MOST_NAME)
        if "\ufffd" in name:
            raise _Damaged(f"a name at byte {start} is not UTF-8")
        return name

    def value(self, kind: int, depth: int = 0) -> Any:
        """Read a setting; of an array, where it is."""
        if kind in _SCALARS:
            return self.number(_SCALARS[kind])
        if kind == STRING:
            return self.text(_MOST_TEXT)
        if kind != ARRAY:
            raise _Damaged(f"a setting of the unknown type {kind} at byte {self.at}")
        if depth == _MOST_DEPTH:
            raise _Damaged(f"arrays within arrays at byte {self.at}")
        array = PackedArray(self.number("I"), self.number("Q"), self.at)
        self._pass(array, depth)
        return array

    def _pass(self, array: PackedArray, depth: int) -> None:
        """Move on behind an array."""
        if array.kind in _SCALARS:
            n_bytes = array.count * struct.calcsize("<" + _SCALARS[array.kind])
            if n_bytes > len(self.data) - self.at:
                raise _Cut
            self.at += n_bytes
            return
        self._texts += array.count
        if self._texts > _MOST_TEXTS or array.count * 8 > len(self.data) - self.at:
            raise _Damaged(f"an array of {array.count} items at byte {array.at}")
        if array.kind == STRING:
            length_at = struct.Struct(self.order + "Q").unpack_from
            data, at = self.data, self.at
            for _ in range(array.count):
                at += 8 + length_at(data, at)[0]
            if at > len(data):
                raise _Cut
            self.at = at
            return
        for _ in range(array.count):
            self.value(array.kind, depth + 1)
