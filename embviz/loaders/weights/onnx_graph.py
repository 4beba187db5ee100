"""The tensors and the few nodes of an ONNX model that say what tables are.

The messages of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, walked in the file's own
bytes: where the values of a tensor lie is noted, they are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from embviz.loaders.bytes.protobuf import (
    LENGTH,
    VARINT,
    Buffer,
    MalformedError,
    fields,
    signed,
    unpack_varints,
)

MOST_FIELDS = 30_000_000
MOST_DEPTH = 16
MOST_TENSORS = 200_000
_MOST_DIMENSIONS = 32
_MOST_TEXT = 1 << 16
Span = tuple[int, int]
# Field numbers of values, by the types that lie there where they are not raw.
RAW, FLOATS, INT32S, INT64S, DOUBLES, UINT64S = 9, 4, 5, 7, 10, 11
_VALUES = (RAW, FLOATS, INT32S, INT64S, DOUBLES, UINT64S)
_OPERATIONS = frozenset(
    {"Gather", "DequantizeLinear", "GatherBlockQuantized", "MatMulNBits", "Constant"}
)


@dataclass(frozen=True, eq=False)
class Stored:
    """A tensor as the file has it.

    Attributes:
        name: The initializer's.
        data_type: The number of its type.
        shape: Its sides.
        values: Where its values lie, by the number of their field.
        external: What the file says of a data file: `location`, `offset`, `length`.
        reason: Why it cannot be read, "" where it can.
        constant: Whether a node holds it, and it is no initializer.
    """

    name: str
    data_type: int
    shape: tuple[int, ...]
    values: dict[int, list[Span]] = field(default_factory=dict)
    external: dict[str, str] | None = None
    reason: str = ""
    constant: bool = False


@dataclass(frozen=True, eq=False)
class Node:
    """An operation that looks up rows, or scales them.

    Attributes:
        operation: Its name.
        inputs: Names, "" for what is left out.
        outputs: Names.
        numbers: Its whole-number attributes, such as `axis`.
    """

    operation: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    numbers: dict[str, int]


@dataclass(frozen=True, eq=False)
class Graph:
    """What a model holds, that of the graphs within its graph included."""

    tensors: list[Stored] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)


def read_graph(data: Buffer) -> Graph:
    """Read a model.

    Raises:
        MalformedError: If it is no model, cut off, or larger than any that is met.
    """
    walk = _Walk(data)
    for tag, a, b in walk.fields(0, len(data)):
        if tag == _tag(7):
            walk.graph(a, b, 0)
    if not walk.met_graph:
        raise MalformedError("it has no graph")
    return walk.found


def _tag(number: int, wire: int = LENGTH) -> int:
    return number << 3 | wire


class _Walk:
    def __init__(self, data: Buffer) -> None:
        self.data, self.found, self.met_graph = data, Graph(), False
        self._left = MOST_FIELDS

    def fields(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield the fields of a message, all together no more than any model has."""
        for found in fields(self.data, start, end):
            self._left -= 1
            if self._left < 0:
                raise MalformedError(f"it has more than {MOST_FIELDS} fields")
            yield found

    def text(self, a: int, b: int) -> str:
        return bytes(self.data[a : min(b, a + _MOST_TEXT)]).decode("utf-8", "replace")

    def graph(self, start: int, end: int, depth: int) -> None:
        self.met_graph = True
        if depth > MOST_DEPTH:
            raise MalformedError(f"its graphs lie more than {MOST_DEPTH} deep in each other")
        for tag, a, b in self.fields(start, end):
            if tag == _tag(5):
                self._keep(self.tensor(a, b))
            elif tag == _tag(15):
                self._keep(self._sparse(a, b))
            elif tag == _tag(1):
                self._node(a, b, depth)

    def _keep(self, tensor: Stored) -> None:
        if len(self.found.tensors) >= MOST_TENSORS:
            raise MalformedError(f"it has more than {MOST_TENSORS} tensors")
        self.found.tensors.append(tensor)

    def tensor(self, start: int, end: int) -> Stored:
        """Read a TensorProto."""
        sides: list[int] = []
        values: dict[int, list[Span]] = {}
        external: dict[str, str] = {}
        data_type = location = 0
        name = reason = ""
        for tag, a, b in self.fields(start, end):
            number, wire = tag >> 3, tag & 7
            if number == 1:
                sides += self._packed(a, b) if wire == LENGTH else [signed(a)]
                if len(sides) > _MOST_DIMENSIONS:
                    raise MalformedError(f"a tensor of more than {_MOST_DIMENSIONS} sides")
            elif tag == _tag(2, VARINT):
                data_type = a
            elif tag == _tag(8):
                name = self.text(a, b)
            elif tag == _tag(13):
                key, value = self._entry(a, b)
                external[key] = value
            elif tag == _tag(14, VARINT):
                location = a
            elif number in _VALUES and wire == LENGTH:
                values.setdefault(number, []).append((a, b))
            elif number in _VALUES:
                reason = "its values are not packed"
            elif number == 3:
                reason = "it is a segment of a tensor"
        if any(side < 0 for side in sides):
            raise MalformedError("a tensor has a negative side")
        outside = external if location == 1 else None
        return Stored(name, data_type, tuple(sides), values, outside, reason)

    def _packed(self, a: int, b: int) -> list[int]:
        if b - a > 10 * _MOST_DIMENSIONS:
            raise MalformedError(f"a tensor of more than {_MOST_DIMENSIONS} sides")
        return [signed(int(side)) for side in unpack_varints(bytes(self.data[a:b]))]

    def _entry(self, start: int, end: int) -> tuple[str, str]:
        key = value = ""
        for tag, a, b in self.fields(start, end):
            if tag == _tag(1):
                key = self.text(a, b)
            elif tag == _tag(2):
                value = self.text(a, b)
        return key, value

    def _sparse(self, start: int, end: int) -> Stored:
        name, sides = "", list[int]()
        for tag, a, b in self.fields(start, end):
            if tag == _tag(1):
                name = self.tensor(a, b).name
            elif tag >> 3 == 3:
                sides += self._packed(a, b) if tag & 7 == LENGTH else [signed(a)]
        return Stored(name, 0, tuple(sides), reason="it is sparse")

    def _node(self, start: int, end: int, depth: int) -> None:
        inputs, outputs, operation = list[str](), list[str](), ""
        attributes: list[Span] = []
        for tag, a, b in self.fields(start, end):
            if tag == _tag(1):
                inputs.append(self.text(a, b))
            elif tag == _tag(2):
                outputs.append(self.text(a, b))
            elif tag == _tag(4):
                operation = self.text(a, b)
            elif tag == _tag(5):
                attributes.append((a, b))
        numbers: dict[str, int] = {}
        for span in attributes:
            self._attribute(span, outputs, numbers, depth)
        if operation in _OPERATIONS:
            node = Node(operation, tuple(inputs), tuple(outputs), numbers)
            self.found.nodes.append(node)

    def _attribute(
        self, span: Span, outputs: list[str], numbers: dict[str, int], depth: int
    ) -> None:
        """Note a number, go into a graph, and take a constant as what its node puts out."""
        name = ""
        for tag, a, b in self.fields(*span):
            if tag == _tag(1):
                name = self.text(a, b)
            elif tag == _tag(3, VARINT):
                numbers[name] = signed(a)
            elif tag == _tag(5) and outputs:
                self._keep(replace(self.tensor(a, b), name=outputs[0], constant=True))
            elif tag in (_tag(6), _tag(11)):
                self.graph(a, b, depth + 1)
