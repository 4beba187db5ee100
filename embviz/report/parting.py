"""How the points of a report are parted: clusters of the map shown first, classes of metadata."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from embviz.checks import check_column
from embviz.clusters.classes import (
    check_classes,
    default_column,
    find_class_columns,
    is_class_column,
    part_by_column,
)
from embviz.clusters.values import Partition
from embviz.comparison.values import Steps
from embviz.errors import ParameterError, counted, printable
from embviz.model import EmbeddingTable, Neighbors, Projection, is_numeric
from embviz.pictures.selection import Part
from embviz.pictures.tabs import name_tabs, show_first
from embviz.report.options import ReportOptions
from embviz.shards.values import WEIGHT

log = logging.getLogger("embviz")
progress = logging.getLogger("embviz.progress")

FEW = 2_000
"""So many points have clusters only where they are asked for."""
MAP, NONE = "map", "none"
_LEVELS = {1: ("cluster",), 2: ("cluster, large", "cluster, small")}
_LEVELS[3] = ("cluster, large", "cluster, middle", "cluster, small")
_NUMBER = re.compile(r" \d+$")  # Of a name that another column had.


def part_points(
    points: EmbeddingTable | Part,
    projections: Sequence[Projection],
    options: ReportOptions,
    steps: Steps | None = None,
    neighbors: Neighbors | None = None,
) -> Part:
    """Return the points of a report with how they are parted, where that is not known yet.

    Args:
        points: The points that travel.
        projections: Of all of them; of a run the last step's map counts.
        options: `clusters` says what is wanted, and the rest what is shown first.
        steps: The states of the points, where there are several.
        neighbors: The nearest of each point by the report's metric, where they are known.

    Raises:
        ParameterError: If what is asked for is no column of classes, or clusters of a comparison.
    """
    part = points if isinstance(points, Part) else Part(points, points)
    if part.partitions is not None:
        return part
    table = part.table
    for each in projections:
        each.check_points(table.n_points)
    if options.label_by is not None:
        check_column("--label-by", options.label_by, table.metadata)
    check_clusters(table, options, steps)
    shown = show_first(name_tabs(projections), options.first, options.dims) if projections else None
    if shown is None:
        return replace(part, partitions=())
    places = shown.coordinates[:, : min(options.dims, shown.coordinates.shape[1])]
    color_by = options.color_by or default_column(table, _label_by(table, options))
    found = _clusters(table, shown, places, options, color_by, steps)
    columns = _class_columns(table, options, color_by)
    found += [part_by_column(table, column) for column in columns]
    if found:
        from embviz.clusters.figures import find_known, measure

        given = neighbors or _given(projections, options, steps)
        known = find_known(table, options.metric, given, part.space)
        found = [measure(each, known, places) for each in found]
    drawn = _drawn(found, options, color_by, table)
    return replace(part, partitions=tuple(replace(p, drawn=p.column in drawn) for p in found))


def with_cluster_columns(
    table: EmbeddingTable, partitions: Sequence[Partition] | None
) -> EmbeddingTable:
    """Return a table with a column of each level of clusters, behind its own."""
    columns = {p.column: p.values() for p in partitions or () if p.kind == "clusters"}
    return replace(table, metadata={**table.metadata, **columns}) if columns else table


def check_named(names: Collection[str], options: ReportOptions) -> None:
    """Refuse columns that will not be there, before pictures are made.

    Raises:
        ParameterError: With those that are.
    """
    for option, column in named_columns(options).items():
        check_column(option, column, names)


def named_columns(options: ReportOptions) -> dict[str, str]:
    """Return the columns that a source has to have, by the options that name them.

    Those are left out whose names columns have that are made: of clusters, and of weights.
    """
    asked = {"--label-by": options.label_by, "--color-by": options.color_by}
    if options.clusters not in (None, MAP, NONE):
        asked[f"--clusters {printable(options.clusters, 60)}"] = options.clusters
    made = {WEIGHT, *(name for level in _LEVELS.values() for name in level)}
    return {
        option: column
        for option, column in asked.items()
        if column is not None and _NUMBER.sub("", column) not in made
    }


def check_clusters(
    table: EmbeddingTable, options: ReportOptions, steps: Steps | None = None
) -> None:
    """Refuse clusters that cannot be had of points.

    Raises:
        ParameterError: If they are those of a comparison's maps, or a column has no classes.
    """
    wanted = options.clusters
    if wanted == MAP and steps is not None and steps.kind == "comparison":
        raise ParameterError(
            "--clusters map", "a comparison has two maps", "name a column of classes, or none"
        )
    if wanted not in (None, MAP, NONE):
        if wanted not in table.metadata:
            check_column(f"--clusters {printable(wanted, 60)}", wanted, table.metadata)
        check_classes(table, wanted, "--clusters")


def _label_by(table: EmbeddingTable, options: ReportOptions) -> str | None:
    return options.label_by or table.label_column()


def _clusters(
    table: EmbeddingTable,
    shown: Projection,
    places: NDArray[np.floating],
    options: ReportOptions,
    color_by: str | None,
    steps: Steps | None,
) -> list[Partition]:
    """Return the clusters of the map that is shown first, where they are wanted."""
    if steps is not None and steps.kind == "comparison":
        return []
    if not _wants_clusters(table, options, color_by):
        return []
    from embviz.clusters.levels import find_levels
    from embviz.clusters.names import name_groups

    n_dims = int(places.shape[1])
    progress.info("clusters of %s points in %s", f"{table.n_points:,}", shown.title)
    levels = find_levels(places)
    where = f"{shown.title} in {n_dims}D"
    if not levels:
        log.info("clusters: none stand out in %s", where)
        return []
    label_by = _label_by(table, options)
    labels = table.metadata[label_by] if label_by is not None else None
    numbers = np.arange(table.n_points) if table.rows is None else table.rows
    found = []
    for column, codes in zip(_free_names(table, len(levels)), levels, strict=True):
        names = name_groups(labels, codes, int(codes.max()) + 1, places, numbers)
        level = Partition(column, "clusters", codes, tuple(names), of=shown.key, dims=n_dims)
        found.append(level)
    counts = [str(level.n_groups) for level in found]
    outside = int((levels[0] < 0).sum())
    log.info(
        "clusters: %s in %s, %s outside the largest",
        " and ".join([", ".join(counts[:-1]), counts[-1]] if counts[1:] else counts),
        where, counted(outside, "point"),
    )  # fmt: skip
    return found


def _wants_clusters(table: EmbeddingTable, options: ReportOptions, color_by: str | None) -> bool:
    if options.clusters is not None:
        return options.clusters == MAP
    label_by = _label_by(table, options)
    if table.n_points <= FEW or label_by is None:
        return False
    return _is_classes(table, color_by) or not is_numeric(table.metadata[label_by])


def _is_classes(table: EmbeddingTable, column: str | None) -> bool:
    return column is not None and is_class_column(table.metadata.get(column, ()))


def _free_names(table: EmbeddingTable, n_levels: int) -> list[str]:
    """Return the names of the columns of clusters, which no column of the table has."""
    names: list[str] = []
    for name in _LEVELS[n_levels]:
        free, i = name, 2
        while free in table.metadata:
            free, i = f"{name} {i}", i + 1
        names.append(free)
    return names


def _class_columns(
    table: EmbeddingTable, options: ReportOptions, color_by: str | None
) -> list[str]:
    asked = [] if options.clusters in (None, MAP, NONE) else [str(options.clusters)]
    return list(dict.fromkeys([*asked, *find_class_columns(table, color_by)]))


def _given(
    projections: Sequence[Projection], options: ReportOptions, steps: Steps | None
) -> Neighbors | None:
    """Return the neighbors of all points that are known already, of a run its last step's."""
    known = [p.nearest for p in projections] if steps is None else [steps.steps[-1].neighbors]
    for near in known:
        if near is not None and near.metric == options.metric and near.indices.shape[1]:
            return near
    return None


def _drawn(
    found: Sequence[Partition],
    options: ReportOptions,
    color_by: str | None,
    table: EmbeddingTable,
) -> set[str]:
    """Return the columns whose names are drawn on the map."""
    clusters = {p.column for p in found if p.kind == "clusters"}
    if options.clusters == NONE:
        return set()
    if options.clusters not in (None, MAP):
        return {str(options.clusters)}
    if options.clusters is None and table.n_points > FEW and _is_classes(table, color_by):
        return {str(color_by)}
    return clusters
