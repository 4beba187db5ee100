"""What the names of a checkpoint's tensors say: an optimizer's slots, and second copies.

An optimizer keeps tensors of the table's very shape beside it, under names that differ by the kind
of checkpoint.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from embviz.loaders.checkpoint.types import NUMERIC, QUANTIZED, type_name
from embviz.loaders.opened import Role

UNNAMED = ("Variable", "ShardedVariable")  # what TensorFlow calls variables without a name
TF1_SLOT = re.compile(
    r"(?P<variable>.+)/(?:Adam|AdamW|AdaMax|Adagrad|AdagradDA|RMSProp|Momentum|Ftrl|Adadelta"
    r"|ExponentialMovingAverage|GradientDescent|LAMB|adam_[mv]|lamb_[mv])(?:_\d+)?"
)
T5_SLOT = re.compile(r"(?P<variable>.+)_slot_v[rc]?")
KERAS_SLOT_KEY = re.compile(r"\.OPTIMIZER_SLOT(/|$)|(^|/)optimizer/_variables/")
OPTIMIZER_SCOPE = re.compile(
    r"(?:adam|adamw|adamax|nadam|sgd|rmsprop|adagrad|adadelta|ftrl|lion|lamb|adafactor|muon)(?:_\d+)?/",
    re.IGNORECASE,
)
SLOT_WORD = re.compile(
    r"momentum|velocity|accum|average|linear|/[mvu]/|_[mvurc]$|_hat$", re.IGNORECASE
)
ESCAPED = re.compile(r"\.([.S])")


class NamedTensor(NamedTuple):
    """A tensor of a checkpoint with its names.

    `key` is its name in the file, `name` the key without the suffix of TensorFlow 2, `full_name`
    the variable's name in the program or "", `dtype` TensorFlow's number; `duplicate_of` is the
    name of the tensor that it repeats.
    """

    key: str
    name: str
    full_name: str
    shape: tuple[int, ...]
    dtype: int
    is_slot: bool = False
    duplicate_of: str = ""

    @property
    def is_table(self) -> bool:
        """Whether it is rows of numbers."""
        return len(self.shape) == 2 and 0 not in self.shape and self.dtype in NUMERIC

    @property
    def role(self) -> Role:
        """Its standing among the others."""
        if self.is_slot:
            return "slot"
        if self.duplicate_of:
            return "duplicate"
        return "table" if self.is_table else "other"

    @property
    def aliases(self) -> tuple[str, ...]:
        """The other names it answers to."""
        # TensorFlow 2 writes '/' and '.' within a part of a path as '.S' and '..'.
        plain = ESCAPED.sub(lambda m: "/" if m[1] == "S" else ".", self.name)
        return plain, self.full_name, self.key

    @property
    def known_as(self) -> str:
        """Its name in the program, where that says more than the key."""
        return "" if self.full_name in (self.name, *UNNAMED) else self.full_name

    def note(self) -> str:
        """Say in a few words what it is."""
        parts = []
        if self.is_slot:
            parts.append("optimizer slot")
        if self.duplicate_of:
            parts.append(f"duplicate of {self.duplicate_of}")
        if self.dtype not in NUMERIC:
            parts.append(type_name(self.dtype))
        elif self.dtype in QUANTIZED:
            parts.append("quantized")
        if len(self.shape) != 2:
            parts.append(f"{len(self.shape)}-D" if self.shape else "scalar")
        elif 0 in self.shape:
            parts.append("empty")
        if self.known_as:
            parts.append(f"known as {self.known_as}")
        return ", ".join(parts)


def find_slots(tensors: Iterable[NamedTensor], graph_slots: frozenset[str]) -> set[str]:
    """Return the keys of tensors that an optimizer keeps.

    Args:
        tensors: All tensors of a checkpoint.
        graph_slots: Keys that its object graph calls slot variables.
    """
    tensors = list(tensors)
    shapes = {t.key: t.shape for t in tensors}
    # Keras 3 names a slot OPTIMIZER/VARIABLE_momentum, with the variable's '/' as '_'.
    variables = {(t.full_name.replace("/", "_"), t.shape) for t in tensors if t.full_name}
    slots = set()
    for t in tensors:
        if t.key in graph_slots or KERAS_SLOT_KEY.search(t.key):
            slots.add(t.key)
            continue
        match = TF1_SLOT.fullmatch(t.key) or T5_SLOT.fullmatch(t.key)
        if match and (shapes.get(match["variable"]) == t.shape or match.re is T5_SLOT):
            slots.add(t.key)
            continue
        if OPTIMIZER_SCOPE.match(t.full_name) and SLOT_WORD.search(t.full_name):
            slots.add(t.key)
            continue
        scope, _, rest = t.full_name.partition("/")
        if scope and "_" in rest and (rest.rpartition("_")[0], t.shape) in variables:
            slots.add(t.key)
    return slots


def find_duplicates(
    tensors: Iterable[NamedTensor], identity: Callable[[str], tuple[int, ...] | None]
) -> dict[str, str]:
    """Return {key: name of the tensor that it repeats}: equal full name, shape, type and checksum.

    Args:
        tensors: All tensors of a checkpoint.
        identity: What tensors of the same content share, by key; None where it is not known.
    """
    groups: dict[tuple[str, tuple[int, ...]], list[NamedTensor]] = {}
    for t in tensors:
        content = identity(t.key) if t.full_name and t.is_table else None
        if content is not None:
            groups.setdefault((t.full_name, content), []).append(t)
    repeats = {}
    for group in groups.values():
        # Keras' export stores variables/0 again as _all_variables/0; the public name is kept.
        first, *others = sorted(group, key=lambda t: ("/_" in "/" + t.key, len(t.key), t.key))
        repeats.update({t.key: first.name for t in others})
    return repeats
