"""How a text file of vectors is laid out: found from its first lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from embviz.errors import LoadError, printable
from embviz.loaders.text.numbers import read_number

SAMPLE_LINES = 50
DELIMITERS = b"\t,; "
MOST_COLUMNS = 100_000
_SCORED_BYTES = 100_000
_SCORED_FIELDS = 1_000_000
_LABEL_NAMES = frozenset({"label", "labels", "name", "word", "token", "class", "target", "cluster"})
_ROW_NAMES = frozenset({"id", "ids", "index", "idx", "category"})
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body|\?xml|svg|script)", re.IGNORECASE)


@dataclass(frozen=True)
class TextLayout:
    """Where the labels and the numbers of a line are.

    Attributes:
        delimiter: One byte.
        n_fields: Fields a line.
        numeric: The fields that make the vector, from 0, ascending.
        text_columns: The other fields, which become metadata columns.
        text_names: Their names, "" for none.
        n_header: Lines before the first row, blank ones not counted.
        n_rows: What a word2vec header says.
        trailing: Whether delimiters at a line's end mean nothing.
        collapse: Whether several blanks in a row are one delimiter.
        quoted: Whether fields may stand in quotes (CSV).
        reason: What makes `n_fields` what it is, to be told.
        named_as: Names of columns of numbers that are kept as metadata for their name.
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
    reason: str = ""
    named_as: tuple[str, ...] = ()


def is_number(field: bytes) -> bool:
    """Tell whether a field is a number, NaN and infinity included."""
    try:
        read_number(field.strip(b" "))
    except ValueError:
        return False
    return True


def find_layout(lines: Sequence[bytes], delimiter: bytes | None, shown: str) -> TextLayout:
    """Find out how a file of vectors is laid out.

    Args:
        lines: The first lines that are not blank, without their ends.
        delimiter: What separates fields; of several bytes one; None for any, to be found out.
        shown: The file as it is named to the user.

    Raises:
        LoadError: If these are no vectors, with what they look like.
    """
    if not lines:
        raise LoadError(shown, "no lines", "a table of vectors is needed")
    _refuse_other_text(lines[0], shown)
    n_header = _count_comments(lines)
    lines = lines[n_header:]
    if not lines:
        raise LoadError(shown, "comments and no data")
    if delimiter is None or len(delimiter) > 1:
        delimiter = _find_delimiter(lines, delimiter or DELIMITERS)
    trailing = delimiter == b" " or all(line.endswith(delimiter) for line in lines[1:] or lines)
    layout = TextLayout(delimiter, 0, (), n_header=n_header, trailing=trailing)
    layout = replace(layout, quoted=delimiter in (b",", b";"))
    layout = replace(
        layout, collapse=_has_runs(lines, layout) if delimiter == b" " else delimiter == b","
    )
    rows = [_cut(line, layout) for line in lines]
    counts = _word2vec_header(rows)
    if counts:
        return _word2vec_layout(rows[1:], layout, counts, shown)
    return _table_layout(rows, layout, shown)


def _refuse_other_text(line: bytes, shown: str) -> None:
    if _MARKUP.match(line):
        raise LoadError(
            shown, "a web page (HTML or XML), not vectors", "download the file itself again"
        )
    if line.startswith(b"version https://git-lfs"):
        raise LoadError(shown, "a Git LFS pointer, not the file", "run git lfs pull")


def _count_comments(lines: Sequence[bytes]) -> int:
    """Count the leading lines that begin with # and do not end in a number."""
    n = 0
    while n < len(lines) and lines[n].startswith(b"#") and not is_number(lines[n].split()[-1]):
        n += 1
    return n


def _find_delimiter(lines: Sequence[bytes], among: bytes) -> bytes:
    """Return the delimiter that makes most fields of the first lines numbers, tabs first."""
    sample = [line[:_SCORED_BYTES] for line in lines[1:12] or lines]
    scores = {
        d: sum(is_number(f) for line in sample for f in line.split(d) if f)
        for d in (among[i : i + 1] for i in range(len(among)))
    }
    if scores.get(b"\t") and any(b"\t" in line for line in sample):
        return b"\t"
    return max(scores, key=lambda d: scores[d])


def _has_runs(lines: Sequence[bytes], layout: TextLayout) -> bool:
    """Tell whether blanks stand in runs between the numbers of most lines."""
    runs = sum(b"  " in line.strip(b" ") for line in lines)
    return runs * 2 > len(lines)


def _cut(line: bytes, layout: TextLayout) -> list[bytes]:
    """Cut a line at its delimiters, without judging it."""
    if layout.trailing:
        line = line.rstrip(b" " + layout.delimiter)
    if layout.quoted and b'"' in line:
        with suppress(ValueError):
            return split_quoted(line, layout.delimiter)
    fields = line.split(layout.delimiter)
    return [f for f in fields if f] if layout.delimiter == b" " else fields


