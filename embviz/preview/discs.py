"""Points into pixels: anti-aliased shapes blended in their order (drawing/raster.js).

The page blends shape after shape. Here all pixels that shapes touch are sorted by where they are,
stably, and what lies on one pixel is blended at once: the upper ones' light is taken from the lower
ones' by products of what each lets through.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.preview.camera import Area

_PHASES = 4
LEVELS = 16
_BUCKETS = 16384
_MOST_TOUCHED = 2_000_000
_OPAQUE = 1 - 1e-6
Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def js_round(x: float) -> int:
    """Return the nearest whole number, halves upwards, as the page's script rounds."""
    return math.floor(x + 0.5)


def eighths(x: float) -> float:
    """Return a number in steps of an eighth, in which sizes are."""
    return js_round(8 * x) / 8


def finely(x: float) -> float:
    """Return an opacity in eighths, in sixty-fourths where it could come to nothing."""
    return js_round(64 * x) / 64 if x < 0.25 else eighths(x)


class Canvas:
    """A picture: premultiplied colors and coverage, float32 (height, width, 4), 0 to 255."""

    def __init__(self, width: int, height: int, scale: float) -> None:
        self.width, self.height, self.scale = width, height, scale
        self.pixels: Floats = np.zeros((height, width, 4), np.float32)

    def blend(
        self, at: NDArray[np.int64], cover: NDArray[np.float64], colors: NDArray[np.uint8]
    ) -> None:
        """Lay colors over pixels, the later over the earlier.

        Args:
            at: Pixels, line by line, int64 (n,); one may be there many times.
            cover: How much of each is covered, (n,), 0 to 1.
            colors: (n, 3).
        """
        if not len(at):
            return
        order = _stable_order(at)
        at, cover = at[order], np.minimum(cover[order], _OPAQUE)
        first = np.flatnonzero(np.concatenate([[True], at[1:] != at[:-1]]))
        counts = np.diff(np.concatenate([first, [len(at)]]))
        passed = np.cumsum(np.log1p(-cover))
        ends = passed[first + counts - 1]
        weight = cover * np.exp(np.repeat(ends, counts) - passed)
        before = np.concatenate([[0.0], ends[:-1]])
        flat = self.pixels.reshape(-1, 4)
        through = np.exp(ends - before)
        where = at[first]
        for c in range(3):
            light = np.add.reduceat(weight * colors[:, c][order], first)
            flat[where, c] = light + through * flat[where, c]
        flat[where, 3] = 255 * (1 - through) + through * flat[where, 3]

    def fade(self, strength: float) -> None:
        """Make all that is there fainter, as the page's drawing/fade.js does."""
        self.pixels *= np.float32(round(256 * strength) / 256)

    def over(self, ground: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the picture over an opaque one, uint8 (height, width, 3)."""
        through = 1 - self.pixels[..., 3:] / 255
        mixed = self.pixels[..., :3] + through * ground
        return np.clip(mixed + 0.5, 0, 255).astype(np.uint8)


def _stable_order(at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the order that sorts pixel numbers below 2^32, stably, by their halves."""
    order = np.argsort((at & 0xFFFF).astype(np.uint16), kind="stable")
    high = (at >> 16).astype(np.uint16)[order]
    return order[np.argsort(high, kind="stable")]


def disc_radius(n: int) -> float:
    """Return the radius of a disc in CSS pixels, by the number of points that are shown."""
    return min(4.5, max(1.2, 4.5 * math.pow(100 / max(1, n), 0.16)))


def disc_opacity(count: int, radius: float, area: Area) -> float:
    """Return how opaque a disc is, so that where many overlap, dense differs from very dense."""
    cover = count * math.pi * radius * radius / (0.35 * area.width * area.height)
    return min(1.0, max(0.18, 0.95 / math.pow(max(cover, 1e-9), 0.6)))


@dataclass(frozen=True, eq=False)
class Stamps:
    """Shapes of a disc or ring at 4 x 4 places within a pixel, for each depth level.

    Attributes:
        start, count: Where each shape's pixels begin in the lists, and how many it has.
        dx, dy: Where its pixels are from its middle's.
        cover: How much of each is covered, in steps of 1/256.
    """

    start: Rows
    count: Rows
    dx: Rows
    dy: Rows
    cover: NDArray[np.float64]

    @classmethod
    def disc(cls, radius: float, inner: float = 0, opacity: float = 1, fade: float = 0) -> Stamps:
        """Return the shapes of a disc.

        Args:
            radius: Outer radius in picture pixels.
            inner: Inner radius of a ring.
            opacity: Of the whole.
            fade: How much smaller and fainter the farthest level is; 0 for one level.
        """
        shapes = []
        for level in range(LEVELS if fade else 1):
            near = level / (LEVELS - 1) if fade else 1.0
            r = radius * (1 + 0.9 * fade * (near - 0.6) if fade else 1)
            alpha = opacity * (1 - fade * 0.6 * (1 - near))
            reach = math.ceil(r + 1)
            v, u = np.mgrid[-reach : reach + 1, -reach : reach + 1]
            for p in range(_PHASES * _PHASES):
                cx = (p % _PHASES + 0.5) / _PHASES - 0.5
                cy = (p // _PHASES + 0.5) / _PHASES - 0.5
                d = np.hypot(u - cx, v - cy)
                edge = np.clip(d - inner + 0.5, 0, 1) if inner > 0 else 1
                cover = alpha * np.clip(r + 0.5 - d, 0, 1) * edge * min(1, 2 * r)
                steps = np.floor(256 * cover + 0.5)
                there = steps > 0
                shapes.append((u[there], v[there], steps[there] / 256))
        count = np.array([len(dx) for dx, _, _ in shapes], np.int64)
        dx, dy, cover = (np.concatenate(part) for part in zip(*shapes, strict=True))
        return cls(np.cumsum(count) - count, count, dx, dy, cover)


def draw_discs(
    canvas: Canvas,
    xy: Floats,
    colors: NDArray[np.uint8],
    stamps: Stamps,
    area: Area,
    levels: NDArray[np.uint8] | None = None,
) -> None:
    """Blend a stamp over the picture for each point.

    Args:
        canvas: What is drawn on.
        xy: Positions in CSS pixels in the order of drawing, (n, 2), NaN where a point is not seen.
        colors: (n, 3), or one color (3,).
        stamps: Their shapes.
        area: Points outside of it are left out.
        levels: The depth level of each point, where stamps have some.
    """
    at = xy.astype(np.float64) * canvas.scale
    low = np.array([area.left, area.top]) * canvas.scale
    high = np.array([area.right, area.bottom]) * canvas.scale
    inside = ((at >= low) & (at < high)).all(axis=1)
    at = at[inside]
    cell = np.floor(at).astype(np.int64)
    phase = ((at - cell) * _PHASES).astype(np.int64)
    which = phase[:, 1] * _PHASES + phase[:, 0]
    if levels is not None:
        which += levels[inside].astype(np.int64) * _PHASES**2
    shades = np.broadcast_to(colors, (len(xy), 3))[inside]
    for part in _portions(stamps.count[which]):
        counts = stamps.count[which[part]]
        owner = np.repeat(np.arange(len(counts)), counts)
        item = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        item += np.repeat(stamps.start[which[part]], counts)
        px = cell[part, 0][owner] + stamps.dx[item]
        py = cell[part, 1][owner] + stamps.dy[item]
        seen = (px >= 0) & (py >= 0) & (px < canvas.width) & (py < canvas.height)
        if not seen.all():
            px, py, owner, item = px[seen], py[seen], owner[seen], item[seen]
        canvas.blend(py * canvas.width + px, stamps.cover[item], shades[part][owner])


def _portions(counts: Rows) -> Iterator[slice]:
    """Yield slices of points that touch some two million pixels each."""
    total = np.cumsum(counts)
    start = 0
    while start < len(counts):
        done = int(total[start - 1]) if start else 0
        stop = int(np.searchsorted(total, done + _MOST_TOUCHED, side="right"))
        yield slice(start, max(stop, start + 1))
        start = max(stop, start + 1)


def depth_order(depth: Floats, visible: NDArray[np.bool_] | None) -> tuple[Rows, NDArray[np.uint8]]:
    """Return the rows that are seen from far to near, and the level of each, 0 far to 15 near."""
    low, high = np.nanmin(depth), np.nanmax(depth)
    k = (_BUCKETS - 1) / (float(high) - float(low)) if high > low else 0.0
    seen = ~np.isnan(depth) if visible is None else ~np.isnan(depth) & visible
    rows = np.flatnonzero(seen)
    bucket = ((float(high) - depth[rows].astype(np.float64)) * k).astype(np.uint16)
    order = np.argsort(bucket, kind="stable")
    shift = int(math.log2(_BUCKETS / LEVELS))
    return rows[order], (bucket[order] >> shift).astype(np.uint8)
