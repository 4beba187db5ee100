"""The view that a report opens with, as a bookmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from embviz.bookmarks import make_bookmark, show_components
from embviz.model import Bookmark, EmbeddingTable, Projection
from embviz.pictures.selection import Part
from embviz.pictures.tabs import find_tab, name_tabs
from embviz.report.options import ReportFields, report_options
from embviz.report.payload import ReportOptions


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
    """
    table, options = report_options(points, options, fields)
    tabs = name_tabs(projections)
    dims = options.dims
    first = find_tab(tabs, options.first) if options.first else tabs[-1].key
    named = [p for p in tabs if p.key == first]
    widths = {int(p.coordinates.shape[1]): p for p in named}
    projection = widths.get(dims) or widths[max(widths)]
    shown = min(dims, int(projection.coordinates.shape[1]))
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
