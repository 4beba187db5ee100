"""Tables of an ONNX model that are quantized: integers, scales and zero points.

https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html: (x - zero point) * scale, for all of a
tensor, for each place along an axis, or for blocks along it. ONNX Runtime's quantized models look
up rows first and scale what they found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from embviz.loaders.weights.onnx_graph import Graph, Node, Stored
from embviz.loaders.weights.scaled_rows import ScaledRows

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


def open_scaled(
    values: NDArray[Any], scaling: Scaling, scale: NDArray[Any], zero: NDArray[Any] | None
) -> ScaledRows:
    """Return the rows of a quantized table, of scales and zero points of shapes that were checked.

    Args:
        values: The table as it is stored.
        scaling: How it is scaled.
        scale: The scales.
        zero: The zero points, of the same shape; None for 0.
    """
    n_rows, n_columns = values.shape
    if scale.size == 1:
        shape, blocks = (1, 1), (n_rows, n_columns)
    elif scaling.block:
        shape = scale.shape
        blocks = (scaling.block, 1) if scaling.axis == 0 else (1, scaling.block)
    elif scaling.axis == 0:
        shape, blocks = (n_rows, 1), (1, n_columns)
    else:
        shape, blocks = (1, n_columns), (n_rows, 1)
    zeros = None if zero is None else zero.reshape(shape)
    return ScaledRows(values, scale.reshape(shape), blocks, zeros)
