"""Metadata as CSV: fields between commas, semicolons or tabs, in quotes where they hold those.

RFC 4180; a field in quotes may hold line ends too. What is a list of sentences and what is CSV is
told by the whole file: all records of CSV have as many fields.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from embviz.model import is_numeric

DELIMITERS = ",;"
HEADER_NAMES = frozenset(
    {"label", "labels", "name", "names", "word", "words", "token", "tokens", "term", "text"}
    | {"texts", "title", "titles", "sentence", "sentences", "id", "ids", "index", "key", "class"}
    | {"classes", "category", "target"}
)
"""What stands above a column of labels and is, alone in a file, nearly never one of them."""
SAMPLE_LINES = 50
# Lines of one record that might have closed it; it is cut anew at each.
_MOST_TRIES = 100
_QUOTED_LINE = re.compile(r'"(?:[^"]|"")*"')


@dataclass(frozen=True, eq=False)
class Records:
    """A file cut into fields.

    Attributes:
        rows: Of one length each, the header among them where there is one.
        delimiter: What separates the fields, "" in a file of one column.
        quoted: Whether a field stands in quotes.
    """

    rows: list[list[str]]
    delimiter: str
    quoted: bool

    @property
    def width(self) -> int:
        return len(self.rows[0])


def may_be_records(lines: Sequence[str], is_csv: bool) -> bool:
    """Tell from the first lines whether a file may be CSV; what is False is surely none."""
    first = lines[0]
    if first.startswith('"'):
        return True
    if "\t" in first:
        return False
    first_lines = lines[:SAMPLE_LINES]
    return is_csv or any(
        _is_regular(first_lines, d) and not _is_prose(first_lines, d) for d in DELIMITERS
    )


def _is_prose(lines: Sequence[str], delimiter: str) -> bool:
    """Tell whether the lines have blanks behind a delimiter, as in `Paris, France`."""
    return all(delimiter + " " in line for line in lines)


def _is_regular(lines: Sequence[str], delimiter: str) -> bool:
    """Tell whether the lines without quotes hold as many of a delimiter as the first one."""
    n = lines[0].count(delimiter)
    return n > 0 and all(line.count(delimiter) == n or '"' in line for line in lines)


def read_records(lines: Sequence[str], is_csv: bool, n_points: int | None) -> Records | None:
    """Cut the lines of a file as CSV; None where it is a file of one column without quotes.

    Args:
        lines: All lines, without their ends.
        is_csv: Whether it is named so, which decides where the content leaves it open.
        n_points: How many points there are, where that is known.
    """
    best: Records | None = None
    for delimiter in "\t" if "\t" in lines[0] else DELIMITERS:
        rows = _split(lines, delimiter)
        if rows is None or len(rows[0]) < 2 or any(len(row) != len(rows[0]) for row in rows):
            continue
        if best is None or len(rows[0]) > best.width:
            best = Records(rows, delimiter, any(line.count('"') > 1 for line in lines))
    if best is not None and _is_meant(best, lines, is_csv, n_points):
        return best
    if "\t" in lines[0]:
        return None
    return _one_column(lines, is_csv, n_points)


def _is_meant(best: Records, lines: Sequence[str], is_csv: bool, n_points: int | None) -> bool:
    """Tell whether a file of as many fields a line is more than a list of labels with commas."""
    if best.delimiter == "\t":  # Without quotes that close, tabs are TensorBoard's.
        return all(map(_QUOTED_LINE.fullmatch, lines[0].split("\t"))) or (
            best.quoted
            and len(best.rows) != len(lines)
            and n_points is not None
            and len(best.rows) == n_points + 1 != len(lines)
        )
    if is_csv:
        return True
    if _is_prose(lines[:SAMPLE_LINES], best.delimiter):
        return False
    counts = {len(best.rows), len(best.rows) - 1}
    fits = n_points is None or n_points in counts
    if not fits and n_points == len(lines):
        return False
    if best.quoted or (fits and n_points != len(lines)):
        return True
    return any(is_numeric(row[c] for row in best.rows[1:]) for c in range(best.width))


def _one_column(lines: Sequence[str], is_csv: bool, n_points: int | None) -> Records | None:
    """Return one column in quotes, or one that is named CSV."""
    rows = _split(lines, ",")
    if rows is None or any(len(row) != 1 for row in rows):
        return None
    quoted = [line for line in lines if line.startswith('"')]
    every = len(lines) > 1 and len(quoted) >= len(rows) - 1 > 0
    fits = n_points is None or n_points in (len(rows), len(rows) - 1)
    if is_csv or every or (quoted and fits and len(rows) != len(lines)):
        return Records(rows, "", bool(quoted))
    return None


def find_header(records: Records, n_points: int | None, key: str | None = None) -> bool:
    """Tell whether the first record holds the columns' names.

    Args:
        records: A file of CSV.
        n_points: How many points there are, where rows and points are in one order.
        key: A column that is there, by the word of the user.
    """
    first, rest = records.rows[0], records.rows[1:]
    if key is not None:
        return True
    if n_points == len(rest):
        return True
    looks = all(first) and len(set(first)) == len(first)
    numbers = [c for c in range(records.width) if rest and is_numeric(row[c] for row in rest)]
    above = [c for c in numbers if is_numeric([first[c]])]
    if n_points == len(records.rows):
        return looks and bool(numbers) and not above
    named = any(name.strip().lower() in HEADER_NAMES for name in first)
    return looks and not above and (bool(numbers) or named)


def name_unnamed(records: Records, one: str) -> list[str]:
    """Return names for columns that have none: the first text column is the label."""
    text = [c for c in range(records.width) if not is_numeric(row[c] for row in records.rows)]
    label = text[0] if text else 0
    return [one if c == label else f"column {c + 1}" for c in range(records.width)]


def _split(lines: Sequence[str], delimiter: str) -> list[list[str]] | None:
    """Cut lines into records; None where a quote is not closed or text stands behind one."""
    rows: list[list[str]] = []
    open_: list[str] = []
    tries = 0
    for line in lines:
        if not open_ and '"' not in line:
            rows.append(line.split(delimiter))
            continue
        open_.append(line)
        if len(open_) > 1 and line.count('"') % 2 == 0:
            continue  # It closes nothing.
        tries = tries + 1 if len(open_) > 1 else 0
        if tries > _MOST_TRIES:
            return None
        fields = _split_quoted("\n".join(open_), delimiter)
        if fields is None:
            return None
        if fields:
            rows.append(fields)
            open_ = []
    if open_ or not rows:
        return None
    while len(rows) > 1 and rows[-1] == [""]:
        del rows[-1]
    return rows


def _split_quoted(record: str, delimiter: str) -> list[str] | None:
    """Cut one record: [] where its last quote is still open, None where it is no record."""
    fields: list[str] = []
    at, end = 0, len(record)
    while True:
        if record.startswith('"', at):
            close = record.find('"', at + 1)
            while close >= 0 and record.startswith('"', close + 1):
                close = record.find('"', close + 2)
            if close < 0:
                return []
            fields.append(record[at + 1 : close].replace('""', '"'))
            at = close + 1
            if at < end and record[at] != delimiter:
                return None
        else:
            stop = record.find(delimiter + '"', at)
            stop = end if stop < 0 else stop
            fields += record[at:stop].split(delimiter)
            at = stop
        if at >= end:
            return fields
        at += 1
        if at == end:
            return [*fields, ""]
