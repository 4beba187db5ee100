"""Where the values of an ONNX tensor are: in the model, or in a data file beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, printable
from embviz.inputs import map_file, open_file
from embviz.loaders.bytes.protobuf import MalformedError, unpack_varints
from embviz.loaders.confined import find_within
from embviz.loaders.weights.number_types import numpy_type
from embviz.loaders.weights.onnx_graph import (
    DOUBLES,
    FLOATS,
    INT32S,
    INT64S,
    RAW,
    UINT64S,
    Stored,
)

TYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64",
    8: "string", 9: "bool", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64",
    14: "complex64", 15: "complex128", 16: "bfloat16", 17: "float8_e4m3fn",
    18: "float8_e4m3fnuz", 19: "float8_e5m2", 20: "float8_e5m2fnuz", 21: "uint4", 22: "int4",
    23: "float4_e2m1fn", 24: "float8_e8m0fnu", 25: "uint2", 26: "int2",
}  # fmt: skip
_OF_FIELD = {"float32": FLOATS, "int64": INT64S, "float64": DOUBLES, "uint64": UINT64S,
             "uint32": UINT64S}  # fmt: skip
_MOST_DIGITS = 19


@dataclass(frozen=True, eq=False)
class Model:
    """A model's file, and the sizes of the data files beside it, each looked for once."""

    path: Path
    sizes: dict[str, int] = field(default_factory=dict)

    def find(self, location: str) -> Path:
        """Return the path of a data file.

        Raises:
            LoadError: If it is not there, or not in the model's folder.
        """
        folder = self.path.parent
        path = folder / location
        if location not in self.sizes:
            path = find_within(folder, location, self.path)
            if not path.is_file():
                shown = printable(location, 80)
                way_out = "put the model and its data files into one folder"
                raise LoadError(self.path, f"data file '{shown}' is not there", way_out)
            self.sizes[location] = path.stat().st_size
        return path

    @property
    def data_files(self) -> tuple[Path, ...]:
        """Those that were found."""
        return tuple(self.path.parent / location for location in self.sizes)


def check_values(model: Model, tensor: Stored) -> str:
    """Return why a tensor's values cannot be had, "" where they are there; none is read.

    Raises:
        LoadError: If its data file is not there, or outside the folder.
    """
    name = TYPES.get(tensor.data_type, f"unknown type {tensor.data_type}")
    dtype = numpy_type(name)
    if tensor.reason or dtype is None:
        return tensor.reason or f"it is {name}, numbers of whole bytes are needed"
    needed = math.prod(tensor.shape) * dtype.itemsize
    if tensor.external is not None:
        path, offset, length = _place(model, tensor.external)
        size = model.sizes[tensor.external["location"]]
        if length not in (None, needed):
            return f"damaged: it takes {needed} bytes, {length} are said to be in {path.name}"
        if offset + needed > size:
            return f"cut off: it ends at byte {offset + needed}, {path.name} has {size}"
        return ""
    held = [number for number, spans in tensor.values.items() if spans]
    if len(held) != 1 and needed:
        return "its values are not there" if not held else "it has values of two kinds"
    if held and held[0] not in (RAW, _OF_FIELD.get(name, INT32S)):
        return f"damaged: {name} in the field of another type"
    there = sum(b - a for spans in tensor.values.values() for a, b in spans)
    if held and held[0] in (RAW, FLOATS, DOUBLES):
        return "" if there == needed else f"damaged: it takes {needed} bytes, {there} are there"
    n = math.prod(tensor.shape)
    return "" if n <= there <= 10 * n else f"damaged: {there} bytes for {n} numbers"


def _place(model: Model, external: dict[str, str]) -> tuple[Path, int, int | None]:
    path = model.find(external.get("location", ""))
    numbers = []
    for key in ("offset", "length"):
        text = external.get(key, "")
        if text and not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            raise LoadError(model.path, f"damaged: {key} '{printable(text, 40)}' of a data file")
        numbers.append(int(text) if text else None)
    return path, numbers[0] or 0, numbers[1]


def load_values(model: Model, tensor: Stored) -> NDArray[Any]:
    """Return a tensor that was checked: mapped where its bytes lie in one run.

    Raises:
        LoadError: If the numbers that are there are not as many as its shape says.
    """
    dtype = numpy_type(TYPES[tensor.data_type])
    assert dtype is not None
    stored = dtype if dtype.kind == "V" else dtype.newbyteorder("<")
    if tensor.external is not None:
        path, offset, _ = _place(model, tensor.external)
        array: NDArray[Any] = map_file(path, stored, offset, tensor.shape)
    else:
        ((number, spans),) = ((k, spans) for k, spans in tensor.values.items() if spans)
        if number not in (RAW, FLOATS, DOUBLES):
            array = _unpack(model, tensor, spans, dtype)
        elif len(spans) == 1:
            array = map_file(model.path, stored, spans[0][0], tensor.shape)
        else:
            array = np.frombuffer(_joined(model, spans), stored).reshape(tensor.shape)
    return array.view(np.uint8) if dtype.kind == "b" else array


def _joined(model: Model, spans: list[tuple[int, int]]) -> bytes:
    with open_file(model.path) as file:
        parts = []
        for a, b in spans:
            file.seek(a)
            parts.append(file.read(b - a))
    return b"".join(parts)


def _unpack(
    model: Model, tensor: Stored, spans: list[tuple[int, int]], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Return numbers that are written one by one, those of 16 bits and less by their bits."""
    what = f"{model.path}: tensor '{printable(tensor.name)}'"
    try:
        values = unpack_varints(_joined(model, spans))
    except MalformedError as error:
        raise LoadError(what, f"damaged: {error}", "fetch or write it again") from None
    if len(values) != math.prod(tensor.shape):
        why = f"damaged: {len(values)} numbers, {math.prod(tensor.shape)} are needed"
        raise LoadError(what, why, "fetch or write it again")
    bits = values.astype(f"u{dtype.itemsize}")
    return bits.view(dtype).reshape(tensor.shape)
