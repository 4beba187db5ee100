"""The few operations on arrays that the work of a device is written in.

Operators, comparisons, slices, `reshape`, `.T` and broadcasting mean the same of NumPy's arrays and
PyTorch's tensors and are used as they are; what differs between the two is here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

Array = Any
"""An array of a device: NumPy's, or a tensor."""

Kind = Literal["float32", "float64", "int32", "int64"]


class Arrays(Protocol):
    """One device's arrays."""

    @property
    def title(self) -> str:
        """What the device is called."""
        ...

    def put(self, values: NDArray[Any]) -> Array:
        """Return an array on the device with the values of one in memory."""
        ...

    def get(self, array: Array) -> NDArray[Any]:
        """Return the values of an array in memory."""
        ...

    def cast(self, array: Array, kind: Kind) -> Array:
        """Return an array as another type; whole numbers are cut off."""
        ...

    def full(self, shape: Sequence[int], value: float, kind: Kind) -> Array: ...

    def steps(self, n: int) -> Array:
        """Return 0 .. n - 1, int64."""
        ...

    def exp(self, array: Array) -> Array: ...

    def log(self, array: Array) -> Array: ...

    def sqrt(self, array: Array) -> Array: ...

    def floor(self, array: Array) -> Array: ...

    def round(self, array: Array) -> Array: ...

    def sign(self, array: Array) -> Array: ...

    def where(self, condition: Array, yes: Array, no: Array) -> Array:
        """Choose between an array and a number, or two arrays."""
        ...

    def sum(self, array: Array, axis: int, kind: Kind | None = None) -> Array: ...

    def least(self, array: Array, axis: int) -> Array: ...

    def largest(self, array: Array, axis: int) -> Array: ...

    def total(self, array: Array) -> float:
        """Return the sum of all, in float64."""
        ...

    def join(self, parts: Sequence[Array], axis: int) -> Array: ...

    def take(self, array: Array, places: Array) -> Array:
        """Return the entries or rows of an array at places of any shape."""
        ...

    def take_along(self, array: Array, places: Array) -> Array:
        """Return of each row of a matrix the entries at that row of places."""
        ...

    def repeat(self, array: Array, counts: Array) -> Array:
        """Return each entry as often as it counts."""
        ...

    def keep(self, array: Array, condition: Array) -> Array:
        """Return the entries where a condition holds."""
        ...

    def products(self, a: Array, b: Array) -> Array:
        """Return a @ b, with no less precision than the type of both has."""
        ...

    def smallest(self, values: Array, k: int) -> tuple[Array, Array]:
        """Return the k least of each row of a matrix, ascending, and their places."""
        ...

    def scatter_add(self, array: Array, places: Array, values: Array) -> None:
        """Add int64 values to the entries at places, of which one may come several times."""
        ...

    def segment_sum(self, values: Array, starts: Array) -> Array:
        """Return the sums of stretches of an array's last axis.

        Args:
            values: float64 (..., n).
            starts: int64 (n_stretches + 1,), ascending, from 0 to n; no stretch is empty.
        """
        ...

    def sort(self, values: Array) -> tuple[Array, Array]:
        """Return the entries along the last axis in ascending order, and their places."""
        ...

    def count_below(self, ordered: Array, limits: Array) -> Array:
        """Count the entries of each ascending row that are below each of that row's limits."""
        ...

    def transform(self, values: Array, size: int) -> Array:
        """Return the Fourier transform of real values over all axes, each filled up to `size`."""
        ...

    def transform_back(self, spectrum: Array, size: int) -> Array:
        """Return the real values of `size` along all axes that have a spectrum."""
        ...

    def wait(self) -> None:
        """Return when all is done that was asked for."""
        ...

    def is_short(self, error: BaseException) -> bool:
        """Tell whether an exception says that the device has not enough memory."""
        ...

    def release(self) -> None:
        """Give memory that nothing holds back to the device."""
        ...
