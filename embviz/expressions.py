"""Conditions on figures, such as `overlap10 < 0.6 or not rank_median <= 20`, for --fail-if."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NoReturn

from embviz.errors import ParameterError, printable

Figures = Mapping[str, float | None]
Holds = Callable[[Figures], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<name>[^\W\d][\w.-]*)"
    r"|(?P<sign><=|>=|==|!=|<|>|\(|\)))"
)
_COMPARED: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
_WORDS = ("and", "or", "not")
_MOST = 2000  # Characters; more is no condition that a person reads.


@dataclass(frozen=True)
class Condition:
    """A condition that was understood.

    Attributes:
        text: As it was given.
        names: The figures that it asks for, each once, in their order.
        comparisons: Those that it is made of, as they are written.
    """

    text: str
    names: tuple[str, ...]
    comparisons: tuple[str, ...]
    _holds: Holds
    _each: tuple[Holds, ...]

    def check(self, figures: Figures) -> None:
        """Refuse figures that lack one that is asked for.

        Raises:
            ParameterError: If one is not there, or could not be measured.
        """
        for name in self.names:
            if name not in figures:
                _refuse(self.text, figures, f"there is no figure '{printable(name, 60)}' here")
            if figures[name] is None:
                raise ParameterError(
                    f"--fail-if {printable(self.text)}",
                    f"{name} could not be measured here",
                    "leave it out of the condition",
                )

    def holds(self, figures: Figures) -> bool:
        """Tell whether figures are so; raises as `check` does."""
        self.check(figures)
        return self._holds(figures)

    def hold_each(self, figures: Figures) -> tuple[bool, ...]:
        """Tell of each of `comparisons` whether it holds; raises as `check` does."""
        self.check(figures)
        return tuple(holds(figures) for holds in self._each)

    def said(self, figures: Figures) -> str:
        """Return which figure was what: `overlap10 is 0.4127, rank_median is 31`."""
        return ", ".join(f"{name} is {figures[name]:.4g}" for name in self.names)


def parse_condition(
    text: str, names: Collection[str], is_known: Callable[[str], bool] | None = None
) -> Condition:
    """Understand a condition: names, numbers, < <= > >= == !=, and, or, not, parentheses.

    `not` binds closer than `and`, `and` closer than `or`; a comparison has two sides.

    Args:
        text: The condition.
        names: Those of the figures that there are.
        is_known: Tells whether there may be a figure of a name, where `names` are not all.

    Raises:
        ParameterError: If it is not understood, with the names that there are.
    """
    parser = _Parser(text, names, _split(text, names))
    parser.is_known = is_known or names.__contains__
    holds = parser.either()
    if parser.at < len(parser.words):
        parser.refuse(f"'{parser.words[parser.at]}' is not understood there")
    if not parser.used:
        parser.refuse("it asks for no figure")
    written, each = tuple(parser.compared), tuple(parser.compared.values())
    return Condition(text, tuple(dict.fromkeys(parser.used)), written, holds, each)


def _split(text: str, names: Collection[str]) -> list[str]:
    words: list[str] = []
    at, end = 0, len(text.rstrip())
    if end > _MOST:
        _refuse(text, names, f"it has {end:,} characters")
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            _refuse(text, names, f"'{printable(text[at:].strip()[:1])}' is not understood")
        words.append(found[found.lastgroup or 0])
        at = found.end()
    return words


def _refuse(text: str, names: Collection[str], why: str) -> NoReturn:
    raise ParameterError(
        f"--fail-if {printable(text)}",
        why,
        f'such as "{next(iter(names))} < 0.6"; figures are {", ".join(names)}',
    )


class _Parser:
    """Reads words one by one; each method returns what tests the part that it has read."""

    def __init__(self, text: str, names: Collection[str], words: list[str]) -> None:
        self.text, self.names, self.words = text, names, words
        self.at, self.used, self.depth = 0, list[str](), 0
        self.compared: dict[str, Holds] = {}
        self.is_known: Callable[[str], bool] = names.__contains__

    def refuse(self, why: str) -> NoReturn:
        _refuse(self.text, self.names, why)

    def peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self) -> str:
        word = self.peek()
        self.at += 1
        return word

    def either(self) -> Holds:
        parts = [self.every()]
        while self.peek() == "or":
            self.take()
            parts.append(self.every())
        return parts[0] if len(parts) == 1 else lambda figures: any(p(figures) for p in parts)

    def every(self) -> Holds:
        parts = [self.one()]
        while self.peek() == "and":
            self.take()
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else lambda figures: all(p(figures) for p in parts)

    def one(self) -> Holds:
        self.depth += 1
        if self.depth > 50:
            self.refuse("its parentheses are too deep")
        if self.peek() == "not":
            self.take()
            inner = self.one()
            self.depth -= 1
            return lambda figures: not inner(figures)
        if self.peek() == "(":
            self.take()
            inside = self.either()
            if self.take() != ")":
                self.refuse("a parenthesis is not closed")
        else:
            inside = self.comparison()
        self.depth -= 1
        return inside

    def comparison(self) -> Holds:
        start = self.at
        left = self.value()
        sign = self.take()
        if sign not in _COMPARED:
            self.refuse(f"'{sign}' where a comparison is expected" if sign else "it ends too early")
        right, compared = self.value(), _COMPARED[sign]

        def holds(figures: Figures) -> bool:
            return compared(left(figures), right(figures))

        self.compared[" ".join(self.words[start : self.at])] = holds
        return holds

    def value(self) -> Callable[[Figures], float]:
        word = self.take()
        if re.fullmatch(r"[^\W\d][\w.-]*", word) and word not in _WORDS:
            if not self.is_known(word):
                self.refuse(f"there is no figure '{printable(word, 60)}'")
            self.used.append(word)
            return lambda figures: float(figures[word] or 0.0)
        if not word or not (word[0].isdigit() or word[0] in "+-."):
            self.refuse(f"'{word}' where a figure is expected" if word else "it ends too early")
        number = float(word)
        return lambda figures: number
