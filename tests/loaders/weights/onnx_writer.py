"""Writes ONNX models field by field, by the numbers of onnx.proto."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from table_writer import varint

NUMBERS = {
    "float32": 1, "uint8": 2, "int8": 3, "uint16": 4, "int16": 5, "int32": 6, "int64": 7,
    "bool": 9, "float16": 10, "float64": 11, "uint32": 12, "uint64": 13, "complex64": 14,
    "bfloat16": 16, "float8_e4m3fn": 17, "float8_e5m2": 19,
}  # fmt: skip


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, *parts: bytes | str) -> bytes:
    body = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return varint(field << 3 | 2) + varint(len(body)) + body


def header(name: str, data_type: int, shape: tuple[int, ...]) -> bytes:
    return b"".join(number(1, side) for side in shape) + number(2, data_type) + message(8, name)


def raw(name: str, array: np.ndarray[Any, Any]) -> bytes:
    """A tensor by its bytes."""
    return header(name, NUMBERS[array.dtype.name], array.shape) + message(9, array.tobytes())


def typed(name: str, array: np.ndarray[Any, Any], field: int) -> bytes:
    """A tensor by its numbers, in the field of a type; small floats by their bits."""
    if array.dtype.name in ("float32", "float64"):
        body = array.tobytes()
    else:
        bits = array if array.dtype.kind in "iub" else array.view(f"u{array.itemsize}")
        body = b"".join(varint(int(value)) for value in bits.ravel())
    return header(name, NUMBERS[array.dtype.name], array.shape) + message(field, body)


def external(name: str, data_type: int, shape: tuple[int, ...], **entries: str) -> bytes:
    """A tensor whose bytes lie in a data file."""
    fields = [message(13, message(1, key), message(2, value)) for key, value in entries.items()]
    return header(name, data_type, shape) + b"".join(fields) + number(14, 1)


def node(operation: str, inputs: str, outputs: str, *more: bytes, **numbers: int) -> bytes:
    """A node; names between blanks, `-` for one that is left out."""
    attributes = [
        message(5, message(1, key), number(3, value), number(20, 2))
        for key, value in numbers.items()
    ]
    return b"".join(
        [
            *(message(1, name.replace("-", "")) for name in inputs.split()),
            *(message(2, name) for name in outputs.split()),
            message(4, operation),
            *attributes,
            *more,
        ]
    )


def graph(tensors: list[bytes], nodes: list[bytes] | None = None) -> bytes:
    parts = [message(1, part) for part in nodes or []]
    return b"".join([*parts, message(2, "g"), *(message(5, part) for part in tensors)])


def write(path: Path, tensors: list[bytes], nodes: list[bytes] | None = None) -> Path:
    head = number(1, 8) + message(2, "pytorch")
    model = head + message(7, graph(tensors, nodes)) + message(8, number(2, 17))
    path.write_bytes(model)
    return path
