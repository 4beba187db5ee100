"""Single images: opened by their header, checked before a pixel is decoded, turned to 8 bits."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, printable
from embviz.inputs import open_file

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_SIDE = 8192
"""The longest side of a sheet in pixels: the limit of TensorBoard and of common GPUs."""
MOST_PIXELS = 178_000_000
"""The most pixels that are decoded: Pillow's own limit, twice its MAX_IMAGE_PIXELS."""

MOST_BYTES = 1 << 30
_PIECE = 1 << 20
_MOST_STREAM = 9 * MOST_PIXELS  # Four channels of 16 bits, and a byte more a row.
MIMES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # a JPEG file with further pictures behind the first, as cameras write
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
}
"""The formats that every browser shows, by Pillow's name."""
SHEET_FORMATS = tuple(MIMES)
IMAGE_FORMATS = (*MIMES, "TIFF", "PPM")

PILLOW_FAILURES = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    OverflowError,
    LookupError,
    TypeError,
    AttributeError,
    ZeroDivisionError,
    NotImplementedError,
    RuntimeError,
    zlib.error,
    struct.error,
)
"""What Pillow's readers raise about a damaged file, by their documentation and by fuzzing."""

_PNG = b"\x89PNG\r\n\x1a\n"
_SIGNATURES = (
    _PNG,
    b"\xff\xd8\xff",
    b"GIF8",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"P5\n",
    b"P6\n",
)
_ORIENTATION = 0x0112


@cache
def _quiet_pillow() -> None:
    """Keep Pillow's warnings about odd files from the terminal, once and for all threads."""
    from PIL import Image

    warnings.filterwarnings("ignore", module=r"PIL\b")
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def is_image(start: bytes) -> bool:
    """Tell whether a file begins (first 16 bytes) as an image that is read."""
    webp = start[:4] == b"RIFF" and start[8:12] == b"WEBP"
    return webp or start.startswith(_SIGNATURES)


def read_bytes(path: Path, what: object = None) -> bytes:
    """Read a file whole, up to 1 GiB.

    Raises:
        LoadError: If it is missing, empty, too large or no file.
    """
    what = path if what is None else what
    try:
        if not path.is_file():
            if path.is_dir():
                raise LoadError(what, "a folder, where an image is needed")
            if path.exists():
                raise LoadError(what, "neither a file nor a folder")
        with open_file(path) as file:
            raw = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as e:
        reason = getattr(e, "strerror", None) or "not a path"
        raise LoadError(what, f"cannot be read ({reason})") from None
    if len(raw) > MOST_BYTES:
        raise LoadError(what, f"more than {MOST_BYTES} bytes are not read")
    if not raw:
        raise LoadError(what, "0 bytes", "an image is needed")
    return raw


def open_image(
    source: bytes | IO[bytes], what: object, formats: tuple[str, ...] = IMAGE_FORMATS
) -> Image:
    """Open an image without decoding it, and refuse what is none or has too many pixels.

    Args:
        source: The file's bytes, or the open file, of which only the header is read.
        what: Its name, for errors.
        formats: What it may be, by Pillow's names.

    Raises:
        LoadError: With the format, the size that the header states, or the chunk of a PNG file
            whose checksum is wrong.
    """
    from PIL import Image, UnidentifiedImageError

    is_png = isinstance(source, bytes) and source.startswith(_PNG)
    stream = _check_chunks(source, what) if isinstance(source, bytes) and is_png else []
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    kinds = ", ".join("WebP" if f == "WEBP" else f for f in formats if f != "MPO")
    try:
        _quiet_pillow()
        image = Image.open(file, formats=[f for f in formats if f != "MPO"])
    except Image.DecompressionBombError:
        raise LoadError(
            what, f"more than {MOST_PIXELS:,} pixels", "make the image smaller"
        ) from None
    except (UnidentifiedImageError, *PILLOW_FAILURES):
        file.seek(0)
        svg = b"<svg" in file.read(1000).lower()
        why = "SVG, which is not read" if svg else f"not a {kinds} image or a damaged one"
        raise LoadError(what, why, "save it as PNG") from None
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise LoadError(
            what,
            f"{width} x {height} pixels, more than {MOST_PIXELS:,} pixels in all",
            "make the image smaller",
        )
    if min(width, height) < 1:
        raise LoadError(what, f"{width} x {height} pixels", "an image is needed")
    if is_png:
        _check_stream(stream, what)
    return image


