"""The points that stand out, and the labels that there is room for (plot/layer.js, marks.js)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from embviz.preview.axes import boxes_3d
from embviz.preview.camera import TOOLS_HEIGHT, Area, Deep, Flat
from embviz.preview.cells import scale_box
from embviz.preview.labels import Rectangle, Side, Wanted, place_labels
from embviz.preview.named import DrawnName, choose_names
from embviz.preview.text import Pen, can_write, clean
from embviz.preview.theme import RGB, Theme
from embviz.preview.view import FirstView, Map

if TYPE_CHECKING:
    from embviz.preview.maps import Drawing

Rows = NDArray[np.int64]
_MOST_TRIED, _MOST_PLACED, _MOST_OBSTACLES = 4000, 400, 400
_MOST_PLATES = 300
_MOST_BEFORE_NAMES = 60
_FAR_AWAY = 20_000
_RINGS = ((2.5, "text"), (1.5, "text"), (1.5, "muted"), (1.0, "muted"))
"""Of neighbors in four parts of their distances: the nearer, the stronger."""


@dataclass(frozen=True, eq=False)
class Mark:
    """Points that stand out in one way; lengths are CSS pixels."""

    kind: Literal["neighbor", "selected"]
    rows: Rows
    radius: float
    ring: float
    color: RGB


def marks_of(view: FirstView, one: Map, radius: float, theme: Theme) -> Iterator[Mark]:
    """Yield the points that stand out, the most important last."""
    selected = np.array(list(dict.fromkeys(view.options.selected)), np.int64)
    shown = selected if view.visible is None else selected[view.visible[selected]]
    if one.neighbors is not None:
        rows = one.neighbors.indices[0].astype(np.int64)
        levels = _levels(np.asarray(one.neighbors.proportions[0], np.float64))
        for level in (3, 2, 1, 0):
            ring, shade = _RINGS[level]
            some = rows[levels == level]
            some = some if view.visible is None else some[view.visible[some]]
            if len(some):
                color = theme.text if shade == "text" else theme.muted
                yield Mark("neighbor", some, max(radius * 1.15, 3), ring, color)
    if len(selected) == 1:
        grown, ring = max(radius * 1.6, 5.5), 2.5
    elif len(selected) <= 60:
        grown, ring = max(radius * 1.4, 4), 2.0
    else:
        grown, ring = max(radius * 1.1, 2), 1.0
    if len(shown):
        yield Mark("selected", shown, grown, ring, theme.accent)


def _levels(distances: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return which quarter of their range each distance is in."""
    span = distances[-1] - distances[0]
    if not 0 < span < np.inf:
        return np.zeros(len(distances), np.int64)
    parts = np.floor(4 * (distances - distances[0]) / span)
    levels: Rows = np.minimum(3, parts).astype(np.int64)
    return levels


def plate_sizes(marks: tuple[Mark, ...], tile: int) -> dict[str, float]:
    """Return the sides of plates by the kind of mark; none where there are no thumbnails."""
    count = sum(len(mark.rows) for mark in marks)
    if not tile or not 0 < count <= _MOST_PLATES:
        return {}
    most = max(20, tile * 1.35)
    alone = sum(len(mark.rows) for mark in marks if mark.kind == "selected") == 1
    return {"neighbor": most, "selected": max(34, tile * 1.8) if alone else most}


