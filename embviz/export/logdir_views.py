"""The saved views of a logdir: coordinates that were computed, and bookmarks of its tensors."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from embviz.bookmarks import (
    MOST_POINTS,
    chooses_components,
    complete_view,
    make_bookmark,
    moves_on,
    show_components,
)
from embviz.errors import ParameterError
from embviz.export.tensorboard_tsne import most_perplexity
from embviz.model import Bookmark, EmbeddingTable, Projection
from embviz.pictures.bookmarks import why_other_data
from embviz.pictures.tabs import name_tabs

_log = logging.getLogger("embviz")


def computed_views(
    table: EmbeddingTable, projections: Sequence[Projection], dims: Sequence[int]
) -> list[Bookmark]:
    """Return computed coordinates as views.

    Args:
        table: The points.
        projections: Of all of them.
        dims: How many components a view of PCA shows, one view for each; 3 if empty.

    Raises:
        ParameterError: If a projection is of another number of points.
    """
    views: list[Bookmark] = []
    for projection in name_tabs(projections):
        projection.check_points(table.n_points)
        shown = sorted({min(d, int(projection.coordinates.shape[1])) for d in dims})
        for view in _views_of(table, projection):
            if chooses_components(view) and shown:
                views += [_name_dims(show_components(view, d), d, shown) for d in shown]
            else:
                views.append(view)
    return views


def _name_dims(bookmark: Bookmark, dims: int, shown: Sequence[int]) -> Bookmark:
    """Return a view named with its dimensions where there is one of others."""
    if len(shown) == 1:
        return bookmark
    label = f"{bookmark.label} {dims}D"
    return Bookmark(label, {**bookmark.view, "label": label})


def saved_views(table: EmbeddingTable, given: Sequence[Bookmark]) -> list[Bookmark]:
    """Return the views given and those of the table, complete.

    Raises:
        ParameterError: If one that is given is of other data.
    """
    views: list[Bookmark] = []
    for bookmark in given:
        reason = _why_not_ours(table, bookmark)
        if reason:
            raise ParameterError(f"bookmark '{bookmark.label}'", reason, "is it of other data?")
    for bookmark in table.bookmarks:
        reason = _why_not_ours(table, bookmark)
        if reason:
            _log.warning("bookmark '%s' is left out: %s", bookmark.label, reason)
    kept = [b for b in table.bookmarks if not _why_not_ours(table, b)]
    for bookmark in [*given, *kept]:
        view = complete_view(bookmark.view, table.n_points, table.n_dims)
        if not isinstance(view["label"], str) or not view["label"]:
            view["label"] = bookmark.label
        views.append(Bookmark(bookmark.label, view))
    return views


def _views_of(table: EmbeddingTable, projection: Projection) -> list[Bookmark]:
    if projection.kind != "map":
        return [make_bookmark(table, projection)]
    dims = min(3, int(projection.coordinates.shape[1]))
    title = f"{projection.title} {dims}D"
    moving = make_bookmark(table, projection, label=f"{title}, iterating on")
    if not moves_on(moving):
        return [make_bookmark(table, projection, label=title)]
    still = [make_bookmark(table, projection, label=title, still=True)] if dims == 2 else []
    perplexity = most_perplexity(table)
    if not perplexity:
        _log.info("%s: TensorBoard cannot iterate on with these vectors, left as it is", title)
        return still or [make_bookmark(table, projection, label=f"{title}, first two", still=True)]
    view = dict(moving.view)
    view["tSNEPerplexity"] = min(view["tSNEPerplexity"], perplexity)
    return [*still, replace(moving, view=view)]


def _why_not_ours(table: EmbeddingTable, bookmark: Bookmark) -> str:
    """Return why TensorBoard could not apply a view to a table, "" if it can."""
    view = bookmark.view
    most = min(table.n_points, MOST_POINTS)
    why = why_other_data(view, table.n_points, table.n_dims, {most})
    shown = len(view.get("filteredPoints") or ()) or most
    if why:
        return why
    if len(view.get("projections") or ()) > shown:
        return f"it places {len(view['projections'])} of {shown} points"
    if any(i >= shown for i in view.get("selectedPoints") or ()):
        return f"it selects point {max(view['selectedPoints'])} of {shown}"
    return ""
