"""The groups that a picture names, and their names (state/names.js, plot/names.js)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embviz.clusters.values import Partition
from embviz.preview.camera import TOOLS_HEIGHT, Area, Flat, View
from embviz.preview.labels import Rectangle
from embviz.preview.names import (
    Rows,
    Stand,
    WantedName,
    gather_groups,
    name_lines,
    order_names,
    place_group,
    place_names,
)
from embviz.preview.text import Letters, Pen, can_write, clean
from embviz.preview.theme import Theme
from embviz.preview.view import FirstView

if TYPE_CHECKING:
    from embviz.preview.maps import Drawing

_SIZES = ((16, 20), (13, 16), (12, 15))
"""Of the coarsest level, the next, and all finer ones: the font's size and the height of a line."""


@dataclass(frozen=True, eq=False)
class Group:
    """What may be named in the picture.

    Attributes:
        text: The name.
        level: 0 for the coarsest.
        finest: Whether there is no finer one.
        size: How many of its points are shown.
        rows: Those of them that say where it lies.
    """

    text: str
    level: int
    finest: bool
    size: int
    rows: Rows


@dataclass(frozen=True, eq=False)
class DrawnName:
    """A name that has room: its lines, the size of their font, and its box."""

    lines: tuple[str, ...]
    points: float
    box: Rectangle


def groups_of(view: FirstView) -> list[Group]:
    """Return the groups that a view may name."""
    drawn = _drawn(view)
    out = []
    for level, partition in enumerate(drawn):
        sizes, rows = gather_groups(partition.codes, partition.n_groups, view.visible)
        there = sorted(np.flatnonzero(sizes).tolist(), key=lambda code: (-sizes[code], code))
        texts = [partition.names[code] for code in there]
        if view.visible is not None and partition.kind == "clusters":
            texts = _names_of_shown(view, partition, there)
        for code, name in zip(there, texts, strict=True):
            text = clean(name)
            if text:
                finest = level == len(drawn) - 1
                out.append(Group(text, level, finest, int(sizes[code]), rows[code]))
    return out


def _drawn(view: FirstView) -> list[Partition]:
    """Return the partitions whose names a picture has, from coarse to fine."""
    drawn = [each for each in view.partitions if each.drawn and each.n_groups]
    if not drawn:
        return []
    here = [each for each in drawn if each.of is None or each.of == view.projection.key]
    own = here or [each for each in drawn if each.of == drawn[0].of]
    if any(each.dims == view.dims for each in own):
        own = [each for each in own if each.of is None or each.dims == view.dims]
    return sorted(own, key=lambda each: each.n_groups)


def _names_of_shown(view: FirstView, partition: Partition, there: Sequence[int]) -> list[str]:
    """Return names of clusters by the labels of their points that are shown."""
    from embviz.clusters.names import name_groups

    assert view.visible is not None
    rows = np.flatnonzero(view.visible)
    order = np.full(partition.n_groups + 1, -1)
    order[list(there)] = np.arange(len(there))
    table = view.table
    labels = None if view.label_by is None else table.metadata[view.label_by]
    numbers = np.arange(table.n_points) if table.rows is None else np.asarray(table.rows)
    return name_groups(
        None if labels is None else [labels[row] for row in rows.tolist()],
        order[partition.codes[rows]],
        len(there),
        view.map_of(partition)[rows],
        numbers[rows],
    )


def choose_names(pen: Pen, drawing: Drawing, taken: Sequence[Rectangle]) -> list[DrawnName]:
    """Return the names that have room beside what else is written."""
    area = drawing.area
    wanted: list[WantedName] = []
    drawn: list[tuple[tuple[str, ...], float]] = []
    for group in drawing.groups:
        stand = place_group(drawing.one.places, group.rows)
        if stand is None or not can_write(group.text):
            continue
        x, y, dx, dy = _seen(drawing.camera, stand)
        inside = area.left <= x <= area.right and area.top <= y <= area.bottom
        if not inside or not np.isfinite(dx + dy):
            continue
        points, line = _SIZES[min(group.level, len(_SIZES) - 1)]
        lines = tuple(name_lines(group.text))
        width = max(pen.width(each, points, bold=True) for each in lines)
        drawn.append((lines, points))
        wanted.append(
            WantedName(
                group.text, x, y, dx, dy, width, line * len(lines),
                group.level, group.finest, group.size,
            )
        )  # fmt: skip
    top = max(area.top, TOOLS_HEIGHT)
    bounds = Area(area.left + 2, top, area.width - 4, area.bottom - top)
    boxes = place_names(wanted, order_names(wanted, area), bounds, taken)
    return [
        DrawnName(*what, box) for what, box in zip(drawn, boxes, strict=True) if box is not None
    ]


def _seen(camera: View, stand: Stand) -> tuple[float, float, float, float]:
    """Return where a name stands on the screen, and how far its group reaches to each side."""
    x, y = camera.project(stand.at[None].astype(np.float32))[0][0].astype(float)
    if isinstance(camera, Flat):
        dx, dy = np.abs(camera.k) * stand.reach
        return x, y, float(dx), float(dy)
    ends = stand.at + np.diag(stand.reach)
    away = camera.project(ends.astype(np.float32))[0].astype(float) - (x, y)
    dx, dy = np.sqrt((away**2).sum(axis=0))
    return x, y, float(dx), float(dy)


def write_name(pen: Pen, name: DrawnName, theme: Theme) -> None:
    """Write a name, set off from what is below."""
    left, top, right, bottom = name.box
    line = (bottom - top) / len(name.lines)
    for halo in (True, False):
        # The ground of one line does not cover the letters of another.
        letters = Letters(name.points, bold=True, halo=halo)
        for i, text in enumerate(name.lines):
            at = ((left + right) / 2, top + line * (i + 0.5))
            pen.write(text, at, theme.text, "mm", letters)
