"""One image into one tile: turned upright, scaled, cut or padded, laid on a ground."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError, printable
from embviz.sprites.images import decode, read_orientation

if TYPE_CHECKING:
    from PIL.Image import Image

Fit = Literal["contain", "cover", "stretch"]
Color = tuple[int, int, int, int]
CLEAR: Color = (0, 0, 0, 0)


def parse_color(text: str) -> Color:
    """Return red, green, blue and alpha, 0 .. 255, of a CSS color or `transparent`.

    Raises:
        ParameterError: If it is none.
    """
    from PIL import ImageColor

    if text.strip().lower() == "transparent":
        return CLEAR
    try:
        values = ImageColor.getcolor(text.strip(), "RGBA")
    except ValueError:
        raise ParameterError(
            f"--background '{printable(text, 40)}'", "no color", "such as white, #eee, transparent"
        ) from None
    assert isinstance(values, tuple)
    red, green, blue, alpha = values
    return red, green, blue, alpha


def upright_size(image: Image, orientation: int) -> tuple[int, int]:
    """Return an opened image's width and height when it stands as its Exif orientation says."""
    width, height = image.size
    return (height, width) if orientation >= 5 else (width, height)


def scaled_size(size: tuple[int, int], tile: tuple[int, int], fit: Fit) -> tuple[int, int]:
    """Return the size in pixels that an image takes, before it is cut to the tile."""
    if fit == "stretch":
        return tile
    ratios = tile[0] / size[0], tile[1] / size[1]
    ratio = min(ratios) if fit == "contain" else max(ratios)
    bound = min if fit == "contain" else max
    width = bound(tile[0], max(1, round(size[0] * ratio)))
    height = bound(tile[1], max(1, round(size[1] * ratio)))
    return width, height


def fit_tile(
    image: Image, what: object, tile: tuple[int, int], fit: Fit, ground: Color, mode: str
) -> NDArray[np.uint8]:
    """Return an opened image as a tile.

    A JPEG image is decoded at 1/2, 1/4 or 1/8 of its size where that is still no smaller than the
    tile (its DCT blocks are scaled, as libjpeg does).

    Args:
        image: Opened, not decoded; it is used up.
        what: Its name, for errors.
        tile: Width and height in pixels.
        fit: `contain` shows all of it, `cover` fills the tile and cuts what is over, `stretch`
            fills it with all of it.
        ground: What is under transparent parts and beside a contained image.
        mode: The sheet's mode: L, LA, RGB or RGBA.

    Returns:
        uint8 (height, width, channels of the mode).

    Raises:
        LoadError: If the data are damaged.
    """
    orientation = read_orientation(image, what)
    turned = orientation >= 5
    wanted = scaled_size(upright_size(image, orientation), tile, fit)
    lying = wanted[::-1] if turned else wanted
    if image.format in ("JPEG", "MPO") and image.mode in ("L", "RGB"):
        image.draft(image.mode, lying)
    pixels = decode(image, what)
    if pixels.size != lying:
        pixels = _resize(pixels, lying)
    pixels = _turn(pixels, orientation)
    left, top = (wanted[0] - tile[0]) // 2, (wanted[1] - tile[1]) // 2
    if fit == "cover" and wanted != tile:
        pixels = pixels.crop((left, top, left + tile[0], top + tile[1]))
    return _lay(pixels, tile, ground, mode)


def _resize(image: Image, size: tuple[int, int]) -> Image:
    """Scale an image; colors are weighted by their alpha, so that clear pixels give none."""
    from PIL import Image as Images

    weighted = {"RGBA": "RGBa", "LA": "La"}.get(image.mode)
    if weighted is None:
        return image.resize(size, Images.Resampling.BICUBIC)
    return image.convert(weighted).resize(size, Images.Resampling.BICUBIC).convert(image.mode)


def _turn(image: Image, orientation: int) -> Image:
    """Turn an image upright by its Exif orientation (CIPA DC-008, tag 0x0112)."""
    from PIL.Image import Transpose

    ways = (
        Transpose.FLIP_LEFT_RIGHT,
        Transpose.ROTATE_180,
        Transpose.FLIP_TOP_BOTTOM,
        Transpose.TRANSPOSE,
        Transpose.ROTATE_270,
        Transpose.TRANSVERSE,
        Transpose.ROTATE_90,
    )
    return image if orientation == 1 else image.transpose(ways[orientation - 2])


def _lay(image: Image, tile: tuple[int, int], ground: Color, mode: str) -> NDArray[np.uint8]:
    """Lay an image, at most as large as the tile, in the middle of the ground."""
    from PIL import Image as Images

    clear = "A" in image.mode
    if image.size == tile and (not clear or ground == CLEAR):
        same = image if image.mode == mode else image.convert(mode)
    else:
        sheet = Images.new("RGBA", tile, ground)
        place = ((tile[0] - image.size[0]) // 2, (tile[1] - image.size[1]) // 2)
        if clear and ground[3]:
            sheet.alpha_composite(image.convert("RGBA"), place)
        else:
            sheet.paste(image.convert("RGBA"), place)
        same = sheet.convert(mode)
    array = np.asarray(same)
    return array[..., None] if array.ndim == 2 else array


def mark_broken(tile: tuple[int, int], channels: int) -> NDArray[np.uint8]:
    """Return the tile that stands for a broken image: a dark cross on light gray."""
    width, height = tile
    y, x = np.mgrid[0:height, 0:width]
    across = np.abs(x / max(1, width - 1) - y / max(1, height - 1))
    other = np.abs(x / max(1, width - 1) + y / max(1, height - 1) - 1)
    cross = np.minimum(across, other) <= 0.06
    out = np.full((height, width, channels), 255, np.uint8)
    n_colors = 3 if channels >= 3 else 1
    light, dark = ((225, 225, 225), (190, 30, 60)) if n_colors == 3 else ((225,), (70,))
    out[..., :n_colors] = np.where(cross[..., None], np.array(dark), np.array(light))
    return out
