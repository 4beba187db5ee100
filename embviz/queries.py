"""Which points a text means: one language for search, axes, selections and the page.

`best` is a case-insensitive substring, `=best` the whole label, `/^best$/` a case-insensitive
regular expression that may match anywhere, and `column:query` looks in another column. Case is
ignored by Unicode's simple folding and regular expressions are those of `regexes.py`, so that
JavaScript's `iu` flags find the same points. Blanks around a query are not part of it; after `=`
those of the label are, as tokens begin and end in such.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError, counted, printable, shell_word
from embviz.model import EmbeddingTable
from embviz.regexes import compile_regex, fold_case

log = logging.getLogger("embviz")

ROW = "row"  # A column that every table has, unless it has its own of that name.
BLANKS = "\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What JavaScript's `trim` takes away; Python's `strip` takes others too."""
SHOWN = 2
CLOSEST = 3
COMPARED = 400


@dataclass(frozen=True)
class Query:
    """A parsed query: `kind` is `substring`, `whole` or `regex`, `column` None for row numbers."""

    kind: str
    text: str
    column: str | None


def parse_query(table: EmbeddingTable, query: str, column: str | None = None) -> Query:
    """Split a query into its column, kind and text, without blanks around these.

    A text before a colon is a column only if the table has it; the longest such name counts.

    Args:
        table: The table whose columns count.
        query: As the user typed it.
        column: Where to look if the query does not say; None is the label column, or the row
            number where there is no metadata.

    Raises:
        ParameterError: If the query is empty or `column` does not exist.
    """
    if column is not None and column not in table.metadata and column != ROW:
        names = ", ".join([*table.metadata, ROW])
        raise ParameterError(f"column '{column}'", "there is none of that name", f"one of {names}")
    for typed in (query, query.lstrip(BLANKS)):
        named = [c for c in {*table.metadata, ROW} if c and typed.startswith(f"{c}:")]
        if named:
            column = max(named, key=len)
            query = typed[len(column) + 1 :]
            break
    else:
        column = table.label_column() if column is None else column
    if column not in table.metadata:
        column = None
    query = _without_blanks(query)
    if query == "":
        raise ParameterError("query", "it is empty", "a text, =label, /regex/ or column:text")
    if query.startswith("="):
        return Query("whole", query[1:], column)
    if len(query) >= 2 and query[0] == query[-1] == "/":
        return Query("regex", query[1:-1], column)
    return Query("substring", query, column)


def _without_blanks(query: str) -> str:
    """Return a query without the blanks around it; those after `=` may be the label's."""
    query = query.lstrip(BLANKS)
    return query if query.startswith("=") else query.rstrip(BLANKS)


def match(table: EmbeddingTable, query: str, column: str | None = None) -> NDArray[np.int64]:
    """Return the rows that a query matches, in order, int64 (n,); none is an empty array.

    Args:
        table: The table searched.
        query: See the module.
        column: Where to look if the query does not say; None is the label column.

    Raises:
        ParameterError: If the query is empty, its regular expression wrong (with the position), or
            `column` does not exist.
    """
    parsed = parse_query(table, query, column)
    values = _values(table, parsed.column)
    if parsed.kind == "whole":
        rows = _rows_of(values, parsed.text)
        bare = parsed.text.rstrip(BLANKS)
        if not rows and bare and bare != parsed.text:
            rows = _rows_of(values, bare)
    elif parsed.kind == "substring":
        wanted = fold_case(parsed.text)
        rows = _rows_that(values, lambda folded: wanted in folded)
    else:
        rows = compile_regex(parsed.text).rows(values)
    return np.array(rows, dtype=np.int64)


def match_some(table: EmbeddingTable, query: str, column: str | None = None) -> NDArray[np.int64]:
    """Return the rows that a query matches, of which there must be one.

    Raises:
        ParameterError: As `match` does, and if nothing matches, with the closest labels.
    """
    rows = match(table, query, column)
    if len(rows):
        return rows
    parsed = parse_query(table, query, column)
    where = f"column '{parsed.column}'" if parsed.column else "row numbers"
    labels = table.metadata[parsed.column] if parsed.column and parsed.kind != "regex" else ()
    close = closest_labels(labels, parsed.text)
    raise ParameterError(
        f"query '{query}'",
        f"it matches none of {table.n_points:,} points in {where}",
        f"close to it: {', '.join(close)}" if close else "",
    )


