"""ONNX models: their initializers, mapped in the model or in the data files beside it."""

from __future__ import annotations

import logging
import mmap
from collections import Counter
from functools import partial
from pathlib import Path

from embviz.errors import LoadError, printable
from embviz.inputs import open_file
from embviz.loaders.bytes.protobuf import LENGTH, VARINT, MalformedError, read_varint
from embviz.loaders.opened import Claim, Source, Start, Tensor
from embviz.loaders.reading import Reading
from embviz.loaders.refusals import describe_start
from embviz.loaders.weights.factors import find_factors, index_factors
from embviz.loaders.weights.onnx_data import TYPES, Model, check_values, load_values
from embviz.loaders.weights.onnx_graph import Graph, Stored, read_graph
from embviz.loaders.weights.onnx_scales import (
    Scaling,
    check_scaling,
    find_uses,
    open_scaled,
)
from embviz.rows import Rows

_log = logging.getLogger("embviz")
_AS_NPY = "save it by numpy.save('x.npy', onnx.numpy_helper.to_array(tensor))"
_DEQUANTIZED = "give the model as it was before it was quantized"
_GRAPH = 7
_BEFORE = frozenset({1, 2, 3, 4, 5, 6, 8, 14})  # Fields of a model that may come before it.
_QUANTIZED = frozenset(
    {"int8", "uint8", "int16", "uint16", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2",
     "float8_e5m2fnuz"}
)  # fmt: skip


class OnnxFormat:
    """Reads the initializers and constants of models; what is quantized is scaled."""

    name = "onnx"

    def claim(self, start: Start) -> Claim | None:
        """Claim what begins with a version and goes on to a graph, and what is named .onnx."""
        if start.kind != "file":
            return None
        if start.head[:1] == b"\x08" and _leads_to_graph(start.head, start.size):
            return Claim.CONTENT
        return Claim.NAME if start.path.suffix.lower() == ".onnx" else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the graph of a model; values are not read.

        Returns:
            Its initializers in their order, those whose rows a `Gather` looks up before others.

        Raises:
            LoadError: If it is no ONNX model, or damaged.
        """
        if path.stat().st_size == 0:
            raise LoadError(path, "0 bytes", "an ONNX model is needed")
        try:
            with open_file(path) as file:
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            with data:
                graph = read_graph(data)
        except MalformedError as error:
            with open_file(path) as file:
                kind = describe_start(file.read(64))
            known = "damaged" if kind == "other binary data" else f"{kind}, no ONNX model"
            raise LoadError(path, f"{known}: {error}", "fetch or write it again") from None
        reader = _Reader(Model(path), graph)
        tensors = reader.tensors(graph.tensors)
        return Source(path, tensors, is_model=True, files=reader.model.data_files)


ONNX = OnnxFormat()


def _leads_to_graph(head: bytes, size: int) -> bool:
    """Tell whether a version and other fields of a model come first, then a graph that fits."""
    at = 0
    try:
        while at < len(head):
            tag, at = read_varint(head, at, len(head))
            value, at = read_varint(head, at, len(head))
            number, wire = tag >> 3, tag & 7
            if number == _GRAPH and wire == LENGTH:
                return value <= size - at
            if number not in _BEFORE or wire not in (VARINT, LENGTH):
                return False
            at += value if wire == LENGTH else 0
    except MalformedError:
        pass
    return False


class _Reader:
    """Makes tensors of what a graph holds."""

    def __init__(self, model: Model, graph: Graph) -> None:
        self.model, self._uses = model, find_uses(graph)
        self._stored = {tensor.name: tensor for tensor in graph.tensors}
        self._factors = index_factors(self._stored)
        counts = Counter(tensor.name for tensor in graph.tensors)
        # Two branches may have tensors of one name.
        self._twice = {name for name, count in counts.items() if count > 1}

    def tensors(self, stored: list[Stored]) -> tuple[Tensor, ...]:
        found: dict[str, Tensor] = {}
        for i, tensor in enumerate(stored):
            if tensor.constant and len(tensor.shape) < 2:
                continue  # A number that an operation needs.
            name = tensor.name or f"initializer {i}"
            while name in found:
                name += f" ({i})"
            found[name] = self._tensor(name, tensor)
        return tuple(found.values())

    def _tensor(self, name: str, stored: Stored) -> Tensor:
        dtype = TYPES.get(stored.data_type, f"unknown type {stored.data_type}")
        flat = len(stored.shape) == 2
        scaling = self._uses.scaled.get(stored.name) if flat else None
        reason, way_out = self._why_not(stored, scaling, dtype)
        note = "table" if flat else f"{len(stored.shape)}-D"
        if scaling is not None:
            note = f"quantized: {dtype}, its scale in '{printable(scaling.scale)}'"
        what = f"tensor '{printable(name)}': {reason}"
        return Tensor(
            name,
            stored.shape,
            "float32" if scaling and not reason else {"bool": "uint8"}.get(dtype, dtype),
            rows=partial(self._rows, stored, scaling),
            role="other" if reason else "table",
            preferred=stored.name in self._uses.looked_up,
            note=reason or note,
            refusal=LoadError(self.model.path, what, way_out) if reason else None,
        )

    def _why_not(self, stored: Stored, scaling: Scaling | None, dtype: str) -> tuple[str, str]:
        """Return why a tensor cannot be read, "" where it can, and a way out."""
        needed = [stored]
        try:
            if scaling is not None:
                if self._twice & {stored.name, scaling.scale, scaling.zero}:
                    return "it is quantized, and a name means two tensors", _DEQUANTIZED
                reason = check_scaling(scaling, stored, self._stored)
                if reason or dtype not in _QUANTIZED:
                    return reason or f"it is quantized as {dtype}", _DEQUANTIZED
                names = (scaling.scale, scaling.zero)
                needed += [self._stored[name] for name in names if name in self._stored]
            for tensor in needed:
                reason = check_values(self.model, tensor)
                if reason:
                    return reason, _AS_NPY
        except LoadError as error:
            return error.why, error.way_out
        if scaling is None and len(stored.shape) == 2 and dtype in _QUANTIZED:
            factors = find_factors(stored.name, self._factors)
            if factors:
                return f"{dtype}, of which '{printable(factors)}' has the scale", _DEQUANTIZED
        return "", ""

    def _rows(self, stored: Stored, scaling: Scaling | None) -> Rows:
        values = load_values(self.model, stored)
        if scaling is None:
            return values
        _log.info(
            "%s: '%s' is quantized: its values are those of %s times their scale",
            self.model.path,
            printable(stored.name),
            TYPES[stored.data_type],
        )
        scale = load_values(self.model, self._stored[scaling.scale])
        zero = load_values(self.model, self._stored[scaling.zero]) if scaling.zero else None
        return open_scaled(values, scaling, scale, zero)
