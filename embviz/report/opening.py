"""The view that a report opens with, as a bookmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from embviz.bookmarks import make_bookmark, show_components
from embviz.model import Bookmark, EmbeddingTable, Projection
from embviz.pictures.selection import Part
from embviz.pictures.tabs import name_tabs, show_first
from embviz.report.options import ReportFields, report_options
from embviz.report.payload import ReportOptions, check_points_and_columns
from embviz.report.sampling import with_made_columns


def opening_bookmark(
    points: EmbeddingTable | Part,
    projections: Sequence[Projection],
    options: ReportOptions | None = None,
    **fields: Unpack[ReportFields],
) -> Bookmark:
    """Return the view that a report opens with, as TensorBoard's `State`.

    Args:
        points: What `choose_points` gave, or all points.
        projections: Of these points.
        options, fields: As for `write_report`; `first`, `dims`, `title`, `label_by`, `color_by`,
            `selected` and `isolated` count.

    Raises:
        ParameterError: As `write_report` does.
    """
    table, options = report_options(points, options, fields)
    part = points if isinstance(points, Part) else Part(points, points)
    check_points_and_columns(with_made_columns(part), options)
    projection = show_first(name_tabs(projections), options.first or None, options.dims)
    shown = min(options.dims, int(projection.coordinates.shape[1]))
    mark = make_bookmark(
        table,
        projection,
        label=options.title,
        label_by=options.label_by,
        color_by=options.color_by,
    )
    view = dict(show_components(mark, shown).view)
    view["selectedPoints"] = list(options.selected)
    if options.isolated:
        places = {row: place for place, row in enumerate(options.isolated)}
        view["filteredPoints"] = list(options.isolated)
        view["dataSetDimensions"] = [len(options.isolated), table.n_dims]
        view["selectedPoints"] = [places[row] for row in options.selected if row in places]
        view["projections"] = [
            view["projections"][row] for row in options.isolated if row < len(view["projections"])
        ]
    own = {"projection": projection.key, "dims": shown}
    view["embviz"] = {"version": 1, "n_points": table.n_points, **own, "view": own}
    return Bookmark(mark.label, view)
