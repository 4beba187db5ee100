"""What of a text file's columns is the vector: as the user says, as the file says, or by kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError, printable
from embviz.loaders.columns.kinds import WORDS, Aside, find_asides
from embviz.loaders.columns.request import OPTION, ColumnRequest, describe_columns, read_request
from embviz.loaders.opened import list_some
from embviz.loaders.text.cells import MISSING, read_tokens, refuse_elided
from embviz.loaders.text.fields import TextLayout, cut, is_number
from embviz.loaders.text.numbers import read_number
from embviz.loaders.text.sample import Sample
from embviz.loaders.text.unread import refuse_unread

_SAMPLED_FIELDS = 60_000
_NAMES = {"counter": "row", "identifier": "id", "class": "class"}
_FRACTION_LAST = re.compile(rb"[\t,;| ][+-]?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?$")
ONE_COLUMN = (
    "one column of numbers, where a vector needs two or more",
    "separate columns by tabs, commas or blanks; labels go to --metadata",
)


@dataclass(frozen=True)
class Taken:
    """Vectors in a text file.

    Attributes:
        layout: How lines are read, with the columns that make the vector.
        name: The column that holds them, "" where they are columns of their own.
        notes: What was left out or could be read in two ways, in a few words each.
    """

    layout: TextLayout
    name: str = ""
    notes: tuple[str, ...] = field(default=())


def take_columns(
    layout: TextLayout, sample: Sample, request: str | None, shown: str
) -> tuple[Taken, ...]:
    """Settle which columns are the vector; there are several where several hold a list.

    Args:
        layout: As `find_layout` found it.
        sample: Lines of the file.
        request: What `--columns` says, None for nothing.
        shown: The file as it is named to the user.

    Raises:
        LoadError: If only a person can know, or there are fewer than two numbers a row.
        ParameterError: If the request cannot be obeyed.
    """
    if request is None:
        return _by_kind(layout, sample, shown)
    asked = read_request(request, layout.names, shown)
    return (_as_asked(layout, sample, asked, shown, f"{OPTION} {printable(request, 60)}"),)


def _by_kind(layout: TextLayout, sample: Sample, shown: str) -> tuple[Taken, ...]:
    """Take a list before bare numbers in a cell before columns of numbers."""
    found = _default_columns(layout)
    lists = [c for c in found if layout.columns[c].kind != "number"]
    if lists:
        return tuple(_take_cell(layout, c, shown) for c in lists)
    if layout.n_rows is None:
        refuse_unread(layout, _rows(layout, sample.start[layout.n_header :]), shown)
    if len(layout.numeric) < 2:
        raise _one_column(layout, shown)
    if layout.n_rows is not None:
        return (Taken(layout),)  # The header says how many dimensions there are.
    _refuse_lost_number(layout, sample, shown)
    asides = _find_asides(layout, sample)
    words = _in_label(layout, asides)
    if words:
        return (_take_label(layout, words),)
    doubtful = [aside for aside in asides if not aside.sure]
    if doubtful:
        raise _ask(layout, asides, doubtful[0], sample, shown)
    out = {layout.numeric[aside.column]: aside for aside in asides}
    numeric = tuple(c for c in layout.numeric if c not in out)
    if len(numeric) < 2:
        why = "one column of numbers that is a dimension, where a vector needs two or more"
        raise LoadError(shown, why, f"{OPTION} all takes {_tell(layout, out, asides)} as well")
    return (_take_numbers(layout, numeric, asides),)


def _one_column(layout: TextLayout, shown: str) -> LoadError:
    if not layout.numeric:
        why = f"no column of numbers in {len(layout.columns)} columns"
        return LoadError(shown, why, "a file of labels goes to --metadata")
    if len(layout.columns) < 3:
        return LoadError(shown, *ONE_COLUMN)
    why = f"of {len(layout.columns)} columns {_name(layout, layout.numeric[0])} alone holds numbers"
    return LoadError(shown, f"{why}, where a vector needs two or more", "labels go to --metadata")


def _refuse_lost_number(layout: TextLayout, sample: Sample, shown: str) -> None:
    """Refuse nameless columns of which one ends in what may be the first number of each vector.

    Raises:
        LoadError: With what takes the columns as they are.
    """
    first = layout.numeric[0]
    if first == 0 or any(layout.names) or layout.columns[first - 1].kind == "number":
        return
    cells = [row[first - 1] for row in _rows(layout, sample.start[layout.n_header :])]
    if cells and all(map(_FRACTION_LAST.search, cells)):
        text = printable(cells[0].decode("utf-8", "replace"), 40)
        raise LoadError(
            shown,
            f"column {first} ends in a number ('{text}'): is it the vector's first?",
            f"separate all by one delimiter; {OPTION} {describe_columns(layout.numeric, [])} takes "
            "the numbers behind it alone",
        )


def _in_label(layout: TextLayout, asides: Sequence[Aside]) -> int:
    """Return how many numbers end a name of several words, as in `chapter 7`; 0 for none."""
    columns = layout.columns
    words = len(asides)
    one_label = layout.delimiter == b" " and columns[0].kind == "text" and not any(layout.names)
    known = all(aside.sure or aside.kind == "identifier" for aside in asides)
    behind = [layout.numeric[aside.column] for aside in asides] == [*range(1, words + 1)]
    return words if one_label and behind and known and not layout.quoted else 0


def _take_label(layout: TextLayout, words: int) -> Taken:
    """Take the numbers at a line's end, and all before them as the label."""
    columns = (layout.columns[0], *layout.columns[1 + words :])
    joined = replace(layout, columns=columns, n_fields=layout.n_fields - words)
    numeric = tuple(c for c, column in enumerate(columns) if column.kind == "number")
    rest = [c for c, column in enumerate(columns) if column.kind == "text"]
    note = f"the last {len(numeric)} numbers of a line are the vector, the label is before them"
    return Taken(_with_text(replace(joined, numeric=numeric), rest, {}, None), "", (note,))


