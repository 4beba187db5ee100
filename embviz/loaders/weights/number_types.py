"""The types of weights by their names, those of ml_dtypes among them."""

from __future__ import annotations

from typing import Any

import numpy as np

_PLAIN = frozenset(
    {"float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "uint16",
     "uint32", "uint64", "bool"}
)  # fmt: skip
_SMALL = frozenset(
    {"bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz",
     "float8_e8m0fnu"}
)  # fmt: skip


def numpy_type(name: str) -> np.dtype[Any] | None:
    """Return the type of elements as NumPy or ml_dtypes has it, None where they do not."""
    if name in _PLAIN:
        return np.dtype(name)
    if name in _SMALL:
        import ml_dtypes

        small: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
        return small
    return None
