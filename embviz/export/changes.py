"""What changed between two states, as a table and as plain JSON values."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_path
from embviz.comparison.values import FEW, Comparison
from embviz.model import EmbeddingTable
from embviz.outputs.cells import cell
from embviz.outputs.files import write_file
from embviz.outputs.text import to_utf8

VERSION = 1
MOST = 10
COLUMNS = (
    "label",
    "row_a",
    "row_b",
    "overlap10",
    "overlap50",
    "displacement",
    "came",
    "came_ranks_in_a",
    "left",
    "left_ranks_in_b",
)


@dataclass(frozen=True)
class Change:
    """What became of one compared point.

    Attributes:
        label: Its name.
        row_a, row_b: Its rows in the sources.
        overlap10, overlap50: Shares of nearest neighbors in common; None where there are too few.
        displacement: By how many ranks, on average, its nearest lie elsewhere on the other side.
        came, left: The labels of neighbors that came and left, nearest first, with their ranks on
            the other side.
    """

    label: str
    row_a: int
    row_b: int
    overlap10: float
    overlap50: float | None
    displacement: float
    came: tuple[tuple[str, int], ...]
    left: tuple[tuple[str, int], ...]


def order_changes(comparison: Comparison) -> NDArray[np.int64]:
    """Return the places of the compared points, most changed first.

    Those with the fewest neighbors in common come first; of these, those whose neighbors moved
    farthest in rank; then by row.
    """
    order = np.lexsort((comparison.compared, -comparison.displacement, comparison.overlap10))
    return np.asarray(order, dtype=np.int64)


def describe_change(comparison: Comparison, place: int) -> Change:
    """Return what became of the compared point at a place of `comparison.compared`."""
    point = int(comparison.compared[place])
    overlap50 = comparison.overlap50

    def listed(indices: Any, flags: Any, ranks: Any) -> tuple[tuple[str, int], ...]:
        found = [(int(indices[j]), int(ranks[j])) for j in np.flatnonzero(flags)]
        return tuple((comparison.a.label(other), rank) for other, rank in found)

    return Change(
        label=comparison.a.label(point),
        row_a=comparison.a.row_number(point),
        row_b=comparison.b.row_number(point),
        overlap10=float(comparison.overlap10[place]),
        overlap50=None if overlap50 is None else float(overlap50[place]),
        displacement=float(comparison.displacement[place]),
        came=listed(
            comparison.neighbors_b.indices[place, :FEW],
            comparison.came[place],
            comparison.ranks_in_a[place],
        ),
        left=listed(
            comparison.neighbors_a.indices[place, :FEW],
            comparison.left[place],
            comparison.ranks_in_b[place],
        ),
    )


def most_changed(comparison: Comparison, n: int = MOST) -> list[Change]:
    """Return the points that changed most, most changed first; none that did not change."""
    order = [i for i in order_changes(comparison)[:n].tolist() if comparison.overlap10[i] < 1]
    return [describe_change(comparison, place) for place in order]


def comparison_object(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as plain JSON values, as `embviz compare --json` prints it."""
    first, second = (
        _table_object(name, table)
        for name, table in zip(comparison.names, (comparison.a, comparison.b), strict=True)
    )
    return {
        "version": VERSION,
        "a": first,
        "b": second,
        "metric": comparison.metric,
        "matched_by": comparison.matched_by,
        "n_matched": comparison.n_matched,
        "only_a": len(comparison.only_a),
        "only_b": len(comparison.only_b),
        "n_compared": len(comparison.compared),
        "figures": _rounded(comparison.figures),
        "by_group": {
            column: {value: _rounded(figures) for value, figures in groups.items()}
            for column, groups in comparison.by_group.items()
        },
        "groups": [
            {
                "name": group.name,
                "size": len(group.points),
                "score": round(group.score, 9),
                "came": [comparison.a.label(i) for i in group.came],
                "left": [comparison.a.label(i) for i in group.left],
                "points": [comparison.a.label(i) for i in group.points.tolist()],
            }
            for group in comparison.groups
        ],
        "no_groups": comparison.no_groups,
        "most_changed": [_change_object(change) for change in most_changed(comparison)],
    }


def encode_changes(comparison: Comparison) -> bytes:
    """Return a table of tabs of all compared points, most changed first.

    Neighbors that came and left are JSON lists in their cells, nearest first, each with the list of
    their ranks on the other side.
    """
    return to_utf8("".join(line + "\n" for line in _lines(comparison)))


def write_changes(path: str | os.PathLike[str], comparison: Comparison) -> int:
    """Write what `encode_changes` returns.

    Returns:
        The size of the file in bytes.

    Raises:
        OutputError: If the file cannot be written; nothing is left behind.
    """
    return write_file(check_path("path", path), encode_changes(comparison))


def _lines(comparison: Comparison) -> Iterator[str]:
    yield "\t".join(COLUMNS)
    for place in order_changes(comparison).tolist():
        change = describe_change(comparison, place)
        overlap50 = "" if change.overlap50 is None else f"{change.overlap50:.9g}"
        numbers = [f"{change.overlap10:.9g}", overlap50, f"{change.displacement:.9g}"]
        lists = [
            json.dumps([item[which] for item in some], ensure_ascii=False)
            for some in (change.came, change.left)
            for which in (0, 1)
        ]
        rows = [str(change.row_a), str(change.row_b)]
        yield "\t".join([cell(change.label), *rows, *numbers, *lists])


def _table_object(name: str, table: EmbeddingTable) -> dict[str, Any]:
    return {"name": name, "tensor": table.name, "n_dims": table.n_dims}


def _change_object(change: Change) -> dict[str, Any]:
    return {
        "label": change.label,
        "row_a": change.row_a,
        "row_b": change.row_b,
        "overlap10": round(change.overlap10, 9),
        "displacement": round(change.displacement, 9),
        "came": [label for label, _ in change.came],
        "left": [label for label, _ in change.left],
    }


def _rounded(figures: Mapping[str, float | None]) -> dict[str, float | None]:
    return {k: v if v is None or isinstance(v, int) else round(v, 9) for k, v in figures.items()}
