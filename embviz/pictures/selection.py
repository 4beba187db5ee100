"""Which points of a source a report is made of."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypedDict, Unpack, get_args

import numpy as np
from numpy.typing import NDArray

from embviz.checks import (
    changed,
    check_column,
    check_kind,
    check_n_neighbors,
    check_one_of,
    check_seed,
    check_text,
    check_truth,
    check_whole,
)
from embviz.clusters.values import Partition
from embviz.errors import ParameterError, counted
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.neighbors import find_neighbors
from embviz.queries import match
from embviz.questions.answers import find_point
from embviz.questions.points import as_points, drop_nonfinite, nonfinite_note
from embviz.shards.values import Density, Sample
from embviz.space import Space, open_space

log = logging.getLogger("embviz")

DEFAULT_NEIGHBORS = 100
_WAY = "embviz.load_table reads one, embviz.EmbeddingTable(vectors) makes one"


class ChoiceFields(TypedDict, total=False):
    """The fields of `Choice`, as `choose_points` takes them."""

    select: str | None
    neighbors_of: str | None
    k: int | None
    metric: Metric
    sample: int | None
    isolate: str | None
    drop_nonfinite: bool
    label_by: str | None
    seed: int
    verify: bool


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which points are wanted, in the words of `embviz project`.

    Attributes:
        select: Only the points that this query matches.
        neighbors_of: Only the point with this label, or row number, and its `k` nearest neighbors.
        k: How many neighbors; None is 100. All, which is told, where there are fewer.
        metric: Of those neighbors.
        sample: Only so many points, drawn by the seed; all, which is told, where there are fewer.
        isolate: The points that this query matches are those that a report opens with, alone.
        drop_nonfinite: Leave out rows that hold NaN or infinity.
        label_by: The metadata column of labels, where queries look; None is the first of words.
        seed: Of the sample, 0 .. 2^32 - 1.
        verify: Check the checksums of all vectors, where there are any, also if few are read.

    Raises:
        ParameterError: If two of them contradict each other or a number is out of range.
    """

    select: str | None = None
    neighbors_of: str | None = None
    k: int | None = None
    metric: Metric = "cosine"
    sample: int | None = None
    isolate: str | None = None
    drop_nonfinite: bool = False
    label_by: str | None = None
    seed: int = 0
    verify: bool = False

    def __post_init__(self) -> None:
        for option, text in (
            ("--select", self.select),
            ("--neighbors-of", self.neighbors_of),
            ("--isolate", self.isolate),
            ("--label-by", self.label_by),
        ):
            if text is not None:
                check_text(option, text, f"such as '{text}'" if isinstance(text, int) else "")
        if self.select is not None and self.neighbors_of is not None:
            raise ParameterError("--select", "cannot be combined with --neighbors-of", "give one")
        if self.sample is not None:
            check_whole("--sample", self.sample, 2, what="a number of points from 2 up")
        if self.k is not None:
            check_n_neighbors(self.k)
            if self.neighbors_of is None:
                raise ParameterError(
                    "-k", "belongs to --neighbors-of", "add --neighbors-of LABEL, or leave it out"
                )
        check_one_of("--metric", self.metric, get_args(Metric))
        check_truth("--drop-nonfinite", self.drop_nonfinite)
        check_seed("--seed", self.seed)
        check_truth("verify", self.verify)


@dataclass(frozen=True, eq=False)
class Part:
    """The points of a report and where they come from.

    `whole` is the table that axes are defined on, `table` the points that travel; `isolated` and
    `selected` are indices of `table`; `color_by` is a column that says how they were chosen.
    Where the checksums of `whole` were checked, its `verify` is None.
    """

    whole: EmbeddingTable
    table: EmbeddingTable
    isolated: tuple[int, ...] = ()
    selected: tuple[int, ...] = ()
    color_by: str | None = None
    notes: tuple[str, ...] = ()
    known: Space | None = field(default=None, repr=False)
    """What `choose_points` has opened of the points that travel."""
    matched: Mapping[str, int] = field(default_factory=dict)
    """How many points the queries `select` and `isolate` match, where they were given."""
    partitions: tuple[Partition, ...] | None = None
    """How the points of `table` are parted into clusters and classes; None: not looked for yet."""
    densities: tuple[Density, ...] = ()
    """How densely all points lie in pictures in two dimensions, at most one each."""
    sampled: Sample | None = None
    """What the points of `table` are a sample of; a report has a column of their weights."""

    @property
    def n_all(self) -> int:
        """How many points there are, of which those of `table` are some."""
        return self.whole.n_points if self.sampled is None else self.sampled.n_all

    @cached_property
    def space(self) -> Space:
        """The vectors of `table`, opened once for the projections, their quality and the page."""
        return open_space(self.table, known=self.known)


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


