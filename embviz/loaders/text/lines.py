"""Lines of vectors, read one at a time: all rules, and what is said of a line that breaks them.

`text_blocks` reads the same lines by whole blocks and hands over what it does not understand.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, counted, printable
from embviz.loaders.text.cells import (
    HIDDEN,
    LINE_END,
    MISSING,
    is_elided,
    is_list,
    read_cells,
    read_tokens,
    refuse_elided,
    split_cell,
)
from embviz.loaders.text.faults import CUT, NO_LABEL, NOT_UTF8, Faults
from embviz.loaders.text.fields import (
    TextLayout,
    hide_brackets,
    is_number,
    split_label,
    split_quoted,
)
from embviz.loaders.text.numbers import NOT_FINITE, read_number

_CONFLICT = re.compile(rb"(?:<{7}|={7}|>{7})(?: |$)")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+\Z")
_SPARSE = re.compile(r"[0-9]+:[+-]?[0-9.]+")
_LARGEST = float(np.finfo(np.float32).max)

Columns = list[list[str]]


class Lines(NamedTuple):
    """Rows that were read: float32 (n_rows, n_dims), a list of texts a column, and what was odd."""

    values: NDArray[np.float32]
    columns: Columns
    faults: Faults


def read_lines(
    raw: bytes, layout: TextLayout, first_line: int, shown: str, strict: bool = False
) -> Lines:
    """Read lines of vectors.

    Args:
        raw: Whole lines, each ended by a line feed.
        layout: How the file is laid out.
        first_line: The number of the first line in the file, from 1.
        shown: The file as it is named to the user.
        strict: Whether a line that can be read in part only is refused.

    Raises:
        LoadError: If a line is not a row of the layout, with its number.
    """
    rows: list[list[bytes]] = []
    places: list[str] = []
    faults = Faults()
    number = first_line
    for line in raw.split(b"\n")[:-1]:
        where = f"{shown}:{number}"
        number += 1 + line.count(LINE_END)
        if not line.strip():
            continue
        rows.append(_split_line(line, layout, where, faults))
        places.append(where)
    columns: Columns = []
    for c in layout.text_columns:
        columns.append(
            [_text(row[c], layout, where, faults) for row, where in zip(rows, places, strict=True)]
        )
    if strict:
        for error in faults.first.values():
            raise error
    return Lines(_read_values(rows, layout, places), columns, faults)


def _read_values(
    rows: Sequence[Sequence[bytes]], layout: TextLayout, places: Sequence[str]
) -> NDArray[np.float32]:
    """Read the vectors of rows, at once where nothing is odd."""
    shape = (len(rows), layout.n_dims)
    if layout.cell is not None:
        cells = [row[layout.cell] for row in rows]
        found = read_cells(cells, layout.cell_dims) if rows else None
        if found is not None:
            return found
        values = [_read_cell(f, layout, at) for f, at in zip(cells, places, strict=True)]
        return np.array(values, np.float64).reshape(shape).astype(np.float32)
    if layout.decimal:
        rows = [[field.replace(b",", b".") for field in row] for row in rows]
    found = read_tokens([row[c].strip(b" ") for row in rows for c in layout.numeric])
    if found is not None:
        return found.reshape(shape)
    values = [
        [_number(row[c], c, where) for c in layout.numeric]
        for row, where in zip(rows, places, strict=True)
    ]
    return np.array(values, np.float64).reshape(shape).astype(np.float32)


def _read_cell(field: bytes, layout: TextLayout, where: str) -> list[float]:
    """Return the numbers of one cell, nan where it or one of them is missing."""
    n_dims, c = layout.cell_dims, layout.cell or 0
    bare = field.strip(b" ")
    if bare in MISSING or NOT_FINITE.match(bare):
        return [math.nan] * n_dims
    if is_elided(bare):
        raise refuse_elided(where, layout.columns[c].name)
    tokens = split_cell(bare)
    if not tokens and is_list(bare):
        return [math.nan] * n_dims
    if len(tokens) != n_dims:
        if not all(map(is_number, tokens)):
            text = printable(bare.decode("utf-8", "replace"), 60)
            raise LoadError(where, f"column {c + 1}: '{text}' is no vector")
        raise LoadError(
            where, f"a vector of {counted(len(tokens), 'number')}, others have {n_dims}"
        )
    return [_number(token, c, where) for token in tokens]


def _split_line(line: bytes, layout: TextLayout, where: str, faults: Faults) -> list[bytes]:
    """Return the fields of one line.

    Raises:
        LoadError: If there are more or fewer than the layout says.
    """
    _refuse_damage(line, where, layout.quoted or layout.wrapped)
    if layout.trailing:
        line = line.rstrip(b" " + layout.delimiter)
    line = hide_brackets(line, layout)
    _refuse_open_quote(line, layout, where)
    fields = split_label(split_fields(line, layout.delimiter, layout.quoted, where), layout)
    if layout.delimiter == b" " and not layout.quoted:
        fields = _split_at_blanks(line, layout, where, faults)
    surplus = len(fields) - layout.n_fields
    if surplus == 1 and not fields[-1].strip():
        del fields[-1]
    elif surplus == -1 and layout.columns and layout.columns[-1].kind == "empty":
        fields.append(b"")
    elif surplus and b'"' in line and layout.delimiter == b"\t":
        fields = split_fields(line, layout.delimiter, True, where)
    if len(fields) != layout.n_fields:
        hint = f"a line of this file has {layout.n_fields}" + (
            f" ({layout.reason})" if layout.reason else ""
        )
        raise LoadError(where, f"{_count(len(fields), 'column')} found", hint)
    return fields


def _refuse_open_quote(line: bytes, layout: TextLayout, where: str) -> None:
    """Refuse a quoted field that swallows lines each of which is a row by itself.

    Raises:
        LoadError: A label that is a quote is likely.
    """
    if layout.quoted and LINE_END in line:
        rows = [part.split(layout.delimiter) for part in line.split(LINE_END)]
        if all(
            len(row) == layout.n_fields > 1 and all(is_number(row[c]) for c in layout.numeric)
            for row in rows
        ):
            raise LoadError(
                where, "a quote is opened and closed on another line", 'write a label " as """"'
            )


