"""The panels, as a person uses them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from embviz import EmbeddingTable


@pytest.fixture
def opened(open_page: Callable[..., Any], report: Path) -> Any:
    return open_page(report)


@pytest.fixture
def page(opened: Any) -> Any:
    return opened.page


@pytest.mark.everywhere
def test_typing_in_the_search_field_selects_what_matches_and_says_how_many(opened: Any) -> None:
    field = opened.page.get_by_role("searchbox", name="Search")
    field.fill("/^w1\\d$/")
    assert opened.call("e.view().selected") == list(range(10, 20))
    assert opened.page.get_by_text("10 matches").is_visible()
    field.fill("/(/")
    assert opened.page.get_by_text("no regular expression").is_visible()
    field.press("Escape")
    assert opened.call("e.view().selected") == []


def test_a_single_match_shows_its_columns_thumbnail_and_neighbors(
    opened: Any, table: EmbeddingTable
) -> None:
    opened.page.get_by_role("searchbox", name="Search").fill("=w17")
    card = opened.page.locator(".card")
    assert card.locator(".card-name").text_content() == "w17"
    pairs = dict(
        zip(
            card.locator("dt").all_text_contents(),
            card.locator("dd").all_text_contents(),
            strict=True,
        )
    )
    assert pairs == {"row": "17", "word": "w17", "group": "c", "size": "1.7"}
    assert card.locator("canvas").is_visible()
    rows = opened.page.get_by_label("Nearest neighbors").locator("li")
    want = opened.call("e.neighbors(17, 10, 'euclidean')")
    assert rows.count() == 10
    names = [f"w{i}" for i in want["indices"]]
    assert rows.locator(".row-name").all_text_contents() == names
    shown = [float(text) for text in rows.locator(".distance").all_text_contents()]
    np.testing.assert_allclose(shown, want["distances"], atol=6e-4)


def test_the_number_of_neighbors_and_the_metric_can_be_changed(opened: Any) -> None:
    opened.call("e.set({selected: [17]})")
    panel = opened.page.get_by_label("Nearest neighbors")
    panel.get_by_role("spinbutton").fill("25")
    panel.get_by_role("spinbutton").press("Enter")
    panel.get_by_role("button", name="cos").click()
    assert panel.locator("li").count() == 25
    want = [f"w{i}" for i in opened.call("e.neighbors(17, 25, 'cosine')")["indices"]]
    assert panel.locator(".row-name").all_text_contents() == want


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_a_neighbors_bar_is_as_long_as_its_distance_like_that_of_the_terminal(
    opened: Any, metric: str
) -> None:
    opened.call(f"e.set({{selected: [17], metric: '{metric}'}})")
    panel = opened.page.get_by_label("Nearest neighbors")
    parts = panel.locator(".meter").evaluate_all(
        "(bars) => bars.map((bar) => Number(bar.style.getPropertyValue('--part')))"
    )
    distances = np.array(opened.call(f"e.neighbors(17, 10, '{metric}')")["distances"])
    np.testing.assert_allclose(parts, distances / distances.max())
    assert "the longer a bar, the farther" in panel.inner_text()


def test_a_neighbors_name_has_more_room_than_its_bar_and_the_bar_says_what_it_means(
    opened: Any,
) -> None:
    opened.call("e.set({selected: [17]})")
    first = opened.page.get_by_label("Nearest neighbors").locator("li").first
    name, bar = first.locator(".row-name").bounding_box(), first.locator(".meter").bounding_box()
    assert name["width"] >= 96
    assert name["width"] > 2 * bar["width"]
    assert "farthest of these" in first.locator(".meter").get_attribute("title")


def test_help_names_all_that_is_in_force_in_words(opened: Any) -> None:
    opened.call("e.project('umap', {dims: 2, epochs: 20})")
    told = {}
    for name in ("pca", "tsne", "umap", "custom"):
        opened.call(f"e.set({{projection: '{name}', dims: 2, help: true}})")
        found = opened.page.locator("dialog.help dl").first
        names, values = (found.locator(tag).all_text_contents() for tag in ("dt", "dd"))
        told[name] = dict(zip(names, values, strict=True))
        assert all(name[0].isupper() for name in names), names
        assert not {"true", "false", "none"} & set(values)
        opened.call("e.set({help: false})")
    assert told["tsne"]["Perplexity chosen by"] == "embviz"
    assert told["tsne"]["Starts from"] == "PCA"
    assert told["pca"]["Normalized"] == "no"
    assert told["umap"]["Minimal distance"] == "0.1"


def test_clicking_a_neighbor_goes_on_to_it(opened: Any) -> None:
    opened.call("e.set({selected: [17]})")
    first = opened.call("e.neighbors(17, 1, 'euclidean')")["indices"][0]
    opened.page.get_by_label("Nearest neighbors").locator("li button").first.click()
    assert opened.call("e.view().selected") == [first]


def test_the_neighbors_of_a_point_are_selected_by_one_button(opened: Any) -> None:
    opened.call("e.set({selected: [7], k: 4})")
    near = opened.call("e.neighbors(7, 4)")["indices"]
    opened.page.get_by_role("button", name="Select all", exact=True).click()
    assert opened.call("e.view().selected") == [7, *near]
    assert "5 selected" in opened.page.locator(".status").inner_text()


def test_the_legend_counts_and_filters_and_a_double_click_shows_one_alone(opened: Any) -> None:
    legend = opened.page.get_by_role("group", name="Legend")
    assert legend.get_by_role("button").all_text_contents() == [f"{g}60" for g in "abcde"]
    legend.get_by_role("button", name="b").click()
    assert opened.call("e.view().hidden") == [1]
    opened.page.get_by_role("button", name="Show every class").click()
    assert opened.call("e.view().hidden") == []
    legend.get_by_role("button", name="c").dblclick()
    assert opened.call("e.view().hidden") == [0, 1, 3, 4]


def test_a_column_of_numbers_is_a_gradient_and_tells_what_is_missing(opened: Any) -> None:
    opened.page.get_by_label("Color by").select_option("size")
    panel = opened.page.get_by_role("region", name="Data")
    assert panel.locator(".ends span").all_text_contents() == ["0", "29.9"]
    assert panel.get_by_text("1 missing").is_visible()
    panel.get_by_role("button", name="classes").click()
    assert panel.locator(".legend-row").count() > 50


def test_tabs_show_each_projection_and_what_is_in_force(opened: Any) -> None:
    tabs = opened.page.get_by_role("tab")
    assert tabs.all_text_contents() == ["PCA", "t-SNE", "UMAP", "Axes"]
    body = opened.page.get_by_role("tabpanel")
    assert body.get_by_text("Variance shown").is_visible()
    tabs.nth(1).click()
    assert body.get_by_text("KL divergence").is_visible()
    tabs.nth(1).press("ArrowRight")
    assert opened.call("e.view().projection") == "umap"
    tabs.nth(2).press("ArrowRight")
    assert opened.call("e.view().projection") == "custom"
    assert body.get_by_label("Horizontal axis from").input_value() == "=w0"


def test_any_two_or_three_components_are_shown_with_their_shares(
    opened: Any, table: EmbeddingTable
) -> None:
    from embviz import PCA

    shares = PCA().project(table).stats["variance_shares"]
    body = opened.page.get_by_role("tabpanel")
    body.get_by_label("Axis X").select_option(index=4)
    body.get_by_label("Axis Y").select_option(index=7)
    assert opened.call("e.view().components")[:2] == [4, 7]
    shown = body.locator(".fact").filter(has_text="Variance shown").text_content()
    percent = float(shown.removeprefix("Variance shown").removesuffix(" %"))
    assert percent == pytest.approx(100 * (shares[4] + shares[7]), rel=0.01)


def test_typed_axes_move_the_points_and_say_what_matches(opened: Any) -> None:
    opened.call("e.set({projection: 'custom', dims: 2})")
    body = opened.page.get_by_role("tabpanel")
    body.get_by_label("Vertical axis from").fill("group:a")
    body.get_by_label("Vertical axis to").fill("zebra")
    assert body.locator(".axis-field .wrong").count() == 1
    body.get_by_label("Vertical axis to").fill("group:b")
    assert body.get_by_text("60 points").count() == 2
    assert opened.call("e.view().axes")[1] == {"from": "group:a", "to": "group:b"}
    body.get_by_role("button", name="Swap the ends of the vertical axis").click()
    assert opened.call("e.view().axes")[1] == {"from": "group:b", "to": "group:a"}


def test_iterations_play_to_the_end_and_can_be_scrubbed(opened: Any) -> None:
    opened.call("e.set({projection: 'tsne', dims: 2})")
    player = opened.page.locator(".player")
    slider = player.get_by_role("slider", name="Recorded iteration")
    slider.press("Home")
    assert opened.call("e.view().frame") == 0
    player.get_by_role("button", name="Play the iterations").click()
    opened.wait("e.view().frame > 1")
    player.get_by_role("button", name="Pause").click()
    assert opened.call("e.view().playing") is False
    assert 1 < opened.call("e.view().frame") < 31
    opened.call("e.set({frame: 0, playing: true})")
    opened.wait("!e.view().playing")
    assert opened.call("e.view().frame") is None


def test_isolating_shows_the_selection_and_its_neighbors_alone(opened: Any) -> None:
    opened.call("e.set({selected: [17]})")
    opened.page.get_by_role("button", name="Isolate 11 points").click()
    want = sorted([17, *opened.call("e.neighbors(17, 10, 'euclidean')")["indices"]])
    assert sorted(opened.call("e.view().isolated")) == want
    assert "11 of 300 points" in opened.page.locator(".status").text_content()
    opened.page.get_by_role("button", name="Show all 300").click()
    assert opened.call("e.view().isolated") is None


def test_the_help_says_the_parameters_and_the_command_that_makes_the_page(opened: Any) -> None:
    opened.call("e.set({projection: 'tsne', dims: 2})")
    opened.page.get_by_role("button", name="How to read this picture", exact=True).click()
    dialog = opened.page.get_by_role("dialog")
    text = dialog.text_content()
    for part in ("perplexity", "Early exaggeration", "embviz project x", "300 × 12, float32"):
        assert part in text
    opened.page.keyboard.press("Escape")
    opened.wait("e.view().help === false")
    assert dialog.count() == 0


def test_keys_do_what_the_help_lists(opened: Any) -> None:
    press = opened.page.keyboard.press
    press("]")
    assert opened.call("e.view().projection") == "tsne"
    press("3")
    assert opened.call("e.view().dims") == 3
    press("d")
    assert opened.call("e.view().theme") in ("dark", "light")
    press("/")
    opened.page.keyboard.type("=w3")
    assert opened.call("e.view().selected") == [3]
    opened.page.keyboard.press("Escape")
    press("?")
    assert opened.page.get_by_role("dialog").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_system_and_has_a_switch(
    open_page: Callable[..., Any], report: Path, scheme: str
) -> None:
    opened = open_page(report, color_scheme=scheme)
    ground = "() => getComputedStyle(document.body).backgroundColor"
    first = opened.page.evaluate(ground)
    assert (first == "rgb(255, 255, 255)") == (scheme == "light")
    opened.page.get_by_role("button", name="Light or dark").click()
    assert opened.page.evaluate(ground) != first


@pytest.mark.parametrize("dims", [2, 3])
def test_hovering_and_clicking_a_point_names_the_right_one(opened: Any, dims: int) -> None:
    opened.call(f"e.set({{projection: 'tsne', dims: {dims}, thumbnails: false}})")
    opened.page.wait_for_timeout(400)
    place = opened.page.evaluate(
        "() => { const r = document.querySelector('.plot').getBoundingClientRect(); return [r.x, r.y]; }"
    )
    positions = np.array(opened.page.evaluate("() => [...window.embviz.screenPositions()]"))
    xy = positions.reshape(-1, 2) + place
    gaps = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    lonely = np.argsort(-gaps.min(axis=1))[:5]
    for row in lonely.tolist():
        opened.page.mouse.click(*xy[row].tolist())
        assert opened.call("e.view().selected") == [row]


@pytest.mark.parametrize("width", [360, 800, 1280, 2560])
def test_nothing_sticks_out_at_any_width(
    open_page: Callable[..., Any], report: Path, width: int
) -> None:
    opened = open_page(report, viewport={"width": width, "height": 800})
    opened.call("e.set({projection: 'custom', selected: [17]})")
    wide = opened.page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= width
    out = opened.page.evaluate(
        """() => [...document.querySelectorAll('.panel *, .bar *')].filter((e) => {
          const r = e.getBoundingClientRect(), p = e.closest('.side, .bar, .right-column').getBoundingClientRect();
          return r.width && (r.right > p.right + 1 || r.left < p.left - 1) && getComputedStyle(e).position !== 'absolute';
        }).map((e) => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 30))"""
    )
    assert out == []
    plot = opened.page.evaluate(
        "() => document.querySelector('.stage').getBoundingClientRect().width"
    )
    assert plot >= 0.6 * width


def counts(opened: Any) -> list[str]:
    found: list[str] = opened.page.locator(".legend-row .count").all_text_contents()
    return found


def test_the_legend_counts_what_is_shown_and_the_whole_where_it_differs(opened: Any) -> None:
    assert counts(opened) == ["60"] * 5
    opened.call("e.isolate([0, 5, 10, 1, 2])")
    assert counts(opened) == ["3 of 60", "1 of 60", "1 of 60", "0 of 60", "0 of 60"]
    opened.call("e.set({hidden: [0]})")
    assert counts(opened)[0] == "3 of 60", "what the legend hides itself is still counted"
    opened.call("e.set({hidden: [], color_by: 'size'})")
    assert "0 of 1 missing" in opened.page.locator(".legend").inner_text()
    opened.call("e.showAll()")
    assert "1 missing" in opened.page.locator(".legend").inner_text()
    assert " of " not in opened.page.locator(".legend").inner_text()
    opened.call("e.set({color_by: 'group'})")
    assert counts(opened) == ["60"] * 5


def test_pointing_at_a_hidden_class_does_not_fade_the_others(opened: Any) -> None:
    # The key that hides a class leaves the focus on its entry.
    shades = "e.set({labels: 'none', thumbnails: false})"
    opened.call(shades)
    opened.page.keyboard.press("Tab")
    row = opened.page.locator(".legend-row").first
    row.focus()
    opened.page.mouse.move(640, 830)
    pointed = opened.page.locator(".plot").screenshot()
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_timeout(300)
    hidden = opened.page.locator(".plot").screenshot()
    row.blur()
    opened.page.wait_for_timeout(300)
    assert hidden == opened.page.locator(".plot").screenshot()
    assert hidden != pointed


def test_a_finger_on_the_legend_filters_and_points_at_nothing(
    open_page: Callable[..., Any], report: Path
) -> None:
    opened = open_page(report, has_touch=True)
    opened.call("e.set({thumbnails: false})")
    opened.page.wait_for_timeout(300)
    before = opened.page.locator(".plot").screenshot()
    row = opened.page.locator(".legend-row").first
    row.tap()
    row.tap()
    opened.page.wait_for_timeout(300)
    assert opened.call("e.view().hidden") in ([], [1, 2, 3, 4])  # two taps, or one double one
    opened.call("e.set({hidden: []})")
    opened.page.wait_for_timeout(300)
    assert opened.page.locator(".plot").screenshot() == before


def test_a_long_value_can_be_read_without_a_pointer(opened: Any) -> None:
    opened.call("e.set({tags: [{column: 'note', value: 'long '.repeat(40).trim(), rows: [4]}]})")
    opened.call("e.set({selected: [4]})")
    last = opened.page.locator(".card dd").last
    assert last.evaluate("(e) => e.scrollWidth <= e.clientWidth && e.clientHeight > 60")


def test_the_command_is_not_said_to_have_made_what_the_page_computed(opened: Any) -> None:
    def told() -> str:
        opened.call("e.set({help: true})")
        text = opened.page.get_by_role("dialog").inner_text().lower()
        opened.call("e.set({help: false})")
        return str(text)

    made = "computed in the page"
    assert "\nmade with\n" in told()
    assert made not in told()
    opened.call("e.project('umap', {epochs: 10})")
    assert "the file was made with" in told()
    assert made in told()
    opened.call("e.set({projection: 'custom', axes: [{from: '=w3', to: '=w4'}]})")
    assert made in told()
    opened.call("e.set({projection: 'tsne', dims: 2})")
    assert made not in told()


def test_the_sphere_tool_says_what_is_to_be_clicked(opened: Any) -> None:
    opened.call("e.set({projection: 'pca', dims: 3})")
    hint = opened.page.get_by_text("Click a point: all within a radius of it are selected")
    assert not hint.is_visible()
    opened.page.keyboard.press("s")
    assert hint.is_visible()
    opened.call("e.set({sphere: {row: 3, radius: 0.2}})")
    assert not hint.is_visible()
    assert opened.page.get_by_label("Radius of the selection sphere").is_visible()
    opened.call("e.set({sphere: null, dims: 2})")
    assert not hint.is_visible()
    opened.page.set_viewport_size({"width": 360, "height": 700})
    opened.call("e.set({dims: 3, selected: []})")
    box, text = opened.page.locator(".sphere-bar").bounding_box(), hint.bounding_box()
    assert text["height"] <= box["height"]
    assert box["x"] + box["width"] <= 360


def test_a_panel_that_was_closed_stays_closed_when_the_window_changes(page: Any) -> None:
    left, right = page.locator(".left.side"), page.locator(".right-column")
    page.get_by_role("button", name="Inspector panel").click()
    assert (left.is_visible(), right.is_visible()) == (True, False)
    for width in (900, 700, 1200):
        page.set_viewport_size({"width": width, "height": 800})
        assert not right.is_visible()
    expect(left).to_be_visible()
    assert not right.is_visible()
    page.get_by_role("button", name="Inspector panel").click()
    for width in (900, 1200):
        page.set_viewport_size({"width": width, "height": 800})
    expect(right).to_be_visible()
    expect(left).to_be_visible()


@pytest.mark.parametrize("width", [1280, 1024, 810, 480])
def test_the_line_below_the_plot_is_read_to_its_end(opened: Any, width: int) -> None:
    opened.page.set_viewport_size({"width": width, "height": 700})
    opened.call("e.set({projection: 'tsne', dims: 2, spherize: true})")
    line = opened.page.locator(".stage > .caption")
    assert "not for this picture" in line.inner_text()
    cut = (
        "(p) => [p, ...p.children].some((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth)"
    )
    assert not line.evaluate(cut)
    assert line.evaluate("(p) => p.scrollHeight <= p.clientHeight")
    plot = opened.page.locator(".plot").bounding_box()
    box = line.bounding_box()
    assert plot["y"] + plot["height"] <= box["y"]
    assert box["y"] + box["height"] <= 700
