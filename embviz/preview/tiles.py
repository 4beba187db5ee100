"""Thumbnails as the points themselves (drawing/tiles.js, drawing/raster.js, plot/thumbnail.js)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from embviz.model import Sprite
from embviz.preview.camera import Area
from embviz.preview.discs import LEVELS, Canvas, js_round
from embviz.sprites import read_tiles, tile_kind

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_SIZES = (6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 256)
_CELL = 16
_INK_COVER, _PHOTO_COVER = 0.75, 1.3
_INK_GAIN = 1.35
_MARGIN = 40
_MOST_TOUCHED = 2_000_000
_MOST_CHUNKS = 24
_UNSEEN = math.log(1 / 1024)
"""Of what lets less than that through nothing is seen."""


@dataclass(frozen=True, eq=False)
class Tiles:
    """The thumbnails of points.

    Attributes:
        pixels: uint8 (n_tiles, height, width, channels), gray, RGB or RGBA.
        of: The tile of each point, int64 (n_points,); -1 where it has none.
        ink: Whether they are ink on a plain ground, which takes the points' colors.
        light: Whether that ground is light.
        ink_share: How much of a tile is ink.
    """

    pixels: Bytes
    of: NDArray[np.int64]
    ink: bool
    light: bool
    ink_share: float

    def only(self, tile: int) -> Tiles:
        """Return one tile alone."""
        return replace(self, pixels=self.pixels[tile : tile + 1])


def open_tiles(sprite: Sprite, of: NDArray[np.int64]) -> Tiles:
    """Return the thumbnails of points.

    Args:
        sprite: Their sheet.
        of: The tile of each point.
    """
    tiles = read_tiles(sprite)
    ink = tile_kind(tiles) == "ink"
    if tiles.ndim == 3:
        tiles = tiles[..., None]
    own, places = np.unique(of, return_inverse=True)
    there = own < len(tiles)
    light = bool(_on(tiles[:1, 0, 0].astype(np.float32), 255).sum() > 384)
    own = own[there]
    # Tiles are many: where the points have the first of them, they are not copied.
    pixels = tiles[: len(own)] if own[-1:] == len(own) - 1 else tiles[own]
    sample = pixels[:: max(1, len(pixels) // 4096)].astype(np.float32)
    mean = float(_on(sample, 255 if light else 0).mean()) / 255
    share = (1 - mean if light else mean) if ink else 1.0
    numbers = np.where(there[places], places, -1).reshape(-1).astype(np.int64)
    return Tiles(pixels, numbers, ink, ink and light, share)


def _on(pixels: Floats, ground: float) -> Floats:
    """Return the colors (n, 3) of pixels of 1, 3 or 4 channels over a gray ground."""
    if pixels.shape[-1] == 1:
        return np.repeat(pixels, 3, axis=-1)
    if pixels.shape[-1] == 3:
        return pixels
    alpha = pixels[..., 3:] / np.float32(255)
    out: Floats = pixels[..., :3] * alpha + np.float32(ground) * (1 - alpha)
    return out


def thumbnail_size(xy: Floats, area: Area, tiles: Tiles) -> int:
    """Return the longer side of a thumbnail in CSS pixels, 0 where none is in sight.

    Args:
        xy: Positions of the points that are shown, (n, 2).
    """
    x, y = (xy - np.array([area.left, area.top], np.float32)).T
    inside = (x >= 0) & (x <= area.width) & (y >= 0) & (y <= area.height)
    columns = math.ceil(area.width / _CELL) + 1
    cells = np.floor(y[inside] / _CELL) * columns + np.floor(x[inside] / _CELL)
    ground = max(len(np.unique(cells)), 1) * _CELL**2
    cover = _INK_COVER / max(0.05, tiles.ink_share) if tiles.ink else _PHOTO_COVER
    natural = math.sqrt(cover * ground / max(1, int(inside.sum())))
    most = max(24, 2 * max(tiles.pixels.shape[1:3]))
    wanted = min(max(natural, 8), most)
    return max(size for size in _SIZES if size <= wanted)


def tile_sides(tiles: Tiles, size: float) -> tuple[int, int]:
    """Return width and height of a tile whose longer side is `size`."""
    height, width = tiles.pixels.shape[1:3]
    k = size / max(width, height)
    return max(1, js_round(width * k)), max(1, js_round(height * k))


def scaled_tiles(tiles: Tiles, width: int, height: int, gain: float = _INK_GAIN) -> Bytes:
    """Return all tiles at a size: how much ink is where, (n, height, width), or RGBA."""
    from PIL import Image

    n, own_height, own_width, channels = tiles.pixels.shape
    w, h = min(width, own_width), min(height, own_height)
    pixels = tiles.pixels
    if n and (w, h) != (own_width, own_height):
        # One high picture, so that all are scaled at once.
        tall = pixels.reshape(n * own_height, own_width, channels)
        whole = Image.fromarray(tall[..., 0] if channels == 1 else tall)
        small = np.asarray(whole.resize((w, n * h), Image.Resampling.BOX))
        pixels = small.reshape(n, h, w, channels)
    if (w, h) != (width, height):
        v = ((np.arange(height) + 0.5) * h / height).astype(int)
        u = ((np.arange(width) + 0.5) * w / width).astype(int)
        pixels = pixels[:, v[:, None], u]
    return _ink_of(pixels, tiles.light, gain) if tiles.ink else _rgba(pixels)


def _rgba(pixels: Bytes) -> Bytes:
    if pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    if pixels.shape[-1] == 4:
        return pixels
    return np.concatenate([pixels, np.full((*pixels.shape[:-1], 1), 255, np.uint8)], axis=-1)


def _ink_of(pixels: Bytes, light: bool, gain: float) -> Bytes:
    """Take the ground away: how much ink is at each pixel, 0 to 255."""
    channels = pixels.shape[-1]
    weights = np.array([54, 183, 19], np.float32) / 256
    luminance = pixels[..., 0] if channels == 1 else pixels[..., :3] @ weights
    ink = np.subtract(255, luminance, dtype=np.float32) if light else luminance
    ink = ink * np.float32(gain)
    if channels == 4:
        ink *= pixels[..., 3] / np.float32(255)
    return np.minimum(255, ink).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Placed:
    """Tiles in the order of drawing.

    Attributes:
        xy: Where their middles are in CSS pixels, (n, 2), NaN where one is not seen.
        of: The tile of each, -1 for none.
        colors: Of each, (n, 3).
        opacity: Of each, (n,).
    """

    xy: Floats
    of: NDArray[np.int64]
    colors: Bytes
    opacity: NDArray[np.float64]


def level_opacity(opacity: float, levels: Bytes | None, n: int) -> NDArray[np.float64]:
    """Return the opacity of n tiles; far ones are fainter."""
    if levels is None:
        return np.full(n, opacity)
    return opacity * (0.55 + 0.45 * levels / (LEVELS - 1))


def draw_tiles(canvas: Canvas, placed: Placed, tiles: Tiles, size: int, area: Area) -> None:
    """Draw a small picture at each point: ink takes its color, photographs get a frame of it.

    Args:
        canvas: What is drawn on.
        placed: Where they are.
        tiles: The thumbnails.
        size: Of the longer side in CSS pixels.
        area: What is outside of it is left out.
    """
    xy = placed.xy
    width, height = tile_sides(tiles, size * canvas.scale)
    low = np.array([area.left, area.top]) - _MARGIN
    high = np.array([area.right, area.bottom]) + _MARGIN
    rows = np.flatnonzero(((xy >= low) & (xy < high)).all(axis=1) & (placed.of >= 0))
    corner = np.floor(xy * float(canvas.scale) - (width / 2, height / 2) + 0.5)[rows].astype(int)
    if not tiles.ink and tiles.pixels.shape[3] < 4:
        layers = math.ceil(_UNSEEN / math.log1p(-min(0.99, float(placed.opacity.min(initial=1)))))
        there = unburied(corner, (width, height), (canvas.width, canvas.height), layers)
        rows, corner = rows[there], corner[there]
    atlas = scaled_tiles(tiles, width, height)
    frame = max(1, js_round(1.25 * canvas.scale))
    step = max(1, _MOST_TOUCHED // (width * height))
    ends = [(area.left, area.top), (area.right, area.bottom)]
    clip = [[js_round(x * canvas.scale) for x in end] for end in ends]
    (left, top), (right, bottom) = np.clip(clip, 0, (canvas.width, canvas.height))
    for start in range(0, len(rows), step):
        part, at = rows[start : start + step], corner[start : start + step]
        shown = atlas[placed.of[part]]
        alpha = shown if tiles.ink else shown[..., 3].copy()
        if not tiles.ink:
            edge = np.ones((height, width), bool)
            edge[frame : height - frame, frame : width - frame] = False
            alpha[:, edge] = 255
        owner, v, u = np.nonzero(alpha)
        px, py = at[owner, 0] + u, at[owner, 1] + v
        seen = (px >= left) & (py >= top) & (px < right) & (py < bottom)
        owner, v, u, px, py = owner[seen], v[seen], u[seen], px[seen], py[seen]
        cover = alpha[owner, v, u] / 255 * placed.opacity[part][owner]
        shades = placed.colors[part][owner]
        if not tiles.ink:
            shades = np.where(edge[v, u][:, None], shades, shown[owner, v, u, :3])
        canvas.blend(py * canvas.width + px, cover, shades)


def unburied(
    corner: NDArray[np.int64], size: tuple[int, int], canvas: tuple[int, int], layers: int
) -> NDArray[np.bool_]:
    """Tell which opaque boxes have a pixel that fewer than so many later ones cover.

    Args:
        corner: Left and top of each in pixels, in the order of drawing, (n, 2).
        size: Width and height of all.
        canvas: Of the picture.
        layers: How many hide what is below.
    """
    width, height = canvas
    low = np.clip(corner, 0, canvas)
    high = np.clip(corner + size, 0, canvas)
    keep: NDArray[np.bool_] = np.asarray((high > low).all(axis=1))
    later = np.zeros((height + 1, width + 1), np.int32)
    step = max(256, len(corner) // _MOST_CHUNKS)
    for end in range(len(corner), 0, -step):
        part = np.s_[max(0, end - step) : end]
        (x0, y0), (x1, y1) = low[part].T, high[part].T
        thin = (np.cumsum(np.cumsum(later, axis=0), axis=1) < layers)[:-1, :-1]
        sums = np.zeros((height + 1, width + 1), np.int32)
        sums[1:, 1:] = np.cumsum(np.cumsum(thin, axis=0, dtype=np.int32), axis=1)
        keep[part] &= sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0] > 0
        for y, x, sign in ((y0, x0, 1), (y1, x1, 1), (y0, x1, -1), (y1, x0, -1)):
            np.add.at(later, (y, x), sign)
    return keep
