"""The types of weights by their names, those of ml_dtypes among them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

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


class SwappedRows:
    """Rows of a type of two bytes of ml_dtypes that lie with the highest byte first.

    Such an array of NumPy's would convert rightly, but give other numbers one by one.

    Args:
        raw: uint16, as they lie.
        dtype: What they are.
    """

    def __init__(self, raw: NDArray[Any], dtype: np.dtype[Any]) -> None:
        self.mapped, self.dtype, self.shape = raw, dtype, raw.shape

    def __getitem__(self, rows: slice, /) -> NDArray[Any]:
        return self.mapped[rows].astype(np.uint16).view(self.dtype)
