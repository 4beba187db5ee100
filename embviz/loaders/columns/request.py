"""`--columns`: which columns a user says are the vector, and which name the points.

    3-66                      columns 3 to 66
    embedding                 the column of that name
    x0-x31,y                  from one name to another, and one more
    -ProductId                what would be taken, but without this one
    all                       all columns of numbers
    vector=3-66,label=2       which are the vector, and which column names the points

A name goes before a place; `@3` is the third column whatever the names are.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from embviz.errors import ParameterError, printable
from embviz.loaders.opened import list_some

OPTION = "--columns"
_PLACE = re.compile(r"@?([1-9]\d{0,6})")
_ROLES = ("vector", "label")


@dataclass(frozen=True)
class ColumnRequest:
    """What a user says of columns, by their places from 0.

    Attributes:
        taken: The columns that make the vector, ascending; None for those that would be taken.
        left: Columns that are no dimensions.
        everything: Whether all columns of numbers make the vector.
        label: The column that names the points; None for none in particular.
    """

    taken: tuple[int, ...] | None = None
    left: frozenset[int] = frozenset()
    everything: bool = False
    label: int | None = None

    def choose(self, found: Sequence[int], numbers: Sequence[int]) -> tuple[int, ...]:
        """Return the columns that make the vector.

        Args:
            found: Those that would be taken.
            numbers: All columns of numbers.
        """
        start = self.taken if self.taken is not None else found
        if self.everything:
            start = tuple(sorted({*numbers, *(self.taken or ())}))
        return tuple(c for c in start if c not in self.left)


def read_request(text: str, names: Sequence[str], shown: object) -> ColumnRequest:
    """Read what `--columns` says of a table.

    Args:
        text: As it was typed.
        names: The table's columns in order, "" where they have no names.
        shown: The source as it is named to the user.

    Raises:
        ParameterError: If it cannot be read, or names a column that is not there.
    """
    reader = _Request(text, [name.strip() for name in names], str(shown))
    return reader.read()


class _Request:
    def __init__(self, text: str, names: list[str], shown: str) -> None:
        self.text, self.names, self.shown = text, names, shown
        self.taken: set[int] = set()
        self.left: set[int] = set()
        self.everything = False
        self.label: int | None = None

    def read(self) -> ColumnRequest:
        role = "vector"
        for item in _split(self.text):
            key, equals, rest = item.partition("=")
            if equals and item not in self.names and key.strip().lower() in _ROLES:
                role, item = key.strip().lower(), rest.strip()
            if not item:
                raise self.refuse("an empty column")
            if role == "label":
                self._set_label(item)
            else:
                self._add(item)
        if not (self.taken or self.left or self.everything or self.label is not None):
            raise self.refuse("names no column")
        taken = tuple(sorted(self.taken)) if self.taken else None
        return ColumnRequest(taken, frozenset(self.left), self.everything, self.label)

    def _set_label(self, item: str) -> None:
        places = self.find(item)
        if len(places) != 1 or self.label is not None:
            raise self.refuse("label is one column")
        (self.label,) = places

    def _add(self, item: str) -> None:
        if item.lower() == "all" and item not in self.names:
            self.everything = True
        elif item.startswith("-") and item not in self.names:
            self.left.update(self.find(item[1:].strip()))
        else:
            self.taken.update(self.find(item))

    def find(self, item: str) -> range:
        """Return the columns that a name, a place or a range means."""
        one = self._one(item)
        if one is not None:
            return range(one, one + 1)
        for at in (m.start() for m in re.finditer("-", item)):
            first, last = self._one(item[:at].strip()), self._one(item[at + 1 :].strip())
            if first is not None and last is not None:
                if first > last:
                    raise self.refuse(f"'{printable(item, 60)}' runs backwards")
                return range(first, last + 1)
        raise self._not_there(item)

    def _one(self, item: str) -> int | None:
        if item and item in self.names:
            if self.names.count(item) > 1:
                raise self.refuse(f"several columns are named '{printable(item, 60)}'", "@PLACE")
            return self.names.index(item)
        place = _PLACE.fullmatch(item)
        if place and int(place[1]) <= len(self.names):
            return int(place[1]) - 1
        return None

    def _not_there(self, item: str) -> ParameterError:
        why = f"{self.shown} has no column '{printable(item, 60)}'"
        named = [name for name in self.names if name]
        if not named:
            n = len(self.names)
            return self.refuse(why, f"its {n} columns have no names: 1-{n} are there")
        close = difflib.get_close_matches(item[:200], [name[:200] for name in named[:2000]], 3, 0.5)
        way_out = f"there are {list_some([printable(name, 40) for name in named], 12)}"
        return self.refuse(why, f"did you mean {list_some(close)}; {way_out}" if close else way_out)

    def refuse(self, why: str, way_out: str = "such as 3-66, embedding or -id") -> ParameterError:
        return ParameterError(f"{OPTION} {printable(self.text, 60)}", why, way_out)


def _split(text: str) -> list[str]:
    """Cut at commas, but those in quotes."""
    rows = list(csv.reader([text], skipinitialspace=True))
    return [item.strip() for item in rows[0]] if rows else []


def describe_columns(columns: Sequence[int], names: Sequence[str]) -> str:
    """Return what `--columns` takes for some columns, runs as ranges."""
    runs: list[list[int]] = []
    for c in sorted(columns):
        if runs and runs[-1][1] == c - 1:
            runs[-1][1] = c
        else:
            runs.append([c, c])
    bare = not any(_PLACE.fullmatch(name.strip()) for name in names)
    mark = "" if bare else "@"
    return ",".join(
        f"{mark}{first + 1}" if first == last else f"{mark}{first + 1}-{mark}{last + 1}"
        for first, last in runs
    )
