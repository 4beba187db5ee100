"""The plot under the pointer and the keyboard: hover, click, box, lasso, keys."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.page.plot_harness import (
    LEFT,
    TOP,
    Harness,
    assert_same_places,
    cloud,
)


@pytest.mark.everywhere
def test_hover_names_the_point_on_top_among_100000(open_harness: Callable[..., Harness]) -> None:
    harness = open_harness()
    harness.page.evaluate("harness.gaussian(100000, 2)")
    harness.style()
    harness.rest()
    harness.n, harness.dims = 100000, 2
    positions = harness.positions()
    cells = np.floor(positions)
    rank = np.empty(100000, int)
    order = harness.page.evaluate("Array.from(harness.plot.parts().order)")
    rank[order] = np.arange(100000)
    rng = np.random.default_rng(1)
    for row in rng.choice(100000, 40, replace=False):
        x, y = cells[row] + 0.5
        said = harness.page.evaluate(
            "([x, y]) => harness.plot.rowAt(x, y)", [LEFT + float(x), TOP + float(y)]
        )
        distance = np.hypot(*(cells - cells[row]).T)
        # Discs are 1.5 pixels here; the last drawn of those that cover the pixel is on top.
        assert distance[said] <= 2
        assert rank[said] >= rank[row]
        assert not (rank[distance < 1.01] > rank[said]).any()


def test_hover_names_the_nearer_point_in_3d(open_harness: Callable[..., Harness]) -> None:
    harness = open_harness()
    harness.points(cloud(3000, 3))
    harness.style()
    harness.load_plotly()
    eye = harness.page.evaluate("harness.plot.camera().eye")
    direction = np.array([eye["x"], eye["y"], eye["z"]])
    points = np.array(harness.page.evaluate("[...harness.coordinates]")).reshape(-1, 3)
    nearness = points @ direction
    cells = np.floor(harness.positions())
    wrong = 0
    for row in range(0, 3000, 60):
        x, y = cells[row] + 0.5
        said = harness.page.evaluate(
            "([x, y]) => harness.plot.rowAt(x, y)", [LEFT + float(x), TOP + float(y)]
        )
        exactly = np.flatnonzero(np.abs(cells - cells[row]).max(axis=1) == 0)
        wrong += bool(nearness[said] < nearness[exactly].max() - 0.3)
    assert wrong == 0


@pytest.mark.everywhere
def test_the_pointer_reports_the_point_below_it_and_a_click_selects_it(
    open_harness: Callable[..., Harness],
) -> None:
    harness = open_harness()
    harness.points(cloud(50, 2))
    harness.style(names=[f"p{i}" for i in range(50)], labelled="few")
    harness.load_plotly()
    x, y = harness.positions()[7]
    harness.page.mouse.move(LEFT + x, TOP + y)
    assert harness.events("hover")[-1][1] == 7
    harness.page.mouse.click(LEFT + x, TOP + y)
    assert harness.events("click")[-1][1:] == [7, "replace"]
    for keys, mode in [(["Shift"], "add"), (["Alt"], "remove"), (["Shift", "Alt"], "intersect")]:
        harness.page.wait_for_timeout(400)
        for key in keys:
            harness.page.keyboard.down(key)
        harness.page.mouse.click(LEFT + x, TOP + y)
        for key in keys:
            harness.page.keyboard.up(key)
        assert harness.events("click")[-1][1:] == [7, mode]
    harness.page.mouse.move(LEFT + 5, TOP + 5)
    assert harness.events("hover")[-1][1] == -1
    harness.clear()
    harness.drag([(300, 300), (340, 320)])
    assert harness.events("click") == []
    assert harness.events("select") == []


def even_odd(polygon: list[tuple[float, float]], spots: npt.NDArray[Any]) -> npt.NDArray[Any]:
    x, y = spots.T
    inside = np.zeros(len(spots), bool)
    for (x0, y0), (x1, y1) in itertools.pairwise([*polygon, polygon[0]]):
        across = (y0 > y) != (y1 > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= across & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return np.flatnonzero(inside)


@pytest.mark.everywhere
@pytest.mark.parametrize("dims", [2, 3])
def test_box_and_lasso_catch_all_points_within(
    open_harness: Callable[..., Harness], dims: int
) -> None:
    harness = open_harness()
    harness.points(cloud(3000, dims))
    visible = (np.arange(3000) % 3 > 0).astype(np.uint8)
    harness.style(visible=visible)
    harness.load_plotly()
    spots = harness.positions()
    camera = harness.page.evaluate("harness.plot.camera()")
    harness.page.evaluate("harness.plot.setTool('lasso')")
    outline = [(420.0, 200.0), (560, 260), (500, 320), (540, 420), (380, 400), (300, 300)]
    dense = [
        (x0 + (x1 - x0) * t / 10, y0 + (y1 - y0) * t / 10)
        for (x0, y0), (x1, y1) in itertools.pairwise(outline)
        for t in range(10)
    ] + [outline[-1]]
    harness.drag(dense)
    caught = harness.events("select")[-1][1]
    expected = [r for r in even_odd(outline, spots) if visible[r]]
    assert len(expected) > 100
    assert len(set(caught) ^ set(expected)) <= 0.01 * len(expected)
    harness.page.evaluate("harness.plot.setTool('box')")
    harness.page.keyboard.down("Shift")
    harness.drag([(500, 400), (400, 300), (300, 200)])
    harness.page.keyboard.up("Shift")
    _, rows, mode = harness.events("select")[-1]
    within = (spots >= [300, 200]).all(axis=1) & (spots <= [500, 400]).all(axis=1)
    assert mode == "add"
    assert rows == [r for r in np.flatnonzero(within).tolist() if visible[r]]
    assert harness.page.evaluate("harness.plot.camera()") == camera


@pytest.mark.everywhere
def test_the_wheel_still_zooms_while_a_selection_tool_is_chosen(
    open_harness: Callable[..., Harness],
) -> None:
    harness = open_harness()
    harness.points(cloud(50, 2))
    harness.load_plotly()
    harness.page.evaluate("harness.plot.setTool('lasso')")
    before = harness.page.evaluate("harness.plot.camera()")
    harness.page.mouse.move(LEFT + 400, TOP + 300)
    harness.page.mouse.wheel(0, -200)
    harness.rest()
    after = harness.page.evaluate("harness.plot.camera()")
    assert after["x"][1] - after["x"][0] < 0.95 * (before["x"][1] - before["x"][0])


@pytest.mark.parametrize("dims", [2, 3])
def test_keys_move_zoom_and_reset(open_harness: Callable[..., Harness], dims: int) -> None:
    harness = open_harness()
    harness.points(cloud(50, dims))
    harness.load_plotly()
    home = harness.positions()
    harness.page.locator("#host").focus()
    harness.page.keyboard.press("ArrowRight")
    harness.rest()
    moved = harness.positions()
    assert np.abs(moved - home).max() > 20
    assert_same_places(moved, harness.plotly_says())
    harness.page.keyboard.press("+")
    harness.rest()
    assert harness.positions().std() > 1.1 * moved.std()
    harness.page.keyboard.press("0")
    harness.rest()
    assert np.abs(harness.positions() - home).max() < 0.5


@pytest.mark.everywhere
def test_a_double_click_on_nothing_shows_everything(open_harness: Callable[..., Harness]) -> None:
    harness = open_harness()
    harness.points(cloud(50, 2))
    harness.load_plotly()
    home = harness.positions()
    harness.drag([(400, 300), (450, 300), (500, 300)])
    harness.rest()
    harness.page.mouse.dblclick(LEFT + 4, TOP + 4)
    harness.rest()
    assert np.abs(harness.positions() - home).max() < 0.2


def test_selected_neighbor_and_hovered_points_differ_by_more_than_color(
    open_harness: Callable[..., Harness],
) -> None:
    harness = open_harness()
    harness.points(np.array([[0, 0], [1, 0], [2, 0], [3, 0]], float))
    accent = np.array([[11, 99, 206, 255]] * 4, np.uint8)
    harness.style(colors=accent, selected=[1], neighbors=[2], hovered=3)
    harness.rest()
    picture = harness.screenshot()
    spots = harness.positions()
    colored = [
        (
            np.abs(picture[int(y) - 16 : int(y) + 17, int(x) - 16 : int(x) + 17] - 255).max(axis=2)
            > 30
        )
        for x, y in spots
    ]
    plain, selected, neighbor, hovered = (int(c.sum()) for c in colored)
    assert selected > 2 * plain
    assert neighbor > 1.4 * plain
    assert hovered > 1.4 * plain
