"""What a regular expression asks for, as a tree."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Chars:
    """One character within some ranges (first and last code point), or outside all of them."""

    ranges: tuple[tuple[int, int], ...]
    negated: bool


@dataclass(frozen=True)
class Steps:
    """One thing after the other."""

    steps: tuple[Node, ...]


@dataclass(frozen=True)
class Choice:
    """One of several things."""

    choices: tuple[Node, ...]


@dataclass(frozen=True)
class Repeat:
    """A thing several times; `high` None for any number from `low` on."""

    item: Node
    low: int
    high: int | None


@dataclass(frozen=True)
class Look:
    """That something follows, or, negated, does not."""

    item: Node
    negated: bool


@dataclass(frozen=True)
class Start:
    """The very beginning of the text."""


@dataclass(frozen=True)
class End:
    """The very end of the text."""


@dataclass(frozen=True)
class Edge:
    """The beginning or end of a word, or, negated, neither."""

    negated: bool


Node = Chars | Steps | Choice | Repeat | Look | Start | End | Edge


def count(node: Node) -> int:
    """Return how many steps an expression has when its repeats are written out."""
    if isinstance(node, Steps):
        return sum(map(count, node.steps)) + 1
    if isinstance(node, Choice):
        return sum(map(count, node.choices)) + 1
    if isinstance(node, Look):
        return count(node.item) + 1
    if isinstance(node, Repeat):
        times = node.low + 1 if node.high is None else node.high
        return times * (count(node.item) + 1) + 1
    return 1