def _default_columns(layout: TextLayout) -> list[int]:
    columns = layout.columns
    lists = [c for c, column in enumerate(columns) if column.kind == "list"]
    if lists:
        return [c for c in lists if columns[c].length] or lists[:1]
    bare = [c for c, column in enumerate(columns) if column.kind == "bare"]
    longest = max(bare, key=lambda c: columns[c].length, default=None)
    if longest is not None and columns[longest].length > len(layout.numeric):
        return [longest]
    return list(layout.numeric)


def _as_asked(
    layout: TextLayout, sample: Sample, asked: ColumnRequest, shown: str, what: str
) -> Taken:
    """Take the columns that are asked for."""
    columns = layout.columns
    found = _default_columns(layout)
    plain = all(columns[c].kind == "number" for c in found)
    if asked.taken is None and not asked.everything and found and plain:
        out = {layout.numeric[a.column] for a in _find_asides(layout, sample) if a.sure}
        found = [c for c in found if c not in out]
    chosen = [c for c in asked.choose(found, layout.numeric) if c != asked.label]
    if asked.label is not None and asked.label in (asked.taken or ()):
        raise ParameterError(what, "a column of the vector cannot name the points as well")
    if asked.label is not None and columns[asked.label].kind != "text":
        why = f"{_name(layout, asked.label)} holds no words, which name the points"
        raise ParameterError(what, why, "--label-by COLUMN names them by any")
    cells = [c for c in chosen if columns[c].kind in ("list", "bare")]
    if len(chosen) == 1 and cells:
        return replace(_take_cell(layout, cells[0], shown, asked.label), notes=())
    for c in chosen:
        if columns[c].kind != "number":
            kind = {"text": "text", "empty": "nothing"}.get(columns[c].kind, "a list of numbers")
            why = f"{_name(layout, c)} of {shown} holds {kind}"
            way_out = "name it alone" if c in cells else _numbers_there(layout)
            raise ParameterError(what, why, way_out)
    if len(chosen) < 2:
        n = "one column" if chosen else "no column"
        raise ParameterError(what, f"{n}, where a vector needs two or more", _numbers_there(layout))
    return _take_numbers(layout, tuple(chosen), (), asked.label)


def _numbers_there(layout: TextLayout) -> str:
    return f"columns of numbers are {describe_columns(layout.numeric, layout.names) or 'none'}"


def _take_cell(layout: TextLayout, c: int, shown: str, label: int | None = None) -> Taken:
    column = layout.columns[c]
    if not column.length:
        raise refuse_elided(shown, column.name)
    rest = [
        i
        for i, other in enumerate(layout.columns)
        if i != c and other.kind not in ("list", "empty")
    ]
    taken = _with_text(
        replace(layout, numeric=(), cell=c, cell_dims=column.length), rest, {}, label
    )
    notes = []
    if any(layout.columns[i].kind == "number" for i in rest):
        names = list_some([_short(layout, i) for i in rest], 12)
        notes = [f"taking {_name(layout, c)} ({column.length} numbers); as metadata: {names}"]
    return Taken(taken, column.name, tuple(notes))


