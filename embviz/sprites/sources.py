"""Where tiles come from: image files, or an array of images."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError
from embviz.inputs import open_file
from embviz.sprites.fitting import upright_size
from embviz.sprites.images import MOST_BYTES, has_alpha, is_gray, open_image, read_orientation
from embviz.sprites.listing import ImageFile

if TYPE_CHECKING:
    from PIL.Image import Image

_log = logging.getLogger("embviz")
_BLOCK_BYTES = 16 << 20


@dataclass(frozen=True)
class ImageFacts:
    """What an image's header says: its upright size, whether it is gray and may be clear.

    `stamp` is the file's size and time of change, by which a later change is seen.
    """

    width: int
    height: int
    gray: bool
    alpha: bool
    stamp: tuple[int, int] = (0, 0)


class TileSource(Protocol):
    """Images by number."""

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """Return an image's name, as errors show it."""
        ...

    def facts(self, index: int) -> ImageFacts:
        """Return what is known of an image without decoding it; raises LoadError."""
        ...

    def open(self, index: int, facts: ImageFacts) -> Image:
        """Open an image that is still as the facts say; raises LoadError."""
        ...


class FileSource:
    """Image files."""

    def __init__(self, files: Sequence[ImageFile]) -> None:
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def name(self, index: int) -> str:
        return str(self.files[index].path)

    def facts(self, index: int) -> ImageFacts:
        path = self.files[index].path
        try:
            with open_file(path) as file:
                found = os.fstat(file.fileno())
                if found.st_size == 0:
                    raise LoadError(path, "0 bytes", "an image is needed")
                image = open_image(file, path)
                size = upright_size(image, read_orientation(image, path))
        except (OSError, ValueError) as e:
            raise LoadError(path, f"cannot be read ({_reason(e)})") from None
        stamp = found.st_size, found.st_mtime_ns
        return ImageFacts(*size, is_gray(image), has_alpha(image), stamp)

    def open(self, index: int, facts: ImageFacts) -> Image:
        path = self.files[index].path
        try:
            with open_file(path) as file:
                raw = file.read(min(facts.stamp[0], MOST_BYTES) + 1)
                found = os.fstat(file.fileno())
        except (OSError, ValueError) as e:
            raise LoadError(path, f"cannot be read ({_reason(e)})") from None
        if (found.st_size, found.st_mtime_ns) != facts.stamp or len(raw) != facts.stamp[0]:
            raise LoadError(path, "changed while it was read", "run again when it is written")
        return open_image(raw, path)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or "not a path"


class ArraySource:
    """Images in an array.

    Args:
        array: Real numbers (n, height, width) or (n, height, width, 1, 3 or 4).
        what: The array's name, for errors.
        value_range: The values of black and white (of no and full color); None to take them from
            the type and the values: the full range of bool, uint8 and (beyond 255) uint16; 0 .. 1,
            -1 .. 1 or 0 .. 255 where the values fit them and reach half of it; else the least and
            greatest value, 0 for the least where none is below.

    Raises:
        LoadError: If the shape or type is another, or there are no pixels.
        ParameterError: If the range is not two numbers in order.
    """

    def __init__(
        self,
        array: NDArray[Any],
        what: str = "array",
        value_range: tuple[float, float] | None = None,
    ) -> None:
        shape = " x ".join(map(str, array.shape))
        if array.dtype.kind not in "biuf":
            raise LoadError(what, f"{array.dtype}, where numbers are needed")
        if array.ndim == 3:
            array = array[..., None]
        if array.ndim != 4 or array.shape[3] not in (1, 3, 4):
            raise LoadError(what, f"an array of {shape}", image_shapes(array.shape))
        if 0 in array.shape:
            raise LoadError(what, f"an array of {shape}: no pixels")
        if value_range is not None and not (
            np.isfinite(value_range).all() and value_range[0] < value_range[1]
        ):
            raise ParameterError(
                f"--range {value_range[0]:g} {value_range[1]:g}", "not two numbers, the less first"
            )
        self._array = array
        self._what = what
        self._low, self._high = value_range or _find_range(array)
        _log.info(
            "%s: %s images of %s x %s pixels, %s, values %g … %g shown as black … white",
            what, f"{len(array):,}", array.shape[2], array.shape[1], array.dtype.name, self._low,
            self._high,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self._array)

    def name(self, index: int) -> str:
        return f"{self._what}: image {index}"

    def facts(self, index: int) -> ImageFacts:
        _, height, width, channels = self._array.shape
        return ImageFacts(width, height, channels == 1, channels == 4)

    def open(self, index: int, facts: ImageFacts) -> Image:
        from PIL import Image

        values = np.asarray(self._array[index])
        if values.dtype != np.uint8 or (self._low, self._high) != (0, 255):
            values = values.astype(np.float64)
            if not np.isfinite(values).all():
                raise LoadError(self.name(index), "holds NaN or infinity")
            # By halves, so that no difference passes the range of float64.
            scaled = (values / 2 - self._low / 2) / (self._high / 2 - self._low / 2) * 255
            values = np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
        pixels = values[..., 0] if values.shape[2] == 1 else values
        return Image.fromarray(np.ascontiguousarray(pixels))


def image_shapes(found: tuple[int, ...]) -> str:
    """Return what shapes arrays of images have, and how one of another layout gets there."""
    if len(found) == 4 and found[1] in (1, 3, 4):
        return "its channels come last: save array.transpose(0, 2, 3, 1)"
    return "images are (n, height, width) or (n, height, width, 1, 3 or 4)"


def _find_range(array: NDArray[Any]) -> tuple[float, float]:
    """Return the values that are shown as black and white."""
    kind = array.dtype.newbyteorder("=")
    if kind == np.bool_:
        return 0.0, 1.0
    if kind == np.uint8:
        return 0.0, 255.0
    low, high = _extremes(array)
    if kind == np.uint16 and high > 255:
        return 0.0, 65535.0
    if low >= 0:
        for top in (1.0, 255.0):
            if top / 2 <= high <= top:
                return 0.0, top
    elif low >= -1 and high <= 1 and (kind.kind == "f" or low == -1):
        return -1.0, 1.0
    low = min(low, 0.0)
    return low, high if high > low else low + 1


def _extremes(array: NDArray[Any]) -> tuple[float, float]:
    """Return the least and greatest finite value, block by block."""
    step = max(1, _BLOCK_BYTES // max(1, array[0].nbytes))
    low, high = np.inf, -np.inf
    for start in range(0, len(array), step):
        block = array[start : start + step]
        if block.dtype.kind == "f":
            finite = np.isfinite(block)
            low = min(low, float(np.min(block, where=finite, initial=np.inf)))
            high = max(high, float(np.max(block, where=finite, initial=-np.inf)))
        else:
            low, high = min(low, float(block.min())), max(high, float(block.max()))
    return (low, high) if low <= high else (0.0, 1.0)
