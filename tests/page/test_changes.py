"""What changed between two states of the points: the panel, the inspector's two lists, the columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import embviz
from embviz.comparison.values import Comparison
from tests.page.test_accessibility import axe as axe
from tests.page.test_accessibility import violations
from tests.page.test_comparison import comparison as comparison
from tests.page.test_comparison import report_of_two as report_of_two
from tests.report.comparisons import GROUPS, placed, ranked

N = 120


@pytest.fixture
def page(open_page: Callable[..., Any], report_of_two: Path) -> Any:
    return open_page(report_of_two)


def in_common(comparison: Comparison) -> NDArray[np.int64]:
    """How many of each point's 10 nearest both sides have, by NumPy alone."""
    a, b = (ranked(table.vectors)[:, :10] for table in (comparison.a, comparison.b))
    return np.array([len(np.intersect1d(a[i], b[i])) for i in range(N)])


def test_the_panel_says_the_figures_in_words(page: Any, comparison: Comparison) -> None:
    panel = page.page.get_by_role("region", name="Changes")
    text = panel.inner_text()
    mean = in_common(comparison).mean()
    assert f"{mean:.1f} stayed" in text
    assert f"{10 * mean:.3g} %" in text
    assert "Only A (model-1.npy) has 2 points, left out: x0, x1." in text
    assert "Only B (model-2.npy) has 1 point, left out: y0." in text


def test_bars_count_the_points_by_what_they_have_in_common(
    page: Any, comparison: Comparison
) -> None:
    want = np.bincount(in_common(comparison), minlength=11)
    titles = page.page.locator(".bar-column").evaluate_all("(all) => all.map((b) => b.title)")
    assert titles == [f"{i} of 10 in common: {n} points" for i, n in enumerate(want.tolist())]
    page.call("e.set({ hidden: [0] })")  # the legend leaves the largest class out
    shown = page.page.locator(".bar-column").evaluate_all("(all) => all.map((b) => b.title)")
    assert shown != titles


def drag_bars(page: Any, low: int, high: int) -> None:
    bars = page.page.locator(".bar-column")
    first, last = bars.nth(low).bounding_box(), bars.nth(high).bounding_box()
    page.page.mouse.move(first["x"] + first["width"] / 2, first["y"] + 40)
    page.page.mouse.down()
    page.page.mouse.move(last["x"] + last["width"] / 2, last["y"] + 30, steps=3)
    page.page.mouse.up()


def test_a_drag_over_the_bars_selects_exactly_the_points_in_that_range(
    page: Any, comparison: Comparison
) -> None:
    common = in_common(comparison)
    for low, high in ((1, 4), (6, 9), (10, 10)):
        drag_bars(page, low, high)
        want = np.flatnonzero((common >= low) & (common <= high))
        assert sorted(page.call("e.selected()")) == want.tolist()
        pressed = page.page.locator(".bar-column[aria-pressed=true]").count()
        assert pressed == high - low + 1
    page.call("e.select([3])")
    assert page.page.locator(".bar-column[aria-pressed=true]").count() == 0


def test_a_range_is_taken_with_the_keyboard_too(page: Any, comparison: Comparison) -> None:
    common = in_common(comparison)
    page.page.locator(".bar-column").first.focus()
    for key in ("End", "ArrowLeft", "Enter"):
        page.page.keyboard.press(key)
    assert sorted(page.call("e.selected()")) == np.flatnonzero(common == 9).tolist()
    page.page.keyboard.press("Shift+ArrowLeft")
    page.page.keyboard.press("Shift+ArrowLeft")
    want = np.flatnonzero((common >= 7) & (common <= 9))
    assert sorted(page.call("e.selected()")) == want.tolist()
    assert page.page.locator(".bar-column:focus").get_attribute("title").startswith("7 of 10")


def listed(page: Any, name: str) -> list[str]:
    found = page.page.get_by_role("list", name=name).locator(".row-name").all_text_contents()
    return [str(text) for text in found]


def test_most_and_least_changed_are_in_order_and_select(page: Any, comparison: Comparison) -> None:
    common = in_common(comparison)
    rows = np.lexsort((np.arange(N), -comparison.displacement, common))
    assert listed(page, "Most changed") == [f"w{i}" for i in rows[:50]]
    page.page.get_by_role("button", name="Least").click()
    least = np.lexsort((np.arange(N), comparison.displacement, -common))
    assert listed(page, "Least changed") == [f"w{i}" for i in least[:50]]
    page.page.get_by_role("list", name="Least changed").get_by_role("button").nth(2).click()
    assert page.call("e.selected()") == [int(least[2])]


def test_the_lists_are_of_one_group_where_that_is_chosen(page: Any, comparison: Comparison) -> None:
    common = in_common(comparison)
    page.page.get_by_label("Points listed").select_option("of group e")
    rows = np.lexsort((np.arange(N), -comparison.displacement, common))
    assert listed(page, "Most changed") == [f"w{i}" for i in rows if i % 6 == 4]
    page.page.get_by_label("Points listed").select_option("of the group w5")
    assert listed(page, "Most changed") == [f"w{i}" for i in rows if i % 6 == 5]


