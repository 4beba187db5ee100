"""The tensors in what PyTorch pickled: their names, and where their bytes lie.

What `torch.save` writes of a tensor is a call of one of the functions of
https://github.com/pytorch/pytorch/blob/main/torch/_utils.py with a storage, which the file keeps
elsewhere, an offset, sizes and strides. Whatever else is pickled beside tensors is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from embviz.loaders.weights.pickle_nodes import (
    Dict,
    Made,
    Name,
    Persistent,
    PickleError,
)

MOST_DEPTH = 64
MOST_VISITS = 10_000_000
MOST_NAMES = 64 << 20  # Characters of all names together.
MOST_TENSORS = 1_000_000
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
_ORDERED = ("collections.OrderedDict", "collections.Counter")
_REBUILDS = ("torch._utils._rebuild_", "torch._tensor._rebuild_")
_OPTIMIZER = re.compile(r"(?i)(\w+_)?optim(izers?)?(_\w+)?")
_WITH_PARTS = frozenset({Made, Dict, list, tuple})
_TRANSPARENT = "torch.jit._pickle."


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
class Found:
    """A tensor by its name.

    Attributes:
        name: As `state_dict()` names it, behind the keys of what it lies in.
        dtype: As NumPy spells it where it can, "" where it is not known.
        shape: Its sides.
        storage: What it lies in.
        offset: Of its first element, in elements.
        strides: Steps of each side, in elements.
        slot: Whether an optimizer keeps it.
        reason: Why it cannot be read, "" where it can.
    """

    name: str
    dtype: str = ""
    shape: tuple[int, ...] = ()
    storage: Storage | None = None
    offset: int = 0
    strides: tuple[int, ...] = ()
    slot: bool = False
    reason: str = ""

    @property
    def place(self) -> tuple[object, ...]:
        """What two names of one tensor have in common."""
        return (self.storage, self.dtype, self.shape, self.offset, self.strides)


class _UnreadableError(Exception):
    """Why a tensor cannot be had."""


def find_tensors(root: Any, alone: str) -> list[Found]:
    """Return the tensors in what was pickled, in order.

    Args:
        root: What `pickle_machine.read_pickle` returned.
        alone: The name of a tensor that was saved by itself.

    Raises:
        PickleError: If there is more in it than in any file that is met.
    """
    walk = _Walk(alone)
    walk.visit(root, _Place())
    return walk.found


@dataclass(slots=True, eq=False)
class _Place:
    """Where something lies: in what, by which key there, as an attribute or not, and whose it is.

    Names are made where there is a tensor only, as a pickle may hold a million other things.
    """

    above: _Place | None = None
    key: str | int = ""
    attribute: bool = False
    slot: bool = False

    def name(self) -> str:
        """Return the keys down to here, joined by dots between attributes."""
        name, place = str(self.key), self
        while (above := place.above) is not None and above.above is not None:
            joint = "." if place.attribute and above.attribute else "/"
            name, place = f"{above.key}{joint}{name}", above
        return name


class _Walk:
    """Goes through what was pickled, bounded in depth, number and names."""

    def __init__(self, alone: str) -> None:
        self.alone, self.found = alone, list[Found]()
        self._path: set[int] = set()
        self._visits = self._characters = 0
        self._taken: set[str] = set()

    def visit(self, node: Any, place: _Place) -> None:
        """Add the tensors in a node."""
        if len(self._path) >= MOST_DEPTH or id(node) in self._path:
            return
        self._path.add(id(node))
        if isinstance(node, Made):
            self._visit_made(node, place)
        elif isinstance(node, Dict):
            self._visit_pairs(node.pairs, place)
        elif isinstance(node, list | tuple):
            self._visit_items(node, place)
        self._path.remove(id(node))

    def _visit_made(self, node: Made, place: _Place) -> None:
        by = _class_name(node.by)
        if _is_tensor(node):
            self._add(node, place)
        elif by.startswith(_TRANSPARENT):
            if isinstance(node.args, tuple) and node.args:
                self.visit(node.args[0], place)
        elif by in _ORDERED or node.pairs or node.items:
            self._visit_pairs(_pairs_of(node), place)
            self._visit_items(node.items, place)
        else:
            for state in node.states:
                self._visit_state(state, place)
            if _holds_storage(node.args):
                self._add(node, place)

    def _visit_state(self, state: Any, place: _Place) -> None:
        """Visit an object's attributes; of a module, what its `state_dict()` would have."""
        for part in state[:2] if isinstance(state, tuple) else (state,):
            if not isinstance(part, Dict):
                continue
            attributes = {key: value for key, value in part.pairs if isinstance(key, str)}
            if not {"_parameters", "_modules"} <= attributes.keys():
                self._visit_pairs(part.pairs, place, attributes=True)
                continue
            hidden = set(_texts(attributes.get("_non_persistent_buffers_set")))
            for kind in ("_parameters", "_buffers", "_modules"):
                pairs = [p for p in _pairs_of(attributes.get(kind)) if isinstance(p[0], str)]
                if kind == "_buffers":
                    pairs = [pair for pair in pairs if pair[0] not in hidden]
                self._visit_pairs(pairs, place, attributes=True)

    def _visit_pairs(
        self, pairs: Sequence[tuple[Any, Any]], place: _Place, attributes: bool = False
    ) -> None:
        self._count(len(pairs))
        # By texts: numbers of a file could be chosen to be slow as keys.
        found = {
            (str(key), type(key)): value
            for key, value in pairs
            if type(value) in _WITH_PARTS and isinstance(key, str | int | float)
        }
        slot = place.slot or all((key, str) in found for key in ("state", "param_groups"))
        for (key, _), value in found.items():
            kept = slot or (_OPTIMIZER.fullmatch(key) is not None and not _is_tensor(value))
            self.visit(value, _Place(place, key, attributes, kept))

    def _visit_items(self, items: Sequence[Any], place: _Place) -> None:
        self._count(len(items))
        for i, value in enumerate(items):
            if type(value) in _WITH_PARTS:
                self.visit(value, _Place(place, i, False, place.slot))

    def _count(self, n: int) -> None:
        self._visits += n + 1
        if self._visits > MOST_VISITS:
            raise PickleError(f"more than {MOST_VISITS} values, one within another")

    def _add(self, node: Made, place: _Place) -> None:
        if len(self.found) >= MOST_TENSORS:
            raise PickleError(f"more than {MOST_TENSORS} tensors")
        name = place.name() or self.alone
        while name in self._taken:
            name += " (again)"
            self._characters += len(name)
        self._taken.add(name)
        self._characters += len(name)
        if self._characters > MOST_NAMES:
            raise PickleError("names that are longer than any that are met")
        try:
            found = replace(_resolve(node), name=name, slot=place.slot)
        except _UnreadableError as error:
            found = Found(name, slot=place.slot, reason=str(error))
        self.found.append(found)


