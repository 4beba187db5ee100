"""One map of the points as a picture: grid, points, captions, marks and labels (plot/layer.js)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embviz.preview.axes import Line, Written, caption_2d, caption_3d, grid_2d, grid_3d
from embviz.preview.camera import Area, Deep, Flat, View, open_view, plot_area
from embviz.preview.cells import draw_scale, underlay
from embviz.preview.coloring import Coloring
from embviz.preview.density import deepen, density_shade
from embviz.preview.discs import (
    Canvas,
    Stamps,
    depth_order,
    disc_opacity,
    disc_radius,
    draw_discs,
    eighths,
    finely,
)
from embviz.preview.marks import Mark, choose_labels, marks_of
from embviz.preview.named import Group, groups_of, write_name
from embviz.preview.order import drawing_order
from embviz.preview.overlays import draw_lines, sequence_strokes, sequences
from embviz.preview.plates import draw_plates, write_label
from embviz.preview.text import Letters, Pen, clean, spelled
from embviz.preview.theme import Theme
from embviz.preview.tiles import Placed, Tiles, draw_tiles, level_opacity, thumbnail_size
from embviz.preview.view import FirstView, Map

if TYPE_CHECKING:
    from PIL.Image import Image

Rows = NDArray[np.int64]
_DIMMED = 0.3
_FAINTEST = 0.1
_FADE = 0.4


@dataclass(frozen=True, eq=False)
class Style:
    """How the points of all maps look: colors, thumbnails where they have some, the theme."""

    theme: Theme
    coloring: Coloring
    tiles: Tiles | None
    scale: float


@dataclass(frozen=True, eq=False)
class Look:
    """How points look in a view.

    Attributes:
        radius: Of discs in CSS pixels.
        opacity: Of those that do not stand out.
        tile: The longer side of thumbnails, 0 for discs.
        count: How many are in sight.
        fade: How much fainter far ones are.
        dims: Whether those that are not selected step back.
    """

    radius: float
    opacity: float
    tile: int
    count: int
    fade: float
    dims: bool


@dataclass(frozen=True, eq=False)
class Drawing:
    """A map on its way to a picture.

    Attributes:
        view, one, style: What is drawn, which map of it, and how.
        area: What the points may fill, in CSS pixels.
        camera: Where places land.
        xy: float32 (n_points, 2), where all points did; NaN behind the camera.
        drawn: All points in the order of drawing, without regard to depth.
        order: Those that are shown, in 3D from far to near.
        levels: How near each of those is, in 3D.
        look: How they look.
        marks: Those that stand out, the most important last.
        groups: Those that may be named.
    """

    view: FirstView
    one: Map
    style: Style
    area: Area
    camera: View
    xy: NDArray[np.float32]
    drawn: Rows
    order: Rows
    levels: NDArray[np.uint8] | None
    look: Look
    marks: tuple[Mark, ...]
    groups: tuple[Group, ...]


def draw_map(view: FirstView, one: Map, style: Style, size: tuple[float, float]) -> Image:
    """Return one map as a picture.

    Args:
        view: What the report opens with.
        one: One of its maps.
        style: How the points look.
        size: Width and height in CSS pixels.
    """
    from PIL import Image

    drawing = arranged(view, one, style, size)
    pixels = (round(size[0] * style.scale), round(size[1] * style.scale))
    image = Image.new("RGB", pixels, style.theme.background)
    image = _below(image, drawing)
    canvas = Canvas(*pixels, style.scale)
    if drawing.look.tile:
        _paint_tiles(canvas, drawing)
    else:
        _paint_discs(canvas, drawing)
    if view.density is not None and isinstance(drawing.camera, Flat):
        underlay(canvas, view.density, drawing.camera, drawing.area, style.theme.dark)
    image = Image.fromarray(canvas.over(np.asarray(image)))
    return _above(image, drawing, size)


def arranged(view: FirstView, one: Map, style: Style, size: tuple[float, float]) -> Drawing:
    """Return where all points of a map land, and how they look."""
    area = plot_area(*size, view.dims, view.axes)
    visible = view.visible

    def seen(room: float = 0) -> View:
        places = [each.places for each in view.maps]
        return open_view(places, view.box, area, view.axes is not None, room)

    camera = seen()
    if style.tiles is not None:
        # Thumbnails are seen to their edges.
        shown = camera.project(one.places)[0][slice(None) if visible is None else visible > 0]
        camera = seen(thumbnail_size(shown, area, style.tiles) / 2)
    xy, depth = camera.project(one.places)
    levels = None
    is_one_color = style.coloring.column is None
    drawn = drawing_order(one.places, None if is_one_color else style.coloring.colors)
    if depth is None:
        order = drawn if visible is None else drawn[visible[drawn]]
    else:
        order, levels = depth_order(depth[drawn], None if visible is None else visible[drawn])
        order = drawn[order]
    look = _look(view, style, area, xy[order])
    marks = tuple(marks_of(view, one, look.radius, style.theme))
    groups = tuple(groups_of(view))
    return Drawing(view, one, style, area, camera, xy, drawn, order, levels, look, marks, groups)


def _look(view: FirstView, style: Style, area: Area, shown: NDArray[np.float32]) -> Look:
    low, high = np.array([area.left, area.top]), np.array([area.right, area.bottom])
    count = int(((shown >= low) & (shown <= high)).all(axis=1).sum())
    radius = disc_radius(view.n_shown)
    dims = 0 < len(set(view.options.selected)) < view.n_shown
    tile = 0 if style.tiles is None else thumbnail_size(shown, area, style.tiles)
    opacity = disc_opacity(count, radius, area)
    if view.density is not None:
        opacity = opacity**1.5
    if dims or view.density is not None:
        opacity = max(_FAINTEST / (_DIMMED if dims else 1), opacity)
    return Look(radius, opacity, tile, count, _FADE if view.dims == 3 else 0, dims)


def _paint_discs(canvas: Canvas, drawing: Drawing) -> None:
    look, area, style = drawing.look, drawing.area, drawing.style
    scale = canvas.scale
    xy = drawing.xy[drawing.order]
    colors = style.coloring.colors
    stamps = Stamps.disc(eighths(look.radius * scale), opacity=finely(look.opacity), fade=look.fade)
    draw_discs(canvas, xy, colors[drawing.order], stamps, area, drawing.levels)
    if style.coloring.column is None:
        shade = density_shade(xy, area, look.opacity * np.pi * look.radius**2)
        if shade is not None:
            deepen(canvas, shade, area, style.theme.dark)
    if look.dims:
        canvas.fade(_DIMMED)
    for mark in drawing.marks:
        rows = _as_drawn(mark, drawing.drawn)
        at = drawing.xy[rows]
        wide = eighths((mark.radius + mark.ring + 1.5) * scale)
        ring = eighths((mark.radius + mark.ring + 0.5) * scale)
        inner = (mark.radius + 0.5) * scale
        ground = np.array(style.theme.background, np.uint8)
        draw_discs(canvas, at, ground, Stamps.disc(wide), area)
        draw_discs(canvas, at, np.array(mark.color, np.uint8), Stamps.disc(ring, inner), area)
        draw_discs(canvas, at, colors[rows], Stamps.disc(eighths(mark.radius * scale)), area)


def _paint_tiles(canvas: Canvas, drawing: Drawing) -> None:
    tiles, look = drawing.style.tiles, drawing.look
    assert tiles is not None
    colors = drawing.style.coloring.colors

    def paint(rows: Rows, opacity: float, levels: NDArray[np.uint8] | None = None) -> None:
        shades = level_opacity(opacity, levels, len(rows))
        placed = Placed(drawing.xy[rows], tiles.of[rows], colors[rows], shades)
        draw_tiles(canvas, placed, tiles, look.tile, drawing.area)

    paint(drawing.order, _DIMMED if look.dims else 0.9, drawing.levels)
    for mark in drawing.marks:
        paint(_as_drawn(mark, drawing.drawn), 1)


def _as_drawn(mark: Mark, drawn: Rows) -> Rows:
    """Return a mark's rows, selected ones, who may be many, in the order of drawing."""
    return drawn[np.isin(drawn, mark.rows)] if mark.kind == "selected" else mark.rows


