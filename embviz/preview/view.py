"""What a report opens with: which points lie where, how they are named and colored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.clusters.values import Partition
from embviz.comparison.values import Steps
from embviz.model import EmbeddingTable, Neighbors, Projection
from embviz.pictures.captions import density_caption, sample_caption
from embviz.pictures.selection import Part
from embviz.pictures.tabs import find_tab, name_tabs
from embviz.preview.alone import has_one_width, places_alone, travels
from embviz.preview.axes import AxisTitle
from embviz.preview.camera import Box
from embviz.projections.pca import PCA
from embviz.report.options import ReportFields, report_options
from embviz.report.parting import part_points
from embviz.report.payload import ReportOptions, check_points_and_columns
from embviz.report.projections import check_components, places_in_page
from embviz.report.sampling import with_made_columns
from embviz.report.steps import check_steps
from embviz.shards.values import Density

Places = NDArray[np.float32]
_MANY_LABELS = 300
_NEAREST = 10
_MOST_RATIO = 2
_LETTERS = "AB"


@dataclass(frozen=True, eq=False)
class Map:
    """One map of the points.

    Attributes:
        places: float32 (n_points, dims).
        name: What it is called, "" where there is one only.
        neighbors: Of the selected point on this map's side, where there is one.
    """

    places: Places
    name: str = ""
    neighbors: Neighbors | None = None


@dataclass(frozen=True, eq=False)
class FirstView:
    """The view that a report opens with.

    Attributes:
        table: The points.
        options: What is said of them, with what was found where they were chosen.
        label_by: The column that names them; None where there is none.
        projection: What is shown.
        dims: In how many dimensions.
        maps: One, or both of a comparison.
        axes: What the axes mean; None where there are none.
        box: What holds all places of all maps.
        visible: bool (n_points,), which points are shown; None for all.
        is_own: Whether the places are the projection's own, and its figures theirs.
        steps: The states of the points, where there are several.
        partitions: How the points are parted.
        projections: All that the report has.
        density: How densely all points lie in the picture, where that is drawn.
        told: What is said of a sample, and of all points.
    """

    table: EmbeddingTable
    options: ReportOptions
    label_by: str | None
    projection: Projection
    dims: int
    maps: tuple[Map, ...]
    axes: tuple[AxisTitle, ...] | None
    box: Box
    visible: NDArray[np.bool_] | None
    is_own: bool
    steps: Steps | None
    partitions: tuple[Partition, ...] = ()
    projections: tuple[Projection, ...] = ()
    density: Density | None = None
    told: str = ""

    def map_of(self, partition: Partition) -> Places:
        """Return where the points lie in the map that a partition was found in."""
        same = [each for each in self.projections if each.key == partition.of]
        exact = [each for each in same if each.coordinates.shape[1] == partition.dims]
        found = (exact or same or list(self.projections))[0]
        return np.asarray(found.coordinates[:, : partition.dims or 2], np.float32)

    @property
    def n_shown(self) -> int:
        return self.table.n_points if self.visible is None else int(self.visible.sum())

    @property
    def labels_many(self) -> bool:
        """Whether as many points are labelled as there is room for, or those that stand out."""
        return self.table.n_points <= _MANY_LABELS


def first_view(
    points: EmbeddingTable | Part,
    projections: Sequence[Projection],
    options: ReportOptions | None,
    steps: Steps | None,
    fields: ReportFields,
) -> FirstView:
    """Return the view that a report of the same arguments opens with.

    Raises:
        ParameterError: As `write_report` does.
    """
    table, options = report_options(points, options, fields)
    check_steps(steps, table)
    named = name_tabs(projections or [PCA().project(table)])
    part = part_points(points, named, options, steps)
    label_by = options.label_by or table.label_column()
    table = with_made_columns(part)
    check_points_and_columns(table, options)
    for each in named:
        each.check_points(table.n_points)
        check_components(each)
    projection, dims = _shown_first(named, options)
    isolated = np.asarray(sorted(set(options.isolated)), np.int64)
    visible = None
    if len(isolated):
        visible = np.zeros(table.n_points, np.bool_)
        visible[isolated] = True
    places, is_own = _places_of(projection, dims, table, options, steps, isolated)
    box = _box_of(places, isolated)
    is_pair = steps is not None and steps.kind == "comparison"
    if is_pair and _has_units(projection):
        turns = not is_own and not has_one_width(steps)
        places = [places[0], _laid_on(places[0], places[-1], isolated, turns)]
        box = _box_of(places, isolated)
    shown = [places[0], places[-1]] if is_pair else [places[-1]]
    return FirstView(
        table,
        options,
        label_by,
        projection,
        dims,
        _maps(shown, table, options, steps),
        _axis_titles(projection, dims),
        box.widened(),
        visible,
        is_own,
        steps,
        part.partitions or (),
        tuple(named),
        *_of_all(part, projection, dims, is_own),
    )


def _shown_first(named: list[Projection], options: ReportOptions) -> tuple[Projection, int]:
    """Return what is shown first, and in how many dimensions."""
    key = find_tab(named, options.first) if options.first else named[-1].key
    tab = [p for p in named if p.key == key]
    widths = [(int(p.coordinates.shape[1]), p) for p in tab]
    found: dict[int, Projection] = {}
    for dims in (3, 2):
        exact = [p for width, p in widths if width == dims]
        wider = [p for width, p in widths if width >= dims and tab[0].kind == "linear"]
        if exact or wider:
            found[dims] = (exact or wider)[0]
    dims = options.dims if options.dims in found else min(found)
    return found[dims], dims


def _has_components(projection: Projection) -> bool:
    """Tell whether a projection is of principal components, which the page computes anew."""
    return "variance_shares" in projection.stats and projection.directions is not None


def _has_units(projection: Projection) -> bool:
    """Tell whether coordinates are in the unit of each side's vectors."""
    return _has_components(projection) or "axes" in projection.params