def _check_chunks(raw: bytes, what: object) -> list[memoryview]:
    """Compare the checksum of every chunk of a PNG file (https://www.w3.org/TR/png-3/#5DataRep).

    Pillow does not compare those of the pixels.

    Returns:
        The parts of the pixels' zlib stream; none where the file ends before it says so.

    Raises:
        LoadError: If one is wrong, or a chunk is cut off.
    """
    at, kind = len(_PNG), b""
    pixels: list[memoryview] = []
    while kind != b"IEND" and at + 8 <= len(raw):
        length, kind = struct.unpack_from(">I4s", raw, at)
        end = at + 8 + length
        if end + 4 > len(raw):
            why = "is cut off"
        elif zlib.crc32(memoryview(raw)[at + 4 : end]) != struct.unpack_from(">I", raw, end)[0]:
            why = "does not match its checksum"
        else:
            if kind == b"IDAT":
                pixels.append(memoryview(raw)[at + 8 : end])
            at = end + 4
            continue
        name = printable(kind.decode("latin-1"))
        raise LoadError(what, f"a damaged image (its chunk {name} {why})", "save it again")
    return pixels if kind == b"IEND" else []


def _check_stream(parts: list[memoryview], what: object) -> None:
    """Unpack a PNG's zlib stream to its end, a piece at a time, which compares its checksum.

    Pillow stops before it where it has all pixels (https://www.w3.org/TR/png-3/#10CompressionCM0).

    Raises:
        LoadError: If the stream is damaged, cut off, or longer than any image that is decoded.
    """
    stream, n_bytes = zlib.decompressobj(), 0
    try:
        for part in parts:
            while part and not stream.eof and n_bytes <= _MOST_STREAM:
                n_bytes += len(stream.decompress(part, _PIECE))
                part = memoryview(stream.unconsumed_tail)
        # What the last bytes unpack to beyond a piece.
        while not stream.eof and n_bytes <= _MOST_STREAM:
            piece = stream.decompress(stream.unconsumed_tail, _PIECE)
            n_bytes += len(piece)
            if not piece:
                break
    except zlib.error as e:
        raise LoadError(what, f"a damaged image ({e})", "save it again") from None
    if not stream.eof:
        why = "it is cut off" if n_bytes <= _MOST_STREAM else "it holds too many pixels"
        raise LoadError(what, f"a damaged image ({why})", "save it again")


@cache
def _turns_tiff() -> bool:
    """Tell whether this Pillow turns TIFF images upright itself, as newer ones do, by trying."""
    from PIL import Image

    file, exif = io.BytesIO(), Image.Exif()
    exif[_ORIENTATION] = 6
    Image.new("L", (2, 1)).save(file, "TIFF", exif=exif.tobytes())
    return Image.open(file).size == (1, 2)


def read_orientation(image: Image, what: object) -> int:
    """Return the Exif orientation that an image is still to be turned by, 1 (upright) to 8.

    From 5 on the sides are exchanged.
    """
    if image.format == "TIFF" and _turns_tiff():
        return 1
    if not ({"exif", "Raw profile type exif", "XML:com.adobe.xmp"} & image.info.keys()) and (
        image.format != "TIFF"
    ):
        return 1
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except PILLOW_FAILURES:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def has_alpha(image: Image) -> bool:
    """Tell whether an opened image can be transparent."""
    return image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info


def is_gray(image: Image) -> bool:
    """Tell whether an opened image has no color by its mode."""
    gray_modes = ("1", "L", "LA", "La", "I", "F")
    if image.mode == "L" and isinstance(image.info.get("transparency"), tuple):
        return False
    return image.mode in gray_modes or image.mode.startswith("I;16")


def decode(image: Image, what: object) -> Image:
    """Decode an opened image to 8 bits: mode L, LA, RGB or RGBA, whichever it needs.

    16-bit gray is divided by 257; float gray is taken as 0 .. 1, or 0 .. 255 where it is larger.

    Raises:
        LoadError: If its data are damaged or cut off.
    """
    try:
        return _to_8_bits(image)
    except PILLOW_FAILURES as e:
        reason = printable(str(e).split("\n")[0] or type(e).__name__, 80)
        raise LoadError(what, f"a damaged image ({reason})", "save it again") from None


def _to_8_bits(image: Image) -> Image:
    from PIL import Image as Images

    if image.mode.startswith("I") or image.mode == "F":
        values = np.nan_to_num(np.asarray(image, np.float32))
        if image.mode == "F":
            most = 1.0 if values.size and float(values.max()) <= 1 else 255.0
        else:
            most = 65535.0
        return Images.fromarray(np.rint(np.clip(values / most, 0, 1) * 255).astype(np.uint8))
    if is_gray(image):
        return image.convert("LA" if has_alpha(image) else "L")
    return image.convert("RGBA" if has_alpha(image) else "RGB")


def decode_array(image: Image, what: object) -> NDArray[np.uint8]:
    """Decode an opened image to uint8: gray (h, w), RGB (h, w, 3) or RGBA (h, w, 4).

    Raises:
        LoadError: If its data are damaged or cut off.
    """
    decoded = decode(image, what)
    return np.asarray(decoded.convert("RGBA") if decoded.mode == "LA" else decoded)
