"""A report of some of its points, small enough to stand in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from embviz.clusters.values import Partition
from embviz.model import EmbeddingTable, Frames, Projection
from embviz.report.payload import ReportOptions


def draw_points(n_points: int, most: int, wanted: Sequence[int]) -> NDArray[np.int64]:
    """Return the indices of points drawn at random, ascending, the wanted ones first of all.

    Args:
        n_points: How many there are, more than `most`.
        most: How many are drawn.
        wanted: Indices that are among them, as many as there is room for.
    """
    first = np.unique(np.asarray(wanted, np.int64))[:most]
    others = np.setdiff1d(np.arange(n_points), first, assume_unique=True)
    drawn = np.random.default_rng(0).choice(others, most - len(first), replace=False)
    return np.sort(np.concatenate([first, drawn]))


def take_points(
    table: EmbeddingTable,
    projections: Sequence[Projection],
    options: ReportOptions,
    rows: NDArray[np.int64],
) -> tuple[EmbeddingTable, list[Projection], ReportOptions]:
    """Return what a report of some of its points is made of.

    They stay where all points put them, and so do the figures. Bookmarks, which speak of all
    points, are left out.

    Args:
        table: All points.
        projections: Of all of them.
        options: What is shown of them.
        rows: Indices of the points, ascending.
    """
    places = {row: place for place, row in enumerate(rows.tolist())}
    n = f"{len(rows):,} of {table.n_points:,} points"
    note = f"These are {n}, drawn at random; the pictures and their figures were made of all"
    links = [options.image_links[row] for row in rows.tolist()] if options.image_links else ()
    some = replace(
        options,
        total_points=options.total_points or table.n_points,
        selected=[places[row] for row in options.selected if row in places],
        isolated=[places[row] for row in options.isolated if row in places],
        image_links=links,
        notes=(*options.notes, note),
    )
    return replace(table.take(rows), bookmarks=()), [_taken(p, rows) for p in projections], some


def take_partitions(
    partitions: Sequence[Partition], rows: NDArray[np.int64]
) -> tuple[Partition, ...]:
    """Return how some of the points are parted, with the figures of all of them.

    Args:
        partitions: Of all points.
        rows: Indices of the points, ascending.
    """
    return tuple(_parted(each, rows) for each in partitions)


def _parted(partition: Partition, rows: NDArray[np.int64]) -> Partition:
    """Return a partition of some points: groups that none of them is in are left out."""
    codes = partition.codes[rows]
    kept = np.unique(codes[codes >= 0]).tolist()
    new = {old: place for place, old in enumerate(kept)}
    places = {row: place for place, row in enumerate(rows.tolist())}
    return replace(
        partition,
        codes=np.array([new.get(code, -1) for code in codes.tolist()], np.int32),
        names=tuple(partition.names[old] for old in kept),
        inside=tuple(partition.inside[old] for old in kept),
        toward=tuple(
            tuple((new[j], share) for j, share in partition.toward[old] if j in new) for old in kept
        ),
        typical=tuple(
            tuple(places[row] for row in partition.typical[old] if row in places) for old in kept
        ),
    )


def _taken(projection: Projection, rows: NDArray[np.int64]) -> Projection:
    frames = projection.frames
    return replace(
        projection,
        coordinates=projection.coordinates[rows],
        per_point={name: values[rows] for name, values in projection.per_point.items()},
        frames=None if frames is None else _taken_frames(frames, rows),
        nearest=None,
    )


def _taken_frames(frames: Frames, rows: NDArray[np.int64]) -> Frames:
    return replace(frames, coordinates=frames.coordinates[:, rows])