def test_a_group_is_selected_and_isolated(page: Any) -> None:
    page.page.get_by_role("button", name="Groups").click()
    assert listed(page, "Groups") == ["w4", "w5"]
    page.page.get_by_role("list", name="Groups").locator(".row").nth(1).click()
    assert page.call("e.selected()") == GROUPS[1].points.tolist()
    page.page.get_by_role("button", name="Isolate the 20 points of w4").click()
    assert page.call("e.view().isolated") == GROUPS[0].points.tolist()


def test_the_panel_says_why_there_are_no_groups(
    open_page: Callable[..., Any], comparison: Comparison, tmp_path: Path
) -> None:
    found = replace(comparison, groups=(), no_groups="there are too few points")
    embviz.write_comparison(tmp_path / "out.html", found, [placed(found, 2)])
    opened = open_page(tmp_path / "out.html")
    opened.page.get_by_role("button", name="Groups").click()
    hint = "No groups that changed together: there are too few points."
    assert opened.page.get_by_text(hint).is_visible()


def test_the_line_of_a_group_is_one_line(page: Any) -> None:
    page.page.get_by_role("button", name="Groups").click()
    row = page.page.get_by_role("list", name="Groups").locator(".row").first
    heights = [part.bounding_box()["height"] for part in row.locator("span").all()]
    assert max(heights) < 1.5 * min(heights)


@pytest.mark.parametrize("k", [10, 7])
def test_the_inspector_lists_neighbors_of_both_sides_with_marks_and_ranks(
    page: Any, comparison: Comparison, k: int
) -> None:
    row = 29
    page.call(f"e.set({{ k: {k} }})")
    page.call(f"e.select([{row}])")
    orders = [ranked(table.vectors)[row] for table in (comparison.a, comparison.b)]
    sets = [set(order[:k].tolist()) for order in orders]
    for side, (name, gone) in enumerate(
        (("Nearest in A · model-1.npy", "left"), ("Nearest in B · model-2.npy", "came"))
    ):
        want, other = orders[side][:k], orders[1 - side].tolist()
        assert listed(page, name) == [f"w{i}" for i in want]
        marks = page.page.get_by_role("list", name=name).locator(".mark")
        found = marks.evaluate_all("(all) => all.map((m) => m.getAttribute('aria-label'))")
        assert found == [
            f"{'stayed' if i in sets[1 - side] else gone}, "
            f"rank {other.index(i) + 1} in {'BA'[side]}"
            for i in want.tolist()
        ]
    page.page.get_by_role("button", name="Select all").click()
    assert set(page.call("e.selected()")) == {row} | sets[0] | sets[1]


def test_a_neighbor_of_either_list_is_selected_by_a_click(
    page: Any, comparison: Comparison
) -> None:
    page.call("e.select([29])")
    page.page.get_by_role("list", name="Nearest in A").get_by_role("button").nth(4).click()
    assert page.call("e.selected()") == [int(ranked(comparison.a.vectors)[29, 4])]


def test_each_map_rings_its_own_neighbors(page: Any, comparison: Comparison) -> None:
    page.call("e.select([29])")
    for side, table in enumerate((comparison.a, comparison.b)):
        found = page.call(f"(e.set({{ step: {side} }}), e.neighbors(29, 10).indices)")
        assert found == ranked(table.vectors)[29, :10].tolist()


def test_what_was_measured_can_be_colored_by(page: Any, comparison: Comparison) -> None:
    options = page.page.get_by_label("Color by").locator("option").all_text_contents()
    names = ["10 nearest in common", "50 nearest in common", "rank displacement",
             "neighbors that came", "neighbors that left"]  # fmt: skip
    assert options[-6:] == [*names, "distance from where I point"]
    for name, values in (
        ("10 nearest in common", in_common(comparison) / 10),
        ("rank displacement", comparison.displacement),
        ("neighbors that came", 10 - in_common(comparison)),
    ):
        page.call(f"e.set({{ color_by: '{name}' }})")
        ends = page.page.locator(".gradient").get_attribute("aria-label")
        low, high = (float(text) for text in ends.removeprefix("From ").split(" to "))
        assert (low, high) == pytest.approx((values.min(), values.max()), rel=1e-3)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 360)])
def test_axe_finds_no_violation_in_the_page_of_a_comparison(
    open_page: Callable[..., Any], report_of_two: Path, axe: str, scheme: str, width: int
) -> None:
    opened = open_page(
        report_of_two,
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
        reduced_motion="reduce",
    )
    opened.page.evaluate(axe)
    complaints = []
    for name, script in {
        "both": "e.set({ layout: 'side', selected: [29] })",
        "one": "e.set({ layout: 'one', step: 0.25 })",
        "brushed": "e.set({ layout: 'side', color_by: 'rank displacement' })",
    }.items():
        opened.call(script)
        if width < 800:
            opened.page.get_by_role("button", name="Data and projection panel").click()
        else:
            opened.page.get_by_role("button", name="Groups").click()
            drag_bars(opened, 2, 5)
        opened.page.wait_for_timeout(200)
        complaints += violations(opened.page, name)
        if width < 800:
            opened.page.get_by_role("button", name="Data and projection panel").click()
    assert complaints == []
