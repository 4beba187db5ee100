"""Fingers over the plot, as a touch screen sends them, and the room that they need."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engines.touch import Fingers
from tests.page.plot_harness import LEFT, TOP, Harness, assert_same_places, cloud

PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}


@pytest.fixture(params=[False, True], ids=["before Plotly", "with Plotly"])
def touched(request: Any, open_harness: Callable[..., Harness]) -> Callable[[int], Harness]:
    def start(dims: int) -> Harness:
        harness = open_harness(has_touch=True)
        harness.points(cloud(400, dims))
        harness.style()
        if request.param:
            harness.load_plotly()
        harness.rest()
        return harness

    return start


APART = ([(300, 300), (400, 300)], [(275, 300), (425, 300)], [(250, 300), (450, 300)])
ASIDE = ([(300, 300), (400, 300)], [(330, 320), (430, 320)], [(360, 340), (460, 340)])


@pytest.mark.everywhere
def test_two_fingers_zoom_a_plane_about_their_middle(touched: Callable[[int], Harness]) -> None:
    harness = touched(2)
    before = harness.positions()
    Fingers(harness.page, LEFT, TOP).move(*APART)
    harness.rest()
    middle = np.array([350, 300])
    np.testing.assert_allclose(harness.positions(), middle + 2 * (before - middle), atol=0.5)
    assert harness.complaints == []


@pytest.mark.everywhere
def test_two_fingers_move_a_plane(touched: Callable[[int], Harness]) -> None:
    harness = touched(2)
    before = harness.positions()
    Fingers(harness.page, LEFT, TOP).move(*ASIDE)
    harness.rest()
    np.testing.assert_allclose(harness.positions(), before + np.array([60, 40]), atol=0.5)


@pytest.mark.everywhere
def test_one_finger_moves_a_plane_and_a_tap_is_a_click(touched: Callable[[int], Harness]) -> None:
    harness = touched(2)
    before = harness.positions()
    fingers = Fingers(harness.page, LEFT, TOP)
    fingers.move([(300, 300)], [(320, 300)], [(350, 330)])
    harness.rest()
    np.testing.assert_allclose(harness.positions(), before + np.array([50, 30]), atol=0.5)
    harness.clear()
    x, y = harness.positions()[17]
    fingers.move([(float(x), float(y))])
    assert [len(event) for event in harness.events("click")] == [3]


def test_two_fingers_come_nearer_and_move_in_space(touched: Callable[[int], Harness]) -> None:
    harness = touched(3)
    camera = harness.page.evaluate("harness.plot.camera()")
    Fingers(harness.page, LEFT, TOP).move(*APART)
    harness.rest()
    nearer = harness.page.evaluate("harness.plot.camera()")

    def distance(view: Any) -> float:
        return float(np.linalg.norm([view["eye"][k] - view["center"][k] for k in "xyz"]))

    assert distance(nearer) == pytest.approx(distance(camera) / 2, rel=1e-3)
    before = harness.positions()
    Fingers(harness.page, LEFT, TOP).move(*ASIDE)
    harness.rest()
    moved = harness.positions() - before
    # Of points before the middle by a little more, of those behind it by less.
    np.testing.assert_allclose(np.median(moved, axis=0), [60, 40], rtol=0.15)
    aside = harness.page.evaluate("harness.plot.camera()")
    assert distance(aside) == pytest.approx(distance(nearer), rel=1e-3)


@pytest.mark.everywhere
def test_one_finger_turns_space(touched: Callable[[int], Harness]) -> None:
    harness = touched(3)
    camera = harness.page.evaluate("harness.plot.camera()")
    Fingers(harness.page, LEFT, TOP).move([(300, 300)], [(330, 300)], [(380, 310)])
    harness.rest()
    turned = harness.page.evaluate("harness.plot.camera()")
    assert turned["center"] == pytest.approx(camera["center"], abs=1e-6)
    assert abs(turned["eye"]["x"] - camera["eye"]["x"]) > 0.05


def test_a_mouse_drags_what_plotly_shows_after_fingers_moved_it(
    open_harness: Callable[..., Harness],
) -> None:
    harness = open_harness(has_touch=True)
    harness.points(cloud(400, 2))
    harness.style()
    harness.load_plotly()
    Fingers(harness.page, LEFT, TOP).move(*APART)
    harness.rest()
    assert_same_places(harness.positions(), harness.plotly_says())
    before = harness.positions()
    harness.drag([(300, 300), (320, 310), (340, 320)])
    harness.rest()
    np.testing.assert_allclose(harness.positions(), before + np.array([40, 20]), atol=1)


def test_a_phone_zooms_the_map_of_a_report(open_page: Callable[..., Any], report: Path) -> None:
    page = open_page(report, plotly=True, **PHONE)
    page.call("e.set({dims: 2, tool: 'lasso'})")
    page.page.wait_for_timeout(500)
    before = np.reshape(page.call("[...e.screenPositions()]"), (-1, 2))
    box = page.page.locator(".plot").bounding_box()
    fingers = Fingers(page.page, box["x"], box["y"])
    # Around a point, since zooming ends where none would be left in sight.
    x, y = before[np.argmin(np.abs(before - [box["width"] / 2, 300]).sum(axis=1))].tolist()
    fingers.move(*([(x - apart, y), (x + apart, y)] for apart in (25, 50, 75)))
    page.page.wait_for_timeout(800)
    after = np.reshape(page.call("[...e.screenPositions()]"), (-1, 2))
    np.testing.assert_allclose(after, [x, y] + 3 * (before - [x, y]), atol=1.5)
    assert page.call("e.view().selected") == []
    assert page.complaints == []