def _resolve(node: Any) -> Found:
    """Follow the calls that make a tensor to its storage.

    Raises:
        _UnreadableError: If one of them is not known, or is not as PyTorch writes it.
    """
    for _ in range(MOST_DEPTH):
        if not isinstance(node, Made) or not isinstance(node.args, tuple):
            break
        by, args = _class_name(node.by), node.args
        if node.states or node.items or node.pairs:
            raise _UnreadableError(f"its {by} was changed after it was made")
        if by in _OF_PARAMETERS and args:
            node = args[0]
        elif by.startswith("torch._tensor._rebuild_from_type") and len(args) >= 3:
            if _class_name(args[1]) not in _PLAIN:
                raise _UnreadableError(f"it is a {_class_name(args[1])}, which is not read")
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


def _view(args: tuple[Any, ...], dtype: Any, metadata: tuple[Any, ...]) -> Found:
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
    return Found("", name, shape, storage, offset, strides)


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
    kind, text, n_elements = _class_name(key[1]), key[2], key[4]
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
    if isinstance(node, Made) and _class_name(node.by) == "torch.Size" and node.args:
        node = node.args[0]
    right = isinstance(node, tuple | list) and len(node) <= _MOST_DIMENSIONS
    if not right or not all(type(n) is int and 0 <= n < _MOST_SIDE for n in node):
        raise _UnreadableError("its sizes or strides are no whole numbers")
    return tuple(node)


def _class_name(node: Any) -> str:
    """Return the dotted name of a class, also of one whose source the old format kept."""
    if isinstance(node, Persistent) and isinstance(node.key, tuple) and node.key[:1] == ("module",):
        node = node.key[1] if len(node.key) > 1 else None
    return str(node) if isinstance(node, Name) else "an unknown class"


def _dtype_name(node: Any) -> str:
    text = _class_name(node)
    name = text.removeprefix("torch.")
    return _SHORT_NAMES.get(name, name)


def _texts(node: Any) -> Iterator[str]:
    """Yield the texts in a set, a list or what makes a set of a list."""
    if isinstance(node, Made):
        parts = [*node.items, *(node.args if isinstance(node.args, tuple) else ())]
        for part in parts:
            if isinstance(part, str):
                yield part
            elif isinstance(part, list):
                yield from (text for text in part if isinstance(text, str))


def _pairs_of(node: Any) -> list[tuple[Any, Any]]:
    """Return the pairs of a dictionary, also of an OrderedDict as Python 2 pickled it."""
    if not isinstance(node, Dict | Made):
        return []
    args = node.args if isinstance(node, Made) and _class_name(node.by) in _ORDERED else ()
    items = args[0] if isinstance(args, tuple) and args and isinstance(args[0], list) else ()
    made_of = [(i[0], i[1]) for i in items if isinstance(i, list | tuple) and len(i) == 2]
    return [*made_of, *node.pairs]


def _is_tensor(node: Any) -> bool:
    """Tell whether a node is a call by which PyTorch makes a tensor."""
    by = _class_name(node.by) if isinstance(node, Made) else ""
    return by.startswith(_REBUILDS) or by in _OF_PARAMETERS


def _holds_storage(args: Any) -> bool:
    """Tell whether a call's arguments have a storage among them, or a tensor."""
    level = [args]
    for _ in range(4):
        level = [part for node in level for part in _parts(node)][:1000]
        if any(isinstance(part, Persistent) for part in level):
            return True
    return False


def _parts(node: Any) -> list[Any] | tuple[Any, ...]:
    if isinstance(node, Made):
        return [node.args]
    return node if isinstance(node, tuple | list) else ()
