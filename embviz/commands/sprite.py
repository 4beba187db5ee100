"""`embviz sprite`: images packed into a sheet of thumbnails."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from embviz.commands.shared.completion import complete_tensor
from embviz.commands.shared.config import config_option
from embviz.commands.shared.outcome import (
    Outcome,
    begin_account,
    json_option,
    options_in_force,
)
from embviz.commands.shared.requests import take
from embviz.commands.shared.source import FILE, TileSize, refuse_overwriting

log = logging.getLogger("embviz")


@click.command()
@click.argument("images", type=FILE, nargs=-1, required=True)
@click.option(
    "-o", "output", type=FILE, metavar="FILE", required=True, help="Sheet: .png, .webp or .jpg"
)
@click.option(
    "--size",
    "tile_size",
    type=TileSize(),
    help="Size of a tile  [default: what one sheet can hold]",
)
@click.option(
    "--max-side",
    type=int,
    default=8192,
    show_default=True,
    metavar="PIXELS",
    help="Longest side of a sheet; TensorBoard shows no more than 8192",
)
@click.option(
    "--fit",
    type=click.Choice(["contain", "cover", "stretch"]),
    default="contain",
    show_default=True,
    help="Show all of an image, fill the tile and cut, or distort",
)
@click.option(
    "--background",
    metavar="COLOR",
    help="What is beside and under images  [default: transparent, white in JPEG]",
)
@click.option("--recursive", is_flag=True, help="Look into the folders of a folder too")
@click.option(
    "--range",
    "value_range",
    nargs=2,
    type=float,
    metavar="LOW HIGH",
    help="Values of an array that are black and white  [default: by type and values, said]",
)
@click.option(
    "--tensor",
    metavar="NAME",
    shell_complete=complete_tensor,
    help="The array in a .npz file that has several",
)
@click.option("--labels", type=FILE, metavar="FILE", help="Write the names too, a line a tile")
@click.option("--quality", type=int, help="1 to 100, for JPEG and WebP  [default: 90, lossless]")
@click.option("--skip-broken", is_flag=True, help="Put a marked tile in place of a broken image")
@json_option
@config_option
@click.pass_context
def sprite(ctx: click.Context, /, **given: Any) -> None:
    """Pack images into a sheet of thumbnails, a tile an image, in a square grid

    IMAGES is a folder, a glob, a .npy or .npz array of images, or a text file that lists images in
    the order wanted. Folders and globs are taken in the natural order of names.

    \b
    Example:
      embviz sprite images/ -o sprite.png --size 32x32 --labels labels.tsv
    """
    from embviz.outputs.text import show_size
    from embviz.pictures.images import ImageChoice
    from embviz.pictures.sheets import pack_sheets, sheet_format
    from embviz.sprites.packing import SheetOptions

    request = take(Request, given)
    outputs = {"-o": request.output, "--labels": request.labels}
    account = begin_account(given["as_json"], outputs)
    sheet_format(Path(request.output))
    for target in (request.output, request.labels):
        if target:
            inputs = [("images", image) for image in request.images]
            refuse_overwriting(target, [("settings", request.config), *inputs])
    with account.timed("packing"):
        packed = pack_sheets(
            request.images,
            request.output,
            labels=request.labels or None,
            choice=take(ImageChoice, given),
            options=take(SheetOptions, given),
        )
    account.stop_hearing()
    for name, size in packed.written:
        log.info("Wrote %s (%s)", name, show_size(size))
    account.print(
        lambda: Outcome(
            command="sprite",
            counts={"images": packed.n_images, "broken": len(packed.broken)},
            parameters=options_in_force(ctx),
            more={
                "images": list(request.images),
                "broken": packed.broken,
                "tile": packed.tile,
                "columns": packed.columns,
                "sheets": packed.n_sheets,
            },
        ),
        [name for name, _ in packed.written],
    )


@dataclass(frozen=True, kw_only=True)
class Request:
    """Which images are packed into which files."""

    images: tuple[str, ...]
    output: str
    labels: str | None
    config: str | None
