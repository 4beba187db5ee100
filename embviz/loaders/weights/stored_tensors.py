"""Tensors whose elements lie in a file, by offset and strides, as rows that are mapped."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, printable
from embviz.loaders.choice import TABLE_NAME
from embviz.loaders.opened import Role, Tensor, TextColumns, list_some
from embviz.loaders.weights.factors import find_factors, index_factors
from embviz.loaders.weights.number_types import SwappedRows, numpy_type
from embviz.loaders.weights.pickled_labels import Labels
from embviz.loaders.weights.pickled_tensors import Found
from embviz.loaders.weights.pickled_views import ARRAY, View
from embviz.loaders.weights.safetensors_header import CODES
from embviz.loaders.weights.scales import Scale, find_scales, open_scaled
from embviz.rows import Rows

_log = logging.getLogger("embviz")
AS_NPY = "in PyTorch: numpy.save('x.npy', weight.detach().float().cpu().numpy())"
_OTHERS = {"complex64": 8, "complex128": 16, "qint8": 1, "quint8": 1, "qint32": 4, "quint4x2": 1,
           "quint2x4": 1}  # fmt: skip
_WAYS_OUT = {
    "quantized": "in PyTorch: numpy.save('x.npy', weight.detach().dequantize().cpu().numpy())",
    "sparse": "in PyTorch: numpy.save('x.npy', weight.detach().to_dense().float().cpu().numpy())",
    "complex": "in PyTorch: numpy.save('x.npy', weight.detach().real.float().cpu().numpy())",
    "array": "load it in PyTorch and save it: numpy.save('x.npy', array)",
    "factors": "load the model dequantized and save the weight by numpy.save",
}


@dataclass(frozen=True, eq=False)
class Piece:
    """The bytes of a storage.

    Attributes:
        n_bytes: How many there are.
        load: Maps or reads them, uint8 (n_bytes,).
        verify: Checks their checksum, where they have one.
    """

    n_bytes: int
    load: Callable[[], NDArray[np.uint8]]
    verify: Callable[[], None] | None = None


@dataclass(frozen=True, eq=False)
class Store:
    """What holds the elements of tensors.

    Attributes:
        path: The file.
        pieces: Its storages by their keys.
        big_endian: Whether the highest byte of an element is the first.
    """

    path: Path
    pieces: Mapping[str, Piece]
    big_endian: bool = False


def as_tensors(store: Store, found: list[Found]) -> tuple[Tensor, ...]:
    """Return tensors whose elements are there, and why others cannot be read."""
    factors = index_factors(t.name for t in found)
    scales = _find_scaled(store, found)
    scaling = {scale.entry.name: name for name, (_, scale) in scales.items()}
    firsts: dict[View, Found] = {}
    for t in found:
        first = firsts.get(t.view)
        if first is None or _rank(t) > _rank(first):
            firsts[t.view] = t
    tensors, labels = [], Labels()
    for t in found:
        reason = t.view.reason or _reason(t.view, store.pieces)
        if t.name not in scales:
            reason = reason or _multiplied(t, factors)
        first = firsts[t.view]
        tensor = _as_tensor(store, t, reason, "" if first is t else first.name)
        if t.name in scales:
            tensor = _scaled(tensor, *scales[t.name])
        elif t.name in scaling:
            tensor = replace(tensor, role="slot", note=f"scales of {printable(scaling[t.name])}")
        tensors.append(tensor if reason else _with_labels(store.path, t, tensor, labels))
    return tuple(tensors)


@dataclass(frozen=True)
class _Weight:
    """A tensor as the rule of scales asks for it."""

    store: Store
    name: str
    view: View

    @property
    def path(self) -> Path:
        return self.store.path

    @property
    def code(self) -> str:
        return CODES.get(self.view.dtype, self.view.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.view.shape

    def map(self) -> NDArray[Any]:
        flat = self.view if self.view.shape else replace(self.view, shape=(1,), strides=(1,))
        rows = _rows(self.store, flat)
        return rows if isinstance(rows, np.ndarray) else np.asarray(rows[0 : flat.shape[0]])


def _find_scaled(store: Store, found: list[Found]) -> dict[str, tuple[_Weight, Scale]]:
    """Return the tables whose scales lie beside them in a way that is known, by their names."""
    readable = [t for t in found if not t.view.reason and not _reason(t.view, store.pieces)]
    weights = [_Weight(store, t.name, t.view) for t in readable]
    find = find_scales(weights)
    told = {w.name: (w, find(w)) for w in weights if element_size(w.view.dtype) == 1}
    return {name: (w, scale) for name, (w, scale) in told.items() if isinstance(scale, Scale)}


def _scaled(tensor: Tensor, weight: _Weight, scale: Scale) -> Tensor:
    note = f"{weight.view.dtype} with {scale.describe(weight.shape)}"
    return replace(tensor, dtype="float32", rows=partial(open_scaled, weight, scale), note=note)


def _rank(t: Found) -> tuple[bool, bool]:
    """Of names of the same elements, the highest is theirs."""
    return not t.slot, TABLE_NAME.search(t.name) is not None


def _as_tensor(store: Store, t: Found, reason: str, same_as: str) -> Tensor:
    view = t.view
    role: Role = "table"
    note = f"{len(view.shape)}-D" if len(view.shape) != 2 else "table"
    if reason:
        role, note = "other", reason
    elif t.slot:
        role, note = "slot", "kept by an optimizer"
    elif same_as:
        role, note = "duplicate", f"the same as {printable(same_as)}"
    return Tensor(
        t.name,
        view.shape,
        "uint8" if view.dtype == "bool" else view.dtype,
        rows=lambda: _rows(store, view),
        role=role,
        note=note,
        refusal=_refuse(store.path, t, reason) if reason else None,
        verify=None if reason or view.storage is None else store.pieces[view.storage.key].verify,
    )


def _with_labels(path: Path, t: Found, tensor: Tensor, labels: Labels) -> Tensor:
    """Return a table with the words that were saved beside it, where there are any."""
    if len(t.view.shape) != 2:
        return tensor
    found = labels.find(t.beside, t.view.shape[0])
    if not found:
        return tensor
    names = "" if [*found] == ["label"] else list_some([printable(name) for name in found])
    shown = f" ({names})" if names else ""

    def columns() -> TextColumns:
        _log.info("%s: with the labels that were saved beside '%s'%s", path, tensor.name, shown)
        return TextColumns(found)

    return replace(tensor, columns=columns, note=f"{tensor.note}, with labels{shown}")


def _refuse(path: Path, t: Found, reason: str) -> LoadError:
    signs = {
        "array": reason == ARRAY,
        "factors": reason.endswith("has the factors"),
        "quantized": "qtensor" in reason or t.view.dtype.startswith(("qint", "quint")),
        "sparse": "sparse" in reason,
        "complex": t.view.dtype.startswith("complex"),
    }
    way_out = next((_WAYS_OUT[sign] for sign, there in signs.items() if there), AS_NPY)
    return LoadError(path, f"tensor '{printable(t.name)}': {reason}", way_out)


def element_size(name: str) -> int:
    """Return how many bytes an element takes in a storage, 0 where the type is not known."""
    dtype = numpy_type(name)
    return _OTHERS.get(name, 0) if dtype is None else dtype.itemsize


def _reason(view: View, pieces: Mapping[str, Piece]) -> str:
    """Return why the elements of a tensor cannot be had, "" where they can."""
    assert view.storage is not None
    dtype = numpy_type(view.dtype)
    if dtype is None:
        return f"it is {view.dtype or 'of no type'}, real numbers are needed"
    piece = pieces.get(view.storage.key)
    if piece is None:
        return f"its bytes '{printable(view.storage.key, 40)}' are not in the file"
    announced = view.storage.n_elements * element_size(view.storage.dtype or "uint8")
    if not announced and view.storage.n_elements:
        return f"it lies in a storage of {view.storage.dtype}"
    if announced > piece.n_bytes:
        return f"cut off: its storage takes {announced} bytes, {piece.n_bytes} are there"
    if 0 in view.shape:
        return ""
    last = view.offset + sum(
        (n - 1) * step for n, step in zip(view.shape, view.strides, strict=True)
    )
    if (last + 1) * dtype.itemsize > announced:
        return f"damaged: element {last} of a storage of {announced // dtype.itemsize}"
    if math.prod(view.shape) * dtype.itemsize > announced:
        return "its rows lie over each other (an expanded tensor)"
    return ""


def _multiplied(t: Found, factors: dict[str, str]) -> str:
    """Return why numbers of one byte are not the values, where factors lie beside them."""
    dtype = numpy_type(t.view.dtype)
    if dtype is None or dtype.itemsize > 1 or t.view.dtype == "bool" or len(t.view.shape) != 2:
        return ""
    other = find_factors(t.name, factors)
    return f"{t.view.dtype}, of which '{printable(other)}' has the factors" if other else ""


def _rows(store: Store, view: View) -> Rows:
    """Return the rows of a tensor of which everything was checked."""
    assert view.storage is not None
    dtype = numpy_type(view.dtype)
    assert dtype is not None
    raw = store.pieces[view.storage.key].load()
    swapped = store.big_endian and dtype.kind == "V" and dtype.itemsize > 1
    stored = np.dtype(np.uint16) if swapped else dtype
    if stored.kind != "V":  # NumPy takes those of ml_dtypes as little-endian whatever is said.
        stored = stored.newbyteorder(">" if store.big_endian else "<")
    steps = tuple(step * dtype.itemsize for step in view.strides)
    array: NDArray[Any] = np.ndarray(view.shape, stored, raw, view.offset * dtype.itemsize, steps)
    array.flags.writeable = False
    if dtype.kind == "b":
        return array.view(np.uint8)
    return SwappedRows(array, dtype) if swapped else array
