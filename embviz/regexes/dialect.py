"""Regular expressions that mean the same in Python and in the page.

The dialect is what JavaScript's flags `iu` and Python's `re` share: literals, `.`, classes,
groups, look-ahead, alternatives, quantifiers, anchors and \\d \\w \\s \\b. It has JavaScript's
meaning: \\d, \\w and \\b are those of ASCII, `$` is the very end, case is ignored by simple folding
(https://tc39.es/ecma262/#sec-patterns). What only one side has is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from embviz.errors import ParameterError
from embviz.regexes.tree import Chars, Choice, Edge, End, Look, Node, Repeat, Start, Steps, count

LAST_CASED = 0x1E943  # No character above has a case.
MOST_REPEATS = 1000
MOST_DEPTH = 100
MOST_STEPS = 10_000
SYNTAX = "^$\\.*+?()[]{}|/"
CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "0": 0}
# Under `iu` the two letters outside ASCII that fold to s and k are word characters, too.
WORD = [(48, 57), (65, 90), (95, 95), (97, 122), (0x17F, 0x17F), (0x212A, 0x212A)]
DIGIT = [(48, 57)]
SPACE = [(9, 13), (32, 32), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
         (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)]  # fmt: skip
LINE_ENDS = [(10, 10), (13, 13), (0x2028, 0x2029)]

Ranges = list[tuple[int, int]]


class _Folding(dict[int, str]):
    """Simple case folding, a character at a time, for `str.translate`."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        folded = char.casefold()
        if len(folded) != 1:
            folded = char.lower()
        self[code] = folded if len(folded) == 1 else char
        return self[code]


_FOLDING = _Folding()
_CASED: list[tuple[int, int]] = []


def fold_case(text: str) -> str:
    """Return a text by whose equality case is ignored: Unicode's simple folding, C and S."""
    return text.lower() if text.isascii() else text.translate(_FOLDING)


def parse_regex(source: str) -> Node:
    """Return what a regular expression asks of texts that `fold_case` has folded.

    Args:
        source: What stands between the slashes.

    Raises:
        ParameterError: With the position (counted from 1) of what is wrong or not shared.
    """
    return _Parser(source).run()


@dataclass
class _Group:
    """A group that is open: its finished alternatives, the steps of the last, and what it is."""

    opening: str = ""
    choices: list[Node] = field(default_factory=list)
    steps: list[Node] = field(default_factory=list)

    def close(self) -> Node:
        whole: Node = Steps(tuple(self.steps))
        if self.choices:
            whole = Choice((*self.choices, whole))
        return Look(whole, self.opening == "(?!") if self.opening in ("(?=", "(?!") else whole


