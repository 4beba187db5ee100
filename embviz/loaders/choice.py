"""Which tensor of a checkpoint is meant: by a name that a user knows, or by default.

An optimizer keeps tensors of the table's very shape beside it, under names that differ by the kind
of checkpoint; they are never taken by default.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from embviz.loaders.checkpoint.graph import VALUE_SUFFIX
from embviz.loaders.checkpoint.types import NUMERIC, QUANTIZED, type_name

UNNAMED = ("Variable", "ShardedVariable")  # what TensorFlow calls variables without a name
MAX_LISTED = 8
MAX_COMPARED = 200  # characters; comparing takes time with the product of the lengths
MAX_RANKED = 2000
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
TABLE_NAME = re.compile(r"emb|lookup|wte|word_?vec", re.IGNORECASE)
# What a layer adds to the name that its user gave it.
TRAILING = ("/embeddings", "/_embeddings", "/weight")
PART = re.compile(r"(^|/)part_\d+$")
ESCAPED = re.compile(r"\.([.S])")


class NamedTensor(NamedTuple):
    """A tensor of a checkpoint with its names and its standing.

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
    def is_candidate(self) -> bool:
        """Whether it may be taken by default."""
        return self.is_table and not self.is_slot and not self.duplicate_of

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it answers to."""
        # TensorFlow 2 writes '/' and '.' within a part of a path as '.S' and '..'.
        plain = ESCAPED.sub(lambda m: "/" if m[1] == "S" else ".", self.name)
        found = (self.name, plain, self.full_name, self.key)
        return tuple(dict.fromkeys(name for name in found if name))

    @property
    def known_as(self) -> str:
        """Its name in the program, where that says more than the key."""
        return "" if self.full_name in (self.name, *UNNAMED) else self.full_name

    def describe(self) -> str:
        """Return its name, shape and type in a few words."""
        return (
            f"{self.name} ({' x '.join(map(str, self.shape)) or 'scalar'} {type_name(self.dtype)})"
        )

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


def choose_default(tensors: Sequence[NamedTensor]) -> list[NamedTensor]:
    """Return the tensor to take when none is named: one, or several that are equally good.

    Of the tables that are neither slots nor duplicates: the only one; else those whose name speaks
    of an embedding; of these the one with the most rows among those with more rows than columns.
    """
    pool = [t for t in tensors if t.is_candidate]
    if len(pool) > 1:
        pool = [t for t in pool if any(map(TABLE_NAME.search, t.names))] or pool
    if len(pool) > 1:
        tall = [t for t in pool if t.shape[0] > t.shape[1]]
        most = max((t.shape[0] for t in tall), default=0)
        pool = [t for t in tall if t.shape[0] == most] or pool
    return pool


def match_name(tensors: Sequence[NamedTensor], asked: str) -> list[NamedTensor]:
    """Return the tensors that a name means: the first rule that any tensor meets decides.

    The rules: the key; without `:0`; without TensorFlow 2's suffix; the full name; the end of a
    name on a `/`; the same before `/embeddings` or `/weight`. Where several match, those that are
    no slots, duplicates or other shapes are meant.
    """
    bare = asked.removesuffix(":0")
    exact = {asked, bare, bare + VALUE_SUFFIX}
    rules: list[Callable[[NamedTensor], bool]] = [
        lambda t: t.key == asked,
        lambda t: t.key in exact,
        lambda t: t.name in exact,
        lambda t: not exact.isdisjoint(name.removesuffix(":0") for name in t.names),
        lambda t: any(ends_with(name, bare) for name in t.names),
        lambda t: any(ends_with(n, bare + tail) for n in t.names for tail in TRAILING),
    ]
    for rule in rules:
        found = [t for t in tensors if rule(t)]
        if found:
            wanted = [t for t in found if t.is_candidate]
            return wanted if len(found) > 1 and wanted else found
    return []


def ends_with(name: str, ending: str) -> bool:
    """Tell whether a name ends with whole `/` parts."""
    return bool(ending) and ("/" + name.removesuffix(":0")).endswith("/" + ending.lstrip("/"))


def find_parts(tensors: Sequence[NamedTensor], asked: str) -> list[NamedTensor]:
    """Return the parts NAME/part_0, … that were saved by hand under keys of their own."""
    bare = asked.removesuffix(":0")
    parts = [t for t in tensors if PART.search(t.name)]
    return [t for t in parts if bare and ends_with(PART.sub("", t.name), bare)]


def find_closest(tensors: Sequence[NamedTensor], asked: str) -> list[str]:
    """Return the names of tables that are most like a name, best first; else the first tables."""
    tables = [t for t in tensors if t.is_table]
    wanted = asked.removesuffix(":0").lower()[:MAX_COMPARED]
    scores = {}
    for t in sorted(tables, key=lambda t: t.is_slot)[:MAX_RANKED]:
        forms = {
            form.lower()[:MAX_COMPARED]
            for name in t.names
            for form in (name, name.rpartition("/")[2])
        }
        scores[t.name] = max(
            difflib.SequenceMatcher(None, wanted, form).ratio() for form in forms
        ) - (0.1 if t.is_slot else 0)
    best = sorted(scores, key=lambda name: -scores[name])
    close = [name for name in best if scores[name] >= 0.6]
    return (close or best)[:MAX_LISTED]
