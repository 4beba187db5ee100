"""Two states of the same points, side by side: one camera, one pointer, one selection."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from embviz import write_report
from embviz.comparison.values import Comparison
from tests.report.comparisons import placed, shuffled_half, steps_of

N = 120


@pytest.fixture(scope="session")
def comparison() -> Comparison:
    return shuffled_half()


@pytest.fixture(scope="session")
def report_of_two(comparison: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("comparison") / "out.html"
    projections = [placed(comparison, 3), placed(comparison, 2)]
    write_report(
        path, comparison.b, projections, steps=steps_of(comparison), color_by="group", title="Two"
    )
    return path


@pytest.fixture
def page(open_page: Callable[..., Any], report_of_two: Path) -> Any:
    return open_page(report_of_two)


def positions(page: Any, side: int) -> NDArray[np.float64]:
    return np.array(page.call(f"e.screenPositions({side})")).reshape(N, 2)


def plot_box(page: Any, side: int) -> dict[str, float]:
    box = page.page.locator(".plot").nth(side).bounding_box()
    assert box
    return dict(box)


def seen_alike(page: Any, comparison: Comparison) -> NDArray[np.float64]:
    """Check that one scale and shift takes both sides' places to the screen, and return it."""
    frames = placed(comparison).frames
    assert frames is not None
    fits = []
    for side in (0, 1):
        known = frames.coordinates[side].astype(float)
        found = positions(page, side)
        columns = [np.polyfit(known[:, c], found[:, c], 1) for c in (0, 1)]
        for c in (0, 1):
            assert np.abs(np.polyval(columns[c], known[:, c]) - found[:, c]).max() < 0.05
        fits.append(np.concatenate(columns))
    np.testing.assert_allclose(fits[0], fits[1], atol=0.05)
    return np.asarray(fits[0])


def test_both_maps_show_the_same_part_of_the_plane_at_the_same_size(
    page: Any, comparison: Comparison
) -> None:
    assert page.page.locator(".map-name").all_text_contents() == [
        "A · model-1.npy",
        "B · model-2.npy",
    ]
    a, b = plot_box(page, 0), plot_box(page, 1)
    assert (a["width"], a["height"], a["y"]) == (b["width"], b["height"], b["y"])
    fit = seen_alike(page, comparison)
    for side in (0, 1):
        x, y = positions(page, side).T
        assert 0 < x.min() < x.max() < a["width"]
        assert 0 < y.min() < y.max() < a["height"]
    assert fit[0] == pytest.approx(-fit[2], rel=1e-4)


@pytest.mark.parametrize("plotly", [False, True])
@pytest.mark.parametrize("side", [0, 1])
def test_moving_one_map_moves_the_other(
    open_page: Callable[..., Any], report_of_two: Path, comparison: Comparison, side: int,
    plotly: bool,
) -> None:  # fmt: skip
    page = open_page(report_of_two, plotly=plotly)
    before = seen_alike(page, comparison)
    box = plot_box(page, side)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.page.mouse.move(x, y)
    for _ in range(3):
        page.page.mouse.wheel(0, -240)
        page.page.wait_for_timeout(50)
    page.page.wait_for_timeout(400)
    nearer = seen_alike(page, comparison)
    assert nearer[0] > 1.2 * before[0]
    page.page.mouse.down()
    page.page.mouse.move(x + 60, y + 35, steps=3)
    page.page.mouse.up()
    page.page.wait_for_timeout(400)
    moved = seen_alike(page, comparison)
    np.testing.assert_allclose(moved - nearer, [0, 60, 0, 35], atol=1.5)
    page.page.keyboard.press("0")
    page.page.wait_for_timeout(400)
    np.testing.assert_allclose(seen_alike(page, comparison), before, atol=1)


