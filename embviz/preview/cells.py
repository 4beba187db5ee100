"""How densely all points lie, as grays under those of a sample (drawing and plot/cells.js)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import counted
from embviz.preview.camera import Area, Flat
from embviz.preview.discs import Canvas, js_round
from embviz.preview.text import Letters, Pen
from embviz.preview.theme import RGB, Theme
from embviz.shards.values import Density

Numbers = NDArray[np.float64]
_CRISP = 2
_NOTHING = 1 / 256
_GROUND, _INK, _FROM, _TO = (255, 20), (23, 238), (-5, 6), (-36, 42)
"""Gray values of the ground and the ink, and how far lightness moves, in light and in dark."""
_SMALL = Letters(11)
_BAR, _BAR_HEIGHT, _SLICES = 72, 8, 24
_EDGE, _HIGH = 10, 20


@dataclass(frozen=True)
class Scale:
    """What the darkest gray stands for, in a cell or in so many as a CSS pixel has."""

    most: float
    cells: float


def scale_of(density: Density, camera: Flat) -> Scale:
    """Return the scale of the grays in a view."""
    cells = max(1.0, float(1 / np.prod(_sides(density, camera))))
    most = _most_of(density)
    level = min(len(most) - 1, math.log(cells) / math.log(4))
    under = math.floor(level)
    low, high = most[under], most[min(len(most) - 1, under + 1)]
    return Scale(low * (high / low) ** (level - under) if low else 0.0, cells)


def underlay(canvas: Canvas, density: Density, camera: Flat, area: Area, dark: bool) -> None:
    """Draw a density under what a picture holds already."""
    k = canvas.scale
    left, top = max(0, js_round(area.left * k)), max(0, js_round(area.top * k))
    right, bottom = (
        min(canvas.width, js_round(area.right * k)),
        min(canvas.height, js_round(area.bottom * k)),
    )
    height, width = density.counts.shape
    cell = _cell(density)

    def along(j: int) -> Callable[[Any], Numbers]:
        """Return where edges or middles of pixels lie in cells."""
        return lambda at: (
            ((np.asarray(at) / k - camera.b[j]) / camera.k[j] - density.low[j]) / cell[j]
        )

    scale = scale_of(density, camera)
    sides = _sides(density, camera) * k
    if min(sides) >= _CRISP:
        columns = np.floor(along(0)(np.arange(left, right) + 0.5)).astype(np.int64)
        rows = np.floor(along(1)(np.arange(top, bottom) + 0.5)).astype(np.int64)
        inside = np.ix_((rows >= 0) & (rows < height), (columns >= 0) & (columns < width))
        values = np.zeros((bottom - top, right - left))
        there = density.counts[np.clip(rows, 0, height - 1)][:, np.clip(columns, 0, width - 1)]
        values[inside] = there[inside]
    else:
        x = np.clip(along(0)(np.arange(left, right + 1)), 0, width)
        y = np.clip(along(1)(np.arange(top, bottom + 1)), 0, height)
        corners = _lines_at(_lines_at(_sums(density), y, 0), x, 1)
        sums = np.diff(np.diff(corners, axis=0), axis=1)
        values = np.abs(sums) * scale.cells * float(np.prod(sides))
    part = canvas.pixels[top:bottom, left:right]
    alpha = np.where(values >= _NOTHING, _opacity(values, scale.most, dark), 0)
    gray = np.float32(_INK[dark])
    room = (1 - part[..., 3:] / 255) * alpha[..., None]
    part += (room * np.array([gray, gray, gray, 255])).astype(np.float32)


def draw_scale(pen: Pen, density: Density, camera: Flat, area: Area, theme: Theme) -> None:
    """Draw the scale of the grays at the lower right."""
    ends = _ends(scale_of(density, camera))
    left, top, right, bottom = scale_box(pen, density, camera, area)
    _plate(pen, (left, top, right, bottom), theme)
    middle = (top + bottom) / 2
    low = pen.width(ends[0], 11) + 6 if ends[0] else 0
    if ends[0]:
        pen.write(ends[0], (left + 6, middle), theme.muted, letters=_SMALL)
    pen.write(ends[1], (left + low + _BAR + 12, middle), theme.muted, letters=_SMALL)
    x = left + low + 6
    for i in range(_SLICES):
        start, stop = (x + _BAR * each / _SLICES for each in (i, i + 1))
        color = _gray_at(i / (_SLICES - 1) if ends[0] else 1, theme.dark)
        sides = (start, middle - _BAR_HEIGHT / 2, stop, middle + _BAR_HEIGHT / 2)
        x0, y0, x1, y1 = (round(side * pen.scale) for side in sides)
        pen.image.paste(color, (x0, y0, x1, y1))


def scale_box(
    pen: Pen, density: Density, camera: Flat, area: Area
) -> tuple[float, float, float, float]:
    """Return where the scale stands."""
    ends = _ends(scale_of(density, camera))
    low, high = (pen.width(text, 11) if text else 0 for text in ends)
    width = low + _BAR + high + 6 * (4 if low else 3)
    right, bottom = area.right - _EDGE, area.bottom - _EDGE
    return right - width, bottom - _HIGH, right, bottom


def _ends(scale: Scale) -> tuple[str, str]:
    most = float(f"{scale.most:.2g}") if scale.cells > 1 else scale.most
    what = "pixel" if scale.cells > 1 else "cell"
    return ("1" if scale.most > 1 else "", f"{counted(js_round(most), 'point')} a {what}")


def _plate(pen: Pen, box: tuple[float, float, float, float], theme: Theme) -> None:
    from PIL import Image

    left, top, right, bottom = (round(side * pen.scale) for side in box)
    ground = Image.new("RGB", (right - left, bottom - top), theme.background)
    below = pen.image.crop((left, top, right, bottom))
    pen.image.paste(Image.blend(below, ground, 0.88), (left, top))


def _cell(density: Density) -> Numbers:
    height, width = density.counts.shape
    sides: Numbers = (density.high - density.low) / np.array([width, height])
    return sides


def _sides(density: Density, camera: Flat) -> Numbers:
    """Return the sides of a cell in CSS pixels."""
    sides: Numbers = np.abs(camera.k) * _cell(density)
    return sides


def _most_of(density: Density) -> list[float]:
    """Return the most in squares of one cell, of 2 x 2, and so on."""
    level = density.counts.astype(np.float64)
    most = [float(level.max())]
    while level.size > 1:
        level = np.pad(level, [(0, side % 2) for side in level.shape])
        level = level.reshape(level.shape[0] // 2, 2, level.shape[1] // 2, 2).sum(axis=(1, 3))
        most.append(float(level.max()))
    return most


def _sums(density: Density) -> Numbers:
    counts = np.pad(density.counts.astype(np.float64), ((1, 0), (1, 0)))
    sums: Numbers = counts.cumsum(axis=0).cumsum(axis=1)
    return sums


def _lines_at(table: Numbers, at: Numbers, axis: int) -> Numbers:
    """Return lines between those of a table, (len(at), …) along an axis."""
    low = np.minimum(table.shape[axis] - 2, np.floor(at)).astype(np.int64)
    shape = [1, 1]
    shape[axis] = -1
    part = (at - low).reshape(shape)
    under, over = np.take(table, low, axis), np.take(table, low + 1, axis)
    lines: Numbers = under + (over - under) * part
    return lines


def _opacity(values: Numbers, most: float, dark: bool) -> Numbers:
    """Return how opaque the ink is at values: by the logarithm, in even steps of lightness."""
    few = np.minimum(1, values)
    # Where no cell has more than one point, one is the most.
    parts = few
    if most > 1:
        parts = np.minimum(1, np.log(np.maximum(values, 1)) / math.log(most))
    return _ink(parts, few, dark)


def _ink(parts: Numbers, few: Numbers, dark: bool) -> Numbers:
    ground, ink = _GROUND[dark], _INK[dark]
    moved = few * _FROM[dark] + parts * (_TO[dark] - _FROM[dark])
    opacity: Numbers = (_gray_of(_lightness_of(ground) + moved) - ground) / (ink - ground)
    return opacity


def _gray_at(part: float, dark: bool) -> RGB:
    opacity = float(_ink(np.array(part), np.array(1.0), dark))
    gray = js_round(_GROUND[dark] + opacity * (_INK[dark] - _GROUND[dark]))
    return gray, gray, gray


def _gray_of(lightness: Numbers) -> Numbers:
    """Return gray values of sRGB, 0 to 255, of CIE L*."""
    y = np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness / 903.3)
    curved = 1.055 * np.maximum(y, 1e-9) ** (1 / 2.4) - 0.055
    gray: Numbers = 255 * np.where(y <= 0.0031308, 12.92 * y, curved)
    return gray


def _lightness_of(gray: float) -> float:
    x = gray / 255
    y = x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y
