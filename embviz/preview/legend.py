"""The legend beside a map: categories with their counts, or the scale of a gradient."""

from __future__ import annotations

import numpy as np

from embviz.preview.coloring import Coloring, Entry
from embviz.preview.figures import counted_of, format_number
from embviz.preview.overlays import draw_dot
from embviz.preview.text import Letters, Pen, clean, spelled
from embviz.preview.theme import Theme, gradient

LEGEND_WIDTH = 165
_ROW = 20
_MARGIN = 12
_BAR = 9
_RADIUS = 5


def draw_legend(
    pen: Pen, coloring: Coloring, place: tuple[float, float, float], theme: Theme
) -> None:
    """Draw the legend in a column of the picture.

    Args:
        pen: What writes on the picture.
        coloring: What the colors mean.
        place: Left and top of the column, and where it ends, in CSS pixels.
        theme: The colors of the rest.
    """
    left, top, bottom = place
    room = LEGEND_WIDTH - 2 * _MARGIN
    name = pen.fitted(spelled(clean(coloring.column or "")), room, bold=True)
    pen.write(name, (left + _MARGIN, top + 8), theme.muted, letters=Letters(bold=True))
    y = top + 30.0
    if coloring.ends is not None:
        _draw_scale(pen, coloring.ends, (left + _MARGIN, y, room), theme)
        y += 40
    rows = legend_rows(coloring, int((bottom - y) // _ROW) + 1)
    for row in rows:
        _draw_row(pen, row, (left + _MARGIN, y, room), theme)
        y += _ROW


def legend_rows(coloring: Coloring, most: int) -> list[Entry]:
    """Return the lines of the legend: all, or the first and how many more there are."""
    entries, rest = coloring.entries, coloring.rest
    if len(entries) + len(rest) <= most:
        return [*entries, *rest]
    shown = max(0, most - len(rest) - 1)
    left = entries[shown:]
    count, visible = (sum(getattr(e, of) for e in left) for of in ("count", "shown"))
    return [*entries[:shown], Entry(f"{len(left):,} more", count, visible, None), *rest]


def _draw_row(pen: Pen, entry: Entry, place: tuple[float, float, float], theme: Theme) -> None:
    left, y, room = place
    count = counted_of(entry.shown, entry.count)
    pen.write(count, (left + room, y), theme.muted, "rm")
    if entry.color is not None:
        draw_dot(pen.image, (left + _RADIUS, y), _RADIUS, entry.color, pen.scale)
    name = pen.fitted(spelled(clean(entry.name)), room - 2 * _RADIUS - 12 - pen.width(count))
    color = theme.text if entry.shown and entry.color is not None else theme.muted
    pen.write(name, (left + 2 * _RADIUS + 8, y), color)


def _draw_scale(
    pen: Pen, ends: tuple[float, float], place: tuple[float, float, float], theme: Theme
) -> None:
    """Draw the gradient as a bar with the numbers at its ends."""
    from PIL import Image

    left, y, room = place
    width, height = round(room * pen.scale), round(_BAR * pen.scale)
    colors = gradient((np.arange(width) + 0.5) / width, theme.dark)
    bar = Image.fromarray(np.ascontiguousarray(np.broadcast_to(colors, (height, width, 3))))
    pen.image.paste(bar, (round(left * pen.scale), round((y - _BAR) * pen.scale)))
    low, high = (format_number(end) for end in ends)
    pen.write(low, (left, y + 11), theme.muted)
    pen.write(high, (left + room, y + 11), theme.muted, "rm")
