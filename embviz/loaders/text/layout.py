"""How a text file of vectors is laid out: found from its first lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from embviz.errors import LoadError
from embviz.loaders.text.cells import HIDDEN, MISSING, count_numbers, is_elided, is_list
from embviz.loaders.text.comments import count_comments, read_names
from embviz.loaders.text.decimals import (
    has_decimal_commas,
    refuse_commas_for_both,
    refuse_commas_in_lists,
)
from embviz.loaders.text.delimiters import DELIMITERS, find_delimiter, is_csv
from embviz.loaders.text.fields import DECIMAL_COMMA, Column, TextLayout, cut, is_number
from embviz.loaders.text.headers import find_names, is_second_header, spell_name
from embviz.loaders.text.no_vectors import (
    refuse_other_text,
    refuse_sparse,
    refuse_text_only,
)
from embviz.loaders.text.sample import Sample

MOST_COLUMNS = 100_000
_FEW_ROWS = 10
_SCORED_FIELDS = 1_000_000
_LABEL_AND_FRACTION = re.compile(
    rb".*[^\t,;| ]([\t,;| ])[+-]?[0-9]*(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]\.?[eE][+-]?[0-9]+)",
    re.DOTALL,
)
_DIGIT = re.compile(rb"[0-9]")
_SEPARATOR_LINE = re.compile(rb'"?sep=(.)"?\s*', re.IGNORECASE)


def find_layout(
    sample: Sample, delimiter: bytes | None, shown: str, *, given: bool = False
) -> TextLayout:
    """Find out how a file of vectors is laid out.

    Args:
        sample: Its first lines.
        delimiter: What separates fields; of several bytes one; None for any, to be found out.
        shown: The file as it is named to the user.
        given: Whether the user says which columns are the vector, so that nothing is refused that
            this answers.

    Returns:
        The layout, in which all columns of numbers make the vector.

    Raises:
        LoadError: If these are no vectors, with what they look like.
    """
    lines: Sequence[bytes] = sample.start
    if not lines:
        raise LoadError(shown, "no lines", "a table of vectors is needed")
    refuse_other_text(lines[0], shown)
    n_header, among = 0, delimiter or DELIMITERS
    separator = _SEPARATOR_LINE.fullmatch(lines[0])
    if separator and separator[1] in among:
        n_header, among = 1, separator[1]
    n_header += count_comments(lines[n_header:])
    lines = lines[n_header:]
    if not lines:
        raise LoadError(shown, "comments and no data")
    layout = replace(_cutting(lines, among, sample.literal), wrapped=sample.wrapped)
    rows = [cut(line, layout) for line in lines]
    layout = replace(layout, n_header=n_header, label_end=_label_end(rows, layout))
    if layout.label_end:
        rows = [cut(line, layout) for line in lines]
    if _is_class_header(rows):
        return _class_layout(rows[1:], replace(layout, n_header=n_header + 1))
    counts = _word2vec_header(rows)
    if counts and not given:
        return _word2vec_layout(rows[1:], layout, counts, shown)
    if counts:
        rows, layout = rows[1:], replace(layout, n_header=n_header + 1, n_rows=counts[0])
    found = _table_layout(rows, layout, shown, given)
    above = sample.start[n_header - 1] if n_header else b""
    if any(found.names) or not above.startswith(b"#"):
        return found
    names = read_names(above, found)
    named = zip(found.columns, names, strict=False)
    return _with_columns(found, [replace(c, name=n) for c, n in named]) if names else found


def _cutting(lines: Sequence[bytes], among: bytes, literal: bool) -> TextLayout:
    """Return how lines are cut into fields."""
    body = lines[1:] or lines
    if all(is_list(line) or line.strip() == b"..." for line in body):
        return TextLayout(b"\t", 1, (), bracketed=True)
    delimiter = among if len(among) == 1 else find_delimiter(lines, among)
    layout = TextLayout(delimiter, 0, (), trailing=delimiter == b" ")
    layout = replace(layout, quoted=not literal and is_csv(lines, delimiter))
    if delimiter == b" " and not layout.quoted:
        runs = sum(b"  " in line.strip(b" ") for line in lines)
        return replace(layout, collapse=runs * 2 > len(lines), bracketed=_has_brackets(body))
    return replace(layout, collapse=delimiter == b",", bracketed=_has_brackets(body))


def _label_end(rows: Sequence[Sequence[bytes]], layout: TextLayout) -> bytes:
    """Return what separates labels from their first number, where it is not the delimiter."""
    first = rows[1:] if _word2vec_header(rows) else rows
    found = [
        None if is_number(row[0], decimal=True) else _LABEL_AND_FRACTION.fullmatch(row[0])
        for row in first
        if len(row) > 1
    ]
    ends = {match[1] if match else b"" for match in found}
    if len(ends) != 1 or len(found) < 2 or layout.delimiter in ends:
        return b""
    return ends.pop()


def _has_brackets(lines: Sequence[bytes]) -> bool:
    """Tell whether most lines hold numbers in brackets that are not in quotes."""
    return 2 * sum(b"[" in line and b']"' not in line for line in lines) > len(lines)


def _is_class_header(rows: Sequence[Sequence[bytes]]) -> bool:
    """Tell whether the first line is `rows,columns,class,class,…`, as scikit-learn writes it."""
    head, body = rows[0], rows[1:]
    if len(head) < 4 or not all(f.isdigit() and len(f) < 10 for f in head[:2]) or not body:
        return False
    width = int(head[1]) + 1
    return not any(map(is_number, head[2:])) and all(
        len(row) == width and all(map(is_number, row)) for row in body
    )


def _class_layout(rows: Sequence[Sequence[bytes]], layout: TextLayout) -> TextLayout:
    """Return the layout of lines below such a header: the class comes last."""
    columns = [Column("number")] * (len(rows[0]) - 1) + [Column("text", "class")]
    return _with_columns(replace(layout, n_fields=len(columns)), columns)


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
    """Return the layout of lines below a header: the last D fields are the vector."""
    n_rows, n_dims = counts
    width = _usual_width(rows)
    usual = [row for row in rows if len(row) == width]
    layout = replace(
        layout,
        n_header=layout.n_header + 1,
        n_rows=n_rows,
        decimal=layout.delimiter != b"," and has_decimal_commas(usual, shown),
        reason=f"the header says {n_dims} dimensions",
    )
    cells = [c for c in range(width) if _most(count_numbers(row[c]) == n_dims for row in usual)]
    if len(cells) == 1 and n_dims > 1:
        if layout.delimiter == b" " and cells[0] == width - 1:
            width, cells = 2, [1]
        columns = [Column("text", "" if c else "label") for c in range(width)]
        columns[cells[0]] = Column("bare", "", n_dims)
        return _with_columns(replace(layout, n_fields=width), columns)
    labelled = width == n_dims + 1 or not is_number(rows[0][0], layout.decimal)
    found = width - labelled
    ends = (_is_label_end(row, n_dims, layout.decimal) for row in usual)
    if found > n_dims and labelled and _most(ends):
        # A name of several words, as most are here: the header's count goes before.
        found = n_dims
    if found != n_dims:
        raise LoadError(
            f"{shown}:1",
            f"the header says {n_dims} dimensions, the lines below have {found}",
            "correct or remove the first line",
        )
    n_labels = width - n_dims
    if layout.delimiter == b" ":
        n_labels = min(n_labels, 1)
    columns = [Column("text", "" if c else "label") for c in range(n_labels)]
    columns += [Column("number")] * n_dims
    return _with_columns(replace(layout, n_fields=len(columns)), columns)


def _most(claims: Iterable[bool]) -> bool:
    """Tell whether more than half of some claims are true."""
    found = [*claims]
    return 2 * sum(found) > len(found)


def _is_label_end(row: Sequence[bytes], n_dims: int, decimal: bool) -> bool:
    """Tell whether the field before a row's last n_dims numbers belongs to its name."""
    if not all(is_number(field, decimal) for field in row[-n_dims:]):
        return False
    last = row[-n_dims - 1]
    fractions = any(b"." in field or b"," in field for field in row[-n_dims:])
    return not is_number(last) or (fractions and last.isdigit())


