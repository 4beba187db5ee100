"""Metadata whose rows are in another order than the points, told by the names that both have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from embviz.errors import LoadError, printable
from embviz.loaders.columns.kinds import name_kind
from embviz.loaders.opened import Columns
from embviz.model import is_numeric

_DIFFERENT = 0.9
"""How many of the names must differ, so that they name the points and no classes of them."""


def refuse_other_order(
    path: Path, own: Columns, names: Sequence[str], column: Callable[[str], Sequence[str]]
) -> None:
    """Refuse rows that hold the points' own names in another order.

    Args:
        path: The file.
        own: The points' own columns.
        names: The file's columns.
        column: Returns one of them, with a text for each of the points or of the first of them.

    Raises:
        LoadError: If a column of the file holds the texts that name the points, or under the same
            name their identifiers, and they stand for other points.
    """
    places = [place for place in own.names if place in names and name_kind(place) == "identifier"]
    pairs = [(place, place) for place in places]
    if own.label is not None and not is_numeric(own.column(own.label)):
        pairs += [(own.label, name) for name in names]
    for place, name in pairs:
        texts, wanted = tuple(column(name)), own.column(place)
        row = _first_in_other_order(texts, wanted)
        if row is None:
            continue
        there, here = printable(texts[row], 40), printable(wanted[row], 40)
        raise LoadError(
            path,
            f"'{printable(name, 40)}' has the names of the points in another order: row {row} is "
            f"'{there}', in the source '{here}'",
            f"--metadata-key {printable(name, 40)} joins the rows by it"
            if len(names) > 1
            else "the source has its labels itself: leave --metadata out",
        )


def _first_in_other_order(texts: tuple[str, ...], wanted: tuple[str, ...]) -> int | None:
    """Return the first row of other text than the point's, where all are texts of points."""
    named = [i for i, text in enumerate(texts[: len(wanted)]) if text]
    others = [i for i in named if texts[i] != wanted[i]]
    distinct = {texts[i] for i in named}
    if len(named) < 2 or not others or len(distinct) < _DIFFERENT * len(named):
        return None
    return others[0] if distinct <= set(wanted) else None