def choose_labels(
    pen: Pen, drawing: Drawing, size: tuple[float, float]
) -> tuple[list[tuple[Wanted, Side]], list[DrawnName]]:
    """Return the labels that have room, with the sides of their points, and the names of groups.

    Between those of points that stand out and all others come the names of groups; where so many
    stand out that their labels would fill a group, its name comes first.
    """
    view, camera = drawing.view, drawing.camera
    captions = []
    if view.axes is not None and isinstance(camera, Deep):
        captions = boxes_3d(pen, view.axes, camera, view.box)
    scale: list[Rectangle] = []
    if view.density is not None and isinstance(camera, Flat):
        scale = [scale_box(pen, view.density, camera, drawing.area)]
    wanted = _wanted_labels(pen, drawing)
    # Beside the heading there is no room for labels.
    top = max(drawing.area.top, TOOLS_HEIGHT)
    bounds = Area(0, top, size[0], size[1] - top)
    obstacles = _obstacles(drawing)
    if len(set(view.options.selected)) > _MOST_BEFORE_NAMES:
        names = choose_names(pen, drawing, [*captions, *scale])
        boxes = [*(name.box for name in names), *scale]
        return place_labels(wanted, bounds, obstacles, boxes)[:_MOST_PLACED], names
    marked = [label for label in wanted if label.kind != "plain"]
    first = place_labels(marked, bounds, obstacles)
    taken = [label.box(side) for label, side in first] + [_mark_box(label) for label in marked]
    names = choose_names(pen, drawing, [*taken, *_plate_boxes(drawing), *captions, *scale])
    plain = [label for label in wanted if label.kind == "plain"]
    written = [*taken, *(name.box for name in names), *scale]
    others = place_labels(plain, bounds, obstacles, written)
    return [*first, *others][:_MOST_PLACED], names


def _mark_box(label: Wanted) -> Rectangle:
    r = 0.6 * label.gap
    return (label.x - r, label.y - r, label.x + r, label.y + r)


def _plate_boxes(drawing: Drawing) -> list[Rectangle]:
    sizes = plate_sizes(drawing.marks, drawing.look.tile)
    boxes = []
    for mark in drawing.marks if sizes else ():
        half = sizes[mark.kind] / 2
        for x, y in drawing.xy[mark.rows].astype(float):
            box = (float(x) - half, float(y) - half, float(x) + half, float(y) + half)
            if all(abs(side) < _FAR_AWAY for side in box):
                boxes.append(box)
    return boxes


def _wanted_labels(pen: Pen, drawing: Drawing) -> list[Wanted]:
    """Return labels in the order of their importance."""
    view, look, area = drawing.view, drawing.look, drawing.area
    sizes = plate_sizes(drawing.marks, look.tile)
    wanted: list[Wanted] = []
    taken: set[int] = set()

    def want(row: int, kind: Literal["plain", "neighbor", "selected"], gap: float) -> None:
        x, y = (float(v) for v in drawing.xy[row])
        inside = area.left <= x <= area.right and area.top <= y <= area.bottom
        if not inside or row in taken:
            return
        taken.add(row)
        text = clean(view.table.label(row, view.label_by))
        if not text or not can_write(text):
            return
        alone = kind == "selected" and len(set(view.options.selected)) == 1
        strength = 0 if kind == "plain" else 2 if alone else 1
        width = pen.width(text, bold=kind == "selected")
        wanted.append(Wanted(text, x, y, width, gap, kind, strength))

    for mark in reversed(drawing.marks):
        # A plate shows what its point is; few labels are for points.
        if sizes and not view.labels_many:
            break
        gap = sizes[mark.kind] / 2 + 3 if sizes else mark.radius + mark.ring + 3
        for row in mark.rows[:_MOST_TRIED].tolist():
            want(row, mark.kind, gap)
    if view.labels_many:
        gap = look.tile / 2 + 2 if look.tile else look.radius + 3
        rows = np.sort(drawing.order) if drawing.levels is None else drawing.order[::-1]
        for row in rows[: _MOST_TRIED - len(wanted)].tolist():
            want(row, "plain", gap)
    return wanted


def _obstacles(drawing: Drawing) -> list[Rectangle]:
    """Return the boxes of all points that are shown, where they are few."""
    look = drawing.look
    if look.count > _MOST_OBSTACLES:
        return []
    half = look.tile / 2.6 if look.tile else look.radius
    return [
        (float(x) - half, float(y) - half, float(x) + half, float(y) + half)
        for x, y in drawing.xy[drawing.order]
    ]
