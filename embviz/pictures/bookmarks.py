"""Saved views that come along with the points of a report."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from embviz.bookmarks import MOST_POINTS, read_bookmarks
from embviz.errors import LoadError
from embviz.model import Bookmark
from embviz.pictures.selection import Part


def add_bookmarks(part: Part, paths: Sequence[str | os.PathLike[str]]) -> Part:
    """Return the points of a report with the views of bookmark files, after those of the source.

    Raises:
        LoadError: If a file is damaged or was saved from other data.
    """
    total, n_dims = part.whole.n_points, part.table.n_dims
    sizes = {part.table.n_points, total, min(total, MOST_POINTS)}
    found: list[Bookmark] = []
    for name in paths:
        path = Path(name)
        views = read_bookmarks(path)
        for number, bookmark in enumerate(views, 1):
            why = why_other_data(bookmark.view, total, n_dims, sizes)
            if why:
                way_out = "give the file that belongs to this source"
                raise LoadError(f"{path}: bookmark {number}", why, way_out)
        found += views
    if not found:
        return part
    return replace(part, table=replace(part.table, bookmarks=(*part.table.bookmarks, *found)))


def why_other_data(
    view: Mapping[str, Any], n_points: int, n_dims: int, sizes: Collection[int]
) -> str:
    """Return why a view was not saved from some data, "" if it can have been.

    Args:
        view: TensorBoard's `State`.
        n_points, n_dims: Of the data.
        sizes: The numbers of points that may have been shown.
    """
    filtered = view.get("filteredPoints") or None
    saved = view.get("dataSetDimensions")
    if saved is not None:
        fits = len(filtered) == saved[0] if filtered else saved[0] in sizes
        if saved[1] != n_dims or not fits:
            return f"saved from data of {saved[0]} × {saved[1]}, this is {n_points} × {n_dims}"
    if filtered and max(filtered) >= n_points:
        return f"names row {max(filtered)}, the source has {n_points} rows"
    return ""
