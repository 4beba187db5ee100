"""Sprites: one sheet of thumbnails, a tile a point, row by row from the top left."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError
from embviz.model import Sprite

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_SIDE = 8192
"""The longest side of a sheet in pixels: the limit of TensorBoard and of common GPUs."""

_MOST_PIXELS = 178_000_000
_MOST_BYTES = 1 << 30
_MIMES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
}
_BORDER_SHARE = 0.7
_NEAR_COLOR = 32
_INK_SATURATION = 24
_SAMPLE_TILES = 256


def load_sprite(path: Path, tile_size: tuple[int, int] | None, n_points: int) -> Sprite:
    """Read and check a sheet of thumbnails.

    Args:
        path: A PNG, JPEG, WebP, GIF or BMP file, by its content.
        tile_size: A tile's width and height in pixels; None where the sheet is the projector's
            square of ceil(sqrt(n_points)) tiles a side.
        n_points: How many tiles are needed.

    Raises:
        LoadError: If it is no such image, too large, no multiple of the tile, or has too few tiles.
        ParameterError: If the tile size is no two counts above 0.
    """
    if tile_size is not None and (len(tile_size) != 2 or min(tile_size) < 1):
        shown = "x".join(map(str, tile_size))
        raise ParameterError(f"--sprite-size {shown}", "a tile has a width and a height above 0")
    raw = _read(path)
    image, kind = _open(raw, path)
    width, height = image.size
    if tile_size is None:
        tile_size = _guess_tile(path, width, height, n_points)
    tile_width, tile_height = tile_size
    for name, side, tile in (("wide", width, tile_width), ("high", height, tile_height)):
        if side % tile:
            raise LoadError(
                path,
                f"{side} pixels {name}, not a multiple of the tile's {tile}",
                "is --sprite-size right?",
            )
    columns, n_rows = width // tile_width, height // tile_height
    if columns * n_rows < n_points:
        raise LoadError(
            path,
            f"{columns} x {n_rows} = {columns * n_rows} tiles for {n_points} points",
            "is --sprite-size right?",
        )
    _decode(image, path)
    return Sprite(raw, _MIMES[kind], tile_width, tile_height, columns)


def pack_tiles(images: NDArray[np.uint8]) -> Sprite:
    """Pack thumbnails into a sheet, a square of ceil(sqrt(n)) tiles a side, as PNG.

    Args:
        images: uint8 (n, height, width) gray, or (n, height, width, 3 or 4) RGB or RGBA.

    Returns:
        The sheet; tiles that no image fills are transparent, or black without an alpha channel.

    Raises:
        ParameterError: If it is no such array, or the sheet would be too large.
    """
    gray = images.ndim == 3
    if images.dtype != np.uint8 or not (gray or (images.ndim == 4 and images.shape[3] in (3, 4))):
        raise ParameterError(
            "tiles", f"{images.dtype} of shape {images.shape}", "give uint8 (n, height, width[, 3])"
        )
    n, tile_height, tile_width = images.shape[:3]
    if 0 in images.shape:
        raise ParameterError("tiles", f"shape {images.shape}: no pixels")
    columns = math.isqrt(n - 1) + 1
    n_rows = columns
    width, height = columns * tile_width, n_rows * tile_height
    if max(width, height) > MOST_SIDE:
        raise ParameterError(
            "tiles",
            f"{n} tiles of {tile_width} x {tile_height} make a sheet of {width} x {height} pixels, "
            f"and a browser shows {MOST_SIDE} a side at most",
            "make the tiles smaller",
        )
    channels = 1 if gray else images.shape[3]
    sheet = np.zeros((n_rows * columns, tile_height, tile_width, channels), np.uint8)
    sheet[:n] = images.reshape(n, tile_height, tile_width, channels)
    grid = sheet.reshape(n_rows, columns, tile_height, tile_width, channels).swapaxes(1, 2)
    pixels = grid.reshape(n_rows * tile_height, columns * tile_width, channels)
    return Sprite(_encode(pixels), "image/png", tile_width, tile_height, columns)


def take_tiles(sprite: Sprite, rows: NDArray[np.integer[Any]]) -> Sprite:
    """Return a sheet of some tiles only, in the order given.

    Args:
        sprite: The sheet.
        rows: Tile numbers, shape (n,), n at least 1.

    Raises:
        ParameterError: If a tile is not in the sheet.
    """
    tiles = read_tiles(sprite)
    chosen = np.asarray(rows, dtype=np.int64)
    if len(chosen) == 0 or int(chosen.min()) < 0 or int(chosen.max()) >= len(tiles):
        raise ParameterError("tiles", f"rows out of the sheet's 0 .. {len(tiles) - 1}, or none")
    return pack_tiles(tiles[chosen])


def read_tiles(sprite: Sprite) -> NDArray[np.uint8]:
    """Return all tiles of a sheet, uint8 (n, height, width) or (n, height, width, 3 or 4)."""
    image, _ = _open(sprite.image, "sprite")
    pixels = _decode(image, "sprite")
    height, width = pixels.shape[:2]
    columns, n_rows = width // sprite.tile_width, height // sprite.tile_height
    pixels = pixels[: n_rows * sprite.tile_height, : columns * sprite.tile_width]
    rest = pixels.shape[2:]
    grid = pixels.reshape(n_rows, sprite.tile_height, columns, sprite.tile_width, *rest)
    tiles: NDArray[np.uint8] = grid.swapaxes(1, 2).reshape(
        n_rows * columns, sprite.tile_height, sprite.tile_width, *rest
    )
    return tiles


def average_tile_kind(sprite: Sprite, n_points: int | None = None) -> Literal["ink", "photo"]:
    """Tell whether thumbnails are ink on a plain ground, which can be colored, or photographs.

    Ink: most border pixels of the tiles are near one color, and nearly no pixel is colorful.

    Args:
        sprite: The sheet.
        n_points: How many of its tiles are used; None for all.
    """
    tiles = read_tiles(sprite)[:n_points]
    tiles = tiles[:: max(1, len(tiles) // _SAMPLE_TILES)]
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


def _read(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise LoadError(path, "a folder, where an image is needed")
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise LoadError(path, f"{size} bytes, more than {_MOST_BYTES} are not read")
        raw = path.read_bytes()
    except OSError as e:
        raise LoadError(path, f"cannot be read ({e.strerror})") from None
    if not raw:
        raise LoadError(path, "0 bytes", "an image is needed")
    return raw


def _open(raw: bytes, what: object) -> tuple[Image, str]:
    """Open an image without decoding it, and refuse one that is too large."""
    import warnings

    from PIL import Image, UnidentifiedImageError

    failures = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, OverflowError)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(raw), formats=list(_MIMES))
    except Image.DecompressionBombError:
        raise LoadError(
            what, f"more than {_MOST_PIXELS:,} pixels", "make the sheet smaller"
        ) from None
    except failures:
        svg = b"<svg" in raw[:1000].lower()
        raise LoadError(
            what,
            "SVG, which is not read" if svg else "not a PNG, JPEG, WebP, GIF or BMP image",
            "save it as PNG",
        ) from None
    width, height = image.size
    if width * height > _MOST_PIXELS:
        raise LoadError(
            what, f"{width} x {height} pixels, more than {_MOST_PIXELS:,} in all",
            "make the tiles smaller",
        )  # fmt: skip
    if max(width, height) > MOST_SIDE:
        raise LoadError(
            what,
            f"{width} x {height} pixels, and a browser shows {MOST_SIDE} a side at most",
            "make the tiles smaller",
        )
    if min(width, height) < 1:
        raise LoadError(what, f"{width} x {height} pixels", "an image is needed")
    return image, str(image.format)


def _decode(image: Image, what: object) -> NDArray[np.uint8]:
    """Decode an image to uint8 gray (h, w), RGB or RGBA (h, w, 3 or 4)."""
    import struct
    import zlib

    mode = image.mode
    if mode in ("1", "L"):
        wanted = "L"
    else:
        transparent = "A" in mode or "a" in mode or "transparency" in image.info
        wanted = "RGBA" if transparent else "RGB"
    try:
        return np.asarray(image.convert(wanted))
    except (OSError, SyntaxError, ValueError, EOFError, zlib.error, struct.error, IndexError) as e:
        raise LoadError(what, f"a damaged image ({e})", "save it again") from None


def _guess_tile(path: Path, width: int, height: int, n_points: int) -> tuple[int, int]:
    """Return the tile of the projector's square sheet, where it fits exactly."""
    side = math.isqrt(max(n_points, 1) - 1) + 1
    if width % side == 0 and height % side == 0 and width == height:
        return width // side, height // side
    raise LoadError(
        path,
        f"{width} x {height} pixels are no square of {side} x {side} tiles for {n_points} points",
        "give the size of a tile: --sprite-size WIDTHxHEIGHT",
    )


def _encode(pixels: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    squeezed = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    Image.fromarray(np.ascontiguousarray(squeezed)).save(out, "PNG", compress_level=6)
    return out.getvalue()
