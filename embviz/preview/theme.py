"""The colors of the page, light and dark, and those of its points (css/page.css, drawing/color.js).

Tests read both of the page's own files and compare.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RGB = tuple[int, int, int]

_FEW = {
    "light": "2774ac d28214 0c956c 9b7303 1754e5 a63f01 cf3e86 696f78 7a3ebd 8a5b30",
    "dark": "7fcdfb e8a203 1dbe8c f0e445 7fa4fe e37646 e097cb bdc1c2 987fef c9a16c",
}
_MORE = {
    "light": (
        "6a9b69 004e45 c674b3 7f0000 4c1c8d 786648 3ca541 006868 9287e0 b2898b "
        "4e4092 543925 7c803d 983b5d 009ebe e86081 465f94 30521d 81712d 6b1950 "
        "4695fb a78ba5 5d8475 005881 a11d05 67444f 855fd2 b88c55 5f8d8f 1c406e "
        "00701e 8d6663 7d1e3a 7d649c 4d7de8 00a589 005366 a96658 545130 847290"
    ),
    "dark": (
        "007469 ba3822 c4fa77 f8d9f6 7f59cb a59775 00918e 7d5951 91ffc7 cac1e5 "
        "515f97 8a8e00 6c9a92 c23d61 ffc08d a8a2e1 65fdff 5a6d00 2a7f9b b66f74 "
        "d5c6a3 76c24c ffaaff 726042 7383bd 3f6b72 c3f0e3 c9d066 ff819f 9d663d "
        "a48ac6 517086 47e2d1 e5eba5 b89500 be5a56 9694b6 006eb2 5baa8e ffb9ce"
    ),
}
_CIVIDIS = "00224e 123570 3b496c 575d6d 707173 8a8678 a59c74 c3b369 e1cc55 fee838"


def rgb(text: str) -> RGB:
    """Return the channels of a color written as #rrggbb, or without the sign."""
    text = text.removeprefix("#")
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:6], 16)


@dataclass(frozen=True)
class Theme:
    """The colors of a light or a dark page."""

    dark: bool
    background: RGB
    side: RGB
    grid: RGB
    line: RGB
    text: RGB
    muted: RGB
    accent: RGB
    plain: RGB
    """Of points that no column colors."""
    rest: RGB
    """Of points without a color of their own: a missing value, or one beyond the palette."""


def _theme(dark: bool, *colors: str) -> Theme:
    return Theme(dark, *map(rgb, colors))


LIGHT = _theme(
    False,
    *("ffffff", "fafafa", "e4e6e9", "e1e3e6", "14171a", "5f6670", "0b63ce"),
    *("0b63ce", "9aa0a6"),
)
DARK = _theme(
    True,
    *("121417", "181b1f", "2a2e34", "2b3036", "eceef0", "9ea6af", "66aaff"),
    *("66aaff", "72777d"),
)


def palette(n: int, dark: bool) -> list[RGB]:
    """Return at most fifty colors of categories; the first stay the same."""
    ground = "dark" if dark else "light"
    return [rgb(text) for text in f"{_FEW[ground]} {_MORE[ground]}".split()[:n]]


def gradient(parts: NDArray[Any], dark: bool) -> NDArray[np.uint8]:
    """Return the colors of the gradient, (n, 3), at parts of its way, 0 to 1, (n,)."""
    stops = np.array([rgb(text) for text in _CIVIDIS.split()], np.float64)
    inner = 0.22 + 0.78 * parts if dark else 0.92 * parts
    at = np.clip(inner, 0, 1) * (len(stops) - 1)
    low = np.minimum(len(stops) - 2, np.floor(at)).astype(int)
    mixed = stops[low] + (stops[low + 1] - stops[low]) * (at - low)[:, None]
    out: NDArray[np.uint8] = np.floor(mixed + 0.5).astype(np.uint8)
    return out
