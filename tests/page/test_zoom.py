"""How far the picture can be zoomed, by wheel and keys, with Plotly and before it comes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

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
