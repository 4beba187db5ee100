"""Where points land in the picture, as the page has it (drawing/camera.js, plot/view.js).

Lengths are CSS pixels from the corner of a map, as everywhere in the page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Places = NDArray[np.float32]

TOOLS_HEIGHT = 52
"""The row above the points that the page's tools take, and the heading of a picture."""
_NEAR, _FAR = 0.01, 1000.0
_FIELD_OF_VIEW = math.pi / 4
_CORNER = np.array([1.25, 1.25, 0.9])
_CLIP = 1e-3
"""Nearer to the camera's plane than this, in parts of the scene, nothing is drawn."""


@dataclass(frozen=True)
class Area:
    """A rectangle in CSS pixels."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height


@dataclass(frozen=True, eq=False)
class Box:
    """The least and the largest coordinate of each dimension, float64 (dims,)."""

    low: Numbers
    high: Numbers

    @property
    def spans(self) -> Numbers:
        return self.high - self.low

    @classmethod
    def around(cls, places: Places) -> Box:
        """Return the box of places (n, dims)."""
        exact = places.astype(np.float64)
        return cls(exact.min(axis=0), exact.max(axis=0))

    def with_other(self, other: Box) -> Box:
        """Return the box around both."""
        return Box(np.minimum(self.low, other.low), np.maximum(self.high, other.high))

    def widened(self) -> Box:
        """Return the box with every side long enough to divide by."""
        spans = self.spans
        scale = np.maximum(np.abs(self.low), np.abs(self.high))
        largest = spans.max()
        other = np.where(largest > scale * 1e-12, largest, np.maximum(1, scale * 1e-6))
        half = np.where((spans > scale * 1e-12) & (spans > 0), 0, other) / 2
        return Box(self.low - half, self.high + half)


@dataclass(frozen=True, eq=False)
class Flat:
    """A view of two dimensions: screen x = k[0] x + b[0], screen y = k[1] y + b[1]."""

    k: Numbers
    b: Numbers

    def project(self, places: Places) -> tuple[Places, None]:
        """Return where places (n, 2) are on the screen, as the page rounds them."""
        return (places.astype(np.float64) * self.k + self.b).astype(np.float32), None


@dataclass(frozen=True, eq=False)
class Deep:
    """A view of three dimensions.

    Attributes:
        matrix: float64 (4, 4): clip coordinates are its product with a place and 1.
        eye: Where the camera is, in units of the scene.
        area: What the points may fill.
    """

    matrix: Numbers
    eye: Numbers
    area: Area

    def project(self, places: Places) -> tuple[Places, Places]:
        """Return where places (n, 3) are on the screen, and their depth; NaN behind the camera."""
        clip = places.astype(np.float64) @ self.matrix[:, :3].T + self.matrix[:, 3]
        w = np.where(clip[:, 3] > 1e-6, clip[:, 3], np.nan)
        half = np.array([self.area.width / 2, -self.area.height / 2])
        middle = np.array([self.area.left, self.area.top]) + np.abs(half)
        xy = middle + half * clip[:, :2] / w[:, None]
        depth = np.where(np.isnan(w), np.nan, clip[:, 2])
        return xy.astype(np.float32), depth.astype(np.float32)

    def line(self, a: Numbers, b: Numbers) -> tuple[Numbers, Numbers] | None:
        """Return the ends on the screen of what of a line lies before the camera."""
        da, db = (float(self.matrix[3, :3] @ end + self.matrix[3, 3]) for end in (a, b))
        if da <= _CLIP and db <= _CLIP:
            return None
        if da <= _CLIP:
            a = a + (b - a) * ((_CLIP - da) / (db - da))
        if db <= _CLIP:
            b = b + (a - b) * ((_CLIP - db) / (da - db))
        return self.point(a), self.point(b)

    def point(self, place: Sequence[float] | Numbers) -> Numbers:
        """Return where one place is on the screen."""
        xy, _ = self.project(np.asarray([place], np.float32))
        found: Numbers = xy[0].astype(np.float64)
        return found


View = Flat | Deep


def plot_area(width: float, height: float, dims: int, axes: Sequence[Any] | None) -> Area:
    """Return the rectangle that points may fill.

    Args:
        width, height: Of the map.
        dims: 2 or 3.
        axes: The axes' titles, None where there are none.
    """
    if dims == 3 or axes is None:
        return Area(0, 0, max(1, width), max(1, height))
    left = 64 if axes[1].is_named else 44
    top = TOOLS_HEIGHT + 4
    return Area(left, top, max(1, width - left - 24), max(1, height - top - 44))


def open_view(
    places: Sequence[Places], box: Box, area: Area, has_axes: bool, room: float = 0
) -> View:
    """Return the view that shows everything.

    Args:
        places: Of all maps that are seen by one camera, (n, dims) each.
        box: What holds them.
        area: What they may fill.
        has_axes: Whether the axes are shown.
        room: What a point takes around its place, in CSS pixels.
    """
    if len(box.low) == 2:
        return _home2(box, area, not has_axes or _has_equal_scale(box, area), room)
    return _home3(places, box, area, has_axes, room)


def _inset(area: Area, room: float) -> tuple[float, float, float]:
    """Return how much is left free beside, above and below the points."""
    x, y = max(8, 0.05 * area.width, room + 4), max(8, 0.05 * area.height, room + 4)
    top = y if area.top > 0 else max(y, TOOLS_HEIGHT + room)
    return min(x, area.width / 4), min(top, area.height / 4), min(y, area.height / 4)


def _has_equal_scale(box: Box, area: Area) -> bool:
    """Tell whether one scale for both axes leaves no more than half of the area empty."""
    a, b = box.spans / (area.width, area.height)
    return bool(min(a, b) / max(a, b) >= 0.5)


def _home2(box: Box, area: Area, equal: bool, room: float) -> Flat:
    x, top, bottom = _inset(area, room)
    kx, ky = box.spans / (area.width - 2 * x, area.height - top - bottom)
    if equal:
        kx = ky = max(kx, ky)
    middle = (box.low + box.high) / 2
    middle[1] += ky * (top - bottom) / 2
    low = middle - np.array([kx * area.width, ky * area.height]) / 2
    high = middle + np.array([kx * area.width, ky * area.height]) / 2
    k = np.array([area.width, -area.height]) / (high - low)
    return Flat(k, np.array([area.left - k[0] * low[0], area.top - k[1] * high[1]]))


def _box_aspect(box: Box, has_axes: bool) -> Numbers:
    """Return the box's sides, the longest 1; those of a cube where they differ much."""
    spans = box.spans
    if has_axes and spans.max() > 4 * spans.min():
        return np.ones(3)
    sides: Numbers = np.maximum(spans / spans.max(), 1e-3)
    return sides