def test_a_turned_map_turns_the_other(page: Any, comparison: Comparison) -> None:
    page.call("e.set({ dims: 3 })")
    box = plot_box(page, 1)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    first = [positions(page, side) for side in (0, 1)]
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.page.mouse.move(x + 80, y - 30, steps=4)
    page.page.mouse.up()
    page.page.wait_for_timeout(300)
    turned = [positions(page, side) for side in (0, 1)]
    frames = placed(comparison, 3).frames
    assert frames is not None
    for side in (0, 1):
        assert np.abs(turned[side] - first[side]).max() > 20
    # A camera is one 3 x 4 matrix up to its scale: that of A's points has B's points right.
    rows = []
    for (px, py, pz), (u, v) in zip(frames.coordinates[0].astype(float), turned[0], strict=True):
        p = np.array([px, py, pz, 1])
        rows += [np.r_[p, np.zeros(4), -u * p], np.r_[np.zeros(4), p, -v * p]]
    camera = np.linalg.svd(np.array(rows))[2][-1].reshape(3, 4)
    known = np.c_[frames.coordinates[1].astype(float), np.ones(N)] @ camera.T
    np.testing.assert_allclose(known[:, :2] / known[:, 2:], turned[1], atol=0.2)


def picture(page: Any, side: int) -> NDArray[np.int16]:
    box = plot_box(page, side)
    png = page.page.screenshot(clip=box)
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(np.int16)


@pytest.mark.parametrize(("side", "other"), [(0, 1), (1, 0)])
def test_a_point_under_the_pointer_is_marked_in_the_other_map(
    page: Any, side: int, other: int
) -> None:
    page.call("e.set({ labels: 'few' })")
    box, row = plot_box(page, side), alone(positions(page, side))
    before = picture(page, other)
    x, y = positions(page, side)[row]
    page.page.mouse.move(box["x"] + x, box["y"] + y)
    page.page.wait_for_timeout(250)
    after = picture(page, other)
    changed = np.argwhere(np.abs(after - before).max(axis=2) > 60)
    assert len(changed)
    cx, cy = positions(page, other)[row]
    nearest = np.hypot(changed[:, 1] - cx, changed[:, 0] - cy)
    assert nearest.min() < 8
    assert nearest.max() < 90  # a ring, and a label beside it


def alone(places: NDArray[np.float64]) -> int:
    """The point that is farthest from any other."""
    apart = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(apart, np.inf)
    return int(apart.min(axis=1).argmax())


@pytest.mark.also("firefox")
def test_a_click_in_either_map_selects_the_point_in_both(page: Any) -> None:
    for side in (0, 1):
        page.call("e.select([])")
        box, there = plot_box(page, side), positions(page, side)
        row = alone(there)
        x, y = there[row]
        page.page.mouse.click(box["x"] + x, box["y"] + y)
        page.page.wait_for_timeout(200)
        assert page.call("e.selected()") == [row]
        for each in (0, 1):
            cx, cy = positions(page, each)[row].round().astype(int)
            around = picture(page, each)[cy - 14 : cy + 14, cx - 14 : cx + 14]
            accent = np.abs(around - [11, 99, 206]).max(axis=2) < 40
            assert accent.sum() > 20


def test_a_box_drawn_in_the_second_map_selects_by_its_places(page: Any) -> None:
    page.call("e.set({ tool: 'box' })")
    box, there = plot_box(page, 1), positions(page, 1)
    low, high = np.quantile(there, 0.2, axis=0), np.quantile(there, 0.7, axis=0)
    page.page.mouse.move(box["x"] + low[0], box["y"] + low[1])
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + high[0], box["y"] + high[1], steps=3)
    page.page.mouse.up()
    inside = ((there >= low) & (there <= high)).all(axis=1)
    assert set(page.call("e.selected()")) == set(np.flatnonzero(inside).tolist())
    first = positions(page, 0)
    assert inside.any()
    assert (inside != ((first >= low) & (first <= high)).all(axis=1)).any()


def test_one_map_has_the_whole_width_and_both_come_back_as_they_were(
    page: Any, comparison: Comparison
) -> None:
    before, width = seen_alike(page, comparison), plot_box(page, 0)["width"]
    page.page.get_by_role("button", name="One map").click()
    assert page.call("e.view().layout") == "one"
    assert plot_box(page, 0)["width"] > 1.9 * width
    assert page.page.locator(".plot").nth(1).is_hidden()
    page.page.get_by_role("button", name="Both maps").click()
    page.page.wait_for_timeout(200)
    np.testing.assert_allclose(seen_alike(page, comparison), before, atol=1)


