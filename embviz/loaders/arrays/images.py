"""Arrays of images in .npy and .npz files, for sheets of thumbnails."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError
from embviz.inputs import open_file
from embviz.loaders.arrays.npy import NPY, check_size, map_array
from embviz.loaders.arrays.npy_header import read_header
from embviz.loaders.arrays.npz import NPZ, load_array
from embviz.loaders.opened import read_start
from embviz.rows import why_not_numbers
from embviz.sprites.sources import image_shapes


def is_image_array(path: Path) -> bool:
    """Tell whether a file is a .npy or .npz file."""
    start = read_start(path)
    return NPY.claim(start) is not None or NPZ.claim(start) is not None


def load_image_array(path: Path, tensor: str | None = None) -> NDArray[Any]:
    """Read an array of images; a .npy file, or a stored member of a .npz file, is mapped.

    Args:
        path: The file.
        tensor: The member of a .npz file; None for the only one of 3 or 4 dimensions.

    Returns:
        (n, height, width) or (n, height, width, channels), real numbers or bool as uint8 0 and 1.

    Raises:
        LoadError: If it is damaged, or holds no such array or several.
        ParameterError: If no member has the name.
    """
    try:
        start = read_start(path)
        if (NPZ.claim(start) or 0) > (NPY.claim(start) or 0):
            return load_array(path, tensor, _is_images)
        if tensor is not None:
            raise ParameterError(f"tensor '{tensor}'", f"{path} holds one array", "leave it out")
        with open_file(path) as file:
            header = read_header(file, str(path))
        reason = why_not_numbers(header.dtype)
        if reason:
            raise LoadError(path, *reason)
        if not _is_images(header.shape):
            raise LoadError(
                path,
                f"an array of {' x '.join(map(str, header.shape)) or 'one number'}",
                image_shapes(header.shape),
            )
        check_size(header, path.stat().st_size, str(path))
        array = map_array(path, header, 0)
    except OSError as e:
        raise LoadError(path, f"cannot be read ({e.strerror})") from None
    return array.view(np.bool_) if header.dtype.kind == "b" else array


def _is_images(shape: tuple[int, ...]) -> bool:
    channels = shape[3] if len(shape) == 4 else 1
    return len(shape) in (3, 4) and channels in (1, 3, 4) and math.prod(shape) > 0
