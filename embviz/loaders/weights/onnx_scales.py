"""Tables of an ONNX model that are quantized: integers, scales and zero points.

https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html: (x - zero point) * scale, for all of a
tensor, for each place along an axis, or for blocks along it. ONNX Runtime's quantized models look
up rows first and scale what they found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.loaders.weights.onnx_graph import Graph, Node, Stored
from embviz.rows import Rows

_NONE = -1  # No axis: there is one scale for all.
_OTHERS = frozenset({"GatherBlockQuantized", "MatMulNBits"})


@dataclass(frozen=True)
class Scaling:
    """How a table is scaled.

    Attributes:
        scale: The name of the tensor of scales.
        zero: That of the zero points, "" for none.
        axis: Along which side there is one for each place or block.
        block: How many places share one; 0 for one each.
        reason: Why it cannot be scaled here, "" where it can.
    """

    scale: str = ""
    zero: str = ""
    axis: int = 1
    block: int = 0
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Uses:
    """What the nodes of a graph do with its tensors.

    Attributes:
        looked_up: Names of those whose rows are looked up by numbers.
        scaled: How others are scaled, by name.
    """

    looked_up: frozenset[str]
    scaled: Mapping[str, Scaling]


def find_uses(graph: Graph) -> Uses:
    """Return which tensors are looked up or scaled."""
    looked_up: set[str] = set()
    scaled: dict[str, Scaling] = {}
    source: dict[str, str] = {}
    for node in graph.nodes:
        first = node.inputs[0] if node.inputs else ""
        if node.operation == "Gather" and node.numbers.get("axis", 0) == 0 and node.outputs:
            looked_up.add(first)
            source[node.outputs[0]] = first
        elif node.operation in _OTHERS and len(node.inputs) > 1:
            name = node.inputs[0 if node.operation.startswith("Gather") else 1]
            scaled[name] = Scaling(reason=f"it is packed for {node.operation}, which is not read")
    for node in graph.nodes:
        if node.operation == "DequantizeLinear" and len(node.inputs) > 1:
            first = node.inputs[0]
            scaled.setdefault(source.get(first, first), _scaling(node, first in source))
            if node.outputs and first not in source:
                looked_up |= {first} if node.outputs[0] in looked_up else set()
    return Uses(frozenset(looked_up), scaled)


def _scaling(node: Node, after_lookup: bool) -> Scaling:
    """Return how a table of two sides is scaled, or the rows that were looked up in it."""
    zero = node.inputs[2] if len(node.inputs) > 2 else ""
    axis = node.numbers.get("axis", 1)
    if after_lookup:  # Of its axes, the last alone is known.
        return Scaling(node.inputs[1], zero, 1 if axis == -1 else _NONE)
    return Scaling(node.inputs[1], zero, axis % 2, node.numbers.get("block_size", 0))


def check_scaling(scaling: Scaling, tensor: Stored, tensors: Mapping[str, Stored]) -> str:
    """Return why a table of two sides cannot be scaled, "" where it can."""
    if scaling.reason:
        return scaling.reason
    scale, zero = tensors.get(scaling.scale), tensors.get(scaling.zero)
    if scale is None or (scaling.zero and zero is None):
        return "it is quantized, and its scale is computed"
    if zero is not None and zero.shape != scale.shape:
        return "it is quantized, with scales and zero points of two shapes"
    if scale.shape in ((), (1,)):
        return ""
    wanted: tuple[int, ...] = ()
    if scaling.axis != _NONE:
        wanted = (tensor.shape[scaling.axis],)
        if scaling.block > 0:
            blocks = [*tensor.shape]
            blocks[scaling.axis] = -(-blocks[scaling.axis] // scaling.block)
            wanted = tuple(blocks)
    return "" if scale.shape == wanted else "it is quantized, by scales of another shape"


class DequantizedRows:
    """Rows of a quantized table in float32.

    Args:
        values: The table as it is stored.
        scaling: How it is scaled.
        scale: The scales, of a shape that was checked.
        zero: The zero points, of the same shape; None for 0.
    """

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(
        self,
        values: Rows,
        scaling: Scaling,
        scale: NDArray[Any],
        zero: NDArray[Any] | None,
    ) -> None:
        self._values, self.shape = values, values.shape
        self._factors = [self._spread(scaling, scale.astype(np.float32))]
        if zero is not None:
            self._factors.append(self._spread(scaling, zero.astype(np.float32)))

    def _spread(
        self, scaling: Scaling, numbers: NDArray[np.float32]
    ) -> Callable[[int, int], NDArray[np.float32]]:
        """Return what gives the numbers that belong to rows, as far as they differ."""
        rows = scaling.axis == 0
        if numbers.size == 1:
            return lambda start, stop: numbers.reshape(1, 1)
        if not scaling.block:
            shaped = numbers[:, None] if rows else numbers[None]
            return (lambda start, stop: shaped[start:stop]) if rows else lambda start, stop: shaped
        if rows:
            return lambda start, stop: numbers[np.arange(start, stop) // scaling.block]
        width = self.shape[1]
        return lambda start, stop: np.repeat(numbers[start:stop], scaling.block, 1)[:, :width]

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        start, stop, _ = rows.indices(self.shape[0])
        stop = max(start, stop)
        found = np.asarray(self._values[start:stop]).astype(np.float32)
        scale, *zeros = (of(start, stop) for of in self._factors)
        for zero in zeros:
            found -= zero
        found *= scale
        return found
