"""The tensors in what PyTorch pickled, by the names that `state_dict()` gives them.

Dictionaries, lists, modules and other objects are gone through; whatever else is pickled beside
tensors is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from embviz.loaders.weights.pickle_nodes import Dict, Made, Persistent, PickleError
from embviz.loaders.weights.pickled_views import View, class_name, is_array, is_tensor, read_view

MOST_DEPTH = 64
MOST_VISITS = 10_000_000
MOST_NAMES = 64 << 20  # Characters of all names together.
MOST_TENSORS = 200_000
_ORDERED = ("collections.OrderedDict", "collections.Counter")
_OPTIMIZER = re.compile(r"(?i)(\w+_)?optim(izers?)?(_\w+)?")
_WITH_PARTS = frozenset({Made, Dict, list, tuple})
_TRANSPARENT = "torch.jit._pickle."


@dataclass(frozen=True, eq=False)
class Found:
    """A tensor by its name.

    Attributes:
        name: As `state_dict()` names it, behind the keys of what it lies in.
        view: Where its elements are.
        slot: Whether an optimizer keeps it.
        beside: What it lies in, and what that lies in: dictionaries, lists and tuples.
    """

    name: str
    view: View
    slot: bool = False
    beside: tuple[Dict | Sequence[Any], ...] = ()


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
    parts: Dict | Sequence[Any] = ()

    def name(self) -> str:
        """Return the keys down to here, joined by dots between attributes."""
        name, place = str(self.key), self
        while (above := place.above) is not None and above.above is not None:
            joint = "." if place.attribute and above.attribute else "/"
            name, place = f"{above.key}{joint}{name}", above
        return name

    def beside(self) -> tuple[Dict | Sequence[Any], ...]:
        """Return what this lies in, the nearest first."""
        found, place = list[Dict | Sequence[Any]](), self.above
        while place is not None:
            found.append(place.parts)
            place = place.above
        return tuple(found)


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
        by = class_name(node.by)
        if is_tensor(node) or is_array(node):
            self._add(node, place)
        elif by.startswith(_TRANSPARENT):
            if isinstance(node.args, tuple) and node.args:
                self.visit(node.args[0], place)
        elif by in _ORDERED or node.pairs or node.items:
            self._visit_pairs(pairs_of(node), place)
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
                pairs = [p for p in pairs_of(attributes.get(kind)) if isinstance(p[0], str)]
                if kind == "_buffers":
                    pairs = [pair for pair in pairs if pair[0] not in hidden]
                self._visit_pairs(pairs, place, attributes=True)

    def _visit_pairs(
        self, pairs: list[tuple[Any, Any]], place: _Place, attributes: bool = False
    ) -> None:
        self._count(len(pairs))
        place.parts = Dict(pairs)
        # By texts: numbers of a file could be chosen to be slow as keys.
        found = {
            (str(key), type(key)): value
            for key, value in pairs
            if type(value) in _WITH_PARTS and isinstance(key, str | int | float)
        }
        slot = place.slot or all((key, str) in found for key in ("state", "param_groups"))
        for (key, _), value in found.items():
            kept = slot or (_OPTIMIZER.fullmatch(key) is not None and not is_tensor(value))
            self.visit(value, _Place(place, key, attributes, kept))

    def _visit_items(self, items: Sequence[Any], place: _Place) -> None:
        self._count(len(items))
        place.parts = place.parts or items
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
        self.found.append(Found(name, read_view(node), place.slot, place.beside()))


def _texts(node: Any) -> Iterator[str]:
    """Yield the texts in a set, a list or what makes a set of a list."""
    if isinstance(node, Made):
        parts = [*node.items, *(node.args if isinstance(node.args, tuple) else ())]
        for part in parts:
            if isinstance(part, str):
                yield part
            elif isinstance(part, list):
                yield from (text for text in part if isinstance(text, str))


def pairs_of(node: Any) -> list[tuple[Any, Any]]:
    """Return the pairs of a dictionary, also of an OrderedDict as Python 2 pickled it."""
    if not isinstance(node, Dict | Made):
        return []
    args = node.args if isinstance(node, Made) and class_name(node.by) in _ORDERED else ()
    items = args[0] if isinstance(args, tuple) and args and isinstance(args[0], list) else ()
    made_of = [(i[0], i[1]) for i in items if isinstance(i, list | tuple) and len(i) == 2]
    return [*made_of, *node.pairs]


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
