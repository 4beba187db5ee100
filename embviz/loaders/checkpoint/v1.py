"""TensorFlow's V1 checkpoint without TensorFlow: one sorted table, or one a shard.

The key "" holds the names, shapes and slices; every slice has an entry with its values as a
TensorProto, so that nothing can be memory-mapped. Source:
tensorflow/core/util/saved_tensor_slice.proto and tensor_slice_reader.cc.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.loaders.bytes.protobuf import (
    LENGTH,
    VARINT,
    MalformedError,
    fields,
    signed,
    unpack_varints,
)
from embviz.loaders.checkpoint.bundle import parse_shape
from embviz.loaders.checkpoint.slices import (
    Extents,
    box_shape,
    check_coverage,
    encode_slice_key,
    parse_slice,
    place_slices,
    resolve_box,
)
from embviz.loaders.checkpoint.sstable import Table
from embviz.loaders.checkpoint.types import NUMERIC, base_type, numpy_dtype, type_name

READER_VERSION = 1  # TF_CHECKPOINT_VERSION
FLOAT_VALUES, DOUBLE_VALUES, INT_VALUES, HALF_VALUES, FLOAT8_VALUES = 5, 6, 7, 13, 18
# The TensorProto field that holds the values of a type, by TensorFlow's number.
VALUE_FIELDS = {1: FLOAT_VALUES, 2: DOUBLE_VALUES, 9: 10, 10: 11, 14: HALF_VALUES}
VALUE_FIELDS |= {19: HALF_VALUES, 22: 16, 23: 17}
VALUE_FIELDS |= dict.fromkeys((3, 4, 5, 6, 11, 12, 13, 15, 16, 17, 29, 30), INT_VALUES)
VALUE_FIELDS |= dict.fromkeys((24, 25, 26, 27, 28), FLOAT8_VALUES)


@dataclass(slots=True)
class V1Entry:
    """A tensor and its slices: which table holds each, by its extents."""

    shape: tuple[int, ...]
    dtype: int
    slices: dict[Extents, Table] = field(default_factory=dict)

    @property
    def identity(self) -> None:
        """A V1 checkpoint stores no checksum a tensor, so that content cannot be compared."""
        return None


class V1Checkpoint:
    """An open V1 checkpoint.

    Args:
        files: Its file, or all its shards.

    Attributes:
        entries: Tensors by name.

    Raises:
        LoadError: If a file is missing, damaged or of a version this reader does not know.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = tuple(files)
        self.entries: dict[str, V1Entry] = {}
        self._keys: dict[str, bytes] = {}
        for path in self.files:
            table = Table(path)
            try:
                self._add_shard(table)
            except MalformedError as error:
                raise table.damaged(str(error)) from error

    def _add_shard(self, table: Table) -> None:
        """Read one file's SavedTensorSlices.meta {tensor=1, versions=2}."""
        value = table.lookup(b"")
        if value is None:
            raise MalformedError("it has no list of tensors, so that it is no checkpoint")
        for tag, a, b in fields(value):
            if tag == 1 << 3 | VARINT:
                raise MalformedError(
                    "this is the index of a V2 checkpoint; its name must be P.index"
                )
            if tag != 1 << 3 | LENGTH:
                continue
            for inner, start, end in fields(value, a, b):
                if inner == 1 << 3 | LENGTH:
                    self._add_tensor(value[start:end], table)
                elif inner == 2 << 3 | LENGTH:
                    check_version(value[start:end])

    def _add_tensor(self, data: bytes, table: Table) -> None:
        """Read a SavedSliceMeta {name=1, shape=2, type=3, slice=4}."""
        raw, dtype = b"", 0
        shape: tuple[int, ...] = ()
        slices: list[Extents] = []
        for tag, a, b in fields(data):
            if tag == 1 << 3 | LENGTH:
                raw = data[a:b]
            elif tag == 2 << 3 | LENGTH:
                shape = parse_shape(data[a:b])
            elif tag == 3 << 3 | VARINT:
                dtype = base_type(a)
            elif tag == 4 << 3 | LENGTH:
                slices.append(parse_slice(data, a, b))
        name = raw.decode("utf-8", "backslashreplace")
        entry = self.entries.setdefault(name, V1Entry(shape, dtype))
        self._keys.setdefault(name, raw)
        if (entry.shape, entry.dtype, self._keys[name]) != (shape, dtype, raw):
            raise MalformedError(f"tensor '{name}' has another shape or type in another shard")
        for extents in slices:
            if entry.slices.setdefault(extents, table) is not table:
                raise MalformedError(f"tensor '{name}': slice {list(extents)} is in two shards")

    def read(self, name: str) -> tuple[NDArray[Any], Callable[[], None]]:
        """Return a numeric tensor, in memory, and a function that has nothing left to check.

        The values' checksums are those of the table's blocks, checked when they are read.

        Raises:
            LoadError: If a slice is missing or damaged, or the tensor's type is not numeric.
        """
        entry = self.entries[name]
        what = self.files[0] if len(self.files) == 1 else self.files[0].parent
        if entry.dtype not in NUMERIC or entry.dtype not in VALUE_FIELDS:
            raise LoadError(
                what, f"tensor '{name}': its type is {type_name(entry.dtype)}, numbers are needed"
            )
        try:
            boxes = [resolve_box(extents, entry.shape) for extents in entry.slices]
            check_coverage(entry.shape, boxes)
            # Read before memory is taken for the whole: the shape may be a lie, these are not.
            parts = [
                (box, self._read_slice(name, extents, math.prod(box_shape(box))))
                for extents, box in zip(entry.slices, boxes, strict=True)
            ]
            if len(parts) == 1:
                return parts[0][1].reshape(entry.shape), _nothing_left
            return place_slices(entry.shape, numpy_dtype(entry.dtype), parts), _nothing_left
        except MalformedError as error:
            raise LoadError(what, f"tensor '{name}': {error}") from error

    def _read_slice(self, name: str, extents: Extents, n_values: int) -> NDArray[Any]:
        entry = self.entries[name]
        table = entry.slices[extents]
        value = table.lookup(encode_slice_key(self._keys[name], extents))
        try:
            if value is None:
                raise MalformedError(f"its slice {list(extents)} has no entry")
            for tag, a, b in fields(value):  # SavedTensorSlices.data
                if tag == 2 << 3 | LENGTH:
                    for inner, start, end in fields(value, a, b):  # SavedSlice.data
                        if inner == 3 << 3 | LENGTH:
                            return parse_values(value, (start, end), entry.dtype, n_values)
            if n_values:
                raise MalformedError(f"its slice {list(extents)} has no values")
            return np.empty(0, numpy_dtype(entry.dtype))
        except MalformedError as error:
            raise table.damaged(f"tensor '{name}': {error}") from error