def _take_numbers(
    layout: TextLayout,
    numeric: tuple[int, ...],
    asides: Sequence[Aside],
    label: int | None = None,
) -> Taken:
    out = {layout.numeric[aside.column]: aside for aside in asides}
    kinds = {c: _NAMES.get(aside.kind, "") for c, aside in out.items()}
    vector = set(numeric)
    rest = [
        i
        for i, other in enumerate(layout.columns)
        if i not in vector and other.kind not in ("list", "empty")
    ]
    notes = []
    if out:
        notes = [
            f"{len(numeric)} columns are the vector; as metadata: {_tell(layout, out, asides)}; "
            f"{OPTION} changes that"
        ]
    empty = [
        _name(layout, c)
        for c, column in enumerate(layout.columns)
        if column.kind == "empty" and column.name
    ]
    if empty:
        notes.append(
            f"{list_some(empty)} is empty" if len(empty) == 1 else f"{list_some(empty)} are empty"
        )
    return Taken(_with_text(replace(layout, numeric=numeric), rest, kinds, label), "", tuple(notes))


def _with_text(
    layout: TextLayout, rest: Sequence[int], kinds: dict[int, str], label: int | None
) -> TextLayout:
    """Return a layout with columns of text, those without a name called by what they are."""
    if label is not None:
        rest = [label, *(c for c in rest if c != label)]
    names = tuple(layout.columns[c].name or kinds.get(c, "") for c in rest)
    return replace(layout, text_columns=tuple(rest), text_names=names, labelled=label is not None)


def _name(layout: TextLayout, c: int) -> str:
    name = layout.columns[c].name
    return f"column '{printable(name, 60)}'" if name else f"column {c + 1}"


def _short(layout: TextLayout, c: int) -> str:
    return printable(layout.columns[c].name, 60) or f"column {c + 1}"


def _tell(layout: TextLayout, out: dict[int, Aside], asides: Sequence[Aside]) -> str:
    said = [f"{_name(layout, c)} ({WORDS[aside.kind]})" for c, aside in out.items()]
    return list_some(said)


def _find_asides(layout: TextLayout, sample: Sample) -> tuple[Aside, ...]:
    values, n_first = _values(layout, sample)
    names = [layout.columns[c].name for c in layout.numeric]
    if not any(layout.names):
        names = [""] * len(names)
    return find_asides(names, values, n_first=n_first)


def _ask(
    layout: TextLayout, asides: Sequence[Aside], doubt: Aside, sample: Sample, shown: str
) -> LoadError:
    """Return what is said of a column of which only a person can know what it is."""
    values, _ = _values(layout, sample)
    column = values[:, doubt.column]
    low, high = int(np.nanmin(column)), int(np.nanmax(column))
    out = {layout.numeric[aside.column] for aside in asides}
    rest = [c for c in layout.numeric if c not in out]
    first = min(c for c in out if layout.numeric[doubt.column] == c)
    kind = WORDS[doubt.kind]
    others = f"{OPTION} {describe_columns(rest, layout.names)} leaves it out of the vector, "
    return LoadError(
        shown,
        f"{_name(layout, first)} holds whole numbers, {low} to {high}: {kind}, or a dimension?",
        (others if len(rest) > 1 else "without it there is no vector, ") + f"{OPTION} all takes it",
    )


def _values(layout: TextLayout, sample: Sample) -> tuple[NDArray[np.float64], int]:
    """Return the columns of numbers in some rows, and how many rows are the first."""
    most = max(20, _SAMPLED_FIELDS // max(1, layout.n_fields))
    first = _rows(layout, sample.first[layout.n_header : layout.n_header + (most + 1) // 2])
    spread = [*sample.first[layout.n_header + len(first) :], *sample.later]
    later = _rows(layout, spread[:: -(-len(spread) // (most // 2)) or 1])
    fields = [
        row[c].strip(b" ").replace(b",", b".") if layout.decimal else row[c].strip(b" ")
        for row in (*first, *later)
        for c in layout.numeric
    ]
    shape = (len(first) + len(later), len(layout.numeric))
    quick = read_tokens(fields)
    values = quick if quick is not None else np.array([_number(f) for f in fields])
    return values.astype(np.float64).reshape(shape), len(first)


def _rows(layout: TextLayout, lines: Sequence[bytes]) -> list[list[bytes]]:
    """Return the fields of those lines that have as many as they should."""
    rows = []
    for line in lines:
        fields = cut(line, layout)
        surplus = len(fields) - layout.n_fields
        if surplus > 0 and layout.delimiter == b" " and layout.columns[0].kind == "text":
            fields = [b"", *fields[surplus + 1 :]]
        if len(fields) == layout.n_fields:
            rows.append(fields)
    return rows


def _number(token: bytes) -> float:
    if token in MISSING or not is_number(token):
        return float("nan")
    return read_number(token)
