"""What a picture shows in at most five sentences, made from what was measured of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from embviz.clusters.classes import default_column, part_by_column
from embviz.clusters.figures import Known, measure
from embviz.clusters.values import K, Partition
from embviz.comparison.values import Comparison, Steps
from embviz.errors import counted, printable
from embviz.model import EmbeddingTable, Metric, Neighbors, Projection, is_numeric
from embviz.neighbors import list_neighbors
from embviz.pictures.figures import figures_of_picture
from embviz.pictures.mixing import MixingPair, mixing_pairs
from embviz.pictures.selection import Part
from embviz.pictures.tabs import show_first

MOST = 5
_SMALL = 2_000
"""Up to so many points their neighbors are looked for where they are not known."""
_NAME = 40
Called = Callable[[str], str]
"""How a name of others stands in a sentence."""


@dataclass(frozen=True)
class Opening:
    """What of a report is described.

    Attributes:
        first: The key of the projection that is shown first; None is the last.
        dims: How many dimensions are shown first.
        color_by: The column that colors the points; None leaves it to the page.
        label_by: The column that names them; None leaves it to the table.
        metric: What near means.
    """

    first: str | None = None
    dims: int = 2
    color_by: str | None = None
    label_by: str | None = None
    metric: Metric = "cosine"

    @classmethod
    def of(cls, options: Any) -> Opening:
        """Return what options of a report or of a summary, which have these fields, say of it."""
        return cls(**{field.name: getattr(options, field.name) for field in fields(cls)})


def with_classes(part: Part, projections: Sequence[Projection], opening: Opening) -> Part:
    """Return points that are parted by the column that colors them, where that is known.

    Nothing is looked for beyond 2,000 points: the neighbors that a projection has found are taken.

    Args:
        part: The points; what they are parted by already stays.
        projections: Of them.
        opening: Whose color and metric count.
    """
    table = part.table
    column = opening.color_by or default_column(table, opening.label_by or table.label_column())
    known = part.partitions or ()
    if column not in table.metadata or any(each.column == column for each in known):
        return part
    # What colors the points may be a number, or another name for each of them.
    if column is None or column != default_column(table, column):
        return part
    partition = part_by_column(table, column)
    neighbors = _neighbors(part, projections, opening.metric)
    if neighbors is not None:
        nearest = Known(np.arange(table.n_points), neighbors.indices[:, :K])
        partition = measure(partition, nearest, projections[0].coordinates)
    return replace(part, partitions=(*known, partition))


def _neighbors(part: Part, projections: Sequence[Projection], metric: Metric) -> Neighbors | None:
    table = part.table
    for near in (each.nearest for each in projections):
        if near is not None and near.metric == metric and len(near.indices) == table.n_points:
            return near
    k = min(K, table.n_points - 1)
    if k < 1 or table.n_points > _SMALL:
        return None
    return list_neighbors(table, k, metric, part.space)


def describe(
    part: Part,
    projections: Sequence[Projection],
    opening: Opening,
    steps: Steps | None = None,
    called: Called | None = None,
) -> tuple[str, ...]:
    """Return what a report shows, in at most five sentences.

    docs/accessibility.md defines each figure in them.

    Args:
        part: The points, with the ways in which they are parted.
        projections: Of them, at least one, as `name_tabs` returns them.
        opening: What is shown first.
        steps: Their states, where there are several.
        called: How a name of others stands in a sentence; None is cut, and quoted where it could be
            taken for words of the sentence.
    """
    called = called or quoted
    shown = show_first(projections, opening.first, opening.dims)
    dims = min(opening.dims, int(shown.coordinates.shape[1]))
    partition = _described(part, opening)
    groups = [] if partition is None else [*_sizes(partition, called), *_inside(partition, called)]
    mixing = [] if partition is None else [*_mixing(partition, called)]
    faithful = [*_faithful(shown, dims, part.table.n_points)]
    if steps is not None and steps.comparison is not None:
        found = [*_compared(steps.comparison, called), *mixing, *faithful]
    elif steps is not None:
        found = [
            _what(part, shown, dims, steps, called),
            *_run(steps, called),
            *(mixing or groups[:1]),
            *faithful,
        ]
    else:
        rest = groups or [*_colored(part.table, opening, called)]
        found = [_what(part, shown, dims, None, called), *rest, *mixing, *faithful]
    return tuple(found[:MOST])


def describe_comparison(comparison: Comparison, called: Called | None = None) -> tuple[str, ...]:
    """Return what changed between two states, without a picture, as `describe` does."""
    return tuple(_compared(comparison, called or quoted))


def _described(part: Part, opening: Opening) -> Partition | None:
    """Return the way of parting the points that is described: the one that a reader sees first."""
    found = [each for each in part.partitions or () if each.n_groups]
    for wanted in ("drawn", "colored"):
        for each in found:
            if each.drawn if wanted == "drawn" else each.column == opening.color_by:
                return each
    return next((each for each in found if each.kind == "classes"), next(iter(found), None))


def quoted(text: str) -> str:
    """Return a name of others as a sentence has it: cut, and quoted where it is not one word."""
    shown = printable(text, _NAME)
    is_word = shown.isalnum() or all(part.isalnum() for part in shown.split("-"))
    return shown if is_word else f"“{shown}”"


def percent(share: float) -> str:
    """Return a share of 0 to 1 for reading; never none or all where it is neither."""
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 < share < 1:
        return "over 99 %"
    return f"{math.floor(100 * share + 0.5)} %"


def _what(part: Part, shown: Projection, dims: int, steps: Steps | None, called: Called) -> str:
    table, whole = part.table, part.n_all
    of = f"{table.n_points:,} of " if table.n_points < whole else ""
    text = f"{of}{counted(whole, 'point')} of {counted(table.n_dims, 'dimension')}"
    if steps is not None:
        ends = [called(each) for each in (steps.names[0], steps.names[-1])]
        text += f" at {counted(len(steps.steps), 'step')}, from {ends[0]} to {ends[1]}"
    text += f", drawn as {called(shown.title)} in {dims}D"
    shares = shown.stats.get("variance_shares", ())
    if len(shares) >= dims:
        share = min(1.0, math.fsum(map(float, shares[:dims])))
        text += f", which shows {percent(share)} of the variance"
    axes = [axis for axis in shown.params.get("axes") or () if "from" in axis][:dims]
    for along, axis in zip(
        ("from left to right", "from bottom to top", "in depth"), axes, strict=False
    ):
        text += f", {along} from {called(axis['from'])} to {called(axis['to'])}"
    if dims == 2 and any(each.of == shown.key for each in part.densities):
        text += ", over the density of all of them"
    return f"{text}."


def _sizes(partition: Partition, called: Called) -> Iterator[str]:
    """Yield of how many points the groups are."""
    n, sizes = len(partition.codes), partition.sizes
    kind, kinds = _kinds(partition)
    of = f" of {called(partition.column)}" if partition.kind == "classes" else ""
    text = f"{partition.n_groups:,} {kinds if partition.n_groups > 1 else kind}{of}"
    largest, least = int(np.argmax(sizes)), int(np.argmin(sizes))
    if partition.n_groups == 1:
        text += f", {called(partition.names[0])}, of {counted(int(sizes[0]), 'point')}"
    elif sizes[largest] == sizes[least]:
        text += f", each of {counted(int(sizes[0]), 'point')}"
    else:
        ends = (
            f"{called(partition.names[i])} ({counted(int(sizes[i]), 'point')})"
            for i in (largest, least)
        )
        text += f", from {' to '.join(ends)}"
    none = n - int(sizes.sum())
    if none:
        belongs = "belongs" if none == 1 else "belong"
        text += f"; {counted(none, 'point')} ({percent(none / n)}) {belongs} to none"
    yield f"{text}."


def _inside(partition: Partition, called: Called) -> Iterator[str]:
    """Yield which share of the neighbors lies in the group of a point."""
    known = [
        (share, int(size), group)
        for group, (share, size) in enumerate(zip(partition.inside, partition.sizes, strict=True))
        if share is not None
    ]
    n = sum(size for _, size, _ in known)
    if not n:
        return
    mean = math.fsum(share * size for share, size, _ in known) / n
    kind, _ = _kinds(partition)
    all_in = int(partition.sizes.sum()) == len(partition.codes)
    of = (
        "a point"
        if all_in
        else "a point in one"
        if partition.kind == "clusters"
        else "a point that has one"
    )
    k = partition.neighbors
    near = f"{k} nearest neighbors" if k > 1 else "nearest neighbor"
    text = f"Of the {near} of {of} {percent(mean)} lie in its own {kind}"
    if len({percent(share) for share, *_ in known}) > 1:
        low, high = min(known), max(known)
        text += (
            f", from {percent(low[0])} ({called(partition.names[low[2]])}) "
            f"to {percent(high[0])} ({called(partition.names[high[2]])})"
        )
    yield f"{text}{_measured(partition)}."


def _mixing(partition: Partition, called: Called) -> Iterator[str]:
    """Yield which two groups mix, or that none do."""
    if partition.n_groups < 2:
        return
    pairs, bound = mixing_pairs(partition)
    _, kinds = _kinds(partition)
    if bound < 0.01:
        yield f"No two {kinds} mix: under 1 % of the neighbors of any two are the other’s."
    elif pairs and pairs[0].share >= 0.005:
        both, share = _pair(partition, pairs[0], called), percent(pairs[0].share)
        text = f"{both} mix: {share} of their neighbors are the other’s"
        if len(pairs) > 1 and pairs[1].share >= max(0.01, pairs[0].share / 2):
            text += f"; of {_pair(partition, pairs[1], called)} it is {percent(pairs[1].share)}"
        yield f"{text}."


def _pair(partition: Partition, pair: MixingPair, called: Called) -> str:
    both = sorted((partition.names[pair.a], partition.names[pair.b]), key=lambda n: (len(n), n))
    return " and ".join(map(called, both))


def _kinds(partition: Partition) -> tuple[str, str]:
    return ("cluster", "clusters") if partition.kind == "clusters" else ("class", "classes")


def _measured(partition: Partition) -> str:
    if 0 < partition.measured < int(partition.sizes.sum()):
        return f", measured on {counted(partition.measured, 'point')}"
    return ""


def _faithful(shown: Projection, dims: int, n_points: int) -> Iterator[str]:
    """Yield how faithful the picture is."""
    found = figures_of_picture(shown, dims)
    kept = found.get("neighbors_kept")
    if kept is None:
        return
    k = shown.stats["quality"][str(dims)]["k"]
    share = percent(kept)
    text = f"Of a point’s {k} nearest in the picture {share} are among its {k} nearest in the data"
    if k == 1:
        text = f"Of {share} of the points the nearest in the picture is the nearest in the data"
    told = []
    for figure in ("trustworthiness", "continuity"):
        value, error = found.get(figure), found.get(f"{figure}_se")
        if value is not None:
            told.append(f"{figure} is {value:.2f}" + (f" ± {error:.2g}" if error else ""))
    yield f"{text}{'; ' if told else ''}{', '.join(told)}."


def _colored(table: EmbeddingTable, opening: Opening, called: Called) -> Iterator[str]:
    """Yield what the points are named and colored by, where they are not parted."""
    label = opening.label_by or table.label_column()
    if label is not None and label in table.metadata:
        names = dict.fromkeys(table.metadata[label][:100])
        some = [called(text) for text in names if text != ""][:3]
        if some:
            such = f"{', '.join(some[:-1])} and {some[-1]}" if len(some) > 1 else some[0]
            yield f"They are named by {called(label)}, such as {such}."
    column = opening.color_by
    if column is None or column not in table.metadata or not is_numeric(table.metadata[column]):
        return
    numbers = np.array([float(text) for text in table.metadata[column] if text != ""])
    numbers = numbers[np.isfinite(numbers)]
    low, middle, high = np.quantile(numbers, (0, 0.5, 1)).tolist()
    yield (
        f"They are colored by {called(column)}, from {low:.4g} to {high:.4g}; "
        f"half of them have {middle:.4g} or less."
    )


def _run(steps: Steps, called: Called) -> Iterator[str]:
    """Yield what changes from step to step."""
    before = steps.figures.get("kept_from_previous", ())
    known = [(kept, i) for i, kept in enumerate(before) if kept is not None]
    if known:
        kept, i = min(known)
        ends = f"step {called(steps.names[i - 1])} to {called(steps.names[i])}"
        yield f"Most changes from {ends}: points keep {percent(kept)} of their 10 nearest."
    last = steps.figures.get("kept_of_last", ())
    if last and last[0] is not None:
        yield (
            f"At step {called(steps.names[0])} points have {percent(last[0])} of the 10 nearest "
            "neighbors that they have at the last step."
        )


def _compared(comparison: Comparison, called: Called) -> Iterator[str]:
    """Yield what changed between two states."""
    a, b = (called(side) for side in comparison.names)
    by = comparison.matched_by
    text = f"A is {a}, B is {b}: {counted(comparison.n_matched, 'point')} in both, matched by "
    text += by if by in ("label", "row") else called(by)
    only = [
        f"{len(labels):,} in {side} only"
        for side, labels in zip("AB", (comparison.only_a, comparison.only_b), strict=True)
        if labels
    ]
    yield f"{text}{', ' if only else ''}{', '.join(only)}."
    kept = comparison.figures.get("overlap10")
    if kept is not None:
        k = min(10, comparison.ranks_in_b.shape[1])
        calibrated = comparison.figures.get("overlap10_calibrated")
        chance = "" if calibrated is None else f" ({percent(calibrated)} where chance is 0 %)"
        yield f"Points keep {percent(kept)} of their {k} nearest neighbors from A to B{chance}."
    if comparison.groups:
        best = comparison.groups[0]
        number = counted(len(comparison.groups), "group")
        yield (
            f"{number} of points changed together, the clearest {called(best.name)} "
            f"({counted(len(best.points), 'point')})."
        )
    elif comparison.no_groups:
        yield "No groups of points changed together."
