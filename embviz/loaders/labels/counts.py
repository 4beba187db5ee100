"""Rows of metadata and the points that they are for: as many, or what is done else."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embviz.errors import LoadError, counted, printable
from embviz.loaders.reading import Unlabeled

_log = logging.getLogger("embviz")

_SENTENCE = re.compile(r"[.!?…\"')\]]\s*$")


class CountError(LoadError):
    """A metadata file of `n_rows` rows, where others are needed."""

    def __init__(self, path: Path, n_rows: int, why: str, way_out: str) -> None:
        super().__init__(str(path), why, way_out)
        self.n_rows = n_rows


@dataclass(frozen=True, eq=False)
class MetadataRows:
    """The rows of a metadata file, whether they are as many as the points or not.

    Attributes:
        columns: Texts by column, all of one length.
        lines: The lines of a file of one column or of tabs, for what is said of them.
        header: The first line, where it was taken for the columns' names.
    """

    columns: Mapping[str, Sequence[str]]
    lines: Sequence[str] = ()
    header: str | None = None

    @property
    def n_rows(self) -> int:
        return len(next(iter(self.columns.values()), ()))


def fit_rows(
    path: Path, rows: MetadataRows, n_points: int, unlabeled: Unlabeled | None
) -> dict[str, tuple[str, ...]]:
    """Return the columns for some points, of which row i is that of point i.

    Args:
        path: The file.
        rows: What is in it.
        n_points: How many points there are.
        unlabeled: What is done where the rows are fewer or more than the points; None refuses
            that. `keep` gives the last points empty texts, `drop` returns columns that are shorter
            than the points; rows behind the last point are left out by either.

    Raises:
        CountError: If the rows are not n_points, with the likely reason and what goes on.
    """
    n_rows = rows.n_rows
    if n_rows == n_points:
        return {name: tuple(values) for name, values in rows.columns.items()}
    if unlabeled is None:
        why = f"{counted(n_rows, 'row')} of metadata for {counted(n_points, 'point')}"
        raise CountError(path, n_rows, why, _way_out(rows, n_points))
    missing = n_points - n_rows
    if missing < 0:
        _log.info(
            "%s: %s for %s: the last %s left out",
            path, counted(n_rows, "row"), counted(n_points, "point"), _are(-missing),
        )  # fmt: skip
        return {name: tuple(values[:n_points]) for name, values in rows.columns.items()}
    if unlabeled == "drop":
        return {name: tuple(values) for name, values in rows.columns.items()}
    last = f"the last {missing:,} of {n_points:,} points have" if missing > 1 else "one point has"
    _log.info("%s: %s no label", path, last)
    empty = ("",) * missing
    return {name: (*values, *empty) for name, values in rows.columns.items()}


def _are(n: int) -> str:
    return f"{n:,} are" if n > 1 else "one is"


def _way_out(rows: MetadataRows, n_points: int) -> str:
    """Return the likely reason of a wrong number of rows, else how to go on with them."""
    surplus = rows.n_rows - n_points
    if surplus < 0:
        if surplus == -1 and rows.header is not None:
            return (
                "a file of several columns begins with a header, and line 1 "
                f"('{_shown(rows.header)}') was taken for it: is one missing? add it"
            )
        return (
            f"--unlabeled keep leaves the last {_points(-surplus)} without a label, "
            "--unlabeled drop leaves them out; either takes the rows for those of the first points"
        )
    n_header = rows.header is not None
    quoted = _find_quoted_line_end(rows.lines)
    if quoted is not None:
        number = quoted + n_header + 1
        return (
            f"line {number} opens a quote that line {number + 1} closes, and not all lines are of "
            "one form: a label with a line end needs CSV, in which every label has quotes"
        )
    if surplus == 1 and rows.lines and not n_header:
        return _one_too_many(rows.lines)
    return (
        f"--unlabeled keep takes the first {n_points:,} as they stand and leaves out the last "
        f"{surplus:,}"
    )


def _points(n: int) -> str:
    return counted(n, "point") if n > 1 else "point"


def _one_too_many(lines: Sequence[str]) -> str:
    """Say what a line too much in a file of one column may be."""
    if _SENTENCE.search(lines[0]) is None:
        return (
            f"a file of one column has no header: is line 1 ('{_shown(lines[0])}') one? remove it; "
            "or does a label hold a line end?"
        )
    halves = [i for i, line in enumerate(lines) if not _SENTENCE.search(line)]
    place = "does a label hold a line end?"
    if halves and len(halves) * 5 < len(lines) and halves[0] + 1 < len(lines):
        i = halves[0]
        pair = f"('{_shown(lines[i])}', '{_shown(lines[i + 1])}')"
        place = f"does a label hold a line end, such as lines {i + 1} and {i + 2} {pair}?"
    return f"{place} join its lines"


def _shown(line: str) -> str:
    return printable(line.replace("\t", " "), 40)


def _find_quoted_line_end(lines: Sequence[str]) -> int | None:
    """Return the index of the first line whose quote closes on the next, if there is one."""
    for i in range(len(lines) - 1):
        if lines[i].count('"') % 2 and lines[i + 1].count('"') % 2:
            return i
    return None
