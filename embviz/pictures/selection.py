"""Which points of a source a report is made of."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError, counted
from embviz.model import EmbeddingTable, Neighbors
from embviz.neighbors import find_neighbors
from embviz.queries import match, resolve_label
from embviz.questions.points import nonfinite_note

log = logging.getLogger("embviz")


@dataclass(frozen=True, eq=False)
class Part:
    """The points of a report and where they come from.

    `whole` is the table that axes are defined on, `table` the points that travel; `isolated` and
    `selected` are indices of `table`; `color_by` is a column that says how they were chosen.
    """

    whole: EmbeddingTable
    table: EmbeddingTable
    isolated: tuple[int, ...] = ()
    selected: tuple[int, ...] = ()
    color_by: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Around:
    """A row, its label and its neighbors."""

    center: int
    name: str
    found: Neighbors

    @property
    def column(self) -> str:
        return f"distance to {self.name}"

    def add_distances(self, part: EmbeddingTable, rows: NDArray[np.int64]) -> EmbeddingTable:
        """Add a column with each neighbor's distance, empty for the row itself."""
        known = zip(self.found.indices[0].tolist(), self.found.distances[0].tolist(), strict=True)
        distances = {row: f"{distance:.6g}" for row, distance in known}
        values = tuple(distances.get(row, "") for row in rows.tolist())
        return replace(part, metadata={**part.metadata, self.column: values})


def choose_points(table: EmbeddingTable, options: dict[str, Any]) -> Part:
    """Apply --drop-nonfinite, --select, --neighbors-of, --sample and --isolate, in this order.

    Raises:
        ParameterError: If a query matches nothing or fewer than two points are left.
        LoadError: If a row that is used holds NaN or infinity, or a checksum is wrong.
    """
    whole, notes = _drop_nonfinite(table, options["drop_nonfinite"])
    column = options["label_by"]
    if column is not None and column not in table.metadata:
        there = ", ".join(f"'{name}'" for name in table.metadata) or "none"
        raise ParameterError("--label-by", f"no metadata column '{column}'", f"there are: {there}")
    rows, note, around = _chosen_rows(whole, options, column)
    if note:
        notes.append(note)
    pool = np.arange(whole.n_points) if rows is None else rows
    if options["sample"] is not None and options["sample"] < len(pool):
        drawn = np.random.default_rng(options["seed"]).choice(
            len(pool), options["sample"], replace=False
        )
        rows = pool[np.sort(drawn)]
        notes.append(f"This is a random sample of {len(rows):,} of {len(pool):,} points")
    reads_all = rows is None or options["axes"] or options["neighbors_of"] is not None
    _verify(table, whole, bool(reads_all), rows)
    part = whole if rows is None else whole.take(rows)
    if part.n_points < 2:
        raise ParameterError(whole.source, "1 row cannot be projected", "a picture needs 2 or more")
    if part.n_dims < 2:
        raise ParameterError(
            whole.source, "vectors of 1 dimension cannot be projected", "a picture needs 2 or more"
        )
    part.check_finite()
    isolated: tuple[int, ...] = ()
    if options["isolate"] is not None:
        isolated = tuple(int(i) for i in _matching(part, options["isolate"], column, "--isolate"))
    selected: list[int] = []
    if around is not None and rows is not None:
        selected = np.flatnonzero(rows == around.center).tolist()
        part = around.add_distances(part, rows)
    color_by = around.column if around is not None else None
    return Part(whole, part, isolated, tuple(selected), color_by, tuple(notes))


def _drop_nonfinite(table: EmbeddingTable, drop: bool) -> tuple[EmbeddingTable, list[str]]:
    if not drop:
        return table, []
    bad = table.nonfinite_rows()
    if not len(bad):
        return table, []
    if len(bad) == table.n_points:
        table.check_finite()
    keep = np.setdiff1d(np.arange(table.n_points), bad)
    note = nonfinite_note(len(bad))
    log.info("%s: %s", table.source, note)
    return table.take(keep), [note]


def _chosen_rows(
    table: EmbeddingTable, options: dict[str, Any], column: str | None
) -> tuple[NDArray[np.int64] | None, str, Around | None]:
    """Return the rows that are asked for (None is all), a note, and what they lie around."""
    if options["select"] is not None:
        rows = _matching(table, options["select"], column, "--select")
        note = f"These are the {len(rows):,} points that match {options['select']}"
        if len(rows) == 1:
            note = f"This is the one point that matches {options['select']}"
        return rows, note, None
    if options["neighbors_of"] is None:
        return None, "", None
    center = resolve_label(table, options["neighbors_of"], column)
    k = min(options["k"], table.n_points - 1)
    if k < options["k"]:
        log.info("-k %d: there are %d other points; all are taken", options["k"], k)
    found = find_neighbors(table, [center], k, options["metric"])
    rows = np.sort(np.append(found.indices[0].astype(np.int64), center))
    name = table.label(center, column)
    around = Around(center, name, found)
    return rows, f"These are '{name}' and its {counted(k, 'nearest neighbor')}", around


def _matching(
    table: EmbeddingTable, query: str, column: str | None, option: str
) -> NDArray[np.int64]:
    rows = match(table, query, column)
    if not len(rows):
        raise ParameterError(option, f"'{query}' matches no point", "part of a label is enough")
    log.info("%s: '%s' matches %s", option, query, counted(len(rows), "point"))
    return rows


def _verify(
    source: EmbeddingTable, whole: EmbeddingTable, reads_all: bool, rows: NDArray[np.int64] | None
) -> None:
    if source.verify is None:
        return
    if reads_all or whole is not source:
        source.verify()
    else:
        log.info(
            "%s: the tensor's checksum was not checked, since %s of %s rows are read",
            source.source,
            f"{len(rows) if rows is not None else 0:,}",
            f"{source.n_points:,}",
        )
