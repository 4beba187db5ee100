"""Grid, numbers and captions of the axes (plot/grid.js). Lengths are CSS pixels of a map."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.preview.camera import Area, Box, Deep, Flat
from embviz.preview.text import Pen, clean, spelled
from embviz.preview.theme import Theme
from embviz.preview.ticks import ticks_of

Numbers = NDArray[np.float64]
Line = tuple[Sequence[float] | Numbers, Sequence[float] | Numbers]
_SIZE = 11
_WIDE, _HIGH = 90, 56
_MOST_IN_3D = 6
_APART = 30


@dataclass(frozen=True)
class AxisTitle:
    """What an axis means: a title, or what it runs between."""

    title: str = ""
    low: str = ""
    high: str = ""

    @property
    def is_named(self) -> bool:
        return bool(self.title or self.low or self.high)

    def ends(self) -> tuple[str, str, str]:
        """Return what stands in the middle and at both ends."""
        low, high, title = (spelled(clean(text, 48)) for text in (self.low, self.high, self.title))
        if low or high:
            return "", low and f"← {low}", high and f"{high} →"
        return title, "", ""


@dataclass(frozen=True)
class Written:
    """A number and where it stands; `anchor` is Pillow's."""

    text: str
    at: tuple[float, float]
    anchor: str


def grid_2d(view: Flat, area: Area) -> tuple[list[Line], list[Written]]:
    """Return the lines and numbers of a grid."""
    lines: list[Line] = []
    numbers: list[Written] = []
    for j, (start, length, room) in enumerate(
        ((area.left, area.width, _WIDE), (area.top, area.height, _HIGH))
    ):
        k, b = float(view.k[j]), float(view.b[j])
        most = min(10, max(2, length / room))
        for tick in ticks_of((start - b) / k, (start + length - b) / k, most):
            at = k * tick.value + b
            if j == 0:
                lines.append(((at, area.top), (at, area.bottom)))
                numbers.append(Written(tick.text, (at, area.bottom + 11), "mm"))
            else:
                lines.append(((area.left, at), (area.right, at)))
                numbers.append(Written(tick.text, (area.left - 5, at), "rm"))
    return lines, numbers


def caption_2d(pen: Pen, axes: Sequence[AxisTitle], area: Area, theme: Theme) -> None:
    """Write what both axes mean: at their ends or, for components, in the middle."""
    title, low, high = axes[0].ends()
    y = area.bottom + 32
    for text, x, anchor, color in (
        (low, area.left, "lm", theme.text),
        (high, area.right, "rm", theme.text),
        (title, area.left + area.width / 2, "mm", theme.muted),
    ):
        if text:
            pen.write(pen.fitted(text, area.width / (1 if title else 2)), (x, y), color, anchor)
    title, low, high = axes[1].ends()
    for text, at, anchor, color in (
        (low, area.bottom, "l", theme.text),
        (high, area.top, "r", theme.text),
        (title, area.top + area.height / 2, "m", theme.muted),
    ):
        if text:
            shown = pen.fitted(text, area.height / (1 if title else 2))
            pen.write_upwards(shown, (14, at), color, anchor)


@dataclass(frozen=True, eq=False)
class Edge:
    """An edge of the box that the numbers of an axis stand along."""

    start: Numbers
    end: Numbers
    corners: tuple[Numbers, Numbers]
    out: Numbers
    """The unit vector on the screen away from the box."""

    @classmethod
    def of(cls, corners: tuple[Numbers, Numbers], view: Deep, center: Numbers) -> Edge:
        start, end = view.point(corners[0]), view.point(corners[1])
        along = (end - start) / (math.hypot(*(end - start)) or 1)
        across = np.array([-along[1], along[0]])
        away = (start + end) / 2 - center
        return cls(start, end, corners, -across if across @ away < 0 else across)

    def push(self, center: Numbers) -> float:
        """Return how far out, and how low, it lies."""
        push = (self.start + self.end) / 2 - center
        return float(math.hypot(*push) + push[1] / 2 - push[0] / 4)


def _far_faces(view: Deep, box: Box) -> Numbers:
    """Return along each axis the end of the box that the camera sees the inside of."""
    return np.where(view.eye > 0, box.low, box.high)


