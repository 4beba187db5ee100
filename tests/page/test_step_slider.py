"""The slider of a run's steps: what names, plays and measures them, and the trails."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import expect

from tests.page.stepped import N_STEPS


@pytest.fixture
def page(open_page: Callable[..., Any], step_reports: dict[str, Path]) -> Any:
    return open_page(step_reports["auto"])


def test_the_slider_names_the_step_and_scrubs_between_two(page: Any) -> None:
    slider = page.page.get_by_role("slider", name="Step", exact=True)
    name = page.page.locator(".steps-name")
    expect(name).to_have_text("step 400, 4 of 4")
    slider.fill("1")
    expect(name).to_have_text("step 200, 2 of 4")
    assert slider.get_attribute("aria-valuetext") == "step 200, 2 of 4"
    slider.fill("1.25")
    expect(name).to_have_text("step 200 → 300, 25 %, 2 of 4")
    assert page.call("e.view().step") == 1.25


def watch(page: Any) -> None:
    """Note every step that a picture shows, in `seen`."""
    page.page.evaluate(
        "() => { window.seen = new Set(); const look = () => { seen.add(embviz.view().step);"
        " requestAnimationFrame(look); }; look(); }"
    )


@pytest.mark.also("firefox")
def test_keys_go_a_step_back_and_forth_and_space_plays(page: Any) -> None:
    press = page.page.keyboard.press
    for key, wanted in (("<", 2), ("<", 1), (">", 2)):
        press(key)
        page.wait(f"e.view().step === {wanted}")
    slider = page.page.get_by_role("slider", name="Step", exact=True)
    for key, wanted in (("ArrowLeft", 1), ("ArrowRight", 2), ("Home", 0), ("End", 3)):
        slider.press(key)
        page.wait(f"e.view().step === {wanted}")
    watch(page)
    page.call("e.set({speed: 4})")
    press(" ")
    page.wait("e.view().step === 3 && !e.view().stepping && window.seen.size > 2")
    seen = page.page.evaluate("() => [...seen]")
    assert any(step % 1 for step in seen)


def test_a_loop_begins_again(page: Any) -> None:
    page.call("e.set({speed: 4, loop: true, step: 2.5, stepping: true})")
    page.wait("e.view().step === 3")
    page.wait("e.view().step < 2")
    assert page.call("e.view().stepping")
    page.page.get_by_role("button", name="Pause").click()
    assert not page.call("e.view().stepping")


def test_where_less_motion_is_asked_for_the_picture_jumps_from_step_to_step(
    open_page: Callable[..., Any], step_reports: dict[str, Path]
) -> None:
    page = open_page(step_reports["auto"], reduced_motion="reduce")
    watch(page)
    page.page.keyboard.press("<")
    assert page.call("e.view().step") == 2
    page.call("e.set({speed: 4, step: 0, stepping: true})")
    page.wait("!e.view().stepping")
    assert sorted(page.page.evaluate("() => [...seen]")) == [0, 1, 2, 3]


def test_the_chart_says_how_many_neighbors_each_step_keeps(page: Any) -> None:
    told = page.page.locator(".steps-told")
    page.call("e.set({step: 1})")
    expect(told).to_have_text("Neighbors at 200kept from the step before 50 %kept of 400 25 %")
    chart = page.page.get_by_role("img", name="share of the 10 nearest neighbors")
    assert "100: – and 13 %; 200: 50 % and 25 %" in chart.get_attribute("aria-label")
    box = chart.bounding_box()
    page.page.mouse.move(box["x"] + 2 * box["width"] / 3, box["y"] + 10)
    expect(told).to_have_text("Neighbors at 300kept from the step before 25 %kept of 400 50 %")
    page.page.mouse.click(box["x"] + 1, box["y"] + 10)
    assert page.call("e.view().step") == 0
    bars = chart.locator("rect").evaluate_all(
        "(all) => all.map((e) => Number(e.getAttribute('height')))"
    )
    assert bars == [50, 25, 75]


@pytest.mark.parametrize(
    ("view", "rule", "figure"),
    [
        ("{projection: 'pca', dims: 2}", "change", "Motion and change agree, 0.63: what"),
        ("{projection: 'pca', dims: 3}", "part", "agree in part, 0.25: some"),
        ("{projection: 'tsne', dims: 2}", "motion", "Little of this motion is change, 0.06: the"),
    ],
)
def test_it_is_said_whether_the_motion_is_real(
    page: Any, view: str, rule: str, figure: str
) -> None:
    page.call(f"e.set({view})")
    motion = page.page.locator(".steps-motion")
    expect(motion).to_contain_text(figure)
    assert motion.get_attribute("data-rule") == rule


@pytest.mark.parametrize(
    ("view", "told"),
    [
        ("{dims: 2, step: 0}", "From 100 to 200 it is 0.50."),
        ("{dims: 2, step: 1.5}", "From 200 to 300 it is −0.25."),
        ("{dims: 2, step: 2}", "From 200 to 300 it is −0.25."),
        ("{dims: 3, step: 2}", "From 200 to 300 it is 0.38."),
    ],
)
def test_the_motion_of_the_two_steps_shown_is_said_too(page: Any, view: str, told: str) -> None:
    page.call("e.set({projection: 'pca'})")
    page.call(f"e.set({view})")
    expect(page.page.locator(".steps-motion")).to_contain_text(told)
    page.call("e.set({dims: 2, step: 3})")
    assert "From" not in page.page.locator(".steps-motion").text_content()


def test_nothing_is_said_of_motion_where_it_was_not_measured(page: Any) -> None:
    page.call("e.set({projection: 'pca', components: [0, 2]})")
    assert page.page.locator(".steps-motion").is_hidden()


def drawn(page: Any) -> NDArray[np.int64]:
    page.page.wait_for_timeout(250)
    return np.asarray(Image.open(io.BytesIO(page.page.locator(".plot").screenshot())), np.int64)


def test_a_selected_point_leaves_a_trail_through_its_places(page: Any) -> None:
    page.call(
        "e.set({projection: 'pca', color_by: null, labels: 'none', selected: [3], theme: 'light'})"
    )
    ends = []
    for step in range(N_STEPS):
        page.call(f"e.set({{step: {step}}})")
        ends.append(page.call("e.screenPositions()")[6:8])
    without = drawn(page)
    page.page.get_by_role("button", name="Trail").click()
    changed = np.abs(drawn(page) - without).sum(axis=2) > 60
    middle = np.array([(np.array(a) + np.array(b)) / 2 for a, b in pairwise(ends)])
    for x, y in middle[np.linalg.norm(np.diff(ends, axis=0), axis=1) > 30]:
        assert changed[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4].any()
    page.call("e.set({step: 0})")
    assert page.call("e.view().trail")
