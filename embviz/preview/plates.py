"""Labels and plates with thumbnails over the points that stand out (plot/marks.js)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embviz.preview.labels import Side, Wanted
from embviz.preview.marks import plate_sizes
from embviz.preview.text import LINE, Letters, Pen
from embviz.preview.theme import RGB, Theme
from embviz.preview.tiles import scaled_tiles, tile_sides

if TYPE_CHECKING:
    from PIL.Image import Image

    from embviz.preview.maps import Drawing

_GAIN = 1.1
_FINE = 4


def draw_plates(image: Image, drawing: Drawing) -> None:
    """Draw the thumbnails of points that stand out on plates of their own."""
    sizes, tiles = plate_sizes(drawing.marks, drawing.look.tile), drawing.style.tiles
    if not sizes or tiles is None:
        return
    scale, theme = drawing.style.scale, drawing.style.theme
    for mark in drawing.marks:
        width, height = tile_sides(tiles, (sizes[mark.kind] - 4) * scale)
        line = 2.5 if mark.kind == "selected" else 1.5
        for row in mark.rows[::-1].tolist():
            if tiles.of[row] < 0 or not np.isfinite(drawing.xy[row]).all():
                continue
            alone = tiles.only(int(tiles.of[row]))
            pixels = scaled_tiles(alone, width, height, _GAIN)[0]
            color: RGB = theme.accent
            if mark.kind == "neighbor":
                color = tuple(drawing.style.coloring.colors[row].tolist())
            at = drawing.xy[row].astype(float) * scale
            _plate(image, at, (width, height), (color, theme.background), (line * scale, 2 * scale))
            corner = (round(at[0] - width / 2), round(at[1] - height / 2))
            _tile(image, corner, pixels, theme)


def _plate(
    image: Image,
    at: np.ndarray,
    size: tuple[int, int],
    colors: tuple[RGB, RGB],
    widths: tuple[float, float],
) -> None:
    """Draw a rounded frame and its ground; `widths` are of the line and of the margin inside."""
    from PIL import Image as Images
    from PIL import ImageDraw

    line, margin = widths
    w, h = (round(side + 2 * margin + line) for side in size)
    for inset, color in ((0.0, colors[0]), (line, colors[1])):
        mask = Images.new("L", (w * _FINE, h * _FINE))
        edge = inset * _FINE
        box = (edge, edge, w * _FINE - 1 - edge, h * _FINE - 1 - edge)
        ImageDraw.Draw(mask).rounded_rectangle(box, 3 * margin * _FINE / 2, fill=255)
        image.paste(color, (round(at[0] - w / 2), round(at[1] - h / 2)), mask.reduce(_FINE))


def _tile(image: Image, corner: tuple[int, int], pixels: np.ndarray, theme: Theme) -> None:
    """Paste one tile: ink in the text's color."""
    from PIL import Image as Images

    if pixels.ndim == 2:
        image.paste(theme.text, corner, Images.fromarray(pixels))
    else:
        picture = Images.fromarray(np.ascontiguousarray(pixels))
        image.paste(picture, corner, picture.getchannel("A"))


def write_label(pen: Pen, label: Wanted, side: Side, theme: Theme) -> None:
    """Write a label on a side of its point, set off from what is below."""
    x, y, gap = label.x, label.y, label.gap
    at, anchor = {
        "right": ((x + gap, y), "lm"),
        "left": ((x - gap, y), "rm"),
        "above": ((x, y - gap - LINE / 2), "mm"),
        "below": ((x, y + gap + LINE / 2), "mm"),
    }[side]
    bold = label.kind == "selected"
    pen.write(
        label.text, at, theme.accent if bold else theme.text, anchor, Letters(bold=bold, halo=True)
    )