def _usual_width(rows: Sequence[Sequence[bytes]]) -> int:
    """Return the most frequent number of fields, the first seen where several are."""
    return Counter(len(row) for row in rows).most_common(1)[0][0]


def _table_layout(
    rows: list[list[bytes]], layout: TextLayout, shown: str, given: bool
) -> TextLayout:
    body = rows[1:] or rows
    width = _usual_width(body)
    if width > MOST_COLUMNS:
        raise LoadError(shown, f"{width} columns, more than {MOST_COLUMNS} are not read")
    usual = [row for row in body if len(row) == width]
    if not given and 2 * len(usual) < len(body):
        _refuse_prose(body, shown)
    usual = usual[: max(2, _SCORED_FIELDS // width)]
    if layout.delimiter != b"," or layout.quoted:
        layout = replace(layout, decimal=has_decimal_commas(usual, shown, given))
    if layout.delimiter == b"," and not given:
        refuse_commas_for_both(usual, shown)
    columns = [_column([row[c] for row in usual], layout, c == 0) for c in range(width)]
    for c in (c for c, column in enumerate(columns) if column.kind == "list"):
        cells = [row[c].replace(HIDDEN, layout.delimiter) for row in usual if is_list(row[c])]
        refuse_commas_in_lists(cells, shown)
    header = find_names(rows, columns, layout.decimal) if len(rows) > 1 else None
    refuse_sparse(usual, shown)
    if all(column.kind in ("text", "empty") for column in columns):
        refuse_text_only(rows, shown)
    if width == 1 and columns[0].kind == "number":
        raise LoadError(
            shown,
            "one column, where a vector needs two or more",
            "separate columns by tabs, commas or blanks; labels go to --metadata",
        )
    layout = replace(layout, n_fields=width)
    if header and is_second_header(rows, columns):
        header = [
            " ".join(filter(None, (a, spell_name(b)))) for a, b in zip(header, rows[1], strict=True)
        ]
        layout = replace(layout, n_header=layout.n_header + 1)
    texts = [column.kind == "text" for column in columns]
    n_labels = texts.index(False)
    alone = layout.delimiter == b" " and not (header or layout.quoted or any(texts[n_labels:]))
    if n_labels > 1 and alone:
        # Names of several words: whatever is before the numbers is one label.
        columns = [Column("text"), *columns[n_labels:]]
        layout = replace(layout, n_fields=len(columns))
    if header:
        named = zip(columns, header, strict=True)
        columns = [replace(column, name=name) for column, name in named]
        layout = replace(layout, n_header=layout.n_header + 1)
    if rows[0] is not body[0]:
        layout = replace(layout, reason="as most of its first lines")
    return _with_columns(layout, columns)


def _with_columns(layout: TextLayout, columns: Sequence[Column]) -> TextLayout:
    """Return a layout whose columns are known, those of numbers taken as the vector."""
    kinds = [column.kind for column in columns]
    text = tuple(c for c, kind in enumerate(kinds) if kind == "text")
    return replace(
        layout,
        columns=tuple(columns),
        numeric=tuple(c for c, kind in enumerate(kinds) if kind == "number"),
        text_columns=text,
        text_names=tuple(columns[c].name for c in text),
    )


def _column(cells: Sequence[bytes], layout: TextLayout, leading: bool) -> Column:
    """Return what a column is, from its fields in some rows."""
    known = [field for field in cells if field.strip(b" ") not in MISSING]
    if not known:
        return Column("empty")
    # Words that are numbers are no rarity, and words among numbers are one.
    share = 0.9 if leading and len(known) >= _FEW_ROWS else 0.5
    if sum(is_number(field, layout.decimal) for field in known) >= share * len(known):
        return Column("number")
    lists = [field for field in known if is_list(field)]
    if 2 * len(lists) >= len(known):
        if any(is_elided(field) for field in known if field in lists or len(field) < 9):
            return Column("list", length=0)
        length, n = Counter(map(count_numbers, lists)).most_common(1)[0]
        if length and 2 * n > len(lists):
            return Column("list", length=length)
    if all(map(DECIMAL_COMMA.fullmatch, known)) or not all(map(_DIGIT.search, known)):
        return Column("text")
    length, n = Counter(map(count_numbers, known)).most_common(1)[0]
    if length and 10 * n >= 9 * len(known):
        return Column("bare", length=length)
    return Column("text")


def _refuse_prose(rows: Sequence[Sequence[bytes]], shown: str) -> None:
    """Refuse lines of all lengths that seldom end in numbers: sentences with some in them."""
    ends = (len(row) > 2 and all(map(is_number, row[-2:])) for row in rows)
    lists = (any(is_list(field) and count_numbers(field) > 1 for field in row) for row in rows)
    if not (_most(ends) or _most(lists)):
        refuse_text_only(rows, shown)
