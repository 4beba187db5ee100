"""Searching many texts: by Python's own engine where that is known to be quick, else by automaton.

Python's engine tries one way after the other, which takes longer than anyone waits for `(a+)+$`
on 40 letters. What it may take at most is known beforehand for expressions that repeat single
characters only; the others, and those on long texts, take time by the texts' length.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

from embviz.regexes.automaton import Automaton
from embviz.regexes.dialect import fold_case, parse_regex
from embviz.regexes.tree import Chars, Choice, Edge, End, Look, Node, Repeat, Start, Steps

QUICK_STEPS = 1_000_000_000  # Of Python's engine, which takes some 1 ns a step.
MOST_LENGTH = 1 << 16
_WORD = "[0-9A-Z_a-z]"
_EDGE = f"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))"
_NO_EDGE = f"(?:(?<={_WORD})(?={_WORD})|(?<!{_WORD})(?!{_WORD}))"


@dataclass(frozen=True, eq=False)
class Regex:
    """A regular expression, by which case is ignored."""

    source: str
    tree: Node

    def search(self, text: str) -> bool:
        """Tell whether it matches somewhere in a text."""
        return bool(self.rows([text]))

    def rows(self, texts: Sequence[str]) -> list[int]:
        """Return the indices of the texts in which it matches somewhere, in order.

        Raises:
            ParameterError: If it needs more steps than are taken.
        """
        most = quick_length(self.tree, len(texts))
        found = re.compile(as_python(self.tree)).search
        rows = [
            i
            for i, text in enumerate(texts)
            if len(text) <= most
            and found(text.lower() if text.isascii() else fold_case(text)) is not None
        ]
        if max(map(len, texts), default=0) <= most:
            return rows
        long = [i for i, text in enumerate(texts) if len(text) > most]
        slow = Automaton(self.source, self.tree).rows([fold_case(texts[i]) for i in long])
        return sorted(rows + [long[i] for i in slow])


def compile_regex(source: str) -> Regex:
    """Return the regular expression that stands between slashes.

    Raises:
        ParameterError: With the position (counted from 1) of what is wrong or not shared.
    """
    return Regex(source, parse_regex(source))


def quick_length(tree: Node, n_texts: int) -> int:
    """Return up to which length Python's engine searches texts in no more than `QUICK_STEPS`.

    Where only single characters are repeated, it tries at most every way to put a start and the
    end of each repeat in their order between the characters.
    """
    found = _ways(tree)
    if found is None:
        return -1
    choices, repeats = found
    low, high = -1, MOST_LENGTH
    while low < high:
        length = (low + high + 1) // 2
        if n_texts * choices * comb(length + repeats + 1, repeats + 1) <= QUICK_STEPS:
            low = length
        else:
            high = length - 1
    return low


def _ways(node: Node) -> tuple[int, int] | None:
    """Return how many choices there are and how many repeats; None if a repeat is of more."""
    if isinstance(node, Repeat):
        if not isinstance(node.item, Chars):
            return None
        if node.high is not None and node.high - node.low < 8:
            return max(1, node.low) * (node.high - node.low + 1), 0
        return 1 + node.low, 1
    inner: tuple[Node, ...] = ()
    if isinstance(node, Steps):
        inner = node.steps
    elif isinstance(node, Choice):
        inner = node.choices
    elif isinstance(node, Look):
        inner = (node.item,)
    choices, repeats = max(1, len(inner)), 0
    for item in inner:
        found = _ways(item)
        if found is None:
            return None
        choices, repeats = choices * found[0], repeats + found[1]
    return choices, repeats


def as_python(node: Node) -> str:
    """Return an expression as Python's `re` writes it."""
    if isinstance(node, Chars):
        ((first, last), *more) = node.ranges
        if first == last and not more and not node.negated:
            return re.escape(chr(first))
        body = "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in node.ranges)
        return f"[{'^' * node.negated}{body}]"
    if isinstance(node, Steps):
        return "".join(map(as_python, node.steps))
    if isinstance(node, Choice):
        return f"(?:{'|'.join(map(as_python, node.choices))})"
    if isinstance(node, Repeat):
        high = "" if node.high is None else str(node.high)
        return f"(?:{as_python(node.item)}){{{node.low},{high}}}"
    if isinstance(node, Look):
        return f"(?{'!' if node.negated else '='}{as_python(node.item)})"
    if isinstance(node, Edge):
        return _NO_EDGE if node.negated else _EDGE
    assert isinstance(node, Start | End)
    return "\\A" if isinstance(node, Start) else "\\Z"
