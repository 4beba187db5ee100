"""The density under a sample in a preview is, pixel by pixel, what the page's scripts make."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from embviz.preview.camera import Area, Flat
from embviz.preview.cells import scale_of, underlay
from embviz.preview.discs import Canvas
from embviz.shards.values import Density
from tests.preview.page_scripts import ask_page

SCRIPT = """
import { openGrid, scaleOf, underlay } from '#js/drawing/cells.js';
import { createPicture } from '#js/drawing/raster.js';
const { counts, entry, transform, area, scale, dark } = given;
const grid = openGrid(entry, Uint32Array.from(counts));
const picture = createPicture(area.width + 12, area.height + 9, scale);
underlay(picture, grid, { transform, area, dark });
const answer = { ...scaleOf(grid, transform), bytes: [...picture.bytes] };
"""


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("scale", [1, 5 / 3])
@pytest.mark.parametrize("side", [0.13, 0.6, 1.07, 1.9, 7.3, 40.0])
def test_cells_are_drawn_as_the_page_draws_them(side: float, scale: float, dark: bool) -> None:
    rng = np.random.default_rng(5)
    counts = np.floor(np.exp(rng.normal(0, 2.5, (70, 90)))).astype(np.uint32)
    density = Density("x", np.array([-3.0, 10.0]), np.array([6.0, 17.0]), counts, 10**7)
    area = Area(7, 5, 121, 83)
    k = np.array([side, -1.2 * side]) / 0.1
    middle = np.array([area.left + 60.3, area.top + 41.7])
    camera = Flat(k, middle - k * np.array([1.47, 13.41]))
    found: Any = ask_page(
        SCRIPT,
        {
            "counts": counts.ravel().tolist(),
            "entry": {"low": [-3, 10], "high": [6, 17], "shape": [70, 90], "n_points": 10**7},
            "transform": {"kx": k[0], "bx": camera.b[0], "ky": k[1], "by": camera.b[1]},
            "area": {"left": 7, "top": 5, "width": 121, "height": 83},
            "scale": scale,
            "dark": dark,
        },
    )
    known = scale_of(density, camera)
    np.testing.assert_allclose([known.most, known.cells], [found["most"], found["cells"]])
    canvas = Canvas(round(133 * scale), round(92 * scale), scale)
    underlay(canvas, density, camera, area, dark)
    theirs = np.reshape(found["bytes"], canvas.pixels.shape)
    assert np.abs(canvas.pixels - theirs).max() <= 1.6
    assert theirs[..., 3].max() > 8


def test_a_density_lies_under_what_is_drawn_already() -> None:
    density = Density("x", np.zeros(2), np.ones(2), np.ones((1, 1), np.uint32), 1)
    camera = Flat(np.array([20.0, -20.0]), np.array([0.0, 20.0]))
    canvas = Canvas(20, 20, 1)
    canvas.pixels[4, 4] = 200, 0, 0, 255
    canvas.pixels[5, 5] = 100, 0, 0, 128
    underlay(canvas, density, camera, Area(0, 0, 20, 20), False)
    assert canvas.pixels[4, 4].tolist() == [200, 0, 0, 255]
    alone = canvas.pixels[9, 9]
    np.testing.assert_allclose(canvas.pixels[5, 5], [100, 0, 0, 128] + alone * 127 / 255, atol=0.01)
