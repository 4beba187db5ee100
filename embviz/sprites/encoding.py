"""Sheets in the smallest form that shows the very same pixels."""

from __future__ import annotations

import io
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embviz.model import Sprite
from embviz.outputs.text import show_size
from embviz.sprites.images import SHEET_FORMATS, decode_array, open_image

if TYPE_CHECKING:
    from PIL.Image import Image

_log = logging.getLogger("embviz")

# Above this many pixels lossless WebP takes seconds and PNG is written.
_WEBP_PIXELS = 1 << 24
_WORTHWHILE_BYTES = 1_000


def shrink_sprite(sprite: Sprite) -> Sprite:
    """Return the sheets in the smallest lossless form: as they are, WebP, or PNG in fewer channels.

    The pixels that are shown are equal; what a sheet says beside them (notes, color profiles) is
    left out. JPEG and lossy sheets are smaller than any of them and stay.
    """
    if sprite.mime == "image/jpeg":
        return sprite
    small, kinds = [], set()
    for sheet in sprite.sheets:
        pixels = narrow(decode_array(open_image(sheet, "sprite", SHEET_FORMATS), "sprite"))
        data, kind = _encode_lossless(pixels)
        small.append(data)
        kinds.add(kind)
    old, new = sum(map(len, sprite.sheets)), sum(map(len, small))
    if new + _WORTHWHILE_BYTES >= old or len(kinds) > 1:
        return sprite
    kind = kinds.pop()
    _log.info(
        "thumbnails: %s of %s travel as lossless %s of %s",
        sprite.mime.split("/")[1].upper(), show_size(old), kind, show_size(new),
    )  # fmt: skip
    mime = {"WebP": "image/webp", "PNG": "image/png"}[kind]
    return replace(sprite, image=small[0], mime=mime, more=tuple(small[1:]))


def narrow(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pixels without an alpha channel that is opaque, and gray where no color is."""
    if pixels.ndim == 3 and pixels.shape[2] == 4 and (pixels[..., 3] == 255).all():
        pixels = pixels[..., :3]
    if pixels.ndim == 3 and pixels.shape[2] == 3:
        gray = pixels[..., 0]
        if (gray == pixels[..., 1]).all() and (gray == pixels[..., 2]).all():
            pixels = gray
    return np.ascontiguousarray(pixels)


def _encode_lossless(pixels: NDArray[np.uint8]) -> tuple[bytes, str]:
    from PIL import Image

    image = Image.fromarray(pixels)
    if pixels.shape[0] * pixels.shape[1] > _WEBP_PIXELS:
        return _save(image, "PNG", compress_level=6), "PNG"
    if image.mode == "L":
        image = image.convert("RGB")
    return _save(image, "WEBP", lossless=True, quality=50, method=2, exact=True), "WebP"


def encode_webp(sheet: bytes, quality: int) -> bytes:
    """Return an encoded sheet as lossy WebP of a quality from 1 to 100."""
    from PIL import Image

    pixels = decode_array(open_image(sheet, "sprite", SHEET_FORMATS), "sprite")
    image = Image.fromarray(pixels)
    if image.mode == "L":
        image = image.convert("RGB")
    return _save(image, "WEBP", quality=quality, method=4)


def _save(image: Image, kind: str, **options: int | bool) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
