"""Vectors in the columns of an Arrow table: lists of numbers, or plain columns side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.loaders.tables.arrow_table import ArrowTable, Walk

_DTYPES = {
    "halffloat": "float16", "float": "float32", "double": "float64", "int8": "int8",
    "int16": "int16", "int32": "int32", "int64": "int64", "uint8": "uint8", "uint16": "uint16",
    "uint32": "uint32", "uint64": "uint64",
}  # fmt: skip


@dataclass(frozen=True)
class ListType:
    """A list of numbers as a column's type: NumPy's dtype, and its sides where they are fixed."""

    dtype: np.dtype[Any]
    sides: tuple[int, ...] | None


def number_type(kind: Any) -> np.dtype[Any] | None:
    """Return the dtype of a type of plain numbers, None for others."""
    name = _DTYPES.get(str(kind))
    return None if name is None else np.dtype(name)


def list_type(kind: Any) -> ListType | None:
    """Return what a type of lists of numbers holds, None for others."""
    from pyarrow import types

    shape = getattr(kind, "shape", None)
    kind = getattr(kind, "storage_type", kind)
    sides: tuple[int, ...] = ()
    while types.is_fixed_size_list(kind):
        sides, kind = (*sides, kind.list_size), kind.value_type
    if sides:
        dtype = number_type(kind)
        return None if dtype is None else ListType(dtype, tuple(shape) if shape else sides)
    if not (types.is_list(kind) or types.is_large_list(kind)):
        return None
    dtype = number_type(kind.value_type)
    return None if dtype is None else ListType(dtype, None)


class ListRows:
    """Lists of numbers of one length as rows; what is null or empty is a row of NaN."""

    def __init__(self, table: ArrowTable, column: str, width: int, dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype = (table.n_rows, width), dtype
        self._walk = Walk(table, [column], width * 8)
        self._what = f"{table.path}: column '{column}'"

    def __getitem__(self, rows: slice, /) -> NDArray[Any]:
        start, stop, step = rows.indices(self.shape[0])
        out = np.empty((max(0, stop - start), self.shape[1]), self.dtype)
        for first, batch in self._walk.slices(start, stop):
            block = read_lists(batch.column(0), self.shape[1], self._what, first)
            _check_fits(block, self.dtype, self._what, first)
            out[first - start : first - start + len(block)] = block
        return out[::step]


class WideRows:
    """Plain columns of numbers as rows; what is null is NaN."""

    def __init__(self, table: ArrowTable, columns: Sequence[str], dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype = (table.n_rows, len(columns)), dtype
        self._walk = Walk(table, columns, len(columns) * 8)
        self._columns, self._path = tuple(columns), table.path

    def __getitem__(self, rows: slice, /) -> NDArray[Any]:
        start, stop, step = rows.indices(self.shape[0])
        out = np.empty((max(0, stop - start), self.shape[1]), self.dtype)
        for first, batch in self._walk.slices(start, stop):
            block = out[first - start : first - start + batch.num_rows]
            for number, column in enumerate(self._columns):
                values = read_numbers(batch.column(batch.schema.get_field_index(column)))
                _check_fits(values, self.dtype, f"{self._path}: column '{column}'", first)
                block[:, number] = values
        return out[::step]


def read_numbers(values: Any) -> NDArray[Any]:
    """Return an Arrow array of plain numbers; with nulls it is floats, and they are NaN."""
    dtype = number_type(values.type)
    assert dtype is not None
    raw = values.buffers()[1]
    if raw is None or not len(values):
        return np.full(len(values), np.nan, np.float32) if len(values) else np.empty(0, dtype)
    end = values.offset + len(values)
    found = np.frombuffer(raw, dtype, end)[values.offset :]
    if not values.null_count:
        return found
    found = found.astype(as_floats(dtype))
    found[values.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return found


def as_floats(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type that holds the numbers of a type and NaN."""
    if dtype.kind == "f":
        return dtype
    return np.dtype(np.float32 if dtype.itemsize <= 2 else np.float64)


def read_lists(array: Any, width: int, what: str, first: int) -> NDArray[Any]:
    """Return an Arrow array of lists as (n, width); what is null or empty is NaN.

    Args:
        array: Lists of numbers.
        width: How many numbers each must have.
        what: How the column is named in an error.
        first: The row number of the first.

    Raises:
        LoadError: If one has another length, with its row.
    """
    array = getattr(array, "storage", array)
    starts, lengths = list_bounds(array)
    there = lengths > 0
    wrong = np.flatnonzero(there & (lengths != width))
    if len(wrong):
        row = int(wrong[0])
        raise LoadError(
            what,
            f"row {first + row} has {lengths[row]:,} numbers, the rows before it {width:,}",
            "vectors have one length: average or cut them, or choose another --tensor",
        )
    low = int(starts[there].min()) if there.any() else 0
    high = int(starts[there].max()) + width if there.any() else 0
    values = read_numbers(array.values.slice(low, high - low))
    if there.all() and high - low == len(array) * width and (np.diff(starts) == width).all():
        return values.reshape(len(array), width)
    out = np.full((len(array), width), np.nan, as_floats(values.dtype))
    if there.any():
        out[there] = values[(starts[there] - low)[:, None] + np.arange(width)]
    return out if not there.all() else out.astype(values.dtype)


def list_bounds(array: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each list begins in `values`, and its length, 0 for null."""
    from pyarrow import types

    if types.is_fixed_size_list(array.type):
        width = array.type.list_size
        starts = (array.offset + np.arange(len(array), dtype=np.int64)) * width
        lengths = np.full(len(array), width, np.int64)
    else:
        offsets = array.offsets.to_numpy().astype(np.int64)
        starts, lengths = offsets[:-1], np.diff(offsets)
    if array.null_count:
        lengths = np.where(array.is_null().to_numpy(zero_copy_only=False), 0, lengths)
    return starts, lengths


def _check_fits(block: NDArray[Any], dtype: np.dtype[Any], what: str, first: int) -> None:
    """Refuse nulls where integers were announced."""
    if dtype.kind in "iu" and block.dtype.kind == "f":
        rows = np.flatnonzero(np.isnan(block).reshape(len(block), -1).any(axis=1))
        raise LoadError(what, f"row {first + int(rows[0])} is null", "fill it in, or leave it out")
