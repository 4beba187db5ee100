"""How far the picture can be zoomed, by wheel and keys, with Plotly and before it comes."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tests.conftest import Opened
from tests.page.plot_harness import HEIGHT, LEFT, TOP, WIDTH, Harness, cloud


def extent(harness: Harness) -> float:
    """The longer side of what the points fill, in pixels."""
    return float(np.ptp(harness.positions(), axis=0).max())


def turn(harness: Harness, delta: float, times: int) -> None:
    """Turn the wheel over the middle of the plot."""
    harness.page.mouse.move(LEFT + WIDTH / 2, TOP + HEIGHT / 2)
    for _ in range(times):
        harness.page.mouse.wheel(0, delta)
        harness.page.evaluate("harness.frames(1)")
    harness.rest()


@pytest.mark.parametrize("plotly", [False, True])
@pytest.mark.parametrize("dims", [2, 3])
def test_zooming_out_ends_while_the_points_are_still_seen(
    open_harness: Callable[..., Harness], dims: int, plotly: bool
) -> None:
    harness = open_harness()
    harness.points(cloud(200, dims))
    harness.style()
    if plotly:
        harness.load_plotly()
    home = extent(harness)
    turn(harness, 400, 40)
    far = extent(harness)
    # Of Plotly's last turn of the wheel a tenth may be over.
    assert home / 5 < far < home / 2
    turn(harness, 400, 3)
    assert extent(harness) == pytest.approx(far, rel=0.02), "it goes on"
    turn(harness, -100, 3)
    assert extent(harness) > 1.05 * far, "the way back is barred"
    assert harness.complaints == []


@pytest.mark.parametrize("plotly", [False, True])
def test_zooming_in_ends_while_a_point_is_still_seen(
    open_harness: Callable[..., Harness], plotly: bool
) -> None:
    harness = open_harness()
    ring = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    harness.points(np.stack([np.cos(ring), np.sin(ring)], axis=1))
    harness.style()
    if plotly:
        harness.load_plotly()

    def in_sight() -> int:
        xy = harness.positions()
        return int(((xy >= 0) & (xy <= [WIDTH, HEIGHT])).all(axis=1).sum())

    # In the middle of the ring there is nothing to be looked at.
    turn(harness, -400, 60)
    assert in_sight() > 0
    harness.page.keyboard.press("0")
    harness.page.evaluate("document.getElementById('host').focus()")
    for _ in range(30):
        harness.page.keyboard.press("+")
    harness.rest()
    assert in_sight() > 0
    assert harness.complaints == []


def test_a_point_in_the_middle_is_looked_at_until_numbers_tell_no_more_apart(
    open_harness: Callable[..., Harness],
) -> None:
    harness = open_harness()
    harness.points(np.array([[-1, -1], [1, 1], [0, 0], [1e-6, 0]]))
    harness.style()
    harness.page.evaluate("harness.plot.setCamera({ dims: 2, x: [-1, 1], y: [-1, 1] })")
    harness.rest()
    home = harness.positions()
    harness.page.evaluate("document.getElementById('host').focus()")
    for _ in range(70):
        harness.page.keyboard.press("+")
    harness.rest()
    seen = harness.positions()
    assert 5_000 < np.ptp(seen[:2, 0]) / np.ptp(home[:2, 0]) < 50_000
    assert np.abs(seen[2] - home[2]).max() < 1


def test_show_everything_leaves_whole_thumbnails_beside_the_tools(
    report: Path, open_page: Callable[..., Opened]
) -> None:
    page = open_page(report)
    page.page.add_style_tag(content=".tools { visibility: hidden; } .stage { --line: white; }")
    tools = page.page.locator(".tools.left").bounding_box()
    stage = page.page.locator(".stage").bounding_box()
    clip = {**stage, "height": tools["y"] + tools["height"] - stage["y"] + 1}
    for name, dims in (("tsne", 2), ("tsne", 3), ("pca", 3)):
        page.call(f"e.set({{ projection: '{name}', dims: {dims}, isolated: null, selected: [] }})")
        for rows in ("null", "[...Array(11).keys()]"):
            page.call(f"e.set({{ isolated: {rows} }})")
            page.page.keyboard.press("0")
            page.page.wait_for_timeout(400)
            strip = np.asarray(Image.open(io.BytesIO(page.page.screenshot(clip=clip))).convert("L"))
            assert strip.min() > 250, f"{name} in {dims}D of {rows} lies under the tools"
            xy = np.reshape(page.call("e.screenPositions()"), (-1, 2))[:11]
            assert np.nanmax(np.ptp(xy, axis=0)) > 200, "the picture is small"


def test_recorded_steps_fill_the_plot_as_their_end_does(
    report: Path, open_page: Callable[..., Opened]
) -> None:
    page = open_page(report)
    page.call("e.set({ projection: 'tsne', dims: 2 })")

    def seen(frame: str) -> npt.NDArray[Any]:
        page.call(f"e.set({{ frame: {frame} }})")
        page.page.wait_for_timeout(200)
        return np.reshape(page.call("e.screenPositions()"), (-1, 2))

    end = seen("null")
    longest = np.ptp(end, axis=0).max()
    for frame in ("0", "1", "2.5"):
        assert np.ptp(seen(frame), axis=0).max() == pytest.approx(longest, rel=1e-3)
    last = page.call("Number(document.querySelector('.player input').max)")
    assert np.abs(seen(str(last)) - end).max() < 0.01


def test_the_pointer_points_where_a_click_would_select(
    report: Path, open_page: Callable[..., Opened]
) -> None:
    page = open_page(report, plotly=True)
    page.call("e.set({ projection: 'tsne', dims: 2, thumbnails: false })")
    page.page.wait_for_timeout(400)
    plot = page.page.locator(".plot").first.bounding_box()
    xy = np.reshape(page.call("e.screenPositions()"), (-1, 2))
    x, y = xy[0] + [plot["x"], plot["y"]]

    def cursor() -> str:
        source = "([x, y]) => getComputedStyle(document.elementFromPoint(x, y)).cursor"
        return str(page.page.evaluate(source, [float(x), float(y)]))

    page.page.mouse.move(plot["x"] + 5, plot["y"] + plot["height"] - 60)
    away = cursor()
    assert away != "pointer"
    page.page.mouse.move(x, y)
    assert cursor() == "pointer"
    page.page.mouse.click(x, y)
    assert page.call("e.selected().length") == 1
    assert cursor() == "pointer", "a click is over, the point still under the pointer"
    page.page.mouse.move(plot["x"] + 5, plot["y"] + plot["height"] - 60)
    assert cursor() == away