def describe_match(
    table: EmbeddingTable, rows: NDArray[np.int64], query: str, column: str | None = None
) -> str:
    """Say what a query matched: `'best' matches 14 points (best, asbestos, …); …`.

    Args:
        table: The table searched.
        rows: What `match` returned.
        query: The query.
        column: As given to `match`.
    """
    parsed = parse_query(table, query, column)
    values = _values(table, parsed.column)
    distinct = list(dict.fromkeys(values[i] for i in rows))
    shown = [printable(value, 40) or "no value" for value in distinct[:SHOWN]]
    if len(distinct) > SHOWN:
        shown.append("…")
    text = f"'{printable(query)}' matches {counted(len(rows), 'point')}"
    text += f" ({', '.join(shown)})" if len(rows) else ""
    if parsed.kind == "substring" and len(rows) > 1:
        query = query.rstrip(BLANKS)
        prefix = query[: len(query) - len(parsed.text)]
        if any(values[i] == parsed.text for i in rows):
            text += f"; {shell_word(f'{prefix}={printable(parsed.text)}')} for the whole word"
    return text


def bare_text(query: str) -> str:
    """Return a query without the sign for the whole label or a regular expression's slashes."""
    query = _without_blanks(query)
    if query.startswith("=") and len(query) > 1:
        return query[1:]
    if len(query) > 2 and query[0] == query[-1] == "/":
        return query[1:-1]
    return query


def parse_arithmetic(text: str) -> list[tuple[int, str]]:
    """Split `king - man + woman` into [(1, "king"), (-1, "man"), (1, "woman")].

    An operator stands between blanks, so that `state-of-the-art` is one term.

    Raises:
        ParameterError: If a term is missing.
    """
    parts = re.split(r"(?<!\S)([+-])(?!\S)", text.strip())
    parts = parts[1:] if parts[0] == "" and len(parts) > 1 else ["+", *parts]
    signs = [1 if sign == "+" else -1 for sign in parts[::2]]
    terms = list(zip(signs, [term.strip() for term in parts[1::2]], strict=True))
    if not all(term for _, term in terms):
        raise ParameterError(
            f"'{text}'", "a term is missing beside + or -", "such as: king - man + woman"
        )
    return terms


def tell_first(text: str, rows: Sequence[int], row_number: Callable[[int], int]) -> None:
    """Tell that a label is that of several points, of which the first is taken."""
    log.info(
        "'%s' is the label of %s points; row %d is taken, the first",
        printable(text), f"{len(rows):,}", row_number(rows[0]),
    )  # fmt: skip


def closest_labels(labels: Iterable[str], text: str) -> list[str]:
    """Return up to three labels that are written like a text, the closest first.

    A label that begins or ends in a blank, as tokens do, is in quotes, as it is typed in a shell.
    """
    import difflib

    if not text:
        return []
    wanted = fold_case(text)[:60]
    pairs = {wanted[i : i + 2] for i in range(max(1, len(wanted) - 1))}
    slack = max(2, len(wanted) // 3)
    low, high = len(wanted) - slack, len(wanted) + slack
    scored: dict[str, int] = {}
    for value in labels:
        if low <= len(value) <= high and value not in scored:
            folded = fold_case(value)
            scored[value] = sum([pair in folded for pair in pairs])
    likely = sorted(scored, key=lambda v: -scored[v])[:COMPARED]
    folded_to: dict[str, str] = {}
    for value in likely:
        folded_to.setdefault(fold_case(value), value)
    close = difflib.get_close_matches(wanted, folded_to, CLOSEST, 0.5)
    shown = [printable(folded_to[c], 60) for c in close]
    return [f"'{text}'" if text != text.strip() else text for text in shown]


def _values(table: EmbeddingTable, column: str | None) -> Sequence[str]:
    """Return a column, or the row numbers as text."""
    if column is not None:
        return table.metadata[column]
    return [str(i) for i in (range(table.n_points) if table.rows is None else table.rows)]


def _rows_of(values: Sequence[str], wanted: str) -> list[int]:
    return [i for i, value in enumerate(values) if value == wanted]


def _rows_that(values: Sequence[str], accepts: Callable[[str], bool]) -> list[int]:
    """Return the rows whose folded value is accepted."""
    return [i for i, value in enumerate(values) if accepts(_folded(value))]


def _folded(value: str) -> str:
    return value.lower() if value.isascii() else fold_case(value)
