"""`--bookmark` and `--save-bookmark`: saved views that come along, and the first view written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embviz.bookmarks import (
    MOST_POINTS,
    encode_bookmarks,
    make_bookmark,
    read_bookmarks,
    show_components,
)
from embviz.errors import LoadError
from embviz.model import Bookmark, EmbeddingTable, Projection

if TYPE_CHECKING:
    from embviz.pictures.selection import Part


def add_bookmarks(part: Part, paths: Sequence[str]) -> EmbeddingTable:
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
        return part.table
    return replace(part.table, bookmarks=(*part.table.bookmarks, *found))


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


def opening_bookmark(
    part: Part, projections: Sequence[Projection], name: str, dims: int, options: dict[str, Any]
) -> Bookmark:
    """Return the view that a report opens with, as TensorBoard's `State`.

    Args:
        name: The projection that is shown first.
        dims: 2 or 3.
        options: `title`, `label_by` and `color_by` of the command.
    """
    table = part.table
    named = [p for p in projections if p.name == name] or list(projections)
    widths = {int(p.coordinates.shape[1]): p for p in named}
    projection = widths.get(dims) or widths[max(widths)]
    shown = min(dims, int(projection.coordinates.shape[1]))
    mark = make_bookmark(
        table,
        projection,
        label=options["title"] or "",
        label_by=options["label_by"],
        color_by=options["color_by"] or part.color_by,
    )
    view = dict(show_components(mark, shown).view)
    view["selectedPoints"] = list(part.selected)
    if part.isolated:
        places = {row: place for place, row in enumerate(part.isolated)}
        view["filteredPoints"] = list(part.isolated)
        view["dataSetDimensions"] = [len(part.isolated), table.n_dims]
        view["selectedPoints"] = [places[row] for row in part.selected if row in places]
        view["projections"] = [
            view["projections"][row] for row in part.isolated if row < len(view["projections"])
        ]
    own = {"projection": projection.name, "dims": shown}
    view["embviz"] = {"version": 1, "n_points": table.n_points, **own, "view": own}
    return Bookmark(mark.label, view)


def save_bookmark(path: Path, bookmark: Bookmark) -> None:
    """Write one view as a bookmark file.

    Raises:
        OutputError: If the file cannot be written.
    """
    from embviz.outputs.files import write_file

    write_file(path, encode_bookmarks([bookmark]))
