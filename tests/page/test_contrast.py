"""The colors of the plot as they are composed on the screen, against its ground."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.page.test_accessibility import contrast

GRAPHIC, TEXT = 3.0, 4.5  # WCAG 2.2, success criteria 1.4.11 and 1.4.3.


def pixels(page: Any) -> NDArray[np.uint8]:
    page.wait_for_timeout(250)
    data = page.locator(".plot").screenshot()
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def strongest(image: NDArray[np.uint8], ground: list[float], box: tuple[int, ...]) -> float:
    """Return the highest contrast with the ground of a pixel in a box of left, top, right, bottom."""
    left, top, right, bottom = box
    part = image[max(0, top) : bottom, max(0, left) : right].reshape(-1, 3)
    return max(contrast(color.tolist(), ground) for color in np.unique(part, axis=0))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_points_stand_out_by_3_to_1_and_what_is_written_among_them_by_4_and_a_half(
    open_page: Callable[..., Any], report: Path, scheme: str
) -> None:
    opened = open_page(report, color_scheme=scheme)
    page = opened.page
    opened.call("e.set({thumbnails: false, labels: 'none', caption: false})")
    image = pixels(page)
    ground = image[3, 3].tolist()
    xy = np.array(opened.call("e.screenPositions()")).reshape(-1, 2)
    for group in range(5):
        found = [image[round(y), round(x)].tolist() for x, y in xy[group::5]]
        each = [contrast(color, ground) for color in found]
        assert np.median(each) >= GRAPHIC, (group, min(each))
    # Of the chosen the ring stands out, while the others fade: they are decoration then.
    opened.call("e.set({selected: [7, 8]})")
    image = pixels(page)
    for row in (7, 8):
        x, y = np.rint(xy[row]).astype(int)
        assert strongest(image, ground, (x - 9, y - 9, x + 10, y + 10)) >= GRAPHIC
    opened.call("e.set({selected: [], labels: 'many', caption: true})")
    height, width = pixels(page).shape[:2]
    image = pixels(page)
    axis_numbers, caption = (0, 120, 60, height - 120), (0, height - 60, width, height)
    for box in (axis_numbers, caption):
        assert strongest(image, ground, box) >= TEXT
    opened.call("e.set({hovered: 20})")
    x, y = np.rint(xy[20]).astype(int)
    assert strongest(pixels(page), ground, (x + 12, y - 8, x + 60, y + 8)) >= TEXT


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_has_the_focus_in_the_outline_stands_out(
    open_page: Callable[..., Any], report: Path, scheme: str
) -> None:
    opened = open_page(report, color_scheme=scheme, reduced_motion="reduce")
    page = opened.page
    opened.call("e.set({thumbnails: false, labels: 'none', caption: false})")
    ground = pixels(page)[3, 3].tolist()
    for key in ("r", "ArrowDown"):
        page.keyboard.press(key)
    image = pixels(page)
    xy = np.rint(np.array(opened.call("e.screenPositions()")).reshape(-1, 2)).astype(int)
    shown = {
        g: np.median([contrast(image[y, x].tolist(), ground) for x, y in xy[g::5]])
        for g in range(5)
    }
    assert shown.pop(0) >= GRAPHIC
    assert max(shown.values()) < GRAPHIC, "the others step back"
