"""TensorFlow's element types by number.

Source: tensorflow/core/framework/types.proto. Numbers above 100 are references to the type below.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

STRING = 7
NUMERIC = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    9: "int64",
    10: "bool",
    11: "int8",  # 11, 12, 13, 15, 16: quantized, the integers as stored
    12: "uint8",
    13: "int32",
    14: "bfloat16",
    15: "int16",
    16: "uint16",
    17: "uint16",
    19: "float16",
    22: "uint32",
    23: "uint64",
    24: "float8_e5m2",
    25: "float8_e4m3fn",
    26: "float8_e4m3fnuz",
    27: "float8_e4m3b11fnuz",
    28: "float8_e5m2fnuz",
    29: "int4",  # the types below a byte take a byte an element
    30: "uint4",
    31: "int2",
    32: "uint2",
    33: "float4_e2m1fn",
}
OTHER = {STRING: "string", 8: "complex64", 18: "complex128", 20: "resource", 21: "variant"}
QUANTIZED = frozenset({11, 12, 13, 15, 16})
SMALL = frozenset({14, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33})  # NumPy has these from ml_dtypes


def base_type(number: int) -> int:
    """Return the type's number without the mark of a reference."""
    return number - 100 if 100 < number < 200 else number


def type_name(number: int) -> str:
    """Return the type as NumPy spells it, or a few words where NumPy has none."""
    return NUMERIC.get(number) or OTHER.get(number) or f"unknown type {number}"


def numpy_dtype(number: int, big_endian: bool = False) -> np.dtype[Any]:
    """Return the NumPy type of a numeric type as it lies in the file."""
    name = NUMERIC[number]
    if number in SMALL:
        import ml_dtypes

        dtype: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
    else:
        dtype = np.dtype(name)
    if dtype.itemsize == 1:
        return dtype
    return dtype.newbyteorder(">" if big_endian else "<")


def swap_small(values: NDArray[Any]) -> NDArray[Any]:
    """Return values of ml_dtypes in this machine's byte order, others as they are.

    Single values of an array in the other order come out wrong, as `tolist` shows.
    """
    if values.dtype.kind != "V" or values.dtype.isnative:
        return values
    whole = np.dtype(f"u{values.dtype.itemsize}")
    other = whole.newbyteorder()
    return values.view(other).astype(whole).view(values.dtype.newbyteorder("="))
