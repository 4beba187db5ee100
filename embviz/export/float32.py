"""Whether vectors can be written as float32, which is all that TensorBoard computes in."""

from __future__ import annotations

import numpy as np

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable


def check_float32(table: EmbeddingTable) -> None:
    """Refuse vectors that float32 would make infinite, or all zero.

    It reads vectors of wider types once, so that nothing is computed of what cannot be written.

    Raises:
        LoadError: If a value is NaN or infinite.
        ParameterError: Naming the first row.
    """
    dtype = table.vectors.dtype
    if dtype.kind != "f" or dtype.itemsize <= 4:
        return
    name = (table.name or "tensor").removesuffix(":0")
    for start, block in table.blocks(np.float64):
        with np.errstate(over="ignore"):
            narrow = block.astype(np.float32)
        large = np.flatnonzero(~np.isfinite(narrow).all(axis=1))
        small = np.flatnonzero(block.any(axis=1) & ~narrow.any(axis=1))
        for rows, side, change in ((large, "beyond", "divide"), (small, "below", "multiply")):
            if len(rows):
                raise ParameterError(
                    name,
                    f"row {table.row_number(start + int(rows[0]))} is {side} the range of float32, "
                    "which TensorBoard computes in",
                    f"{change} the vectors by a constant first",
                )