def _of_all(
    part: Part, projection: Projection, dims: int, is_own: bool
) -> tuple[Density | None, str]:
    """Return how densely all points lie in a picture, where that is drawn, and what is said."""
    found = next((each for each in part.densities if each.of == projection.key), None)
    drawn = found if dims == 2 and is_own else None
    told = [] if part.sampled is None else [sample_caption(part.table.n_points, part.n_all)]
    if found is not None and (drawn is not None or dims == 3):
        told.append(density_caption(found, dims))
    return drawn, " ".join(told)


def _places_of(
    projection: Projection,
    dims: int,
    table: EmbeddingTable,
    options: ReportOptions,
    steps: Steps | None,
    isolated: NDArray[np.int64],
) -> tuple[list[Places], bool]:
    """Return where all points are at each step, and whether the projection itself says it."""
    if len(isolated) > 1 and _has_components(projection) and travels(table, options, steps):
        return places_alone(projection, dims, table, steps, isolated), False
    return places_in_page(projection, dims, steps), True


def _box_of(places: Sequence[Places], isolated: NDArray[np.int64]) -> Box:
    boxes = [Box.around(each[isolated] if len(isolated) else each) for each in places]
    box = boxes[0]
    for other in boxes[1:]:
        box = box.with_other(other)
    return box


def _laid_on(onto: Places, places: Places, rows: NDArray[np.int64], turns: bool) -> Places:
    """Return places turned round where their axes point the other way, and at a scale to be seen.

    As numbers/laid.js of the page.

    Args:
        onto: float32 (n_points, dims).
        places: float32 (n_points, dims).
        rows: The points to go by; none for all.
        turns: Whether directions have no sign.
    """
    used = [x[rows] if len(rows) else x for x in (onto, places)]
    to, own = (x.mean(axis=0, dtype=np.float64) for x in used)
    a, b = used[0] - to, used[1] - own
    signs = np.where((a * b).sum(axis=0) < 0, -1.0, 1.0) if turns else np.ones(len(own))
    sizes = float((a**2).sum()), float((b**2).sum())
    ratio = np.sqrt(sizes[0] / sizes[1]) if min(sizes) > 0 else 1.0
    if max(ratio, 1 / ratio) <= _MOST_RATIO:
        if (signs > 0).all():
            return places
        to, ratio = signs * own, 1.0
    laid: Places = (to + signs * ratio * (places - own)).astype(np.float32)
    return laid


def _axis_titles(projection: Projection, dims: int) -> tuple[AxisTitle, ...] | None:
    """Return what the axes mean; None where there are none."""
    if not projection.axes:
        return None
    given = projection.params.get("axes", ())
    out = []
    for c in range(dims):
        ends = given[c] if c < len(given) else {}
        if isinstance(ends, dict) and "from" in ends:
            low, high = _plain_query(str(ends["from"])), _plain_query(str(ends["to"]))
            out.append(AxisTitle(f"{low} → {high}", low, high))
        else:
            out.append(AxisTitle(projection.axes[c] if c < len(projection.axes) else ""))
    return tuple(out)


def _plain_query(query: str) -> str:
    """Return a query as it is read: without `=`, slashes and anchors."""
    query = query.removeprefix("=")
    found = re.fullmatch(r"/\^?(.*?)\$?/", query, re.S)
    return found[1] if found else query


def _maps(
    places: list[Places], table: EmbeddingTable, options: ReportOptions, steps: Steps | None
) -> tuple[Map, ...]:
    if steps is None or len(places) == 1:
        return (Map(places[0], "", _neighbors(table, options)),)
    sides = zip(places, _LETTERS, steps.steps, strict=True)
    return tuple(
        Map(each, f"{letter} · {step.name}", _neighbors(step.table, options))
        for each, letter, step in sides
    )


def _neighbors(table: EmbeddingTable, options: ReportOptions) -> Neighbors | None:
    """Return the nearest others of the selected point, where there is one."""
    if len(set(options.selected)) != 1 or table.n_points < 2:
        return None
    from embviz.errors import EmbvizError
    from embviz.neighbors.exact import find_neighbors

    try:
        k = min(_NEAREST, table.n_points - 1)
        return find_neighbors(table, [options.selected[0]], k, options.metric)
    except EmbvizError:  # A vector without a direction has no neighbors.
        return None
