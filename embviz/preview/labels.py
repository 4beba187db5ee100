"""Labels beside their points so that none overlaps another (drawing/labels.js, plot/marks.js)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from embviz.preview.camera import Area
from embviz.preview.text import LINE

Side = Literal["right", "left", "above", "below"]
SIDES: tuple[Side, ...] = ("right", "left", "above", "below")
_CELL = 48
Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True)
class Wanted:
    """A label that is to be placed.

    Attributes:
        text: What is written.
        x, y: The middle of its point in CSS pixels.
        width: Of the text.
        gap: How far it keeps from the middle.
        kind: Of what point it is.
        strength: 1 may cover obstacles, 2 other labels too.
    """

    text: str
    x: float
    y: float
    width: float
    gap: float
    kind: Literal["plain", "neighbor", "selected"] = "plain"
    strength: int = 0

    def box(self, side: Side) -> Rectangle:
        """Return left, top, right and bottom on a side of the point."""
        x, y, gap, width = self.x, self.y, self.gap, self.width
        if side == "right":
            return x + gap, y - LINE / 2, x + gap + width, y + LINE / 2
        if side == "left":
            return x - gap - width, y - LINE / 2, x - gap, y + LINE / 2
        top = y - gap - LINE if side == "above" else y + gap
        return x - width / 2, top, x + width / 2, top + LINE


class Occupied:
    """Boxes that answer whether another one hits any, by a grid of cells."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[Rectangle]] = {}

    def add(self, box: Rectangle) -> None:
        for key in _cells_of(box):
            self._cells.setdefault(key, []).append(box)

    def hits(self, box: Rectangle) -> bool:
        return any(
            box[0] < o[2] and box[2] > o[0] and box[1] < o[3] and box[3] > o[1]
            for key in _cells_of(box)
            for o in self._cells.get(key, ())
        )


def _cells_of(box: Rectangle) -> list[tuple[int, int]]:
    columns = range(int(box[0] // _CELL), int(box[2] // _CELL) + 1)
    lines = range(int(box[1] // _CELL), int(box[3] // _CELL) + 1)
    return [(u, v) for v in lines for u in columns]


def place_labels(
    labels: Sequence[Wanted],
    bounds: Area,
    obstacles: Sequence[Rectangle] = (),
    taken: Sequence[Rectangle] = (),
) -> list[tuple[Wanted, Side]]:
    """Place labels, the most important first: right of the point, else left, above, below.

    Args:
        labels: In order of importance.
        bounds: They stay within.
        obstacles: Boxes that they keep clear of.
        taken: Boxes of what is written already, covered by none but strength 2.

    Returns:
        Those that have room, and on which side.
    """
    discs, placed = Occupied(), Occupied()
    for box in obstacles:
        discs.add(box)
    for box in taken:
        placed.add(box)
    # Points that stand out are not covered by the labels of others.
    for label in labels:
        if label.strength >= 1:
            r = 0.6 * label.gap
            placed.add((label.x - r, label.y - r, label.x + r, label.y + r))
    out: list[tuple[Wanted, Side]] = []
    for label in labels:
        inside = [side for side in SIDES if _is_within(label.box(side), bounds)]
        free = [side for side in inside if not placed.hits(label.box(side))]
        clear = [side for side in free if not discs.hits(label.box(side))]
        side = clear[0] if clear else None
        if side is None and label.strength >= 1 and free:
            side = free[0]
        if side is None and label.strength >= 2:
            side = inside[0] if inside else SIDES[0]
        if side is not None:
            placed.add(label.box(side))
            out.append((label, side))
    return out


def _is_within(box: Rectangle, bounds: Area) -> bool:
    return (
        box[0] >= bounds.left
        and box[1] >= bounds.top
        and box[2] <= bounds.right
        and box[3] <= bounds.bottom
    )
