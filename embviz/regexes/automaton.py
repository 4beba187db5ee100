"""A search that cannot backtrack: each text is read once, from its end to its start.

The expression becomes nodes, of which each says whether the rest of the text is as it asks: an
alternating automaton (Chandra, Kozen and Stockmeyer, Alternation, 1981), in which looking ahead is
one more condition. Read backwards it is deterministic: what the nodes say at a place follows from
what they say at the next one and the character between. What they say together is a state; states
are made when they are first met, and all texts take a step at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError
from embviz.regexes.tree import Chars, Choice, Edge, Look, Node, Repeat, Start, Steps

MOST_WORK = 5_000_000  # Nodes asked while states are made: some two seconds.
MOST_ENTRIES = 1 << 25  # Of the table of states.
CHUNK = 1 << 22  # Characters that are looked at together.
FEW = 24  # Texts for which a step of all at once takes longer than one by one.
_FOUND = 0  # The state of a text in which the expression was found.
_BEGIN, _AFTER_WORD, _AFTER_OTHER = range(3)  # What stands before a place.
_WORD = Chars(((48, 57), (65, 90), (95, 95), (97, 122)), negated=False)
_PLANE = 1 << 16

_MATCH, _CHARS, _ANY_OF, _LOOP, _LOOK, _START, _END, _EDGE = range(8)


@dataclass
class _Nodes:
    """The nodes: kind, what it is about, and the nodes that it asks; and when each is asked.

    `groups` are asked one after the other, what is looked ahead for before what looks.
    """

    kinds: list[int] = field(default_factory=lambda: [_MATCH])
    values: list[int] = field(default_factory=lambda: [0])
    asked: list[tuple[int, ...]] = field(default_factory=lambda: [()])
    groups: list[list[int]] = field(default_factory=list)
    sets: list[Chars] = field(default_factory=lambda: [_WORD])
    numbers: dict[Chars, int] = field(default_factory=dict)

    def add(self, order: list[int], kind: int, value: int = 0, *asked: int) -> int:
        self.kinds.append(kind)
        self.values.append(value)
        self.asked.append(asked)
        order.append(len(self.kinds) - 1)
        return order[-1]

    def add_whole(self, node: Node) -> int:
        """Add an expression that ends in a match; return its first node."""
        order: list[int] = []
        start = self.build(node, 0, order)
        self.groups.append(order)
        return start

    def build(self, node: Node, then: int, order: list[int]) -> int:
        """Add what asks for an expression and then for another node; return its first node."""
        if isinstance(node, Chars):
            if node not in self.numbers:
                self.numbers[node] = len(self.sets)
                self.sets.append(node)
            return self.add(order, _CHARS, self.numbers[node], then)
        if isinstance(node, Steps):
            for step in reversed(node.steps):
                then = self.build(step, then, order)
            return then
        if isinstance(node, Choice):
            choices = [self.build(choice, then, order) for choice in node.choices]
            return self.add(order, _ANY_OF, 0, *choices)
        if isinstance(node, Repeat):
            return self._repeat(node, then, order)
        if isinstance(node, Look):
            return self.add(order, _LOOK, node.negated, self.add_whole(node.item), then)
        if isinstance(node, Edge):
            return self.add(order, _EDGE, node.negated, then)
        return self.add(order, _START if isinstance(node, Start) else _END, 0, then)

    def _repeat(self, node: Repeat, then: int, order: list[int]) -> int:
        if node.high is None:
            loop = self.add([], _LOOP)
            again = self.build(node.item, loop, order)
            self.asked[loop] = (again, then)
            order.append(loop)
            rest = loop
        else:
            rest = then
            for _ in range(node.high - node.low):
                rest = self.add(order, _ANY_OF, 0, self.build(node.item, rest, order), then)
        for _ in range(node.low):
            rest = self.build(node.item, rest, order)
        return rest


class Automaton:
    """The states of a regular expression that were met so far.

    Args:
        source: What stands between the slashes, for errors.
        tree: What it asks for.
    """

    def __init__(self, source: str, tree: Node) -> None:
        self._source = source
        self._nodes = _Nodes()
        self._start = self._nodes.add_whole(tree)
        kinds, asked = self._nodes.kinds, self._nodes.asked
        # What is asked at the next place: all that a state has to hold.
        held = sorted({asked[i][0] for i, kind in enumerate(kinds) if kind == _CHARS})
        self._held = held
        self._slots = {node: i for i, node in enumerate(held)}
        self._looks_back = _START in kinds or _EDGE in kinds
        self._points, self._classes, self._members = _divide(self._nodes.sets)
        plane = np.arange(_PLANE)
        self._plane = self._classes[np.searchsorted(self._points, plane, side="right") - 1]
        self._width = 3 * len(self._members)
        self._table = np.full((64, self._width), -1, np.int32)
        self._table[_FOUND] = _FOUND
        self._states: list[bytes] = [b""]
        self._numbers: dict[bytes, int] = {}
        self._work = 0

    def rows(self, texts: Sequence[str]) -> list[int]:
        """Return the indices of the texts in which the expression is found, in order.

        Raises:
            ParameterError: If more states are needed than are made.
        """
        found: list[int] = []
        first = size = 0
        for i, text in enumerate(texts):
            size += len(text)
            if size > CHUNK or i == len(texts) - 1:
                states = self._run(texts[first : i + 1])
                found += (first + np.flatnonzero(states == _FOUND)).tolist()
                first, size = i + 1, 0
        return found

    def _run(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """Return the state of each text at its start."""
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        ends = np.cumsum(lengths)
        symbols, last = self._read("".join(texts), lengths, ends)
        order = np.argsort(-lengths, kind="stable")
        lengths, places = lengths[order], ends[order] - 1
        begin = np.array([self._make(None, 0, before) for before in range(3)], np.int32)
        states = begin[last[order]]
        step = 0
        active = int(np.count_nonzero(lengths))
        while active > FEW:
            keys = states[:active].astype(np.int64) * self._width + symbols[places[:active] - step]
            reached = self._table.ravel()[keys]
            if (reached < 0).any():
                for key in np.unique(keys[reached < 0]).tolist():
                    self._reach(key)
                reached = self._table.ravel()[keys]
            states[:active] = reached
            step += 1
            active = int(np.searchsorted(-lengths, -step, side="left"))
        for i in range(active):
            stop = int(places[i]) + 1 - step
            states[i] = self._walk(int(states[i]), symbols[stop + step - int(lengths[i]) : stop])
        out = np.empty_like(states)
        out[order] = states
        return out

    def _walk(self, state: int, symbols: NDArray[np.int64]) -> int:
        """Return the state at the start of one text."""
        known: dict[int, int] = {}
        for symbol in reversed(symbols.tolist()):
            if state == _FOUND:
                break
            key = state * self._width + symbol
            if key not in known:
                known[key] = self._reach(key)
            state = known[key]
        return state

    def _read(
        self, text: str, lengths: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return a symbol a character, its class and what stands before; and before each end."""
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.int64)
        classes = self._plane[np.minimum(codes, _PLANE - 1)]
        beyond = np.flatnonzero(codes >= _PLANE)
        found = np.searchsorted(self._points, codes[beyond], side="right") - 1
        classes[beyond] = self._classes[found]
        last = np.zeros(len(lengths), np.int64)
        if not self._looks_back:
            return classes * 3, last
        filled = lengths > 0
        kinds = np.where(self._members[classes, 0], _AFTER_WORD, _AFTER_OTHER)
        before = np.concatenate([[_BEGIN], kinds[:-1]])[: len(kinds)]
        before[(ends - lengths)[filled]] = _BEGIN
        last[filled] = kinds[ends[filled] - 1]
        return classes * 3 + before, last

    def _reach(self, key: int) -> int:
        """Return the state that one leads to by a symbol, made if it is new."""
        state, symbol = divmod(key, self._width)
        reached = int(self._table[state, symbol])
        if reached < 0:
            reached = self._make(self._states[state], symbol // 3, symbol % 3)
            self._table[state, symbol] = reached
        return reached

    def _make(self, after: bytes | None, kind: int, before: int) -> int:
        """Return the number of the state at a place.

        Args:
            after: What the nodes say at the next place; None at the end of a text.
            kind: The class of the character between.
            before: What stands before the place.
        """
        said = self._ask(after, self._members[kind].tolist(), before)
        if said[self._start]:
            return _FOUND
        state = bytes(said[node] for node in self._held)
        number = self._numbers.setdefault(state, len(self._states))
        if number == len(self._states):
            self._states.append(state)
            if number == len(self._table):
                self._grow()
        return number

    def _grow(self) -> None:
        if 2 * self._table.size > MOST_ENTRIES:
            raise self._too_much()
        self._table = np.concatenate([self._table, np.full_like(self._table, -1)])

    def _ask(self, after: bytes | None, member: list[bool], before: int) -> list[bool]:
        """Return what each node says at a place."""
        kinds, values, asked = self._nodes.kinds, self._nodes.values, self._nodes.asked
        said = [False] * len(kinds)
        said[0] = True
        follows_word = after is not None and member[0]
        edge = (before == _AFTER_WORD) != follows_word
        for group in self._nodes.groups:
            again = True
            while again:  # Until the loops, which are asked before they are known, stay.
                again = False
                self._work += len(group)
                if self._work > MOST_WORK:
                    raise self._too_much()
                for i in group:
                    kind, value, others = kinds[i], values[i], asked[i]
                    if kind == _CHARS:
                        if after is not None and member[value]:
                            said[i] = bool(after[self._slots[others[0]]])
                    elif kind == _ANY_OF:
                        said[i] = any([said[other] for other in others])  # noqa: C419
                    elif kind == _LOOP:
                        if not said[i] and (said[others[0]] or said[others[1]]):
                            again = said[i] = True
                    elif kind == _LOOK:
                        said[i] = said[others[0]] != bool(value) and said[others[1]]
                    elif kind == _EDGE:
                        said[i] = edge != bool(value) and said[others[0]]
                    elif kind == _START:
                        said[i] = before == _BEGIN and said[others[0]]
                    else:
                        said[i] = after is None and said[others[0]]
        return said

    def _too_much(self) -> ParameterError:
        return ParameterError(
            "query",
            f"the regular expression /{self._source}/ takes too many steps on these texts",
            "repeat or choose less in it",
        )


def _divide(
    sets: Sequence[Chars],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Divide all characters into classes that no set tells apart.

    Returns:
        Where stretches of characters begin, the class of each, and whether a class is in a set,
        (n_classes, n_sets).
    """
    points = np.unique(np.array([0, *_borders(sets)], np.int64))
    inside = np.zeros((len(points), len(sets)), np.bool_)
    for number, chars in enumerate(sets):
        for low, high in np.searchsorted(points, np.add(chars.ranges, [0, 1])).tolist():
            inside[low:high, number] = True
        if chars.negated:
            inside[:, number] = ~inside[:, number]
    members, classes = np.unique(inside, axis=0, return_inverse=True)
    return points, classes.reshape(-1).astype(np.int64), members


def _borders(sets: Iterable[Chars]) -> Iterable[int]:
    for chars in sets:
        for low, high in chars.ranges:
            yield from (low, high + 1)
