"""A tensor as PyTorch pickles it: a view of a storage, by offset, sizes and strides.

It is a call of one of the functions of https://github.com/pytorch/pytorch/blob/main/torch/_utils.py
with a storage, which the file keeps elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from embviz.loaders.weights.pickle_nodes import Dict, Made, Name, Persistent

_MOST_CALLS = 64
_MOST_DIMENSIONS = 32
_MOST_SIDE = 1 << 60
_STORAGES = {
    "Double": "float64",
    "Float": "float32",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Long": "int64",
    "Int": "int32",
    "Short": "int16",
    "Char": "int8",
    "Byte": "uint8",
    "Bool": "bool",
    "ComplexFloat": "complex64",
    "ComplexDouble": "complex128",
    "QInt8": "qint8",
    "QUInt8": "quint8",
    "QInt32": "qint32",
    "QUInt4x2": "quint4x2",
    "QUInt2x4": "quint2x4",
}
_SHORT_NAMES = {
    "double": "float64",
    "float": "float32",
    "half": "float16",
    "long": "int64",
    "int": "int32",
    "short": "int16",
    "cfloat": "complex64",
    "cdouble": "complex128",
}
# Classes of tensors that add no meaning to their values.
_PLAIN = frozenset(
    {
        "torch.Tensor",
        "torch._tensor.Tensor",
        "torch.nn.parameter.Parameter",
        "torch.nn.parameter.Buffer",
    }
)
_OF_PARAMETERS = {
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch.nn.parameter.Parameter",
    "torch.nn.parameter.Buffer",
}
ARRAY = "it is an array of NumPy within the pickle, which is not read"
_REBUILDS = ("torch._utils._rebuild_", "torch._tensor._rebuild_")


@dataclass(frozen=True)
class Storage:
    """A run of elements that the file keeps under a key.

    Attributes:
        key: A text.
        dtype: Of its elements, as NumPy or PyTorch spells it; "" for bytes.
        n_elements: How many it has; of bytes, how many bytes.
    """

    key: str
    dtype: str
    n_elements: int


@dataclass(frozen=True)
class View:
    """Which elements of a storage a tensor has.

    Attributes:
        dtype: As NumPy spells it where it can, "" where it is not known.
        shape: Its sides.
        storage: What it lies in.
        offset: Of its first element, in elements.
        strides: Steps of each side, in elements.
        reason: Why it cannot be read, "" where it can.
    """

    dtype: str = ""
    shape: tuple[int, ...] = ()
    storage: Storage | None = None
    offset: int = 0
    strides: tuple[int, ...] = ()
    reason: str = ""


class _UnreadableError(Exception):
    """Why a tensor cannot be had."""


def is_tensor(node: Any) -> bool:
    """Tell whether a node is a call by which PyTorch makes a tensor."""
    by = class_name(node.by) if isinstance(node, Made) else ""
    return by.startswith(_REBUILDS) or by in _OF_PARAMETERS


def is_array(node: Made) -> bool:
    """Tell whether a node is an array of NumPy of more than one side, pickled as it is."""
    by = class_name(node.by)
    return by.endswith("multiarray._reconstruct") and len(_array_shape(node)) > 1


def _array_shape(node: Made) -> tuple[int, ...]:
    state = node.states[0] if node.states else None
    try:
        return _integers(state[1]) if isinstance(state, tuple) and len(state) > 1 else ()
    except _UnreadableError:
        return ()


def read_view(node: Made) -> View:
    """Return what a call makes; where that is not known, why."""
    if is_array(node):
        return View("", _array_shape(node), reason=ARRAY)
    try:
        return _resolve(node)
    except _UnreadableError as error:
        return View(shape=_shape_of(node), reason=str(error))


def _shape_of(node: Any) -> tuple[int, ...]:
    """Return the sides of a tensor that cannot be read, () where they are not told."""
    for _ in range(_MOST_CALLS):
        args = node.args if isinstance(node, Made) and isinstance(node.args, tuple) else ()
        if class_name(getattr(node, "by", None)).startswith("torch._tensor.") and len(args) > 2:
            node = Made(args[0], args[2])
        elif args and isinstance(args[0], Made):
            node = args[0]
        else:
            break
    try:
        return _integers(args[2]) if len(args) > 2 else ()
    except _UnreadableError:
        return ()


def _resolve(node: Any) -> View:
    """Follow the calls that make a tensor to its storage.

    Raises:
        _UnreadableError: If one of them is not known, or is not as PyTorch writes it.
    """
    for _ in range(_MOST_CALLS):
        if not isinstance(node, Made) or not isinstance(node.args, tuple):
            break
        by, args = class_name(node.by), node.args
        if node.states or node.items or node.pairs:
            raise _UnreadableError(f"its {by} was changed after it was made")
        if by in _OF_PARAMETERS and args:
            node = args[0]
        elif by.startswith("torch._tensor._rebuild_from_type") and len(args) >= 3:
            if class_name(args[1]) not in _PLAIN:
                raise _UnreadableError(f"it is a {class_name(args[1])}, which is not read")
            node = Made(args[0], args[2])
        elif by == "torch._utils._rebuild_device_tensor_from_cpu_tensor" and len(args) >= 2:
            found = _resolve(args[0])
            if found.dtype != _dtype_name(args[1]):
                raise _UnreadableError(f"it is {found.dtype} that becomes {_dtype_name(args[1])}")
            return found
        elif by in ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"):
            return _view(args, None, args[6:7])
        elif by == "torch._utils._rebuild_tensor_v3" and len(args) >= 7:
            return _view(args, args[6], args[7:8])
        else:
            raise _UnreadableError(f"it is made by {by}, which is not read")
    raise _UnreadableError("it is not made as PyTorch makes tensors")


def _view(args: tuple[Any, ...], dtype: Any, metadata: tuple[Any, ...]) -> View:
    """Return what the arguments of `_rebuild_tensor…` say."""
    if len(args) < 4:
        raise _UnreadableError("it lacks a storage, an offset, sizes or strides")
    storage, offset = _storage(args[0]), args[1]
    shape, strides = _integers(args[2]), _integers(args[3])
    if type(offset) is not int or not 0 <= offset < _MOST_SIDE or len(shape) != len(strides):
        raise _UnreadableError("its sizes and strides do not belong together")
    if any(isinstance(bits, Dict) and ("neg", True) in bits.pairs for bits in metadata):
        raise _UnreadableError("its values are kept with the sign turned")
    name = storage.dtype if dtype is None else _dtype_name(dtype)
    return View(name, shape, storage, offset, strides)


def find_storage(node: Any) -> Storage | None:
    """Return a storage that the file keeps elsewhere, None for what is none."""
    try:
        return _storage(node)
    except _UnreadableError:
        return None


def _storage(node: Any) -> Storage:
    key = node.key if isinstance(node, Persistent) else None
    if not isinstance(key, tuple) or len(key) < 5 or key[0] != "storage":
        raise _UnreadableError("it has no storage")
    kind, text, n_elements = class_name(key[1]), key[2], key[4]
    if key[3] == "meta":
        raise _UnreadableError("it has no values (device meta)")
    if len(key) > 5 and key[5] is not None:
        raise _UnreadableError("its storage is a part of another")
    short = kind.rpartition(".")[2].removeprefix("_")
    dtype = "" if short == "UntypedStorage" else _STORAGES.get(short.removesuffix("Storage"), kind)
    if not isinstance(text, str) or type(n_elements) is not int or not 0 <= n_elements < _MOST_SIDE:
        raise _UnreadableError("it has no storage")
    return Storage(text, dtype, n_elements)


def _integers(node: Any) -> tuple[int, ...]:
    """Return sizes or strides."""
    if isinstance(node, Made) and class_name(node.by) == "torch.Size" and node.args:
        node = node.args[0]
    right = isinstance(node, tuple | list) and len(node) <= _MOST_DIMENSIONS
    if not right or not all(type(n) is int and 0 <= n < _MOST_SIDE for n in node):
        raise _UnreadableError("its sizes or strides are no whole numbers")
    return tuple(node)


def class_name(node: Any) -> str:
    """Return the dotted name of a class, also of one whose source the old format kept."""
    if isinstance(node, Persistent) and isinstance(node.key, tuple) and node.key[:1] == ("module",):
        node = node.key[1] if len(node.key) > 1 else None
    return str(node) if isinstance(node, Name) else "an unknown class"


def _dtype_name(node: Any) -> str:
    text = class_name(node)
    name = text.removeprefix("torch.")
    return _SHORT_NAMES.get(name, name)
