"""Lines of vectors, read one at a time: all rules, and what is said of a line that breaks them.

`text_blocks` reads the same lines by whole blocks and hands over what it does not understand.
"""

from __future__ import annotations

import math
import re
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, printable
from embviz.loaders.text.layout import TextLayout, split_quoted
from embviz.loaders.text.numbers import read_number

_CONFLICT = re.compile(rb"(?:<{7}|={7}|>{7})(?: |$)")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+\Z")
_SPARSE = re.compile(r"[0-9]+:[+-]?[0-9.]+")
_LARGEST = float(np.finfo(np.float32).max)

Columns = list[list[str]]


def read_lines(
    raw: bytes, layout: TextLayout, first_line: int, shown: str
) -> tuple[NDArray[np.float32], Columns]:
    """Read lines of vectors.

    Args:
        raw: Whole lines, each ended by a line feed.
        layout: How the file is laid out.
        first_line: The number of the first line in the file, from 1.
        shown: The file as it is named to the user.

    Returns:
        float32 (n_rows, n_dims) and a list of n_rows texts for each text column.

    Raises:
        LoadError: If a line is not a row of the layout, with its number.
    """
    rows: list[list[float]] = []
    columns: Columns = [[] for _ in layout.text_columns]
    for number, line in enumerate(raw.split(b"\n")[:-1], first_line):
        if not line.strip():
            continue
        where = f"{shown}:{number}"
        fields = split_line(line, layout, where)
        rows.append([_number(fields[c], c, where) for c in layout.numeric])
        for texts, c in zip(columns, layout.text_columns, strict=True):
            texts.append(decode(fields[c], where))
    values = np.array(rows, np.float64).reshape(len(rows), len(layout.numeric))
    return values.astype(np.float32), columns


def split_line(line: bytes, layout: TextLayout, where: str) -> list[bytes]:
    """Return the fields of one line.

    Raises:
        LoadError: If there are more or fewer than the layout says.
    """
    _refuse_damage(line, where)
    if layout.trailing:
        line = line.rstrip(b" " + layout.delimiter)
    fields = split_fields(line, layout.delimiter, layout.quoted, where)
    if layout.delimiter == b" ":
        kept = [field for field in fields if field]
        surplus = len(kept) - layout.n_fields
        if surplus > 0 and layout.text_columns:
            n_numbers = len(layout.numeric)
            label = line.rstrip(b" ").rsplit(b" ", n_numbers)[0] if not layout.collapse else b""
            kept = [label or b" ".join(kept[:-n_numbers]), *kept[-n_numbers:]]
        fields = kept
    if len(fields) != layout.n_fields:
        hint = f"a line of this file has {layout.n_fields}" + (
            f" ({layout.reason})" if layout.reason else ""
        )
        raise LoadError(where, f"{_count(len(fields), 'column')} found", hint)
    return fields


def split_fields(line: bytes, delimiter: bytes, quoted: bool, where: str) -> list[bytes]:
    """Cut a line at its delimiters; quotes count in CSV only, and end on their line."""
    if not quoted or b'"' not in line:
        return line.split(delimiter)
    if line.count(b'"') % 2:
        raise LoadError(where, "a quote is not closed on its line", "remove line ends from labels")
    try:
        return split_quoted(line, delimiter)
    except ValueError as e:
        raise LoadError(where, f"not CSV ({e})", "check the quotes") from None


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
            where, f"not UTF-8 (byte 0x{field[e.start]:02x} in '{shown}')", "save the file as UTF-8"
        ) from None


def _number(field: bytes, column: int, where: str) -> float:
    """Return a field's number, which float32 can hold; nan and inf as they are."""
    token = field.strip(b" ")
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
    if not text:
        raise LoadError(where, f"{place} is empty where a number is needed")
    hint = ""
    if _DECIMAL_COMMA.match(text):
        hint = f"a decimal comma? write {text.replace(',', '.')}"
    elif text[0] in "\"'":
        hint = "remove the quotes"
    elif "_" in text:
        hint = "remove the underscores"
    elif _SPARSE.match(text):
        hint = "sparse index:value vectors are not read; write all columns"
    elif text[:3].lower().lstrip("+-").startswith("0x"):
        hint = "write decimal numbers"
    elif not text.isascii() and any(c.isdecimal() for c in text):
        hint = "write the digits 0 to 9 and the signs of ASCII"
    raise LoadError(where, f"{place}: '{printable(text, 60)}' is not a number", hint)


def _refuse_damage(line: bytes, where: str) -> None:
    """Refuse what no table of vectors holds.

    Raises:
        LoadError: With what it is.
    """
    if b"\0" in line:
        raise LoadError(where, "a NUL byte", "the file is damaged, UTF-16 or not text")
    if _CONFLICT.match(line):
        raise LoadError(where, f"a git conflict marker ({line[:7].decode()})", "resolve it")


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")
