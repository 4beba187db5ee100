"""Thumbnails made for a table from images, and the labels that lie beside a sheet."""

from __future__ import annotations

import logging
import math
import os
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from embviz.errors import ParameterError
from embviz.loaders.arrays.images import is_image_array
from embviz.loaders.labels.metadata import read_metadata
from embviz.model import EmbeddingTable, Sprite
from embviz.outputs.text import show_size
from embviz.pictures.images import open_images
from embviz.rows import rank_numbers
from embviz.sprites import find_labels
from embviz.sprites.encoding import encode_webp
from embviz.sprites.listing import find_images
from embviz.sprites.packing import SheetOptions, encode_sheet, plan_sheets

log = logging.getLogger("embviz")

# A sheet made on the way: so many pixels in all, so that the page stays small.
_MOST_PIXELS = 1 << 24
_MOST_TILE = 128
_LOSSY_BYTES = 2_000_000
_LOSSY_QUALITY = 85


def add_thumbnails(
    table: EmbeddingTable,
    images: str | os.PathLike[str],
    tile_size: tuple[int, int] | None = None,
) -> EmbeddingTable:
    """Return a table with images as its thumbnails, and their names as labels if it has none.

    Args:
        table: The points.
        images: A folder, glob, array or list file, in the order of the points.
        tile_size: A tile's width and height in pixels; None for at most 128 a side, and at most
            2^24 pixels in all.

    Raises:
        ParameterError: If the images are not one a point, or rows of the source are left out.
        LoadError: If an image cannot be read.
    """
    if table.rows is not None and int(table.rows.max()) >= table.n_points:
        raise ParameterError(
            f"--images {images}",
            f"{table.source} leaves out rows of its source, which the images may have or not",
            "give the source itself, with one image a row",
        )
    sprite, names = make_sprite(str(images), tile_size, table.n_points)
    table = replace(table, sprite=sprite)
    if names and not table.metadata:
        table = replace(table, metadata={"label": _by_number(names, table)})
    return table


def add_sheet_labels(table: EmbeddingTable, sheet: str | os.PathLike[str]) -> EmbeddingTable:
    """Return a table with the labels that lie beside a sheet of thumbnails, if it has none.

    Raises:
        LoadError: If the file of labels is damaged, or not of as many points.
    """
    labels = None if table.metadata else find_labels(Path(sheet))
    if labels is None:
        return table
    columns = read_metadata(labels, table.n_points, lines_first=True)
    table = replace(table, metadata={name: _by_number(v, table) for name, v in columns.items()})
    log.info("%s: labels from %s", sheet, labels)
    return table


def _by_number(values: tuple[str, ...], table: EmbeddingTable) -> tuple[str, ...]:
    """Return texts of rows in the order of their numbers in the order of a table."""
    if table.rows is None:
        return values
    return tuple([values[i] for i in rank_numbers(table.rows).tolist()])


def make_sprite(
    images: str, tile_size: tuple[int, int] | None, n_points: int
) -> tuple[Sprite, tuple[str, ...]]:
    """Make the thumbnails of a report from images, a tile a point, and return the files' names.

    Without a size a tile is at most 128 pixels a side, and all are at most 2^24 pixels. They are
    packed without loss, or as WebP of quality 85 where that takes less than half of 2 MB or more.

    Raises:
        ParameterError: If there are more or fewer images than points.
        LoadError: If an image cannot be read.
    """
    source, files = open_images((images,))
    if len(source) != n_points:
        raise ParameterError(
            f"--images {images}",
            f"{len(source):,} images for {n_points:,} points",
            "a list file gives one a point in their order",
        )
    plan = plan_sheets(source, SheetOptions(tile_size=tile_size))
    if tile_size is None:
        side = min(plan.tile[0], _MOST_TILE, max(8, math.isqrt(_MOST_PIXELS // n_points)))
        plan = plan_sheets(source, SheetOptions(tile_size=(side, side)))
    sheets = [b"".join(encode_sheet(plan, i, "PNG")) for i in range(plan.n_sheets)]
    sprite = Sprite(sheets[0], "image/png", *plan.tile, plan.columns, tuple(sheets[1:]))
    size, kind = sum(map(len, sheets)), "without loss"
    if size >= _LOSSY_BYTES:
        smaller = _compress(sprite)
        if sum(map(len, smaller.sheets)) < size / 2:
            sprite, kind = smaller, f"as WebP of quality {_LOSSY_QUALITY}"
            size = sum(map(len, sprite.sheets))
    log.info(
        "%s: %s thumbnails of %s x %s pixels, %s %s",
        images, f"{n_points:,}", *plan.tile, show_size(size), kind,
    )  # fmt: skip
    return sprite, tuple(file.name for file in files or ())


def link_images(
    page: str | os.PathLike[str], table: EmbeddingTable, images: str | os.PathLike[str]
) -> list[str]:
    """Return the places of a table's images relative to a page, one a point.

    Args:
        page: The file that will link them.
        table: The points, or a part of them.
        images: What their thumbnails were made of.

    Raises:
        ParameterError: If the images are in an array, or on another drive than the page.
    """
    if is_image_array(Path(images)):
        raise ParameterError("--images-linked", "an array has no files to link", "leave it out")
    files = find_images([str(images)], said=False)
    links = []
    for i in range(table.n_points):
        target = files[table.row_number(i)].path
        try:
            place = os.path.relpath(target.absolute(), Path(page).parent.absolute())
        except ValueError:
            raise ParameterError(
                "--images-linked", f"{target} is on another drive than {page}", "put them together"
            ) from None
        # "./" keeps a name such as "javascript:x" a name.
        links.append("./" + quote(place.replace(os.sep, "/"), errors="surrogateescape"))
    return links


def _compress(sprite: Sprite) -> Sprite:
    first, *rest = (encode_webp(sheet, _LOSSY_QUALITY) for sheet in sprite.sheets)
    return replace(sprite, image=first, mime="image/webp", more=tuple(rest))
