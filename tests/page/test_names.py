"""Names of groups stand on the map where their points lie, and select them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from embviz import EmbeddingTable
from tests.page.named import COARSE, FINE, HOSTILE, write_regions
from tests.page.test_exports import plot_part, save


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, EmbeddingTable]:
    path = tmp_path_factory.mktemp("named") / "named.html"
    return path, write_regions(path)


@pytest.fixture
def page(open_page: Callable[..., Any], named: tuple[Path, EmbeddingTable]) -> Any:
    return open_page(named[0], reduced_motion="reduce")


def names(page: Any, column: str | None = None) -> dict[str, Any]:
    """What is named in the picture, once it rests."""
    page.page.wait_for_timeout(250)
    found = page.call("e.names()")
    return {each["text"]: each for each in found if column in (None, each["column"])}


def middle(page: Any, name: dict[str, Any]) -> tuple[float, float]:
    """Where a name stands on the page."""
    plot = page.page.locator(".plot").bounding_box()
    left, top, right, bottom = name["box"]
    return plot["x"] + (left + right) / 2, plot["y"] + (top + bottom) / 2


def rows(table: EmbeddingTable, column: str, value: str) -> list[int]:
    return [i for i, text in enumerate(table.metadata[column]) if text == value]


def test_the_names_stand_on_their_groups_the_large_ones_first(page: Any, named: Any) -> None:
    table = named[1]
    found = names(page)
    assert set(found) == set(table.metadata[COARSE]), "places have no room for their names"
    xy = np.reshape(page.call("[...e.screenPositions()]"), (-1, 2))
    for text, name in found.items():
        mine = xy[rows(table, COARSE, text)]
        left, top, right, bottom = name["box"]
        assert (mine.min(axis=0) < [(left + right) / 2, (top + bottom) / 2]).all()
        assert (mine.max(axis=0) > [(left + right) / 2, (top + bottom) / 2]).all()
        assert name["size"] == 500
        assert name["title"] == "500 points, 83 % of their neighbors are in it"


@pytest.mark.parametrize("tab", ["placed", "deep", "pca"])
def test_a_click_on_a_name_selects_its_points_and_shift_adds(
    page: Any, named: Any, tab: str
) -> None:
    table = named[1]
    page.call(f"e.set({{projection: '{tab}', dims: {3 if tab == 'deep' else 2}}})")
    found = names(page, COARSE)
    first, second = [found[text] for text in found][:2]
    page.page.mouse.click(*middle(page, first))
    assert sorted(page.call("[...e.selected()]")) == rows(table, COARSE, first["text"])
    second = names(page, COARSE)[second["text"]]
    page.page.keyboard.down("Shift")
    page.page.mouse.click(*middle(page, second))
    page.page.keyboard.up("Shift")
    both = rows(table, COARSE, first["text"]) + rows(table, COARSE, second["text"])
    assert sorted(page.call("[...e.selected()]")) == sorted(both)


def test_pointing_at_a_name_says_what_it_names(page: Any) -> None:
    name = names(page)["north east"]
    plot = page.page.locator(".plot")
    page.page.mouse.move(*middle(page, name))
    expect(plot).to_have_attribute("title", f"north east\n{name['title']}")
    cursor = "([x, y]) => getComputedStyle(document.elementFromPoint(x, y)).cursor"
    assert page.page.evaluate(cursor, list(middle(page, name))) == "pointer"
    box = plot.bounding_box()
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(plot).to_have_attribute("title", "")
    assert page.page.evaluate(cursor, list(middle(page, name))) != "pointer"


def test_going_nearer_brings_the_names_of_smaller_groups(page: Any) -> None:
    assert not names(page, FINE)
    where = middle(page, names(page)["north east"])
    page.page.mouse.move(*where)
    for _ in range(14):
        page.page.mouse.wheel(0, -100)
        page.page.wait_for_timeout(20)
    found = names(page, FINE)
    assert found
    assert all(text.startswith("place 1.") for text in found)
    page.page.locator(".plot").press("0")
    assert not names(page, FINE)


def test_what_is_hidden_or_isolated_is_not_named_nor_selected(page: Any, named: Any) -> None:
    table = named[1]
    west = rows(table, COARSE, "north west")
    page.call(f"e.isolate({west[:100]})")
    found = names(page, COARSE)
    assert list(found) == ["north west"]
    name = found["north west"]
    assert name["size"] == 100
    assert name["title"].startswith("100 shown of 500 points, of which 83 % of their neighbors")
    page.page.mouse.click(*middle(page, name))
    assert sorted(page.call("[...e.selected()]")) == west[:100]
    page.call("e.showAll()")
    page.page.locator(".legend-row", has_text="north west").click()
    assert "north west" not in names(page)
    assert "north east" in names(page)


def test_a_name_and_the_legend_select_the_same_points(page: Any) -> None:
    page.page.mouse.click(*middle(page, names(page)["south east"]))
    by_name = sorted(page.call("[...e.selected()]"))
    page.call("e.select([])")
    page.page.locator(".legend-row", has_text="south east").click(modifiers=["Shift"])
    assert sorted(page.call("[...e.selected()]")) == by_name


def test_one_key_and_a_box_take_the_names_away_and_bring_them_back(page: Any) -> None:
    box = page.page.get_by_role("checkbox", name="Names")
    expect(box).to_be_checked()
    page.page.keyboard.press("n")
    assert not names(page)
    expect(box).not_to_be_checked()
    box.check()
    assert names(page)
    page.call("e.set({help: true})")
    help_text = page.page.get_by_role("dialog").inner_text()
    assert "names of groups, in the picture" in help_text


def test_a_page_without_groups_has_no_box_for_names(
    open_page: Callable[..., Any], report: Path
) -> None:
    page = open_page(report)
    expect(page.page.get_by_role("checkbox", name="Names")).to_be_hidden()
    assert page.call("e.names()") == []


def test_a_link_and_a_bookmark_keep_whether_there_are_names(page: Any) -> None:
    page.call("e.set({names: false})")
    index = page.call("e.addBookmark('plain')")
    page.call("e.set({names: true})")
    assert page.call(f"e.apply({index})") == []
    assert page.call("e.view().names") is False
    page.page.wait_for_function("() => location.hash.includes('e=0')")
    page.page.reload()
    page.page.evaluate("() => window.embviz.ready")
    assert page.call("e.view().names") is False
    assert not names(page)


def test_names_are_text_whatever_they_say(page: Any) -> None:
    assert HOSTILE in names(page)
    page.page.mouse.move(*middle(page, names(page)[HOSTILE]))
    expect(page.page.locator(".plot")).to_have_attribute(
        "title", f"{HOSTILE}\n500 points, 83 % of their neighbors are in it"
    )
    assert page.page.locator("img").count() == 0
    assert page.complaints == []
    saved = save(page, "Picture, SVG")[1].decode()
    assert HOSTILE not in saved
    assert "&lt;img" in saved


def test_saved_pictures_have_the_names_unless_they_are_off(page: Any) -> None:
    page.call("e.set({color_by: null})")  # A legend would name them too.
    assert names(page)

    def pixels() -> Any:
        return plot_part(page, save(page, "Picture, PNG")[1])

    on, text = pixels(), save(page, "Picture, SVG")[1].decode()
    left, top, right, bottom = names(page)["north east"]["box"]
    page.page.keyboard.press("n")
    page.page.wait_for_timeout(250)
    off = pixels()
    scale = on.shape[1] / page.page.locator(".plot").bounding_box()["width"]
    where = np.s_[
        round(top * scale) : round(bottom * scale), round(left * scale) : round(right * scale)
    ]
    assert (np.abs(on - off)[where].max(axis=2) > 60).mean() > 0.1
    assert ">north east<" in text
    assert ">north east<" not in save(page, "Picture, SVG")[1].decode()


@pytest.mark.parametrize("width", [480, 1280])
@pytest.mark.parametrize("labels", ["few", "many"])
def test_names_cover_neither_each_other_nor_the_tools(
    open_page: Callable[..., Any], named: Any, width: int, labels: str
) -> None:
    page = open_page(named[0], reduced_motion="reduce", viewport={"width": width, "height": 720})
    for tab, dims in (("placed", 2), ("deep", 3), ("pca", 2), ("pca", 3)):
        page.call(
            f"e.set({{projection: '{tab}', dims: {dims}, labels: '{labels}', selected: [1, 6]}})"
        )
        found = list(names(page).values())
        assert found
        plot = page.page.locator(".plot").bounding_box()
        tools = [each.bounding_box() for each in page.page.locator(".tools button").all()]
        others = [
            (
                b["x"] - plot["x"],
                b["y"] - plot["y"],
                b["x"] - plot["x"] + b["width"],
                b["y"] - plot["y"] + b["height"],
            )
            for b in tools
            if b is not None
        ]
        boxes = [name["box"] for name in found]
        for i, a in enumerate(boxes):
            assert a[0] >= 0
            assert a[1] >= 0
            assert a[2] <= plot["width"]
            assert a[3] <= plot["height"]
            for b in [*boxes[i + 1 :], *others]:
                assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_names_move_with_the_map_and_with_what_is_run_here(page: Any, named: Any) -> None:
    before = names(page)["north east"]["box"]
    page.page.locator(".plot").press("ArrowRight")
    after = names(page)["north east"]["box"]
    assert after[0] - before[0] == pytest.approx(-48, abs=1)
    page.call("e.isolate([...Array(400).keys()])")
    page.call("e.project('umap', {epochs: 20, dims: 2})")
    found = names(page, COARSE)
    xy = np.reshape(page.call("[...e.screenPositions()]"), (-1, 2))[:400]
    mine = np.asarray(named[1].metadata[COARSE][:400])
    assert found
    for text, name in found.items():
        left, top, right, bottom = name["box"]
        away = np.abs(xy - [(left + right) / 2, (top + bottom) / 2]).max(axis=1)
        assert away[mine == text].min() < 30
