"""Sheets of thumbnails: a tile a point, row by row from the top left."""

from __future__ import annotations

import io
import itertools
import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError
from embviz.model import Sprite
from embviz.sprites.images import (
    MIMES,
    MOST_SIDE,
    SHEET_FORMATS,
    decode_array,
    open_image,
    read_bytes,
)
from embviz.sprites.manifest import SheetNote, is_manifest, read_manifest, read_note

_log = logging.getLogger("embviz")

_MOST_PIXELS = 1 << 30  # Of all sheets of a manifest.
_LOSSY = ("image/jpeg", "image/webp")
_LOSSY_LEVELS = 48
_LOSSY_SHARE = 0.05


def load_sprite(
    path: Path, tile_size: tuple[int, int] | None, n_points: int, refuse_surplus: bool = True
) -> Sprite:
    """Read and check a sheet of thumbnails, or the manifest of several.

    Args:
        path: A PNG, JPEG, WebP, GIF or BMP file, by its content, or a manifest of `embviz sprite`.
        tile_size: A tile's width and height in pixels; None where the sheet's own note says it, or
            it is the projector's square of ceil(sqrt(n_points)) tiles a side.
        n_points: How many tiles are needed. Rows behind them may be there when they are empty.
        refuse_surplus: Whether further tiles that show something are refused in the projector's
            square too, where TensorBoard passes over what other writers left there.

    Raises:
        LoadError: If it is no such image, too large, no multiple of the tile, or its tiles are not
            one a point.
        ParameterError: If the tile size is no two counts above 0.
    """
    if tile_size is not None and (len(tile_size) != 2 or min(tile_size) < 1):
        shown = "x".join(map(str, tile_size))
        raise ParameterError(f"--sprite-size {shown}", "a tile has a width and a height above 0")
    raw = read_bytes(path)
    if is_manifest(raw):
        return _load_sheets(path, raw, tile_size, n_points)
    image = open_image(raw, path, SHEET_FORMATS)
    _check_sides(path, image.size)
    note = read_note(image)
    if tile_size is None and note is not None:
        tile_size = (note.tile_width, note.tile_height)
    tile = tile_size or _guess_tile(path, *image.size, n_points)
    size = image.size if refuse_surplus else _whole_rows(path, image.size, tile, n_points)
    columns, n_rows = count_tiles(path, size, tile)
    noted = note is not None and tile == (note.tile_width, note.tile_height)
    if note is not None and noted:
        _check_count(path, note, n_points)
    if columns * n_rows < n_points:
        raise LoadError(
            path,
            f"{columns} x {n_rows} = {columns * n_rows} tiles for {n_points} points",
            "is --sprite-size right?",
        )
    pixels = decode_array(image, path)
    sheet = Sprite(raw, MIMES[str(image.format)], *tile, columns)
    if not noted:
        counts = _count_shown(sheet, pixels, n_points), n_points
        _check_surplus(path, columns, counts, refuse_surplus)
    return sheet


