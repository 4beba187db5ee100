"""What thumbnails show: ink on a plain ground, which can take a color, or photographs."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from embviz.model import Sprite
from embviz.sprites.sheet import sample_tiles

_BORDER_SHARE = 0.7
_NEAR_COLOR = 32
_INK_SATURATION = 24
_SAMPLE_TILES = 256
_SAMPLE_PIXELS = 1 << 22


def average_tile_kind(sprite: Sprite, n_points: int | None = None) -> Literal["ink", "photo"]:
    """Tell whether thumbnails are ink on a plain ground, which can be colored, or photographs.

    Ink: most border pixels of the tiles are near one color, and nearly no pixel is colorful.

    Args:
        sprite: The sheet.
        n_points: How many of its tiles are used; None for all.
    """
    return tile_kind(
        sample_tiles(sprite, n_points, _sample_size(sprite.tile_height, sprite.tile_width))
    )


def _sample_size(height: int, width: int) -> int:
    """Return how many tiles are looked at: fewer where they are large."""
    return max(1, min(_SAMPLE_TILES, _SAMPLE_PIXELS // (height * width)))


def tile_kind(tiles: NDArray[np.uint8]) -> Literal["ink", "photo"]:
    """Tell the kind of tiles, (n, height, width) or (n, height, width, 3 or 4), by some of them."""
    tiles = tiles[:: max(1, len(tiles) // _sample_size(*tiles.shape[1:3]))]
    if tiles.ndim == 3:
        tiles = np.repeat(tiles[..., None], 3, axis=3)
    if tiles.shape[3] == 4:
        alpha = tiles[..., 3:].astype(np.float32) / 255
        tiles = (tiles[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    values = tiles.astype(np.int16)
    border = np.concatenate(
        [values[:, 0], values[:, -1], values[:, :, 0], values[:, :, -1]], axis=1
    ).reshape(-1, 3)
    ground = np.median(border, axis=0)
    near = (np.abs(border - ground).max(axis=1) <= _NEAR_COLOR).mean()
    saturation = values.max(axis=3) - values.min(axis=3)
    plain = near >= _BORDER_SHARE and (saturation > _INK_SATURATION).mean() < 0.05
    return "ink" if plain else "photo"
