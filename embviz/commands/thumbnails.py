"""Thumbnails that come with a table: a sheet, the labels beside it, or a folder of images."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embviz.model import EmbeddingTable, Sprite

log = logging.getLogger("embviz")

# A sheet made on the way: so many pixels in all, so that the page stays small.
_MOST_PIXELS = 1 << 24
_MOST_TILE = 128
_LOSSY_BYTES = 2_000_000
_LOSSY_QUALITY = 85


def add_thumbnails(
    table: EmbeddingTable,
    sheet: str | None,
    images: str | None,
    tile_size: tuple[int, int] | None = None,
) -> EmbeddingTable:
    """Add the labels that lie beside a sheet, or the thumbnails and names of a folder of images.

    Args:
        table: The points; its own labels stay.
        sheet: What --sprite named; it is loaded already.
        images: What --images names: a folder, glob, array or list file, in the order of the points.
        tile_size: A tile's width and height in pixels, for `images`.

    Raises:
        ParameterError: If the images are not one a point.
        LoadError: If an image cannot be read.
    """
    from dataclasses import replace

    from embviz.loaders.labels.metadata import read_metadata
    from embviz.sprites import find_labels

    if sheet is not None and not table.metadata:
        labels = find_labels(Path(sheet))
        if labels is not None:
            table = replace(table, metadata=read_metadata(labels, table.n_points))
            log.info("%s: labels from %s", sheet, labels)
    if images is not None:
        sprite, names = make_sprite(images, tile_size, table.n_points)
        table = replace(table, sprite=sprite)
        if names and not table.metadata:
            table = replace(table, metadata={"label": names})
    return table


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
    import math

    from embviz.commands.sprite import open_source
    from embviz.errors import ParameterError
    from embviz.model import Sprite
    from embviz.sprites.encoding import show_size
    from embviz.sprites.packing import SheetOptions, encode_sheet, plan_sheets

    source, files = open_source((images,), {})
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


def link_images(page: str, table: EmbeddingTable, options: dict[str, Any]) -> list[str]:
    """Return the places of a table's images relative to the page, one a point, if they are wanted.

    Raises:
        ParameterError: If the images are in an array, or on another drive than the page.
    """
    import os
    from urllib.parse import quote

    from embviz.errors import ParameterError
    from embviz.loaders.arrays.images import is_image_array
    from embviz.sprites.listing import find_images

    if not options["images_linked"]:
        return []
    images = Path(options["images"])
    if is_image_array(images):
        raise ParameterError("--images-linked", "an array has no files to link", "leave it out")
    files = find_images([options["images"]], said=False)
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
    from dataclasses import replace

    from embviz.sprites.encoding import encode_webp

    first, *rest = (encode_webp(sheet, _LOSSY_QUALITY) for sheet in sprite.sheets)
    return replace(sprite, image=first, mime="image/webp", more=tuple(rest))