def _load_sheets(
    path: Path, raw: bytes, tile_size: tuple[int, int] | None, n_points: int
) -> Sprite:
    """Read the sheets that a manifest names."""
    note = read_manifest(path, raw)
    tile = (note.tile_width, note.tile_height)
    if tile_size not in (None, tile):
        raise LoadError(
            path, f"its tiles are {tile[0]}x{tile[1]} pixels", "leave --sprite-size out"
        )
    _check_count(path, note, n_points)
    sheets: list[bytes] = []
    first: tuple[str, tuple[int, int]] | None = None
    for number, name in enumerate(note.files):
        sheet = path.parent / name
        if not sheet.resolve().is_relative_to(path.parent.resolve()):
            raise LoadError(sheet, f"a link to {sheet.resolve()}, outside {path.parent}", "copy it")
        data = read_bytes(sheet)
        image = open_image(data, sheet, SHEET_FORMATS)
        _check_sides(sheet, image.size)
        columns = count_tiles(sheet, image.size, tile)[0]
        kind = (MIMES[str(image.format)], image.size)
        first = first or kind
        if columns != note.columns or kind != first:
            raise LoadError(
                sheet, f"{image.size[0]} x {image.size[1]} pixels, not as {path} says",
                "write the sheets again",
            )  # fmt: skip
        if not number:
            _check_extent(path, note, image.size)
        decode_array(image, sheet)
        sheets.append(data)
    assert first is not None
    capacity = note.columns * (first[1][1] // tile[1]) * len(sheets)
    if capacity < n_points:
        raise LoadError(path, f"{capacity} tiles in its sheets for {n_points} points")
    return Sprite(sheets[0], first[0], *tile, note.columns, tuple(sheets[1:]))


def _check_extent(path: Path, note: SheetNote, size: tuple[int, int]) -> None:
    """Refuse more sheets of a size than the thumbnails need, or more pixels than are decoded."""
    n_sheets = len(note.files)
    if (n_sheets - 1) * note.columns * (size[1] // note.tile_height) >= note.count > 0:
        why = f"{n_sheets} sheets of {size[0]} x {size[1]} pixels for {note.count} thumbnails"
        raise LoadError(path, why, "write the sheets again")
    n_pixels = n_sheets * size[0] * size[1]
    if n_pixels > _MOST_PIXELS:
        raise LoadError(
            path,
            f"{n_pixels:,} pixels in its {n_sheets} sheets, more than {_MOST_PIXELS:,} in all",
            "make the tiles smaller",
        )


def _check_sides(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if max(width, height) > MOST_SIDE:
        raise LoadError(
            path,
            f"{width} x {height} pixels, and a browser shows {MOST_SIDE} a side at most",
            "make the tiles smaller",
        )


def count_tiles(path: Path, size: tuple[int, int], tile: tuple[int, int]) -> tuple[int, int]:
    """Return how many tiles a sheet holds across and down.

    Raises:
        LoadError: If a side is no multiple of the tile's.
    """
    for name, side, step in (("wide", size[0], tile[0]), ("high", size[1], tile[1])):
        if side % step:
            raise LoadError(
                path,
                f"{side} pixels {name}, not a multiple of the tile's {step}",
                "is --sprite-size right?",
            )
    return size[0] // tile[0], size[1] // tile[1]


def _whole_rows(
    path: Path, size: tuple[int, int], tile: tuple[int, int], n_points: int
) -> tuple[int, int]:
    """Return the part of a sheet that rows of whole tiles fill, where they are enough.

    What writes a logdir may fill a sheet up to a square, whatever the tile's height.
    """
    width, height = size
    left = height % tile[1]
    if not left or width % tile[0] or (width // tile[0]) * (height // tile[1]) < n_points:
        return size
    _log.info(
        "%s: %s pixels high, %s below the last row of whole tiles are no thumbnails",
        path, height, left,
    )  # fmt: skip
    return width, height - left


def _check_count(path: Path, note: SheetNote, n_points: int) -> None:
    if note.count != n_points:
        raise LoadError(
            path, f"{note.count} thumbnails for {n_points} points", "are they of the same data?"
        )


def _check_surplus(path: Path, columns: int, counts: tuple[int, int], refuse: bool) -> None:
    """Refuse a sheet that shows more thumbnails (counts: these, points), or tell of it.

    What fills up the last point's row is told of: makers of sheets leave what they like there.
    """
    shown, n_points = counts
    if shown <= n_points:
        return
    in_row = shown <= -(-n_points // columns) * columns
    if not in_row and (refuse or columns != math.isqrt(n_points - 1) + 1):
        raise LoadError(
            path, f"{shown} thumbnails for {n_points} points", "are they of the same data?"
        )
    _log.warning(
        "%s: %s thumbnails for %s points, the first %s are taken", path, shown, n_points, n_points
    )


def _count_shown(sheet: Sprite, pixels: NDArray[np.uint8], n_points: int) -> int:
    """Return the number of tiles up to the last that is not empty, n_points where it is less.

    A tile is empty where it is transparent, or looks as the sheet's last pixel does: in a lossy
    format all but a few pixels within it, since its edges take on something of their neighbors.
    """
    lossy = sheet.mime in _LOSSY
    width, height, columns = sheet.tile_width, sheet.tile_height, sheet.columns
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    ground = pixels[-1, -1].astype(np.int16)
    margin = (min(16, height // 4), min(16, width // 4)) if lossy else (0, 0)
    shown = n_points
    for row in range(n_points // columns, pixels.shape[0] // height):
        band = pixels[row * height : (row + 1) * height]
        differs = (abs(band - ground) > (_LOSSY_LEVELS if lossy else 0)).any(axis=2)
        if band.shape[2] == 4:
            differs &= band[..., 3] > 0
        tiles = _split(differs.astype(np.uint8), width, height)
        inner = tiles[:, margin[0] : height - margin[0], margin[1] : width - margin[1]]
        shares = inner.reshape(len(inner), -1).mean(axis=1)
        found = np.flatnonzero(shares > (_LOSSY_SHARE if lossy else 0))
        if len(found):
            shown = max(shown, row * columns + int(found[-1]) + 1)
    return shown


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


def pack_tiles(images: NDArray[np.uint8]) -> Sprite:
    """Pack thumbnails into sheets, squares of as few tiles a side as hold them, as PNG.

    Args:
        images: uint8 (n, height, width) gray, or (n, height, width, 3 or 4) RGB or RGBA.

    Returns:
        One sheet of ceil(sqrt(n)) tiles a side where that is within 8192 pixels, else several;
        tiles that no image fills are transparent, or black without an alpha channel.

    Raises:
        ParameterError: If it is no such array, or a tile is larger than a sheet.
    """
    gray = images.ndim == 3
    if images.dtype != np.uint8 or not (gray or (images.ndim == 4 and images.shape[3] in (3, 4))):
        raise ParameterError(
            "tiles", f"{images.dtype} of shape {images.shape}", "give uint8 (n, height, width[, 3])"
        )
    n, tile_height, tile_width = images.shape[:3]
    if 0 in images.shape:
        raise ParameterError("tiles", f"shape {images.shape}: no pixels")
    columns, n_sheets = divide_sheets(n, (tile_width, tile_height))
    sheets = [
        _pack_sheet(images[i * columns**2 : (i + 1) * columns**2], columns) for i in range(n_sheets)
    ]
    return Sprite(sheets[0], "image/png", tile_width, tile_height, columns, tuple(sheets[1:]))


def divide_sheets(n: int, tile: tuple[int, int], max_side: int = MOST_SIDE) -> tuple[int, int]:
    """Return (columns, sheets): square sheets, as few as hold n tiles, filled evenly.

    Raises:
        ParameterError: If one tile is larger than a sheet may be.
    """
    most = max_side // max(tile)
    if most < 1:
        raise ParameterError(
            "tiles",
            f"{tile[0]} x {tile[1]} pixels, and a browser shows {max_side} a side at most",
            "make the tiles smaller",
        )
    n_sheets = -(-n // most**2)
    columns = math.isqrt(-(-n // n_sheets) - 1) + 1
    return columns, -(-n // columns**2)


def _pack_sheet(images: NDArray[np.uint8], columns: int) -> bytes:
    n, tile_height, tile_width = images.shape[:3]
    channels = 1 if images.ndim == 3 else images.shape[3]
    sheet = np.zeros((columns * columns, tile_height, tile_width, channels), np.uint8)
    sheet[:n] = images.reshape(n, tile_height, tile_width, channels)
    grid = sheet.reshape(columns, columns, tile_height, tile_width, channels).swapaxes(1, 2)
    return encode_png(grid.reshape(columns * tile_height, columns * tile_width, channels))


def take_tiles(sprite: Sprite, rows: NDArray[np.integer[Any]]) -> Sprite:
    """Return a sheet of some tiles only, in the order given.

    Args:
        sprite: The sheet.
        rows: Tile numbers, shape (n,), n at least 1.

    Raises:
        ParameterError: If a tile is not in the sheet.
    """
    chosen = np.asarray(rows, dtype=np.int64)
    taken: NDArray[np.uint8] | None = None
    start = 0
    for sheet in sprite.sheets:
        tiles = _read_sheet(sprite, sheet)
        if taken is None:
            taken = np.zeros((len(chosen), *tiles.shape[1:]), np.uint8)
        here = (chosen >= start) & (chosen < start + len(tiles))
        if here.any():
            taken = _widen(taken, tiles)
            taken[here] = _widen(tiles[chosen[here] - start], taken)
        start += len(tiles)
    if taken is None or not len(chosen) or int(chosen.min()) < 0 or int(chosen.max()) >= start:
        raise ParameterError("tiles", f"rows out of the sheet's 0 .. {start - 1}, or none")
    return pack_tiles(taken)


def _widen(tiles: NDArray[np.uint8], like: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return tiles with as many channels as others have, where they have fewer."""
    wanted = like.shape[3] if like.ndim == 4 else 1
    own = tiles.shape[3] if tiles.ndim == 4 else 1
    if own == 1 and wanted > 1:
        tiles = np.repeat(tiles[..., None], 3, axis=3)
        own = 3
    if own < wanted:
        opaque = np.full((*tiles.shape[:3], 1), 255, np.uint8)
        tiles = np.concatenate([tiles, opaque], axis=3)
    return tiles


def read_tiles(sprite: Sprite) -> NDArray[np.uint8]:
    """Return all tiles, uint8 (n, height, width) or (n, height, width, 3 or 4)."""
    parts = [_read_sheet(sprite, sheet) for sheet in sprite.sheets]
    widest = max(parts, key=lambda part: part.shape[3] if part.ndim == 4 else 1)
    return np.concatenate([_widen(part, widest) for part in parts]) if len(parts) > 1 else parts[0]


def sample_tiles(sprite: Sprite, n_points: int | None, count: int) -> NDArray[np.uint8]:
    """Return up to 2 * count tiles at even steps as `read_tiles` does, a sheet at a time.

    Args:
        sprite: The sheets.
        n_points: How many tiles are used; None for all.
        count: At least so many, where there are so many.
    """
    per_sheet = _count_rows(sprite) * sprite.columns
    n_tiles = per_sheet * len(sprite.sheets)
    n_tiles = n_tiles if n_points is None else min(n_tiles, n_points)
    step = max(1, n_tiles // count)
    parts = []
    for start, sheet in zip(itertools.count(0, per_sheet), sprite.sheets):
        own = range(-(-start // step) * step - start, min(per_sheet, n_tiles - start), step)
        if own:
            parts.append(_read_sheet(sprite, sheet)[own.start : own.stop : step])
    widest = max(parts, key=lambda part: part.shape[3] if part.ndim == 4 else 1)
    return np.concatenate([_widen(part, widest) for part in parts])


def _count_rows(sprite: Sprite) -> int:
    """Return how many rows of tiles a sheet has, by its header."""
    image = open_image(io.BytesIO(sprite.image), "sprite", SHEET_FORMATS)
    return int(image.size[1] // sprite.tile_height)


def _read_sheet(sprite: Sprite, sheet: bytes) -> NDArray[np.uint8]:
    pixels = decode_array(open_image(sheet, "sprite", SHEET_FORMATS), "sprite")
    return _split(pixels, sprite.tile_width, sprite.tile_height)


def _split(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return the tiles of a sheet's pixels, row by row; what is over is left out."""
    columns, n_rows = pixels.shape[1] // width, pixels.shape[0] // height
    pixels = pixels[: n_rows * height, : columns * width]
    rest = pixels.shape[2:]
    grid = pixels.reshape(n_rows, height, columns, width, *rest)
    tiles: NDArray[np.uint8] = grid.swapaxes(1, 2).reshape(n_rows * columns, height, width, *rest)
    return tiles


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode uint8 (h, w, 1, 3 or 4) as PNG."""
    from PIL import Image

    out = io.BytesIO()
    squeezed = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    Image.fromarray(np.ascontiguousarray(squeezed)).save(out, "PNG", compress_level=6)
    return out.getvalue()