def _nothing_left() -> None:
    """Check nothing: the blocks' checksums were checked when the values were read."""


def check_version(data: bytes) -> None:
    """Refuse a VersionDef {producer=1, min_consumer=2} that asks for a newer reader."""
    for tag, value, _ in fields(data):
        if tag == 2 << 3 | VARINT and signed(value) > READER_VERSION:
            raise MalformedError(
                f"it needs a reader of version {signed(value)}, this one is {READER_VERSION}"
            )


def parse_values(data: bytes, span: tuple[int, int], dtype: int, n_values: int) -> NDArray[Any]:
    """Read the values of a TensorProto.

    Args:
        data: The bytes the message lies in.
        span: Its first byte and the one behind its last.
        dtype: TensorFlow's number of a type in VALUE_FIELDS.
        n_values: How many there must be.

    Returns:
        Shape (n_values,), of the type as NumPy has it.

    Raises:
        MalformedError: If there are more or fewer values.
    """
    number = VALUE_FIELDS[dtype]
    packed = number << 3 | LENGTH
    chunks = []
    for tag, a, b in fields(data, *span):
        if tag == packed:
            chunks.append(data[a:b])
        elif tag >> 3 == number:
            raise MalformedError("its values are not packed, as TensorFlow packs them")
    target = numpy_dtype(dtype)
    content = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    if number in (FLOAT_VALUES, DOUBLE_VALUES, FLOAT8_VALUES):
        if len(content) != n_values * target.itemsize:
            raise MalformedError(
                f"{len(content):,} bytes of values, {n_values:,} of {type_name(dtype)} take "
                f"{n_values * target.itemsize:,}"
            )
        return np.frombuffer(content, target)
    values = unpack_varints(content)
    if len(values) != n_values:
        raise MalformedError(f"{len(values):,} values stored, {n_values:,} wanted")
    if number == HALF_VALUES:
        return values.astype(np.uint16).view(target)
    return values.view(np.int64).astype(target)