def _split_at_blanks(line: bytes, layout: TextLayout, where: str, faults: Faults) -> list[bytes]:
    """Return fields between blanks, of which a label may hold some or be one."""
    kept = [field for field in line.split(b" ") if field]
    surplus = len(kept) - layout.n_fields
    if not layout.columns or layout.columns[0].kind != "text":
        return kept
    n_behind = layout.n_fields - 1
    if surplus > 0:
        label = line.rstrip(b" ").rsplit(b" ", n_behind)[0] if not layout.collapse else b""
        return [label or b" ".join(kept[:-n_behind]), *kept[-n_behind:]]
    if surplus == -1 and line.startswith(b" ") and _all_numbers(kept, layout):
        label = line.rstrip(b" ").rsplit(b" ", n_behind)[0] if not layout.collapse else b""
        error = LoadError(where, f"{n_behind} columns found and no label", layout.reason)
        faults.add(NO_LABEL, error)
        return [label, *kept]
    return kept


def _all_numbers(kept: Sequence[bytes], layout: TextLayout) -> bool:
    """Tell whether the fields behind a label are what they should be."""
    kinds = [column.kind for column in layout.columns[1:]]
    return all(
        kind != "number" or is_number(field, layout.decimal)
        for kind, field in zip(kinds, kept, strict=True)
    )


def split_fields(line: bytes, delimiter: bytes, quoted: bool, where: str) -> list[bytes]:
    """Cut a line at its delimiters; quotes count in CSV only."""
    if not quoted or b'"' not in line:
        return line.split(delimiter)
    try:
        return split_quoted(line, delimiter)
    except ValueError as e:
        raise LoadError(where, f"not CSV ({e})", "check the quotes") from None


def _text(field: bytes, layout: TextLayout, where: str, faults: Faults) -> str:
    """Return a text field as it was before its line ends and delimiters were hidden."""
    if LINE_END in field:
        field = field.replace(LINE_END, b"\n")
    if layout.bracketed and HIDDEN in field:
        field = field.replace(HIDDEN, layout.delimiter)
    try:
        return field.decode("utf-8")
    except UnicodeDecodeError as wrong:
        # What word2vec cut has whole letters before, which no other encoding makes.
        is_cut = wrong.reason == "unexpected end of data" and not field[: wrong.start].isascii()
        try:
            decode(field, where)
        except LoadError as error:
            faults.add(NOT_UTF8, error)
            if is_cut:
                faults.add(CUT, error)
        return field.decode("utf-8", "replace")


def decode(field: bytes, where: str) -> str:
    """Return a text field.

    Raises:
        LoadError: If it is not UTF-8.
    """
    try:
        return field.decode("utf-8")
    except UnicodeDecodeError as e:
        shown = printable(field.decode("latin-1"), 60)
        raise LoadError(
            where,
            f"not UTF-8 (byte 0x{field[e.start]:02x} in '{shown}')",
            "save the file as UTF-8 (iconv -f latin1 -t utf-8)",
        ) from None


def _number(field: bytes, column: int, where: str) -> float:
    """Return a field's number, which float32 can hold; nan and inf as they are."""
    token = field.strip(b" ")
    if token in MISSING:
        return math.nan
    try:
        number = read_number(token)
    except ValueError:
        _refuse_number(token, column, where)
    text = token.decode("ascii")
    if not math.isfinite(number) and any(c in text for c in "nN"):
        return number  # nan and inf are numbers; whoever needs finite ones refuses the row
    with np.errstate(over="ignore"):
        beyond = not math.isfinite(np.float32(number))
    if beyond:
        raise LoadError(
            where,
            f"column {column + 1}: {printable(text, 40)} is beyond float32, "
            f"whose largest finite number is {_LARGEST:.3g}",
            "divide the vectors by a constant, or save them as float64 in .npy",
        )
    return number


def _refuse_number(token: bytes, column: int, where: str) -> NoReturn:
    text = token.decode("utf-8", "replace")
    place = f"column {column + 1}"
    hint = ""
    if _DECIMAL_COMMA.match(text):
        hint = f"a decimal comma? write {text.replace(',', '.')}"
    elif text[0] in "\"'" and is_number(token.strip(b"\"'")):
        hint = "remove the quotes"
    elif "_" in text and is_number(token.replace(b"_", b"")):
        hint = "remove the underscores"
    elif _SPARSE.match(text):
        hint = "sparse index:value vectors are not read; write all columns"
    elif text[:3].lower().lstrip("+-").startswith("0x"):
        hint = "write decimal numbers"
    elif not text.isascii() and any(c.isdecimal() for c in text):
        hint = "write the digits 0 to 9 and the signs of ASCII"
    raise LoadError(where, f"{place}: '{printable(text, 60)}' is not a number", hint)


def _refuse_damage(line: bytes, where: str, quoted: bool) -> None:
    """Refuse what no table of vectors holds.

    Raises:
        LoadError: With what it is.
    """
    if b"\0" in line and not quoted:
        raise LoadError(where, "a NUL byte", "the file is damaged, UTF-16 or not text")
    if _CONFLICT.match(line):
        raise LoadError(where, f"a git conflict marker ({line[:7].decode()})", "resolve it")


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")
