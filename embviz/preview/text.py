"""Texts in a picture: the fonts that travel with embviz, and what they can write.

The same fonts everywhere make the same picture everywhere; those of a machine would not. What they
have no letters for is never drawn as something else: `can_write` tells.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from embviz.errors import ParameterError
from embviz.preview.theme import RGB

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

FONTS = files("embviz.preview") / "fonts"
SIZE = 12
LINE = 16
_ELLIPSIS = "…"
_MOST_UNWRITTEN = 4
_CONTROLS = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]+"
)


@cache
def _characters() -> frozenset[str]:
    found: set[str] = set()
    for run in (FONTS / "characters.txt").read_text(encoding="ascii").split():
        first, _, last = run.partition("-")
        found |= {chr(i) for i in range(int(first, 16), int(last or first, 16) + 1)}
    return frozenset(found)


@cache
def font(size: float, bold: bool) -> FreeTypeFont:
    from PIL import ImageFont

    name = "sans-semibold.ttf" if bold else "sans-regular.ttf"
    data = io.BytesIO((FONTS / name).read_bytes())
    try:
        # Not by Raqm, which some machines have and others have not.
        return ImageFont.truetype(data, size, layout_engine=ImageFont.Layout.BASIC)
    except ImportError:
        raise ParameterError(
            "--preview", "Pillow was built without FreeType", "install Pillow from its wheel"
        ) from None


def clean(text: str, most: int = 40) -> str:
    """Return one line of at most `most` characters without control and direction characters."""
    plain = _CONTROLS.sub(" ", text[: 8 * most]).strip()
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + _ELLIPSIS


def can_write(text: str) -> bool:
    """Tell whether the fonts have all letters of a text."""
    return set(unicodedata.normalize("NFC", text)) <= _characters()


def spelled(text: str) -> str:
    """Return a text with the code points of what the fonts have no letters for, up to four a run.

    `cat 猫` becomes `cat U+732B`.
    """
    out: list[str] = []
    odd: list[str] = []
    for character in [*unicodedata.normalize("NFC", text), ""]:
        if character and character not in _characters():
            odd.append(f"U+{ord(character):04X}")
            continue
        if odd:
            more = [_ELLIPSIS] if len(odd) > _MOST_UNWRITTEN else []
            out.append(" ".join([*odd[:_MOST_UNWRITTEN], *more]))
            odd = []
        out.append(character)
    return "".join(out)


@dataclass(frozen=True)
class Letters:
    """How a text is written: the size of the font, whether bold, and set off from what is below."""

    size: float = SIZE
    bold: bool = False
    halo: bool = False


PLAIN = Letters()


class Pen:
    """Writes on an image; lengths are CSS pixels.

    Args:
        image: RGB.
        scale: Pixels of the image a CSS pixel.
        ground: What is behind the texts.
    """

    def __init__(self, image: Image, scale: float, ground: RGB) -> None:
        from PIL import ImageDraw

        self.image, self.scale, self.ground = image, scale, ground
        self.draw = ImageDraw.Draw(image)

    def width(self, text: str, size: float = SIZE, bold: bool = False) -> float:
        """Return how wide a text is."""
        written = unicodedata.normalize("NFC", text)
        return float(font(size * self.scale, bold).getlength(written)) / self.scale

    def write(
        self,
        text: str,
        at: Sequence[float],
        color: RGB,
        anchor: str = "lm",
        letters: Letters = PLAIN,
    ) -> None:
        """Write a text that `can_write`, or what is `spelled`.

        Args:
            text: One line.
            at: Where its anchor is.
            color: Of the letters.
            anchor: Pillow's two letters: `l`, `m` or `r`, and `m` for the middle of the line.
            letters: How they look.
        """
        self.draw.text(
            (round(at[0] * self.scale), round(at[1] * self.scale)),
            unicodedata.normalize("NFC", text),
            fill=color,
            font=font(letters.size * self.scale, letters.bold),
            anchor=anchor,
            stroke_width=round(1.5 * self.scale) if letters.halo else 0,
            stroke_fill=self.ground if letters.halo else None,
        )

    def write_upwards(self, text: str, at: Sequence[float], color: RGB, anchor: str) -> None:
        """Write a text that runs upwards; the anchor is that of the text before it is turned."""
        from PIL import Image

        size = (round((self.width(text) + 4) * self.scale), round(LINE * self.scale))
        mask = Image.new("RGB", size, self.ground)
        Pen(mask, self.scale, self.ground).write(text, (2, LINE / 2), color)
        turned = mask.transpose(Image.Transpose.ROTATE_90)
        x = round(at[0] * self.scale - size[1] / 2)
        y = round(at[1] * self.scale)
        y -= {"l": size[0] - 2, "m": size[0] // 2, "r": 2}[anchor[0]]
        self.image.paste(turned, (x, y))

    def fitted(self, text: str, width: float, size: float = SIZE, bold: bool = False) -> str:
        """Return as much of a text as a width holds."""
        if self.width(text, size, bold) <= width:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self.width(text[:middle].rstrip() + _ELLIPSIS, size, bold) <= width:
                low = middle
            else:
                high = middle - 1
        return text[:low].rstrip() + _ELLIPSIS

    def wrapped(self, text: str, width: float, most: int, size: float = SIZE) -> list[str]:
        """Return a text in at most so many lines of a width; the last is cut off where it must."""
        lines: list[str] = []
        words = text.split(" ")
        while words and len(lines) < most:
            line = words.pop(0)
            if len(lines) == most - 1:
                line, words = " ".join([line, *words]), []
            while words and self.width(f"{line} {words[0]}", size) <= width:
                line += f" {words.pop(0)}"
            lines.append(self.fitted(line, width, size))
        return lines