def _home3(places: Sequence[Places], box: Box, area: Area, has_axes: bool, room: float) -> Deep:
    """Return the view from above a corner, as near as all points allow."""
    aspect = _box_aspect(box, has_axes)
    back = _CORNER / np.linalg.norm(_CORNER)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    up = np.cross(back, right)
    x, top, bottom = _inset(area, room)
    half = math.tan(_FIELD_OF_VIEW / 2)
    tan_y = half * (1 - 2 * max(top, bottom) / area.height)
    tan_x = half * (area.width / area.height) * (1 - 2 * x / area.width)
    scale = aspect / box.spans
    shift = -scale * (box.low + box.spans / 2)

    def needed(seen: Numbers) -> float:
        aside = np.maximum(np.abs(seen @ right) / tan_x, np.abs(seen @ up) / tan_y)
        return float((seen @ back + aside).max(initial=0))

    distance = 0.2
    for some in places:
        seen = some.astype(np.float64) * scale + shift
        distance = max(distance, needed(seen[(np.abs(seen) <= 1).all(axis=1)]))
    if has_axes:
        corners = [[aspect[j] * (0.5 if i >> j & 1 else -0.5) for j in range(3)] for i in range(8)]
        distance = max(distance, needed(np.array(corners)))
    eye = back * distance
    look = np.eye(4)
    look[:3, :3] = right, up, back
    look[:3, 3] = -look[:3, :3] @ eye
    model = np.diag([*scale, 1.0])
    model[:3, 3] = shift
    return Deep(_perspective(area) @ look @ model, eye, area)


def _perspective(area: Area) -> Numbers:
    f = 1 / math.tan(_FIELD_OF_VIEW / 2)
    out = np.zeros((4, 4))
    out[0, 0], out[1, 1] = f / (area.width / area.height), f
    out[2, 2:] = (_FAR + _NEAR) / (_NEAR - _FAR), 2 * _FAR * _NEAR / (_NEAR - _FAR)
    out[3, 2] = -1
    return out