def test_a_narrow_screen_begins_with_one_map_and_puts_one_above_the_other(
    open_page: Callable[..., Any], report_of_two: Path, comparison: Comparison
) -> None:
    page = open_page(report_of_two, viewport={"width": 480, "height": 900})
    assert page.call("e.view().layout") == "one"
    page.call("e.set({ layout: 'side' })")
    page.page.wait_for_timeout(200)
    a, b = plot_box(page, 0), plot_box(page, 1)
    assert (a["x"], a["width"], a["height"]) == (b["x"], b["width"], b["height"])
    assert b["y"] >= a["y"] + a["height"]
    seen_alike(page, comparison)


def test_a_page_of_one_state_has_one_map_and_no_layout_to_choose(
    open_page: Callable[..., Any], report: Path
) -> None:
    page = open_page(report)
    assert page.page.locator(".plot").count() == 1
    assert page.page.get_by_role("button", name="Both maps").count() == 0
    with pytest.raises(Exception, match="layout: \"side\" is not 'one', nor 'side'"):
        page.call("e.set({ layout: 'side' })")


def one_map(page: Any) -> tuple[Any, NDArray[np.float64], NDArray[np.float64]]:
    """Turn to one map, and return the slider and where both sides' points lie on the screen."""
    page.call("e.set({ layout: 'one' })")
    page.page.wait_for_timeout(150)
    ends = []
    for step in (0, 1):
        page.call(f"e.set({{ step: {step} }})")
        ends.append(positions(page, 0))
    return page.page.locator(".slide").get_by_role("slider"), ends[0], ends[1]


def test_one_map_slides_from_a_to_b(page: Any) -> None:
    slider, a, b = one_map(page)
    assert np.abs(a - b).max() > 10
    slider.evaluate("(s) => { s.value = '0.25'; s.dispatchEvent(new Event('input')); }")
    np.testing.assert_allclose(positions(page, 0), 0.75 * a + 0.25 * b, atol=0.05)
    page.page.get_by_role("button", name="A model-1.npy").click()
    assert page.call("e.view().step") == 0
    np.testing.assert_allclose(positions(page, 0), a, atol=0.05)


def test_the_space_bar_slides_to_the_other_side_and_back(page: Any) -> None:
    one_map(page)
    page.page.locator(".plot").first.focus()
    page.page.evaluate(
        "() => { window.seen = []; const look = () => { const { step } = embviz.view();"
        " window.seen.push(step); if (step > 0) requestAnimationFrame(look); }; look(); }"
    )
    page.page.keyboard.press(" ")
    page.wait("e.view().step === 0")
    seen = page.page.evaluate("window.seen")
    assert any(0 < step < 1 for step in seen)
    assert seen == sorted(seen, reverse=True)
    page.page.keyboard.press(" ")
    page.wait("e.view().step === 1")


def test_nothing_slides_where_the_system_asks_for_less_motion(
    open_page: Callable[..., Any], report_of_two: Path
) -> None:
    page = open_page(report_of_two, reduced_motion="reduce")
    one_map(page)
    page.page.locator(".plot").first.focus()
    page.page.keyboard.press(" ")
    assert page.call("e.view().step") == 0


def test_beside_each_other_nothing_slides(page: Any) -> None:
    assert page.page.locator(".slide").is_hidden()
    page.page.locator(".plot").first.focus()
    page.page.keyboard.press(" ")
    page.page.wait_for_timeout(200)
    assert page.call("e.view().step") == 1
    assert page.call("e.view().layout") == "side"


def test_a_link_keeps_the_layout_and_the_step(
    open_page: Callable[..., Any], report_of_two: Path
) -> None:
    page = open_page(report_of_two)
    page.call("e.set({ layout: 'one', step: 0.25 })")
    page.page.wait_for_function("() => /y=one/.test(location.hash)")
    page.page.reload()
    page.page.evaluate("() => window.embviz.ready")
    view = page.call("e.view()")
    assert (view["layout"], view["step"]) == ("one", 0.25)