def _below(image: Image, drawing: Drawing) -> Image:
    """Return the image with the grid and its numbers."""
    view, theme, scale = drawing.view, drawing.style.theme, drawing.style.scale
    if view.axes is None:
        return image
    if isinstance(drawing.camera, Deep):
        pen = Pen(image, scale, theme.background)
        lines, numbers = grid_3d(drawing.camera, view.box, pen)
        image = draw_lines(image, [(line, theme.grid) for line in lines], 1, scale)
    else:
        lines, numbers = grid_2d(drawing.camera, drawing.area)
        _crisp(image, lines, drawing.style)
    pen = Pen(image, scale, theme.background)
    for number in numbers:
        _write_number(pen, number, theme)
    return image


def _crisp(image: Image, lines: list[Line], style: Style) -> None:
    """Draw level and upright lines one CSS pixel wide, as whole pixels."""
    wide = max(1, round(style.scale))
    for start, end in lines:
        x0, y0, x1, y1 = (round(float(v) * style.scale) for v in (*start, *end))
        upright = x0 == x1
        box = (x0, y0, x0 + wide, y1) if upright else (x0, y0, x1, y0 + wide)
        image.paste(style.theme.grid, box)


def _write_number(pen: Pen, number: Written, theme: Theme) -> None:
    pen.write(number.text, number.at, theme.muted, number.anchor, Letters(11))


def _above(image: Image, drawing: Drawing, size: tuple[float, float]) -> Image:
    """Return the image with captions, sequences, plates and labels."""
    view, style, theme = drawing.view, drawing.style, drawing.style.theme
    paths = sequences(view.table)
    if paths:
        strokes = sequence_strokes(paths, drawing.xy, view.visible, theme.dark)
        width, alpha = (2.0 if style.tiles else 1.25), (0.35 if len(paths) > 500 else 0.7)
        image = draw_lines(image, strokes, width, style.scale, alpha)
    pen = Pen(image, style.scale, theme.background)
    if view.axes is not None and isinstance(drawing.camera, Deep):
        caption_3d(pen, view.axes, drawing.camera, view.box, theme)
    elif view.axes is not None:
        caption_2d(pen, view.axes, drawing.area, theme)
    if view.density is not None and isinstance(drawing.camera, Flat):
        draw_scale(pen, view.density, drawing.camera, drawing.area, theme)
    draw_plates(image, drawing)
    labels, names = choose_labels(pen, drawing, size)
    for label, side in labels:
        write_label(pen, label, side, theme)
    for each in names:
        write_name(pen, each, theme)
    if drawing.one.name:
        name = pen.fitted(spelled(clean(drawing.one.name)), size[0] - 24, bold=True)
        pen.write(name, (12, 14), theme.text, letters=Letters(bold=True))
    return image
