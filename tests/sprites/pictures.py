"""Small images for the tests: known pixels, written by Pillow, not by embviz."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

RNG = np.random.default_rng(4)


def solid(
    path: Path, color: Any, size: tuple[int, int] = (8, 8), mode: str = "RGB", **save: Any
) -> Path:
    """Write an image of one color."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path, **save)
    return path


def shades(folder: Path, n: int, size: tuple[int, int] = (8, 8)) -> list[Path]:
    """Write n gray PNG files, 0.png …, image i of the value 20 i + 5."""
    return [solid(folder / f"{i}.png", 20 * i + 5, size, "L") for i in range(n)]


def tiles_of(path: Path, tile: tuple[int, int], mode: str = "RGB") -> np.ndarray:
    """Cut a sheet into tiles with Pillow's own crop, (n, height, width[, channels])."""
    with Image.open(path) as image:
        sheet = image.convert(mode)
    width, height = tile
    return np.stack([
        np.asarray(sheet.crop((x, y, x + width, y + height)))
        for y in range(0, sheet.height, height)
        for x in range(0, sheet.width, width)
    ])  # fmt: skip
