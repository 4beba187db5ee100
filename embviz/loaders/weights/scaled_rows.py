"""Rows of quantized tables: less their zero points and times their scales."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class ScaledRows:
    """Rows of a quantized table in float32, computed as they are read: (x - zero point) * scale.

    Args:
        values: The table as it is stored, (n_rows, n_columns), such as a memory map.
        scales: A scale for each block, (row blocks, column blocks).
        blocks: How many rows and columns have one scale; the last block may be cut.
        zeros: The zero points, of the shape of the scales; None for 0.
    """

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(
        self,
        values: NDArray[Any],
        scales: NDArray[Any],
        blocks: tuple[int, int],
        zeros: NDArray[Any] | None = None,
    ) -> None:
        self.mapped, self._blocks = values, blocks
        self._scales = scales.astype(np.float32)
        self._zeros = None if zeros is None else zeros.astype(np.float32)
        self._floats: NDArray[np.float32] | None = None
        if values.dtype.itemsize == 1:
            # What each byte stands for, which is faster than to convert them one by one.
            self._floats = np.arange(256, dtype=np.uint8).view(values.dtype).astype(np.float32)
        self.shape: tuple[int, ...] = values.shape

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        start, stop, _ = rows.indices(self.shape[0])
        stored = np.asarray(self.mapped[start : max(start, stop)])
        if self._floats is None:
            found = stored.astype(np.float32)
        else:
            found = self._floats[stored.view(np.uint8)]
        if self._zeros is not None:
            found -= self._spread(self._zeros, start, stop)
        found *= self._spread(self._scales, start, stop)
        return found

    def _spread(self, numbers: NDArray[np.float32], start: int, stop: int) -> NDArray[np.float32]:
        """Return the numbers of blocks for some rows, as far as these differ."""
        if len(numbers) > 1:
            numbers = numbers[np.arange(start, max(start, stop)) // self._blocks[0]]
        if numbers.shape[1] > 1 and self._blocks[1] > 1:
            numbers = np.repeat(numbers, self._blocks[1], axis=1)[:, : self.shape[1]]
        return numbers