@dataclass
class _Parser:
    """One pass over a regular expression from left to right."""

    source: str
    at: int = 0
    groups: list[_Group] = field(default_factory=lambda: [_Group()])

    def run(self) -> Node:
        if not self.source:
            raise self.refuse("it is empty", 0)
        repeatable = False
        while self.at < len(self.source):
            repeatable = self.step(repeatable)
        if len(self.groups) > 1:
            raise self.refuse("a group is not closed")
        whole = self.groups[0].close()
        if count(whole) > MOST_STEPS:
            why = f"it has more than {MOST_STEPS:,} steps when its repeats are written out"
            raise self.refuse(why, 0)
        return whole

    def refuse(self, why: str, at: int | None = None) -> ParameterError:
        place = (self.at if at is None else at) + 1
        return ParameterError(f"regular expression /{self.source}/", f"at character {place}, {why}")

    def peek(self, text: str) -> bool:
        return self.source.startswith(text, self.at)

    def step(self, repeatable: bool) -> bool:
        """Translate what comes next; tell whether a quantifier may follow it."""
        char = self.source[self.at]
        if char in "*+?{":
            return self.quantifier(repeatable)
        if char == "(":
            return self.open_group()
        if char == ")":
            if len(self.groups) == 1:
                raise self.refuse("a group is closed that was not opened")
            group = self.groups.pop()
            self.put(group.close())
            return group.opening in ("(", "(?:")
        if char == "|":
            group = self.groups[-1]
            group.choices.append(Steps(tuple(group.steps)))
            group.steps = []
            self.at += 1
            return False
        if char in "^$":
            self.put(Start() if char == "^" else End())
            return False
        if char in "]}":
            raise self.refuse(f"'{char}' needs a backslash")
        if char == "\\":
            return self.escape()
        if char == "[":
            self.klass()
        elif char == ".":
            self.put(as_chars(LINE_ENDS, negated=True))
        else:
            code = ord(fold_case(char))
            self.put(Chars(((code, code),), negated=False))
        return True

    def put(self, node: Node, width: int = 1) -> None:
        self.groups[-1].steps.append(node)
        self.at += width

    def quantifier(self, repeatable: bool) -> bool:
        found = re.compile(r"[*+?]|\{([0-9]+)(,([0-9]*))?\}").match(self.source, self.at)
        if found is None:
            raise self.refuse("'{' needs a backslash, or a number as in {2,3}")
        if not repeatable:
            raise self.refuse("there is nothing to repeat")
        low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(found[0], (0, None))
        if found[1] is not None:
            low = int(found[1][:9])
            high = int(found[3][:9]) if found[3] else None if found[2] else low
            if max(low, high or 0) > MOST_REPEATS:
                raise self.refuse(f"more than {MOST_REPEATS} repeats are not supported")
            if high is not None and high < low:
                raise self.refuse("the numbers are out of order")
        self.at += len(found[0])
        if self.peek("+"):
            raise self.refuse("possessive quantifiers are not supported")
        self.at += self.peek("?")  # As few as possible finds the same texts.
        steps = self.groups[-1].steps
        steps.append(Repeat(steps.pop(), low, high))
        return False

    def open_group(self) -> bool:
        opening = next((o for o in ("(?:", "(?=", "(?!") if self.peek(o)), "(")
        if self.peek("(?<=") or self.peek("(?<!"):
            raise self.refuse("look-behind is not supported")
        if opening == "(" and self.peek("(?"):
            raise self.refuse("only (?:, (?= and (?! may follow '('")
        if len(self.groups) > MOST_DEPTH:
            raise self.refuse(f"groups are nested deeper than {MOST_DEPTH}")
        self.groups.append(_Group(opening))
        self.at += len(opening)
        return False

    def escape(self) -> bool:
        """Translate an escape outside a class."""
        following = self.source[self.at + 1 : self.at + 2]
        if following in ("b", "B"):
            self.put(Edge(following == "B"), 2)
            return False
        self.put(as_chars(self.escaped(inside=False), negated=False), 0)
        return True

    def escaped(self, inside: bool) -> Ranges:
        """Return the characters that an escape means and move behind it."""
        following = self.source[self.at + 1 : self.at + 2]
        known = {"d": DIGIT, "w": WORD, "s": SPACE}
        if following.lower() in known:
            self.at += 2
            ranges = known[following.lower()]
            return ranges if following.islower() else _complement(ranges)
        code = None
        octal = following == "0" and self.source[self.at + 2 : self.at + 3].isdigit()
        if following in CONTROLS and not octal:
            code, width = CONTROLS[following], 2
        elif (following and following in SYNTAX) or (inside and following == "-"):
            code, width = ord(following), 2
        else:
            found = re.compile(
                r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{0*([0-9A-Fa-f]{1,6})\})"
            ).match(self.source, self.at)
            if found is not None:
                code, width = int(found[1] or found[2] or found[3], 16), len(found[0])
        if code is None or code > 0x10FFFF:
            raise self.refuse(f"the escape \\{following} is not supported")
        if 0xD800 <= code < 0xE000:
            raise self.refuse("half of a surrogate pair; write \\u{…}")
        self.at += width
        return [(code, code)]

    def klass(self) -> None:
        """Translate a class in brackets."""
        opened = self.at
        self.at += 1
        negated = self.peek("^")
        self.at += negated
        ranges: Ranges = []
        while not self.peek("]"):
            low = self.class_atom(opened)
            if self.peek("-") and not self.source.startswith("-]", self.at):
                self.at += 1
                high = self.class_atom(opened)
                if len(low) > 1 or len(high) > 1 or low[0][0] != low[0][1]:
                    raise self.refuse("a range needs a character at each end")
                if high[0][1] < low[0][0]:
                    raise self.refuse("a range is out of order")
                low = [(low[0][0], high[0][1])]
            ranges += low
        if not ranges:
            raise self.refuse("a class is empty", opened)
        self.put(as_chars(ranges, bool(negated)))

    def class_atom(self, opened: int) -> Ranges:
        if self.at >= len(self.source):
            raise self.refuse("a class is not closed", opened)
        if self.peek("\\"):
            return self.escaped(inside=True)
        code = ord(self.source[self.at])
        self.at += 1
        return [(code, code)]


def _complement(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Return the characters outside some ranges, which are in order."""
    out, after = [], 0
    for low, high in ranges:
        out.append((after, low - 1))
        after = high + 1
    return [(a, b) for a, b in [*out, (after, 0x10FFFF)] if a <= b]


def as_chars(ranges: Ranges, negated: bool) -> Chars:
    """Return a class for folded texts: each range with what its characters fold to."""
    if not _CASED:
        _CASED.extend(
            (code, ord(folded))
            for code in range(LAST_CASED + 1)
            if (folded := _FOLDING[code]) != chr(code)
        )
    known = set(ranges)
    for low, high in ranges:
        known.update((f, f) for code, f in _CASED if low <= code <= high)
    return Chars(tuple(sorted(known)), negated)
