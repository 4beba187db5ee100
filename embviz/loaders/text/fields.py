"""How a line of vectors is cut into fields, as a value, and the cutting itself."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from embviz.loaders.text.cells import HIDDEN
from embviz.loaders.text.numbers import read_number

Kind = Literal["number", "text", "list", "bare", "empty"]
DECIMAL_COMMA = re.compile(rb"[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?")
THOUSANDS = re.compile(
    rb"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[+-]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+"
)
_BETWEEN_BLANKS = re.compile(rb'"(?:[^"]++|"")*+"(?![^ ])|[^ ]+')
_BRACKETS = re.compile(rb"\[[^\[\]]*+\]")


@dataclass(frozen=True)
class Column:
    """A column of a text file.

    Attributes:
        kind: `number`; `list` of numbers in brackets, or `bare` without; `text`; `empty` where
            nothing is in it.
        name: "" for none.
        length: How many numbers a cell of a `list` or `bare` one holds, 0 where they were elided.
    """

    kind: Kind
    name: str = ""
    length: int = 0


@dataclass(frozen=True)
class TextLayout:
    """Where the labels and the numbers of a line are.

    Attributes:
        delimiter: One byte.
        n_fields: Fields a line.
        numeric: The fields that make the vector, from 0, ascending; none where one cell holds it.
        text_columns: The fields that become metadata columns.
        text_names: Their names, "" for none.
        n_header: Lines before the first row, blank ones not counted.
        n_rows: What a word2vec header says.
        trailing: Whether delimiters at a line's end mean nothing.
        collapse: Whether several blanks in a row are one delimiter.
        quoted: Whether fields may stand in quotes (CSV).
        bracketed: Whether delimiters within brackets separate no fields.
        wrapped: Whether line ends within brackets end no line.
        decimal: Whether numbers have decimal commas.
        label_end: What separates a label from the first number, where all else is separated by
            another delimiter; b"" for the delimiter itself.
        reason: What makes `n_fields` what it is, to be told.
        cell: The field that holds the whole vector, None for none.
        cell_dims: How many numbers it holds.
        columns: What each field is.
        labelled: Whether the first of `text_columns` names the points, whatever is in it.
    """

    delimiter: bytes
    n_fields: int
    numeric: tuple[int, ...]
    text_columns: tuple[int, ...] = ()
    text_names: tuple[str, ...] = ()
    n_header: int = 0
    n_rows: int | None = None
    trailing: bool = False
    collapse: bool = False
    quoted: bool = False
    bracketed: bool = False
    wrapped: bool = False
    decimal: bool = False
    label_end: bytes = b""
    reason: str = ""
    cell: int | None = None
    cell_dims: int = 0
    columns: tuple[Column, ...] = ()
    labelled: bool = False

    @property
    def n_dims(self) -> int:
        """How many dimensions the vectors have."""
        return len(self.numeric) if self.cell is None else self.cell_dims

    @property
    def names(self) -> list[str]:
        """The names of all fields."""
        return [column.name for column in self.columns]


def is_number(field: bytes, decimal: bool = False) -> bool:
    """Tell whether a field is a number, NaN and infinity included.

    Args:
        field: The field.
        decimal: Whether it may have a decimal comma.
    """
    field = field.strip(b" ")
    if decimal and DECIMAL_COMMA.fullmatch(field):
        return True
    try:
        read_number(field)
    except ValueError:
        return False
    return True


def like_number(field: bytes) -> bool:
    """Tell whether a field is a number in any notation, those that are refused among them."""
    field = field.strip(b" ")
    return is_number(field, decimal=True) or bool(THOUSANDS.fullmatch(field))


def cut(line: bytes, layout: TextLayout) -> list[bytes]:
    """Cut a line at its delimiters, without judging it."""
    if layout.trailing:
        line = line.rstrip(b" " + layout.delimiter)
    line = hide_brackets(line, layout)
    if layout.quoted and b'"' in line:
        with suppress(ValueError):
            return split_label(split_quoted(line, layout.delimiter), layout)
    fields = split_label(line.split(layout.delimiter), layout)
    return [f for f in fields if f] if layout.delimiter == b" " else fields


def split_label(fields: list[bytes], layout: TextLayout) -> list[bytes]:
    """Return fields of which the first is cut before its last number, where it has one."""
    if not layout.label_end or layout.label_end not in fields[0]:
        return fields
    label, _, number = fields[0].rpartition(layout.label_end)
    return [label, number, *fields[1:]]


def hide_brackets(line: bytes, layout: TextLayout) -> bytes:
    """Return a line in which delimiters within brackets are replaced, where they separate none."""
    return hide_in_brackets(line, layout.delimiter, HIDDEN) if layout.bracketed else line


def hide_in_brackets(text: bytes, what: bytes, by: bytes) -> bytes:
    """Replace something within brackets."""
    if b"[" not in text:
        return text
    return _BRACKETS.sub(lambda found: found[0].replace(what, by), text)


def split_quoted(line: bytes, delimiter: bytes) -> list[bytes]:
    """Cut a line of CSV, where a field in quotes may hold delimiters and doubled quotes.

    RFC 4180, section 2, of any length: csv.reader takes fields of 131,072 characters.

    Raises:
        ValueError: If a quote is not closed, or a closed one is not followed by a delimiter.
    """
    if delimiter == b" ":
        return _split_at_blanks(line)
    fields: list[bytes] = []
    at = 0
    while True:
        if line[at : at + 1] == b'"':
            end = line.find(b'"', at + 1)
            while end >= 0 and line[end + 1 : end + 2] == b'"':
                end = line.find(b'"', end + 2)
            if end < 0:
                raise ValueError("a quote is not closed")
            fields.append(line[at + 1 : end].replace(b'""', b'"'))
            at = end + 1
            if at < len(line) and line[at : at + 1] != delimiter:
                raise ValueError(f"'{delimiter.decode()}' expected after '\"'")
        else:
            end = line.find(delimiter + b'"', at)
            end = len(line) if end < 0 else end
            fields += line[at:end].split(delimiter)
            at = end
        if at >= len(line):
            return fields
        at += 1


def _split_at_blanks(line: bytes) -> list[bytes]:
    """Cut a line at runs of blanks outside quotes."""
    fields = _BETWEEN_BLANKS.findall(line)
    if not all(is_quoted(field) for field in fields if field[:1] == b'"'):
        raise ValueError("a quote is not closed")
    return [f[1:-1].replace(b'""', b'"') if f[:1] == b'"' else f for f in fields]


def is_quoted(field: bytes) -> bool:
    """Tell whether a field is in quotes, those within it doubled."""
    inner = field[1:-1]
    closed = len(field) > 1 and field[:1] == field[-1:] == b'"'
    return closed and b'"' not in inner.replace(b'""', b"")