def choose_points(
    table: EmbeddingTable, choice: Choice | None = None, **fields: Unpack[ChoiceFields]
) -> Part:
    """Choose the points that are to be projected, and those that a report opens with.

    Rows that are not finite are left out first; `select` or `neighbors_of` choose among the others,
    `sample` among those, and `isolate` looks in what is left.

    Args:
        table: The points of a source.
        choice: Which are wanted; None is all.
        fields: Fields of `Choice`, in place of one or of some of its own.

    Raises:
        ParameterError: If a query matches nothing or fewer than two points are left.
        LoadError: If a row that is used holds NaN or infinity, or a checksum is wrong.
    """
    check_kind("points", table, EmbeddingTable, _WAY)
    check_kind(
        "choice", choice, (Choice, type(None)), "give an embviz.Choice, or its fields as keywords"
    )
    choice = changed("choose_points", choice or Choice(), fields)
    whole = drop_nonfinite(table) if choice.drop_nonfinite else table
    notes = [nonfinite_note(table.n_points - whole.n_points)] if whole is not table else []
    column = choice.label_by
    if column is not None:
        check_column("--label-by", column, table.metadata)
    rows, note, around = _chosen_rows(whole, choice)
    if note:
        notes.append(note)
    pool = np.arange(whole.n_points) if rows is None else rows
    matched = {} if choice.select is None else {"select": len(pool)}
    if choice.sample is not None and choice.sample > len(pool):
        log.info("--sample %d: there are %d points; all are taken", choice.sample, len(pool))
    if choice.sample is not None and choice.sample < len(pool):
        drawn = np.random.default_rng(choice.seed).choice(len(pool), choice.sample, replace=False)
        rows = pool[np.sort(drawn)]
        notes.append(f"This is a random sample of {len(rows):,} of {len(pool):,} points")
    if choice.verify or rows is None or choice.neighbors_of is not None:
        whole = verified(whole)
    elif whole.verify is not None:
        log.info(
            "%s: the tensor's checksum was not checked, since %s of %s rows are read",
            table.source, f"{len(rows):,}", f"{whole.n_points:,}",
        )  # fmt: skip
    part = whole if rows is None else whole.take(rows)
    _check_projectable(part)
    space = open_space(part)  # Refuses what is not finite.
    isolated: tuple[int, ...] = ()
    if choice.isolate is not None:
        isolated = tuple(_matching(part, choice.isolate, column, "--isolate").tolist())
        matched["isolate"] = len(isolated)
    selected: list[int] = []
    if around is not None and rows is not None:
        selected = np.flatnonzero(rows == around.center).tolist()
        part = around.add_distances(part, rows)
    color_by = around.column if around is not None else None
    if space is not None and bool((space.extent.low == space.extent.high).all()):
        notes.append(f"{part.n_points:,} of {part.n_points:,} rows are the same")
        log.info("%s: %s", table.source, notes[-1])
    return Part(whole, part, isolated, tuple(selected), color_by, tuple(notes), space, matched)


def verified(table: EmbeddingTable) -> EmbeddingTable:
    """Return a table whose stored checksums were checked, if there are any.

    Raises:
        LoadError: If one is wrong.
    """
    if table.verify is None:
        return table
    table.verify()
    return replace(table, verify=None)


def _check_projectable(part: EmbeddingTable) -> None:
    what = part.source or "vectors"
    if part.n_points < 2:
        raise ParameterError(what, "1 row cannot be projected", "a picture needs 2 or more")
    if part.n_dims < 2:
        raise ParameterError(
            what, "vectors of 1 dimension cannot be projected", "a picture needs 2 or more"
        )


def _chosen_rows(
    table: EmbeddingTable, choice: Choice
) -> tuple[NDArray[np.int64] | None, str, Around | None]:
    """Return the rows that are asked for (None is all), a note, and what they lie around."""
    if choice.select is not None:
        rows = _matching(table, choice.select, choice.label_by, "--select")
        note = f"These are the {len(rows):,} points that match {choice.select}"
        if len(rows) == 1:
            note = f"This is the one point that matches {choice.select}"
        return rows, note, None
    if choice.neighbors_of is None:
        return None, "", None
    center = find_point(as_points(table, choice.label_by), choice.neighbors_of)
    k = min(choice.k or DEFAULT_NEIGHBORS, table.n_points - 1)
    if choice.k is not None and k < choice.k:
        log.info("-k %d: there are %d other points; all are taken", choice.k, k)
    found = find_neighbors(table, [center], k, choice.metric)
    rows = np.sort(np.append(found.indices[0].astype(np.int64), center))
    name = table.label(center, choice.label_by)
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
