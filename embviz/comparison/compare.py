"""What changed between two tables: the whole comparison as one value."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TypedDict, Unpack, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embviz.checks import (
    changed,
    check_column,
    check_kind,
    check_list,
    check_one_of,
    check_seed,
    check_text,
    check_whole,
)
from embviz.comparison.figures import (
    MOST_VALUES,
    NAMES,
    group_figures,
    overlap_figures,
    procrustes_residual,
    random_overlap,
    rank_figures,
    why_missing,
)
from embviz.comparison.groups import find_groups
from embviz.comparison.match import Match, match_tables, take_matched
from embviz.comparison.overlap import Moved, Side, find_moved, open_side
from embviz.comparison.values import FEW, MANY, Comparison
from embviz.errors import LoadError, ParameterError, counted
from embviz.model import EmbeddingTable, Metric, Neighbors

log = logging.getLogger("embviz")

FEWEST = FEW + 2
MOST_COST = 6e13
"""Multiplications of comparing all points with all on both sides; a sample where it is more."""
Rows = NDArray[np.int64]


class CompareFields(TypedDict, total=False):
    """The fields of `CompareOptions`, as `compare` takes them."""

    match: str | None
    metric: Metric
    sample: int | None
    group_by: str | None
    seed: int
    needed: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """How two tables are compared, in the words of `embviz compare`.

    Attributes:
        match: `label`, `row` or a column by which points are the same; None is what fits.
        metric: What near means.
        sample: How many points are compared with all others; None is all of them, or as many as
            take minutes.
        group_by: A metadata column whose values have figures of their own; None is the first that
            has 2 to 50 values, each for several points.
        seed: Of the sample and of the random pairing, 0 .. 2^32 - 1.
        needed: Names of figures that must be had; it is refused early if one of them cannot be.

    Raises:
        ParameterError: If a value is not of those.
    """

    match: str | None = None
    metric: Metric = "cosine"
    sample: int | None = None
    group_by: str | None = None
    seed: int = 0
    needed: Sequence[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "needed", check_list("needed", self.needed))
        for figure in self.needed:
            check_one_of("needed", figure, NAMES)
        for name, value in (("--match", self.match), ("--group-by", self.group_by)):
            if value is not None:
                check_text(name, value)
        check_one_of("--metric", self.metric, get_args(Metric))
        if self.sample is not None:
            check_whole("--sample", self.sample, 2, what="a number of points from 2 up")
        check_seed("--seed", self.seed)


Comparable = EmbeddingTable | str | os.PathLike[str]


def compare(
    a: Comparable | ArrayLike,
    b: Comparable | ArrayLike,
    options: CompareOptions | None = None,
    **fields: Unpack[CompareFields],
) -> Comparison:
    """Find what changed between two states of the same points.

    Near points are looked for on each side by itself, so that widths, scales and rotations may
    differ. Every figure is exact for the points that are compared: all of them, unless they are
    more than take minutes or a sample is asked for.

    Args:
        a, b: Tables, or sources that `load_table` reads, or arrays (n_points, n_dims).
        options: How they are compared.
        fields: Fields of `CompareOptions`, in place of one or of some of its own.

    Raises:
        LoadError: If it cannot be told which points are the same, too few are, or a vector holds
            NaN or infinity.
        ParameterError: If an option does not fit the tables.
    """
    check_kind("options", options, (CompareOptions, type(None)), "give an embviz.CompareOptions")
    options = changed("compare", options or CompareOptions(), fields)
    first, second = _table(a), _table(b)
    match = match_tables(first, second, options.match)
    if match.n_matched < FEWEST:
        raise LoadError(
            f"{first.source or 'a'} and {second.source or 'b'}",
            f"{counted(match.n_matched, 'point')} in common, {FEWEST} are needed to tell "
            f"{FEW} neighbors from the others",
            "--match says which points are the same",
        )
    for name in options.needed:
        why = why_missing(name, first, second, match.n_matched)
        if why:
            raise ParameterError(f"figure {name}", why, "leave it out")
    return _compare_matched(first, second, match, options)


def _compare_matched(
    first: EmbeddingTable, second: EmbeddingTable, match: Match, options: CompareOptions
) -> Comparison:
    """Return what changed between the matched points of two tables."""
    left, right = take_matched(first, second, match)
    rows = _compared(left, right, options)
    (side_a, found_a), (side_b, found_b) = _open_sides(left, right, rows, options.metric)
    there, back = find_moved(side_a, side_b, rows), find_moved(side_b, side_a, rows)
    # Both are the same but where several are equally near, and one side may not tell which.
    common = {k: np.minimum(there.common[k], back.common[k]) for k in there.common}
    figures = overlap_figures(common, left.n_points) | rank_figures(there.ranks, back.ranks)
    figures["overlap10_random"] = random_overlap(
        side_a.near[:, :FEW], side_b.near[:, :FEW], rows, left.n_points, options.seed
    )
    figures["procrustes_residual"] = procrustes_residual(left, right)
    groups = find_groups(found_a, found_b, rows, left.n_points, left.label)
    return Comparison(
        a=left,
        b=right,
        names=_names(first, second),
        matched_by=match.by,
        only_a=_labels(first, match.only_a),
        only_b=_labels(second, match.only_b),
        metric=options.metric,
        compared=rows,
        neighbors_a=found_a,
        neighbors_b=found_b,
        ranks_in_b=there.ranks,
        ranks_in_a=back.ranks,
        left=there.gone,
        came=back.gone,
        displacement=_displacement(there, back),
        overlap10=common[FEW],
        overlap50=common.get(MANY),
        figures=figures,
        by_group=_by_group(left, options.group_by, rows, common, there),
        groups=groups.groups,
        no_groups=groups.reason,
    )


def _labels(table: EmbeddingTable, rows: Rows) -> tuple[str, ...]:
    return tuple(table.label(i) for i in rows.tolist())


def _table(given: Comparable | ArrayLike) -> EmbeddingTable:
    if isinstance(given, EmbeddingTable):
        return given
    if isinstance(given, str | os.PathLike):
        from embviz.loaders import load_table

        return load_table(Path(given))
    return EmbeddingTable(np.asarray(given))


def _names(a: EmbeddingTable, b: EmbeddingTable) -> tuple[str, str]:
    """Return what the sides are called: by their sources, their tensors, or A and B."""
    for one, other in (short_names(a.source, b.source), (a.name, b.name)):
        if one and other and one != other:
            return one, other
    one, other = short_names(a.source, b.source)
    if one and one == other:
        return f"{one} (A)", f"{other} (B)"
    return one or "A", other or "B"


def short_names(one: str, other: str) -> tuple[str, str]:
    """Return two sources' names without a place on this machine, still told apart if they are.

    Of absolute paths as many last parts are taken as differ, at least one; others stay.
    """
    parts = [_parts(name) for name in (one, other)]
    for n in range(1, max(map(len, parts), default=0) + 1):
        ends = ["/".join(some[-n:]) if some else "" for some in parts]
        short = [end or name for end, name in zip(ends, (one, other), strict=True)]
        if one == other or short[0] != short[1]:
            return short[0], short[1]
    return one, other


def _parts(name: str) -> list[str]:
    """Return the parts of an absolute path behind its root, nothing of another."""
    for kind in (PurePosixPath, PureWindowsPath):
        if kind(name).is_absolute():
            return list(kind(name).parts[1:])
    return []


def _compared(a: EmbeddingTable, b: EmbeddingTable, options: CompareOptions) -> Rows:
    """Return the points that are compared with all others, ascending."""
    n = a.n_points
    most = int(MOST_COST / (n * (a.n_dims + b.n_dims)))
    wanted = options.sample
    if wanted is None and most < n:
        wanted = max(most, 1000)
        log.info(
            "comparing %s of %s points with all others; --sample N for more or fewer",
            f"{wanted:,}",
            f"{n:,}",
        )
    if wanted is None or wanted >= n:
        return np.arange(n)
    return np.sort(np.random.default_rng(options.seed).choice(n, wanted, replace=False))


def _open_sides(
    left: EmbeddingTable, right: EmbeddingTable, rows: Rows, metric: Metric
) -> tuple[tuple[Side, Neighbors], tuple[Side, Neighbors]]:
    """Open both sides, the wider one last: it is passed over once, the other one twice."""
    if left.n_dims > right.n_dims:
        second, first = _open_sides(right, left, rows, metric)
        return first, second
    first = open_side(left, rows, metric)
    return first, open_side(right, rows, metric, first[0])


def _displacement(there: Moved, back: Moved) -> NDArray[np.float64]:
    moved = [np.abs(side.ranks - side.own) for side in (there, back)]
    return np.asarray(np.concatenate(moved, axis=1).mean(axis=1), dtype=np.float64)


def _by_group(
    table: EmbeddingTable,
    column: str | None,
    rows: Rows,
    common: Mapping[int, NDArray[np.float64]],
    there: Moved,
) -> dict[str, dict[str, dict[str, float]]]:
    if column is not None:
        check_column("--group-by", column, table.metadata)
    else:
        column = next((name for name, v in table.metadata.items() if _groups(v)), None)
    if column is None:
        return {}
    values = table.metadata[column]
    found = tuple(values[i] for i in rows.tolist())
    return {column: group_figures(found, common, there.ranks, table.n_points)}


def _groups(values: tuple[str, ...]) -> bool:
    n_values = len(set(values))
    return 2 <= n_values <= min(MOST_VALUES, len(values) // 3)
