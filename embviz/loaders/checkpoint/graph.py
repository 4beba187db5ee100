"""The names that a TensorFlow 2 checkpoint keeps beside its keys.

The string tensor `_CHECKPOINTABLE_OBJECT_GRAPH` is a TrackableObjectGraph: nodes=1 {children=1,
attributes=2 {name=1, full_name=2, checkpoint_key=3}, slot_variables=3 {original_variable_node_id=1,
slot_name=2, slot_variable_node_id=3}}. Source: core/protobuf/trackable_object_graph.proto.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from embviz.loaders.bytes.protobuf import LENGTH, VARINT, fields

GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
VALUE_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
NODE, ATTRIBUTE, SLOT_VARIABLE = 1 << 3 | LENGTH, 2 << 3 | LENGTH, 3 << 3 | LENGTH
SLOT_NODE_ID = 3 << 3 | VARINT
FULL_NAME, CHECKPOINT_KEY = 2 << 3 | LENGTH, 3 << 3 | LENGTH


@dataclass(frozen=True)
class ObjectGraph:
    """What the graph says of tensors.

    Attributes:
        full_names: The name the variable had in the program, by checkpoint key; not unique.
        slots: Keys of variables that belong to an optimizer.
    """

    full_names: Mapping[str, str] = field(default_factory=dict)
    slots: frozenset[str] = frozenset()


def parse_object_graph(data: bytes) -> ObjectGraph:
    """Read the names and the optimizers' slots of a TrackableObjectGraph.

    Raises:
        MalformedError: If it is damaged.
    """
    full_names: dict[str, str] = {}
    keys: list[tuple[str, ...]] = []  # of each node
    slot_nodes: set[int] = set()
    for tag, a, b in fields(data):
        if tag != NODE:
            continue
        node_keys: list[str] = []
        for inner, start, end in fields(data, a, b):
            if inner == ATTRIBUTE:
                key, full_name = _parse_attribute(data, start, end)
                node_keys.append(key)
                if full_name:
                    full_names.setdefault(key, full_name)
            elif inner == SLOT_VARIABLE:
                slot_nodes.update(
                    value for t, value, _ in fields(data, start, end) if t == SLOT_NODE_ID
                )
        keys.append(tuple(node_keys))
    slots = frozenset(key for node in slot_nodes if node < len(keys) for key in keys[node])
    return ObjectGraph(full_names, slots)


def _parse_attribute(data: bytes, start: int, end: int) -> tuple[str, str]:
    """Return (checkpoint key, full name) of a SerializedTensor."""
    key = full_name = ""
    for tag, a, b in fields(data, start, end):
        if tag == FULL_NAME:
            full_name = data[a:b].decode("utf-8", "backslashreplace")
        elif tag == CHECKPOINT_KEY:
            key = data[a:b].decode("utf-8", "backslashreplace")
    return key, full_name