def edges_of(view: Deep, box: Box) -> list[Edge]:
    """Return the edge of each axis: one of the box's outline, lowest or farthest out."""
    far = _far_faces(view, box)
    near = np.where(far == box.low, box.high, box.low)
    center = view.point((box.low + box.high) / 2)
    out = []
    for j in range(3):
        k, m = (j + 1) % 3, (j + 2) % 3
        made = []
        for a, b in ((far[k], near[m]), (near[k], far[m])):
            ends = np.empty((2, 3))
            ends[:, j], ends[:, k], ends[:, m] = (box.low[j], box.high[j]), a, b
            made.append(Edge.of((ends[0], ends[1]), view, center))
        out.append(made[1] if made[1].push(center) > made[0].push(center) else made[0])
    return out


def grid_3d(view: Deep, box: Box, pen: Pen) -> tuple[list[Line], list[Written]]:
    """Return the lines of the three far faces of the box, and the numbers along its outline."""
    far = _far_faces(view, box)
    lines: list[Line] = []
    numbers: list[Written] = []
    for j, edge in enumerate(edges_of(view, box)):
        k, m = (j + 1) % 3, (j + 2) % 3
        ticks = ticks_of(float(box.low[j]), float(box.high[j]), _MOST_IN_3D)
        for value in (box.low[j], box.high[j], *(tick.value for tick in ticks)):
            for fixed, free in ((k, m), (m, k)):
                ends = np.empty((2, 3))
                ends[:, j], ends[:, fixed] = value, far[fixed]
                ends[:, free] = box.low[free], box.high[free]
                line = view.line(ends[0], ends[1])
                if line is not None:
                    lines.append(line)
        parts = [((t.value - box.low[j]) / box.spans[j], t.index, t.text) for t in ticks]
        numbers += _along(edge, parts, view, pen)
    return lines, numbers


def _along(
    edge: Edge, ticks: Sequence[tuple[float, int, str]], view: Deep, pen: Pen
) -> Iterator[Written]:
    length = math.hypot(*(edge.end - edge.start))
    if not length > 2 * _APART:
        return
    step = math.ceil(_APART * max(1, len(ticks) - 1) / length)
    for part, index, text in ticks:
        if index % step:
            continue
        at = view.point(edge.corners[0] + (edge.corners[1] - edge.corners[0]) * part)
        away = 8 + abs(edge.out[0]) * pen.width(text, _SIZE) / 2 + abs(edge.out[1]) * 6
        if np.isfinite(at).all():
            x, y = at + edge.out * away
            yield Written(text, (x, y), "mm")


def caption_3d(pen: Pen, axes: Sequence[AxisTitle], view: Deep, box: Box, theme: Theme) -> None:
    """Write what the three axes mean beside their edges."""
    for text, at, is_title, _ in _captions_3d(pen, axes, view, box):
        pen.write(text, at, theme.muted if is_title else theme.text, "mm")


def boxes_3d(
    pen: Pen, axes: Sequence[AxisTitle], view: Deep, box: Box
) -> list[tuple[float, float, float, float]]:
    """Return the boxes of what is written beside the edges."""
    return [
        (at[0] - half, at[1] - 8, at[0] + half, at[1] + 8)
        for _, at, _, half in _captions_3d(pen, axes, view, box)
    ]


def _captions_3d(
    pen: Pen, axes: Sequence[AxisTitle], view: Deep, box: Box
) -> Iterator[tuple[str, tuple[float, float], bool, float]]:
    """Yield texts, their middles, whether they are titles, and half of their widths."""
    area = view.area
    for edge, axis in zip(edges_of(view, box), axes, strict=True):
        title, low, high = axis.ends()
        for text, part in ((low, 0.08), (high, 0.92), (title, 0.5)):
            half = pen.width(text) / 2 + 4
            away = 26 + abs(edge.out[0]) * (half + 10) + abs(edge.out[1]) * 8
            at = edge.start + (edge.end - edge.start) * part + edge.out * away
            if not text or not np.isfinite(at).all():
                continue
            x = min(max(at[0], area.left + half), area.right - half)
            y = min(max(at[1], area.top + 10), area.bottom - 10)
            yield text, (float(x), float(y)), part == 0.5, half
