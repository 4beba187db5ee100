"""The plot in Chromium: its points are in step with Plotly's axes and camera, and do without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.chromium import find_chromium
from tests.page.plot_harness import (
    ARGS,
    COLORS,
    HEIGHT,
    LEFT,
    PLOTLY_SAYS,
    TITLES,
    TOP,
    WIDTH,
    Harness,
    assert_same_places,
    cloud,
    drawn_at,
)


@pytest.mark.everywhere
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("axes", [None, TITLES])
def test_points_lie_where_plotlys_axes_say(
    open_harness: Callable[..., Harness], dims: int, axes: Any
) -> None:
    harness = open_harness()
    titles = axes[:dims] if axes else None
    harness.points(cloud(60, dims) * [3, 2, 1][:dims] + 5, axes=titles)
    harness.style(colors=np.tile(COLORS[0], (60, 1)))
    harness.rest()
    before = harness.positions()
    harness.load_plotly()
    after = harness.positions()
    assert np.abs(before - after).max() < 0.1, "points moved when Plotly came"
    assert_same_places(after, harness.plotly_says())
    assert drawn_at(harness.screenshot(), after, [213, 94, 0]) == 1
    assert harness.complaints == []


@pytest.mark.everywhere
@pytest.mark.parametrize("dims", [2, 3])
def test_points_stay_in_step_while_plotly_pans_turns_and_zooms(
    open_harness: Callable[..., Harness], dims: int
) -> None:
    harness = open_harness()
    harness.points(cloud(60, dims), axes=TITLES[:dims])
    harness.style(colors=np.tile(COLORS[0], (60, 1)))
    harness.load_plotly()
    home = harness.positions()
    mouse = harness.page.mouse
    mouse.move(LEFT + 400, TOP + 300)
    mouse.down()
    for step in range(1, 9):
        mouse.move(LEFT + 400 + 14 * step, TOP + 300 - 6 * step)
        harness.page.evaluate("harness.frames(2)")
        # Read in one go: the scene may draw on between two calls.
        ours, theirs = harness.page.evaluate(
            f"(rows) => [[...harness.plot.screenPositions()], ({PLOTLY_SAYS})(rows)]",
            [list(range(60))],
        )
        assert_same_places(np.array(ours, float).reshape(-1, 2), np.array(theirs, float))
    picture = harness.screenshot()
    assert drawn_at(picture, harness.positions(), [213, 94, 0]) > 0.9
    mouse.up()
    harness.rest()
    moved = harness.positions()
    assert np.abs(moved - home).max() > 30
    assert_same_places(moved, harness.plotly_says())
    mouse.wheel(0, -240)
    harness.rest()
    zoomed = harness.positions()
    assert np.nanmax(np.abs(zoomed - moved)) > 10
    assert_same_places(zoomed, harness.plotly_says())
    assert harness.events("camera")[-1][2] is True
    harness.page.evaluate("harness.plot.resetView()")
    harness.rest()
    assert np.abs(harness.positions() - home).max() < 0.2


def test_points_before_plotly_can_already_be_moved(open_harness: Callable[..., Harness]) -> None:
    harness = open_harness()
    harness.points(cloud(50, 2))
    harness.style()
    before = harness.positions()
    harness.drag([(400, 300), (430, 310), (460, 320)])
    harness.rest()
    assert np.allclose(harness.positions() - before, [60, 20], atol=0.2)
    harness.load_plotly()
    assert np.allclose(harness.positions() - before, [60, 20], atol=0.2)


def test_points_behind_the_camera_are_not_drawn(open_harness: Callable[..., Harness]) -> None:
    harness = open_harness()
    harness.points(cloud(400, 3))
    harness.style()
    harness.load_plotly()
    camera = harness.page.evaluate("harness.plot.camera()")
    camera["eye"] = {"x": 0.1, "y": 0.05, "z": 0.02}
    assert harness.page.evaluate("(c) => harness.plot.setCamera(c)", camera) is True
    harness.rest()
    positions = harness.positions()
    behind = np.isnan(positions[:, 0])
    assert 40 < behind.sum() < 360
    assert_same_places(positions, harness.plotly_says())


@pytest.mark.parametrize("dims", [2, 3])
def test_a_camera_that_is_set_comes_back(open_harness: Callable[..., Harness], dims: int) -> None:
    harness = open_harness()
    harness.points(cloud(50, dims))
    harness.load_plotly()
    harness.page.mouse.move(LEFT + 300, TOP + 300)
    harness.drag([(300, 300), (360, 320), (380, 330)])
    harness.rest()
    camera = harness.page.evaluate("harness.plot.camera()")
    there = harness.positions()
    harness.page.evaluate("harness.plot.resetView()")
    harness.rest()
    assert np.abs(harness.positions() - there).max() > 10
    assert harness.page.evaluate("(c) => harness.plot.setCamera(c)", camera)
    harness.rest()
    assert np.abs(harness.positions() - there).max() < 0.5
    assert_same_places(harness.positions(), harness.plotly_says())
    for bad in [None, {}, {"dims": 5 - dims}, {"dims": 2, "x": [1, 1], "y": [0, 1]}]:
        assert harness.page.evaluate("(c) => harness.plot.setCamera(c)", bad) is False


@pytest.mark.parametrize("dims", [2, 3])
def test_the_plot_follows_the_size_of_its_host(
    open_harness: Callable[..., Harness], dims: int
) -> None:
    harness = open_harness()
    harness.points(cloud(50, dims), axes=TITLES[:dims])
    harness.load_plotly()
    harness.page.evaluate("document.getElementById('host').style.width = '420px'")
    harness.rest()
    positions = harness.positions()
    assert positions[:, 0].min() > 10
    assert positions[:, 0].max() < 410
    assert_same_places(positions, harness.plotly_says())


def test_frames_that_play_keep_the_view(open_harness: Callable[..., Harness]) -> None:
    harness = open_harness()
    points = cloud(200, 2)
    ranges = {"min": [-4, -4], "max": [4, 4]}
    harness.points(points, ranges=ranges)
    harness.load_plotly()
    camera = harness.page.evaluate("harness.plot.camera()")
    first = harness.positions()
    harness.points(points / 2, ranges=ranges, keepView=True)
    assert harness.page.evaluate("harness.plot.camera()") == camera
    middle = harness.positions().mean(axis=0)
    assert np.abs((harness.positions() - middle) * 2 - (first - first.mean(axis=0))).max() < 0.5
    harness.rest()
    assert_same_places(harness.positions(), harness.plotly_says())


def test_a_hidden_plot_draws_once_it_is_shown(open_harness: Callable[..., Harness]) -> None:
    harness = open_harness()
    harness.page.evaluate("document.getElementById('host').style.display = 'none'")
    harness.points(cloud(50, 2))
    harness.style()
    harness.load_plotly()
    harness.page.evaluate("document.getElementById('host').style.display = ''")
    harness.rest()
    assert_same_places(harness.positions(), harness.plotly_says())
    assert harness.complaints == []


@pytest.mark.parametrize("dims", [2, 3])
def test_plotlys_private_api_is_what_the_plot_expects(
    open_harness: Callable[..., Harness], dims: int
) -> None:
    harness = open_harness()
    harness.points(cloud(5, dims))
    harness.load_plotly()
    missing = harness.page.evaluate(
        f"harness.plotly.missingFields(window.Plotly, harness.gd(), {dims})"
    )
    assert missing == [], f"plotly.js has changed; see panels/plotly_axes.js: {missing}"
    told = harness.page.evaluate(
        f"harness.plotly.missingFields({{ version: '5.0.0' }}, {{}}, {dims})"
    )
    assert told[0] == "plotly.js 4.1.1 (this is 5.0.0)"
    assert len(told) >= 5


def test_when_plotly_fails_the_points_stay_and_can_be_moved(
    open_harness: Callable[..., Harness],
) -> None:
    harness = open_harness()
    harness.points(cloud(50, 2))
    harness.style()
    before = harness.positions()
    harness.page.evaluate(
        "harness.plot.setPlotly({ version: '9', newPlot() { throw new Error('no'); } })"
    )
    harness.rest()
    assert "no" in harness.events("unsupported")[0][1]
    harness.drag([(400, 300), (430, 300), (460, 300)])
    harness.rest()
    assert np.allclose(harness.positions() - before, [60, 0], atol=0.2)


def test_without_webgl_3d_turns(plot_page: Path, browser: Any) -> None:
    instance = browser.browser_type.launch(
        executable_path=find_chromium(), args=[*ARGS, "--disable-3d-apis"]
    )
    try:
        size = {"width": WIDTH + 100, "height": HEIGHT + 60}
        harness = Harness(instance.new_page(viewport=size), plot_page)
        harness.points(cloud(50, 3), axes=TITLES)
        harness.style()
        harness.load_plotly()
        harness.rest()
        assert "WebGL" in harness.events("unsupported")[0][1]
        before = harness.positions()
        harness.drag([(400, 300), (450, 310), (500, 320)])
        harness.rest()
        assert np.abs(harness.positions() - before).max() > 20
        harness.points(cloud(50, 2), axes=TITLES[:2])
        harness.rest()
        assert_same_places(harness.positions(), harness.plotly_says())
        assert harness.complaints == []
    finally:
        instance.close()
