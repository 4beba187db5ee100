"""Images that become tiles: the files of a folder, a glob or a list, or an array."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embviz.errors import LoadError, ParameterError
from embviz.loaders.arrays.images import is_image_array, load_image_array
from embviz.sprites.listing import ImageFile, find_images
from embviz.sprites.manifest import find_sheets
from embviz.sprites.sources import ArraySource, FileSource, TileSource

log = logging.getLogger("embviz")


@dataclass(frozen=True, kw_only=True)
class ImageChoice:
    """Which images of a folder, or which array of images.

    Attributes:
        recursive: Look into the folders of a folder too.
        tensor: The array in a .npz file that has several.
        value_range: Values of an array that are black and white; None by its type and values.
    """

    recursive: bool = False
    tensor: str | None = None
    value_range: tuple[float, float] | None = None


def open_images(
    images: Sequence[str], choice: ImageChoice | None = None, targets: Sequence[Path] = ()
) -> tuple[TileSource, list[ImageFile] | None]:
    """Return the images that are asked for, and their names where they are files.

    Args:
        images: A folder, a glob, a .npy or .npz array or a list file, or several files.
        choice: Which of them.
        targets: What will be written, the sheet first.

    Raises:
        LoadError: If there are none.
        ParameterError: If an option has no meaning for them, or a target is one of them.
    """
    choice = choice or ImageChoice()
    first = Path(images[0])
    alone = len(images) == 1
    # Unlike a path's own, these answer for names that no file can have.
    if alone and os.path.isfile(first) and is_image_array(first):
        if choice.recursive:
            raise ParameterError("--recursive", f"{first} is no folder", "leave it out")
        array = load_image_array(first, choice.tensor)
        return ArraySource(array, str(first), choice.value_range), None
    for given, option in ((choice.value_range, "--range"), (choice.tensor, "--tensor")):
        if given is not None:
            raise ParameterError(option, "belongs to arrays of images", "leave it out")
    files = find_images(images, choice.recursive)
    files = _leave_out_targets(files, targets, gathered=alone and not os.path.isfile(first))
    return FileSource(files), files


def _leave_out_targets(
    files: list[ImageFile], targets: Sequence[Path], gathered: bool
) -> list[ImageFile]:
    """Return images without the sheet that an earlier run wrote among them.

    Raises:
        ParameterError: If a target is an image, and no such sheet of a folder or glob.
        LoadError: If nothing is left.
    """
    old = [sheet for target in targets[:1] for sheet in find_sheets(target)] if gathered else []
    places = {_place(path): path in old for path in [*targets, *old]}
    places.pop(None, None)
    kept = []
    for file in files if places else ():
        place = _place(file.path)
        if place not in places:
            kept.append(file)
        elif places[place]:
            log.info("%s: a sheet that was written before, left out", file.path)
        else:
            raise ParameterError(file.path, "would be overwritten", "name another file after -o")
    if places and not kept:
        raise LoadError(files[0].path, "a sheet that was written before, and the only image")
    return kept if places else files


def _place(path: Path) -> tuple[int, int] | None:
    """Return what two names of one file share; None where there is no file."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino
