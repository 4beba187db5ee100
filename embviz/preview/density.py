"""Where points of one color lie so thick that they would be one flat patch (drawing/density.js)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from embviz.preview.camera import Area
from embviz.preview.discs import Canvas, js_round

Floats = NDArray[np.float32]
_CELL = 4
_FROM = 2
_LEAST = 4
_STRONGEST = 0.72


def density_shade(xy: Floats, area: Area, ink: float) -> Floats | None:
    """Return how much the color deepens, 0 to 0.72, in the middles of cells of 4 CSS pixels.

    Args:
        xy: Positions of the points that are shown, (n, 2).
        area: What they fill.
        ink: Of one point: opacity times a disc's CSS pixels.

    Returns:
        (rows, columns) with a margin of one around the area; None where nothing is flat.
    """
    columns, rows = math.ceil(area.width / _CELL) + 2, math.ceil(area.height / _CELL) + 2
    x, y = (xy - np.array([area.left, area.top], np.float32)).T
    inside = (x >= 0) & (y >= 0) & (x < area.width) & (y < area.height)
    cells = (np.floor(y[inside] / _CELL) + 1) * columns + np.floor(x[inside] / _CELL) + 1
    counts = np.bincount(cells.astype(np.int64), minlength=rows * columns).astype(np.float32)
    depth = _smooth(counts.reshape(rows, columns)) * (ink / _CELL**2)
    most = float(depth.max(initial=0))
    if most < _LEAST:
        return None
    k = min(_STRONGEST, 0.2 * math.log2(most / _FROM)) / math.log(most / _FROM)
    return np.where(depth > _FROM, k * np.log(np.maximum(depth, _FROM) / _FROM), 0).astype("f4")


def _smooth(counts: Floats) -> Floats:
    """Return each cell with its neighbors, 1 2 1 both ways."""
    across = np.zeros_like(counts)
    across[:, 1:-1] = (counts[:, :-2] + 2 * counts[:, 1:-1] + counts[:, 2:]) / 4
    out = np.zeros_like(counts)
    out[1:-1] = (across[:-2] + 2 * across[1:-1] + across[2:]) / 4
    return out


def deepen(canvas: Canvas, shade: Floats, area: Area, dark: bool) -> None:
    """Deepen a picture by such a shade: towards black, or on a dark ground towards white."""
    scale = canvas.scale
    left, right = max(0, js_round(area.left * scale)), js_round(area.right * scale)
    top, bottom = max(0, js_round(area.top * scale)), js_round(area.bottom * scale)
    part = canvas.pixels[top:bottom, left:right]
    y, x = np.arange(top, top + part.shape[0]), np.arange(left, left + part.shape[1])
    v = (y + 0.5 - area.top * scale) / (_CELL * scale) + 0.5
    u = (x + 0.5 - area.left * scale) / (_CELL * scale) + 0.5
    row = np.minimum(shade.shape[0] - 2, np.floor(v)).astype(int)
    column = np.minimum(shade.shape[1] - 2, np.floor(u)).astype(int)
    fu = (u - np.floor(u)).astype(np.float32)
    fv = (v - row).astype(np.float32)[:, None]
    upper = shade[row][:, column] * (1 - fu) + shade[row][:, column + 1] * fu
    lower = shade[row + 1][:, column] * (1 - fu) + shade[row + 1][:, column + 1] * fu
    mix = (upper * (1 - fv) + lower * fv)[..., None]
    end = part[..., 3:] if dark else np.float32(0)
    part[..., :3] += (end - part[..., :3]) * mix
