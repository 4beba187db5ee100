"""NumPy's arrays: for tests and as a reference of what a card computes.

The processor itself keeps ways of its own, which are faster there: faiss for neighbors, and SciPy
and openTSNE for t-SNE.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.devices.arrays import Array, Kind


class NumPyArrays:
    """The processor, one operation after the other."""

    title = "NumPy"

    def put(self, values: NDArray[Any]) -> Array:
        return np.ascontiguousarray(values)

    def get(self, array: Array) -> NDArray[Any]:
        return np.asarray(array)

    def cast(self, array: Array, kind: Kind) -> Array:
        return array.astype(kind)

    def full(self, shape: Sequence[int], value: float, kind: Kind) -> Array:
        return np.full(shape, value, kind)

    def steps(self, n: int) -> Array:
        return np.arange(n, dtype=np.int64)

    def exp(self, array: Array) -> Array:
        return np.exp(array)

    def log(self, array: Array) -> Array:
        return np.log(array)

    def sqrt(self, array: Array) -> Array:
        return np.sqrt(array)

    def floor(self, array: Array) -> Array:
        return np.floor(array)

    def round(self, array: Array) -> Array:
        return np.round(array)

    def sign(self, array: Array) -> Array:
        return np.sign(array)

    def where(self, condition: Array, yes: Array, no: Array) -> Array:
        return np.where(condition, yes, no)

    def sum(self, array: Array, axis: int, kind: Kind | None = None) -> Array:
        return array.sum(axis=axis, dtype=kind)

    def least(self, array: Array, axis: int) -> Array:
        return array.min(axis=axis)

    def largest(self, array: Array, axis: int) -> Array:
        return array.max(axis=axis)

    def total(self, array: Array) -> float:
        return float(array.sum(dtype=np.float64))

    def join(self, parts: Sequence[Array], axis: int) -> Array:
        return np.concatenate(parts, axis=axis)

    def take(self, array: Array, places: Array) -> Array:
        return array[places]

    def take_along(self, array: Array, places: Array) -> Array:
        return np.take_along_axis(array, places, axis=1)

    def repeat(self, array: Array, counts: Array) -> Array:
        return np.repeat(array, counts)

    def keep(self, array: Array, condition: Array) -> Array:
        return array[condition]

    def products(self, a: Array, b: Array) -> Array:
        return a @ b

    def smallest(self, values: Array, k: int) -> tuple[Array, Array]:
        places = np.argpartition(values, k - 1, axis=1)[:, :k]
        kept = np.take_along_axis(values, places, axis=1)
        order = np.argsort(kept, axis=1, kind="stable")
        return np.take_along_axis(kept, order, 1), np.take_along_axis(places, order, 1)

    def scatter_add(self, array: Array, places: Array, values: Array) -> None:
        np.add.at(array, places, values)

    def segment_sum(self, values: Array, starts: Array) -> Array:
        return np.add.reduceat(values, starts[:-1], axis=-1)

    def sort(self, values: Array) -> tuple[Array, Array]:
        places = np.argsort(values, axis=-1, kind="stable")
        return np.take_along_axis(values, places, axis=-1), places

    def count_below(self, ordered: Array, limits: Array) -> Array:
        pairs = zip(ordered, limits, strict=True)
        return np.stack([np.searchsorted(row, limit) for row, limit in pairs])

    def transform(self, values: Array, size: int) -> Array:
        from scipy.fft import rfftn

        return rfftn(values, s=(size,) * values.ndim)

    def transform_back(self, spectrum: Array, size: int) -> Array:
        from scipy.fft import irfftn

        return irfftn(spectrum, s=(size,) * spectrum.ndim)

    def wait(self) -> None:
        pass

    def is_short(self, error: BaseException) -> bool:
        return isinstance(error, MemoryError)

    def release(self) -> None:
        pass
