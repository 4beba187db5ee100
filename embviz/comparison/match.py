"""Which points of two tables are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError, counted, printable
from embviz.model import EmbeddingTable, is_numeric

LABEL, ROW = "label", "row"
_WAYS = "--match label, --match row or --match COLUMN says which are the same"


@dataclass(frozen=True, eq=False)
class Match:
    """The points that two tables have in common.

    Attributes:
        by: `label`, `row`, or the name of the column whose values are equal.
        rows_a, rows_b: int64 (n_matched,), indices of both tables; A's ascend.
        only_a, only_b: int64, the indices of the points that only one table has.
    """

    by: str
    rows_a: NDArray[np.int64]
    rows_b: NDArray[np.int64]
    only_a: NDArray[np.int64]
    only_b: NDArray[np.int64]

    @property
    def n_matched(self) -> int:
        return len(self.rows_a)


def match_tables(a: EmbeddingTable, b: EmbeddingTable, by: str | None = None) -> Match:
    """Find the points that two tables have in common.

    Points are the same whose labels are equal, where both tables have labels without repetition;
    else, where the counts agree and no row has two different labels, those of the same row.

    Args:
        a, b: The tables, of any widths.
        by: `label`, `row`, or a column that both tables have, whose values do not repeat. None is
            what fits, as above.

    Raises:
        LoadError: If it cannot be told which points are the same, or none are.
        ParameterError: If a table has no such column.
    """
    if by == ROW:
        return _by_row(a, b)
    if by == LABEL:
        return _by_values(a, b, _labels_of(a), _labels_of(b), LABEL)
    if by is not None:
        return _by_values(a, b, _column_of(a, by), _column_of(b, by), by)
    labels_a, labels_b = _own_labels(a), _own_labels(b)
    if labels_a is None or labels_b is None:
        lacking = a if labels_a is None else b
        return _by_row(a, b, f"{_shown(lacking)} has no labels")
    repeated = _repeated(a, labels_a) or _repeated(b, labels_b)
    if not repeated:
        return _by_values(a, b, labels_a, labels_b, LABEL)
    if labels_a == labels_b:
        return _by_row(a, b)
    if a.n_points == b.n_points:
        row = next(i for i, (x, y) in enumerate(zip(labels_a, labels_b, strict=True)) if x != y)
        repeated += (
            f", and row {row} is '{printable(labels_a[row], 40)}' there, "
            f"'{printable(labels_b[row], 40)}' here"
        )
    else:
        repeated += f", and {_counts(a, b)}"
    raise LoadError(_both(a, b), repeated, _WAYS)


def take_matched(
    a: EmbeddingTable, b: EmbeddingTable, match: Match
) -> tuple[EmbeddingTable, EmbeddingTable]:
    """Return the matched points of both tables, in the order of A."""
    return _taken(a, match.rows_a), _taken(b, match.rows_b)


def _taken(table: EmbeddingTable, rows: NDArray[np.int64]) -> EmbeddingTable:
    if len(rows) == table.n_points and np.array_equal(rows, np.arange(len(rows))):
        return table
    if (np.diff(rows) > 0).all():
        return replace(table.keep(rows), bookmarks=())
    return replace(table.take(rows), bookmarks=())


def _by_row(a: EmbeddingTable, b: EmbeddingTable, why: str = "") -> Match:
    if a.n_points != b.n_points:
        raise LoadError(_both(a, b), ", and ".join(filter(None, [why, _counts(a, b)])), _WAYS)
    rows, none = np.arange(a.n_points), np.empty(0, np.int64)
    return Match(ROW, rows, rows, none, none)


def _by_values(
    a: EmbeddingTable, b: EmbeddingTable, of_a: Sequence[str], of_b: Sequence[str], by: str
) -> Match:
    repeated = _repeated(a, of_a) or _repeated(b, of_b)
    if repeated:
        way_out = "--match row takes them in their order" if a.n_points == b.n_points else _WAYS
        raise LoadError(_both(a, b), f"{repeated}: no match by {_quoted(by)}", way_out)
    places = {value: row for row, value in enumerate(of_b)}
    found = np.array([places.get(value, -1) for value in of_a], np.int64)
    rows_a = np.flatnonzero(found >= 0)
    rows_b = found[rows_a]
    if not len(rows_a):
        first_a, first_b = printable(of_a[0], 40), printable(of_b[0], 40)
        raise LoadError(
            _both(a, b),
            f"no {'label' if by == LABEL else f'value of {_quoted(by)}'} in common "
            f"('{first_a}' … in {counted(a.n_points, 'point')}, '{first_b}' … in {b.n_points:,})",
            _WAYS,
        )
    only_b = np.setdiff1d(np.arange(b.n_points), rows_b, assume_unique=True)
    return Match(by, rows_a, rows_b, np.flatnonzero(found < 0), only_b)


def _own_labels(table: EmbeddingTable) -> tuple[str, ...] | None:
    """Return the labels; None where the only columns are measured numbers, which name nothing."""
    column = table.label_column()
    values = None if column is None else table.metadata[column]
    if values is None or (is_numeric(values) and not all(v.isdecimal() for v in values)):
        return None
    return values


def _labels_of(table: EmbeddingTable) -> tuple[str, ...]:
    labels = _own_labels(table)
    if labels is None:
        raise LoadError(
            _shown(table), "has no labels to match by", "--metadata FILE adds them, or --match row"
        )
    return labels


def _column_of(table: EmbeddingTable, name: str) -> tuple[str, ...]:
    if name not in table.metadata:
        there = ", ".join(printable(column, 40) for column in list(table.metadata)[:12])
        raise ParameterError(
            f"--match {printable(name, 60)}",
            f"{_shown(table)} has no such column",
            f"there are {there}" if there else "it has none: --match row",
        )
    return table.metadata[name]


def _repeated(table: EmbeddingTable, values: Sequence[str]) -> str:
    """Return what is wrong with values that are to tell points apart, "" if nothing is."""
    if "" in values:
        return f"{_shown(table)} has points without a label, the first is row {values.index('')}"
    if len(set(values)) == len(values):
        return ""
    value, n = next((v, n) for v, n in Counter(values).most_common(1) if n > 1)
    return f"{_shown(table)} has '{printable(value, 40)}' {n} times"


def _counts(a: EmbeddingTable, b: EmbeddingTable) -> str:
    return f"there are {a.n_points:,} points and {b.n_points:,}"


def _shown(table: EmbeddingTable) -> str:
    return printable(table.source or "a table", 80)


def _both(a: EmbeddingTable, b: EmbeddingTable) -> str:
    return f"{_shown(a)} and {_shown(b)}"


def _quoted(by: str) -> str:
    return by if by == LABEL else f"'{printable(by, 40)}'"