def split_quoted(line: bytes, delimiter: bytes) -> list[bytes]:
    """Cut a line of CSV, where a field in quotes may hold delimiters and doubled quotes.

    RFC 4180, section 2, of any length: csv.reader takes fields of 131,072 characters.

    Raises:
        ValueError: If a quote is not closed, or a closed one is not followed by a delimiter.
    """
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


def _word2vec_header(rows: Sequence[Sequence[bytes]]) -> tuple[int, int] | None:
    """Return (rows, dimensions) where the first line is a word2vec header."""
    head = list(rows[0])
    if len(head) == 1:
        head = head[0].split()
    if len(head) != 2 or len(rows) < 2 or not all(f.isdigit() and len(f) < 12 for f in head):
        return None
    n_rows, n_dims = int(head[0]), int(head[1])
    fields = rows[1]
    if len(fields) == 2 and is_number(fields[0]) and n_dims != 1:
        return None
    return n_rows, n_dims


def _word2vec_layout(
    rows: Sequence[Sequence[bytes]], layout: TextLayout, counts: tuple[int, int], shown: str
) -> TextLayout:
    n_rows, n_dims = counts
    width = _usual_width(rows)
    labelled = width == n_dims + 1 or not is_number(rows[0][0])
    found = width - labelled
    if found != n_dims:
        raise LoadError(
            f"{shown}:1",
            f"the header says {n_dims} dimensions, the lines below have {found}",
            "correct or remove the first line",
        )
    return replace(
        layout,
        n_fields=width,
        numeric=tuple(range(labelled, width)),
        text_columns=(0,) if labelled else (),
        text_names=("label",) if labelled else (),
        n_header=layout.n_header + 1,
        n_rows=n_rows,
        reason=f"the header says {n_dims} dimensions",
    )


def _usual_width(rows: Sequence[Sequence[bytes]]) -> int:
    """Return the most frequent number of fields, the first seen where several are."""
    return Counter(len(row) for row in rows).most_common(1)[0][0]


def _table_layout(rows: list[list[bytes]], layout: TextLayout, shown: str) -> TextLayout:
    body = rows[1:] or rows
    width = _usual_width(body)
    if width > MOST_COLUMNS:
        raise LoadError(shown, f"{width} columns, more than {MOST_COLUMNS} are not read")
    usual = [row for row in body if len(row) == width][: max(2, _SCORED_FIELDS // width)]
    text = [c for c in range(width) if 2 * sum(is_number(row[c]) for row in usual) < len(usual)]
    numeric = [c for c in range(width) if c not in text]
    header = _header(rows, width, numeric, text) if len(rows) > 1 else None
    if not numeric:
        _refuse_text_only(rows, width, shown)
    if width == 1 and not text:
        raise LoadError(
            shown,
            "one column, where a vector needs two or more",
            "separate columns by tabs, commas or blanks; labels go to --metadata",
        )
    names = header or [""] * width
    named = [c for c in numeric if _names_a_label(names[c], c)] if header else []
    if len(named) == len(numeric):
        named = []
    text = sorted(text + named)
    return replace(
        layout,
        n_fields=width,
        numeric=tuple(c for c in numeric if c not in named),
        text_columns=tuple(text),
        text_names=tuple(names[c] for c in text),
        n_header=layout.n_header + bool(header),
        named_as=tuple(names[c] for c in named),
        reason="" if rows[0] is body[0] else "as most of its first lines",
    )


def _names_a_label(name: str, column: int) -> bool:
    return name.lower() in _LABEL_NAMES | _ROW_NAMES or (name == "" and column == 0)


def _header(
    rows: Sequence[Sequence[bytes]], width: int, numeric: list[int], text: list[int]
) -> list[str] | None:
    """Return the names in the first line, where it is a header."""
    fields = list(rows[0])
    if len(fields) == width - 1 and 0 in text:
        fields = [b"", *fields]
    if len(fields) != width or not numeric:
        return None
    numbers = [fields[c].strip() for c in numeric if is_number(fields[c])]
    # Data frames without names write the columns' numbers above fractions.
    counted = (
        len(numbers) > 2
        and numbers == [b"%d" % i for i in range(len(numbers))]
        and any(b"." in field for field in rows[1])
    )
    if numbers and not counted:
        return None
    return [f.decode("utf-8", "replace").strip() for f in fields]


def _refuse_text_only(rows: Sequence[Sequence[bytes]], width: int, shown: str) -> None:
    start = printable(b" ".join(rows[0]).decode("utf-8", "replace"), 60)
    if len(rows) == 1:
        raise LoadError(shown, f"column names and no data ('{start}')")
    raise LoadError(
        shown,
        f"no column of numbers in the first {len(rows)} lines ('{start}')",
        "a file of labels goes to --metadata",
    )
