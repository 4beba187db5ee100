"""Images packed into sheets of thumbnails, a tile an image, and written."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack

from embviz.errors import ParameterError
from embviz.outputs.files import check_outputs
from embviz.outputs.folders import staged
from embviz.outputs.text import to_utf8
from embviz.pictures.images import ImageChoice, open_images
from embviz.sprites.listing import ImageFile, iter_names
from embviz.sprites.packing import (
    SheetFields,
    SheetFormat,
    SheetOptions,
    SheetPlan,
    encode_sheet,
    plan_sheets,
)

log = logging.getLogger("embviz")
_FORMATS: dict[str, SheetFormat] = {
    ".png": "PNG",
    ".webp": "WEBP",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
}


@dataclass(frozen=True)
class PackedImages:
    """Images that were packed and written.

    Attributes:
        written: Names and sizes in bytes of the files.
        n_images: How many images there are, a tile each.
        broken: Why images are marked and not shown, by their names.
        tile: A tile's width and height in pixels.
        columns: Tiles a row of a sheet.
        n_sheets: How many sheets they are in.
    """

    written: tuple[tuple[str, int], ...]
    n_images: int
    broken: Mapping[str, str]
    tile: tuple[int, int]
    columns: int
    n_sheets: int


def pack_images(
    images: str | os.PathLike[str] | Sequence[str],
    path: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | None = None,
    choice: ImageChoice | None = None,
    options: SheetOptions | None = None,
    **fields: Unpack[SheetFields],
) -> list[tuple[str, int]]:
    """Pack images into a sheet of thumbnails and return the files as `pack_sheets` names them.

    Arguments and errors as for `pack_sheets`.
    """
    found = pack_sheets(images, path, labels=labels, choice=choice, options=options, **fields)
    return list(found.written)


def pack_sheets(
    images: str | os.PathLike[str] | Sequence[str],
    path: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | None = None,
    choice: ImageChoice | None = None,
    options: SheetOptions | None = None,
    **fields: Unpack[SheetFields],
) -> PackedImages:
    """Pack images into a sheet of thumbnails, a tile an image, in a square grid.

    Args:
        images: A folder, a glob, a .npy or .npz array of images or a list file, or several files.
        path: The sheet: a .png, .webp or .jpg file; several are numbered, and a .json names them.
        labels: Where the names are written, a line a tile.
        choice: Which images of a folder, or which array.
        options: What the sheet is like.
        fields: Fields of `SheetOptions`, in place of one or of some of its own.

    Returns:
        What was written, and how.

    Raises:
        LoadError: If there are no images, or one cannot be read.
        ParameterError: If an option has no meaning for them, or an output is one of them.
        OutputError: If a file cannot be written; nothing is left behind.
    """
    options = replace(options or SheetOptions(), **fields)
    target = Path(path)
    names = None if labels is None else Path(labels)
    kind = sheet_format(target)
    targets = [target] if names is None else [target, names]
    check_outputs({"-o": target} if names is None else {"-o": target, "--labels": names})
    wanted = [str(images)] if isinstance(images, (str, os.PathLike)) else list(images)
    source, files = open_images(wanted, choice, targets)
    if names is not None and files is None:
        raise ParameterError("--labels", "an array of images has no names", "leave it out")
    plan = plan_sheets(source, options, kind)
    if options.tile_size and plan.tile[0] != plan.tile[1]:
        log.info("tiles of %s x %s pixels: TensorBoard draws them as squares", *plan.tile)
    written = _write_sheets(target, plan, kind, (names, files))
    _say_broken(plan, files)
    broken = {files[i].name if files else str(i): why for i, why in sorted(plan.broken.items())}
    return PackedImages(
        tuple(written), len(plan.source), broken, plan.tile, plan.columns, plan.n_sheets
    )


def sheet_format(path: Path) -> SheetFormat:
    """Return the format that a sheet's name says.

    Raises:
        ParameterError: If it says none that is written.
    """
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        shown = f"'{path.suffix}' is not written" if path.suffix else "the name says no format"
        raise ParameterError(path, shown, "name a .png, .webp or .jpg file after -o")
    return kind


def _write_sheets(
    path: Path,
    plan: SheetPlan,
    kind: SheetFormat,
    names: tuple[Path | None, list[ImageFile] | None],
) -> list[tuple[str, int]]:
    """Write the sheet, or several and their manifest, and the labels; all of them or nothing.

    Returns:
        What was written: names and sizes in bytes.
    """
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
            stage.write(labels, to_utf8(text))
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
