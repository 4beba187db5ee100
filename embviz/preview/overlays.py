"""Lines and sequences of points, anti-aliased (plot/overlays.js, data/sequences.js)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embviz.model import EmbeddingTable
from embviz.preview.theme import RGB

if TYPE_CHECKING:
    from PIL.Image import Image

_FINE = 3
_COLUMNS = ("__seq_next__", "__next__")
_ROW_NUMBER = re.compile(r"\s*(\d+)(\.0*)?\s*", re.ASCII)
_MOST_COLORS = 60
Stroke = tuple[Sequence[Any], RGB]


def draw_lines(
    image: Image, strokes: Iterable[Stroke], width: float, scale: float, alpha: float = 1
) -> Image:
    """Return an image with anti-aliased lines.

    Args:
        image: RGB.
        strokes: Each its places in CSS pixels, and its color.
        width: Of a line in CSS pixels.
        scale: Pixels a CSS pixel.
        alpha: How opaque they are.
    """
    from PIL import Image as Images
    from PIL import ImageDraw

    wide = image.resize((image.width * _FINE, image.height * _FINE), Images.Resampling.NEAREST)
    draw = ImageDraw.Draw(wide)
    for places, color in strokes:
        at = [(float(x) * scale * _FINE, float(y) * scale * _FINE) for x, y in places]
        draw.line(at, fill=color, width=max(1, round(width * scale * _FINE)), joint="curve")
    drawn = wide.reduce(_FINE)
    return drawn if alpha == 1 else Images.blend(image, drawn, alpha)


def draw_dot(image: Image, at: Sequence[float], radius: float, color: RGB, scale: float) -> None:
    """Draw one anti-aliased disc; lengths are CSS pixels."""
    from PIL import Image as Images
    from PIL import ImageDraw

    side = round(2 * radius * scale)
    mask = Images.new("L", (side * 8, side * 8))
    ImageDraw.Draw(mask).ellipse((0, 0, side * 8 - 1, side * 8 - 1), fill=255)
    corner = (round(at[0] * scale - side / 2), round(at[1] * scale - side / 2))
    image.paste(color, corner, mask.reduce(8))


def sequences(table: EmbeddingTable) -> list[list[int]]:
    """Return the points of each sequence, by the column that holds the row that comes next.

    As data/sequences.js of the page: from the points that nothing leads to, then rings.
    """
    name = next((name for name in _COLUMNS if name in table.metadata), None)
    if name is None:
        return []
    after = _next_points(table.metadata[name], table)
    led = set(after.values())
    seen: set[int] = set()
    paths = []
    for start in [*(i for i in after if i not in led), *(i for i in after if i in led)]:
        if start in seen:
            continue
        path = [start]
        seen.add(start)
        while path[-1] in after:
            path.append(after[path[-1]])
            if path[-1] in seen:
                break
            seen.add(path[-1])
        paths.append(path)
    return paths


def _next_points(values: Sequence[str], table: EmbeddingTable) -> dict[int, int]:
    numbers = range(table.n_points) if table.rows is None else table.rows.tolist()
    places = {number: i for i, number in enumerate(numbers)}
    out = {}
    for i, value in enumerate(values):
        found = _ROW_NUMBER.fullmatch(value)
        follower = places.get(int(found[1]), -1) if found and len(found[1]) < 20 else -1
        if follower not in (-1, i):
            out[i] = follower
    return out


def sequence_strokes(
    paths: Sequence[Sequence[int]],
    xy: NDArray[np.float32],
    visible: NDArray[np.bool_] | None,
    dark: bool,
) -> list[Stroke]:
    """Return the lines of sequences, left out where a point is hidden."""
    groups = min(len(paths), _MOST_COLORS)
    there: NDArray[np.bool_] = np.asarray(np.isfinite(xy).all(axis=1))
    if visible is not None:
        there &= visible
    strokes: list[Stroke] = []
    for group in range(groups):
        color = _sequence_color(group, groups, dark)
        for path in paths[group::groups]:
            shown: list[Any] = []
            for row in [*path, -1]:
                if row >= 0 and there[row]:
                    shown.append(xy[row])
                    continue
                if len(shown) > 1:
                    strokes.append((shown, color))
                shown = []
    return strokes


def _sequence_color(i: int, count: int, dark: bool) -> RGB:
    from PIL import ImageColor

    hue = 60 + 300 * i / (count - 1) if count > 1 else 240
    color = ImageColor.getrgb(f"hsl({int(hue + 0.5)}, 70%, {62 if dark else 42}%)")
    return color[0], color[1], color[2]
