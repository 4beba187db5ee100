"""Which first line of a text file is column names, those that are numbers too."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from embviz.loaders.columns.kinds import name_kind
from embviz.loaders.text.cells import HIDDEN, MISSING, count_numbers, is_list
from embviz.loaders.text.fields import Column, is_number
from embviz.loaders.text.numbers import read_number

_LEAST_SCALE = 7


def find_names(
    rows: Sequence[Sequence[bytes]], columns: Sequence[Column], decimal: bool
) -> list[str] | None:
    """Return the names in the first line, where it is a header.

    Args:
        rows: Lines cut into fields, the first first.
        columns: What the columns below it are.
        decimal: Whether commas stand for decimal points.
    """
    fields = list(rows[0])
    if len(fields) == len(columns) + 1 and not fields[-1].strip():
        del fields[-1]
    if len(fields) == len(columns) - 1:
        # R and pandas leave out the name of the row names; else a delimiter ends all other lines.
        fields = [*fields, b""] if columns[-1].kind == "empty" else [b"", *fields]
    if len(fields) != len(columns) or all(c.kind in ("text", "empty") for c in columns):
        return None
    if any(
        column.kind in ("list", "bare") and (is_list(field) or count_numbers(field))
        for column, field in zip(columns, fields, strict=True)
    ):
        return None
    numeric = [c for c, column in enumerate(columns) if column.kind == "number"]
    counted = [c for c in numeric if is_number(fields[c], decimal)]
    if counted and 2 * _count_words(fields, numeric, decimal) <= len(numeric):
        body = [[row[c] for c in counted] for row in rows[1:] if len(row) == len(columns)]
        words = [(spell_name(f), c.kind) for f, c in zip(fields, columns, strict=True)]
        named = len(counted) < len(numeric) or any(
            kind == "text" and (not name or name_kind(name, whole=False)) for name, kind in words
        )
        numbers = [fields[c].strip() for c in counted]
        if not (_counts_columns(numbers, body, named) or _is_scale(numbers, body)):
            return None
    if numeric and all(fields[c].strip() in MISSING for c in numeric):
        return None  # A row of which all is missing.
    return [spell_name(field) for field in fields]


def is_second_header(rows: Sequence[Sequence[bytes]], columns: Sequence[Column]) -> bool:
    """Tell whether the second line names columns too, as data frames of several levels do."""
    if len(rows) < 4 or len(rows[1]) != len(columns):
        return False
    fields = [field.strip() for field in rows[1]]
    counted = [c for c, column in enumerate(columns) if column.kind == "number" and fields[c]]
    below = [row for row in rows[2:] if len(row) == len(columns)]
    fractions = all(any(b"." in row[c] for row in below) for c in counted)
    return (
        fields[0] == b""
        and bool(counted)
        and fractions
        and all(fields[c].isdigit() for c in counted)
    )


def spell_name(field: bytes) -> str:
    """Return a field of the first line as a name."""
    return field.replace(HIDDEN, b" ").decode("utf-8", "replace").strip()


def _count_words(fields: Sequence[bytes], numeric: Sequence[int], decimal: bool) -> int:
    """Count the fields above columns of numbers that are words."""
    found = (fields[c].strip() for c in numeric)
    return sum(field not in MISSING and not is_number(field, decimal) for field in found)


def _counts_columns(numbers: Sequence[bytes], body: Sequence[Sequence[bytes]], named: bool) -> bool:
    """Tell whether a line numbers the columns, as data frames without names do.

    Above fractions any ascending numbers do, and counts from 0 one behind the other; above whole
    numbers only counts that no other line resembles, with a name beside them if they are short.
    """
    if len(numbers) < 3 or not all(number.isdigit() and len(number) < 10 for number in numbers):
        return False
    found = [int(number) for number in numbers]
    starts = [i for i in range(len(found)) if not i or found[i] != found[i - 1] + 1]
    runs = [*zip(starts, [*starts[1:], len(found)], strict=True)]
    repeated = all(found[i] in (0, 1) and j - i > 2 for i, j in runs)
    if all(b"." in field or b"," in field or b"e-" in field for row in body for field in row):
        return repeated or all(a < b for a, b in itertools.pairwise(found))
    if len(runs) == 1 and any(b"." in field or b"e-" in field for field in body[0]):
        return True
    return repeated and (named or len(found) > 4) and not any(map(_is_count, body))


def _is_scale(numbers: Sequence[bytes], body: Sequence[Sequence[bytes]]) -> bool:
    """Tell whether a line is the scale of its columns, such as wavelengths: it alone is in order.

    Of so many numbers a row is so by chance once in thousands of files; not where rows are the same
    numbers in other orders.
    """
    if len(numbers) < _LEAST_SCALE or len(body) < 2:
        return False
    scale = _values(numbers)
    rows = [*map(_values, body)]
    others = (_is_in_order(row) or sorted(row) == sorted(scale) for row in rows)
    return _is_in_order(scale) and not any(others)


def _values(row: Sequence[bytes]) -> list[float]:
    """Return the numbers of a row, an empty list where a field is none."""
    tokens = [field.strip().replace(b",", b".") for field in row]
    return [*map(read_number, tokens)] if all(map(is_number, tokens)) else []


def _is_in_order(values: Sequence[float]) -> bool:
    """Tell whether numbers ascend, or descend."""
    pairs = [*itertools.pairwise(values)]
    return bool(pairs) and (all(a < b for a, b in pairs) or all(a > b for a, b in pairs))


def _is_count(row: Sequence[bytes]) -> bool:
    """Tell whether fields count up by one in some order."""
    if not all(field.strip().isdigit() for field in row):
        return False
    values = sorted(int(field) for field in row if len(field) < 10)
    return values == [*range(values[0], values[0] + len(row))] if values else False
