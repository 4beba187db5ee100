"""Saved views that come along with the points of a report."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
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
    found: list[Bookmark] = []
    for name in paths:
        path = Path(name)
        views = read_bookmarks(path)
        for number, bookmark in enumerate(views, 1):
            _check_data(bookmark.view, part, f"{path}: bookmark {number}")
        found += views
    if not found:
        return part
    return replace(part, table=replace(part.table, bookmarks=(*part.table.bookmarks, *found)))


def _check_data(view: Mapping[str, Any], part: Part, where: str) -> None:
    """Refuse a view of other data, by its shape and the rows that it names."""
    n_points, n_dims, total = part.table.n_points, part.table.n_dims, part.whole.n_points
    filtered = view.get("filteredPoints") or None
    saved = view.get("dataSetDimensions")
    here = f"{total} × {n_dims}"
    if saved is not None:
        sizes = {n_points, total} | ({MOST_POINTS} if total > MOST_POINTS else set())
        fits = len(filtered) == saved[0] if filtered else saved[0] in sizes
        if saved[1] != n_dims or not fits:
            raise LoadError(
                where,
                f"saved from data of {saved[0]} × {saved[1]}, this is {here}",
                "give the file that belongs to this source",
            )
    if filtered and max(filtered) >= total:
        raise LoadError(where, f"names row {max(filtered)}, the source has {total} rows")
