"""`embviz sprite`: images packed into a sheet of thumbnails."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embviz.commands.shared.config import config_option
from embviz.commands.shared.requests import take
from embviz.commands.shared.source import TileSize
from embviz.errors import ParameterError

if TYPE_CHECKING:
    from embviz.sprites.listing import ImageFile
    from embviz.sprites.packing import SheetFormat, SheetPlan

log = logging.getLogger("embviz")


@click.command()
@click.argument("images", nargs=-1, required=True)
@click.option("-o", "output", metavar="FILE", required=True, help="Sheet: .png, .webp or .jpg")
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
@click.option("--tensor", metavar="NAME", help="The array in a .npz file that has several")
@click.option("--labels", metavar="FILE", help="Write the names too, a line a tile")
@click.option("--quality", type=int, help="1 to 100, for JPEG and WebP  [default: 90, lossless]")
@click.option("--skip-broken", is_flag=True, help="Put a marked tile in place of a broken image")
@config_option
def sprite(**given: Any) -> None:
    """Pack images into a sheet of thumbnails, a tile an image, in a square grid

    IMAGES is a folder, a glob, a .npy or .npz array of images, or a text file that lists images in
    the order wanted. Folders and globs are taken in the natural order of names.

    \b
    Example:
      embviz sprite images/ -o sprite.png --size 32x32 --labels labels.tsv
    """
    from embviz.pictures.images import open_images
    from embviz.sprites.encoding import show_size
    from embviz.sprites.packing import SheetOptions, plan_sheets

    request = take(Request, given)
    path = Path(request.output)
    labels = Path(request.labels) if request.labels else None
    kind = _check_outputs(path, labels, request.images)
    source, files = open_images(
        request.images,
        recursive=request.recursive,
        tensor=request.tensor,
        value_range=request.value_range,
        targets=[t for t in (path, labels) if t is not None],
    )
    if labels is not None and files is None:
        raise ParameterError("--labels", "an array of images has no names", "leave it out")
    options = take(SheetOptions, given)
    plan = plan_sheets(source, options, kind)
    if options.tile_size and plan.tile[0] != plan.tile[1]:
        log.info("tiles of %s x %s pixels: TensorBoard draws them as squares", *plan.tile)
    written = write_sheets(path, plan, kind, (labels, files))
    _say_broken(plan, files)
    for name, size in written:
        log.info("Wrote %s (%s)", name, show_size(size))


@dataclass(frozen=True, kw_only=True)
class Request:
    """Which images are packed into which files; how they are packed is in `SheetOptions`."""

    images: tuple[str, ...]
    output: str
    recursive: bool
    value_range: tuple[float, float] | None
    tensor: str | None
    labels: str | None


def _check_outputs(path: Path, labels: Path | None, images: tuple[str, ...]) -> SheetFormat:
    """Refuse outputs that cannot be written or are inputs, before work is spent; say the format."""
    from embviz.commands.shared.source import refuse_overwriting
    from embviz.errors import OutputError
    from embviz.outputs.files import check_output

    formats: dict[str, SheetFormat] = {
        ".png": "PNG",
        ".webp": "WEBP",
        ".jpg": "JPEG",
        ".jpeg": "JPEG",
    }
    kind = formats.get(path.suffix.lower())
    if kind is None:
        shown = f"'{path.suffix}' is not written" if path.suffix else "the name says no format"
        raise OutputError(path, shown, "name a .png, .webp or .jpg file after -o")
    for target in (path, labels):
        if target is None:
            continue
        check_output(target)
        for image in images:
            refuse_overwriting(target, {"images": image})
    if labels is not None and labels.resolve() == path.resolve():
        raise ParameterError(labels, "is both the sheet and the labels", "name two files")
    return kind


def write_sheets(
    path: Path,
    plan: SheetPlan,
    kind: SheetFormat,
    names: tuple[Path | None, list[ImageFile] | None],
) -> list[tuple[str, int]]:
    """Write the sheet, or several and their manifest, and the labels; all of them or nothing.

    Returns:
        What was written: names and sizes in bytes.
    """
    from dataclasses import replace

    from embviz.outputs.folders import staged
    from embviz.sprites.listing import iter_names
    from embviz.sprites.packing import encode_sheet

    labels, files = names
    note = plan.note
    if labels is not None and labels.parent.resolve() == path.parent.resolve():
        note = replace(note, labels=labels.name)
    several = plan.n_sheets > 1
    sheets = [f"{path.stem}-{i + 1}{path.suffix}" for i in range(plan.n_sheets)]
    sheets = sheets if several else [path.name]
    with staged() as stage:
        for i, name in enumerate(sheets):
            text = "" if several else note.encode()
            stage.write(path.parent / name, encode_sheet(plan, i, kind, text))
        if several:
            note = replace(note, files=tuple(sheets))
            stage.write(path.with_suffix(".json"), (note.encode() + "\n").encode("utf-8"))
            log.info(
                "%s tiles of %s x %s pixels need %s sheets of %s a side: %s names them",
                f"{note.count:,}", *plan.tile, plan.n_sheets, plan.options.max_side,
                path.with_suffix(".json"),
            )  # fmt: skip
        else:
            log.info(
                "%s: %s x %s tiles of %s x %s pixels for %s image%s",
                path, plan.columns, plan.columns, *plan.tile, f"{note.count:,}",
                "" if note.count == 1 else "s",
            )  # fmt: skip
        if labels is not None and files is not None:
            text = "".join(f"{name}\n" for name in iter_names(files))
            stage.write(labels, text.encode("utf-8"))
    return stage.written


def _say_broken(plan: SheetPlan, files: list[ImageFile] | None) -> None:
    if not plan.broken:
        return
    first = sorted(plan.broken)[:3]
    shown = ", ".join(f"{files[i].name if files else i} ({plan.broken[i]})" for i in first)
    more = " …" if len(plan.broken) > 3 else ""
    log.warning(
        "%s of %s images are broken and marked: %s%s",
        f"{len(plan.broken):,}", f"{len(plan.source):,}", shown, more,
    )  # fmt: skip
