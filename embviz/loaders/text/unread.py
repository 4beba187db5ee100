"""Columns of text that hold a vector, or an end of one, in a form that is not read.

The numbers beside them would be taken for the vector.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from embviz.errors import LoadError, printable
from embviz.loaders.columns.request import OPTION, describe_columns
from embviz.loaders.text.cells import HIDDEN
from embviz.loaders.text.fields import TextLayout

_NUMBER = re.compile(rb"(?<![\w.])[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# Possessive, since fields of a million digits are to take no time that grows with its square.
_ONE = rb"[+-]?(?:[0-9]*+\.)?[0-9]++(?:[eE][+-]?[0-9]++)?"
_OPENS = re.compile(rb"(?:.*[\s:=])?[\w.'\"]*+[\[({<]++" + _ONE + rb",?", re.DOTALL)
_CLOSES = re.compile(_ONE + rb"[\])}>]++['\"]?")
_FEWEST = 5


def refuse_unread(layout: TextLayout, rows: Sequence[Sequence[bytes]], shown: str) -> None:
    """Refuse columns of text that hold a vector, or one end of it beside columns of numbers.

    Args:
        layout: The layout.
        rows: Some rows cut into fields.
        shown: The file as it is named to the user.

    Raises:
        LoadError: With the form that is read, and with what takes the other columns.
    """
    for c in layout.text_columns:
        cells = [row[c] for row in rows if row[c]]
        if len(cells) < 2:
            continue
        n = _count_in(cells)
        if n > len(layout.numeric):
            why = f"{n} numbers a field in a form that is not read"
        elif layout.numeric and (
            all(map(_OPENS.fullmatch, cells)) or all(map(_CLOSES.fullmatch, cells))
        ):
            why = "one end of what may be the vector"
        else:
            continue
        name = layout.columns[c].name
        column = f"column '{printable(name, 60)}'" if name else f"column {c + 1}"
        text = printable(cells[0].replace(HIDDEN, b" ").decode("utf-8", "replace"), 40)
        way_out = "write a vector in a field as a list, [0.1, 0.2]"
        if len(layout.numeric) > 1:
            way_out += f"; {OPTION} {describe_columns(layout.numeric, [])} takes the others alone"
        raise LoadError(shown, f"{column} holds {why} ('{text}')", way_out)


def _count_in(cells: Sequence[bytes]) -> int:
    """Return how many numbers fields hold that are alike but for their numbers, 0 for none.

    Most of them are fractions, and they are too many for dates and addresses.
    """
    first = _NUMBER.sub(b"#", cells[0])
    n = first.count(b"#")
    if n < _FEWEST or any(_NUMBER.sub(b"#", cell) != first for cell in cells[1:]):
        return 0
    fractions = sum(b"." in number for cell in cells for number in _NUMBER.findall(cell))
    return n if 2 * fractions > n * len(cells) else 0
