"""What is within reach: of the Tab key, of a finger, in a low frame, and after a slip."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import PCA, EmbeddingTable, write_report
from tests.page.test_touch import PHONE


@pytest.fixture
def page(open_page: Callable[..., Any], report: Path) -> Any:
    return open_page(report)


def test_the_first_tab_leads_to_a_link_past_the_panels(page: Any) -> None:
    page.page.keyboard.press("Tab")
    link = page.page.get_by_role("button", name="Skip to the plot")
    assert link.evaluate("e => e === document.activeElement")
    assert link.evaluate("e => getComputedStyle(e).clipPath") == "none"
    page.page.keyboard.press("Enter")
    assert page.page.evaluate("document.activeElement.classList.contains('plot')")


@pytest.mark.parametrize(("system", "order"), [("light", "dark light"), ("dark", "light dark")])
def test_the_theme_goes_away_from_the_systems_and_back_to_it(
    open_page: Callable[..., Any], report: Path, system: str, order: str
) -> None:
    page = open_page(report, color_scheme=system)
    found = []
    for _ in range(3):
        page.page.locator("body").press("d")
        found.append((page.call("e.view().theme"), page.page.evaluate("document.documentElement.dataset.theme")))  # fmt: skip
    first, second = order.split()
    assert found == [(first, first), (second, second), ("system", system)]
    assert f"As the system has it: {system}" in page.page.locator(".message").inner_text()


def test_a_deleted_bookmark_is_put_back_where_it_was(page: Any) -> None:
    for name in ("one", "two", "three"):
        page.call(f"e.addBookmark('{name}')")
    row = page.page.locator(".bookmark-row").nth(1)
    row.hover()
    row.get_by_role("button", name="Delete two").click()
    assert [b["label"] for b in page.call("e.bookmarks()")] == ["one", "three"]
    page.page.locator(".message").get_by_role("button", name="Undo").click()
    assert [b["label"] for b in page.call("e.bookmarks()")] == ["one", "two", "three"]
    assert "two" in page.page.evaluate("document.activeElement.textContent")
    assert not page.page.get_by_role("button", name="Undo").is_visible()


def test_the_help_tells_of_the_mouse_of_fingers_and_of_the_way_back(page: Any) -> None:
    page.call("e.set({help: true})")
    told = page.page.locator("dialog.help").inner_text()
    for word in ("Wheel", "Right drag", "Double-click", "Legend", "Touch", "Back"):
        assert word in told


def test_a_long_name_of_a_color_has_a_line_of_its_own(page: Any) -> None:
    page.call("e.set({color_by: 'torn (log10), 2D t-SNE'})")
    field = page.page.get_by_label("Color by")
    name = page.page.locator("label.field", has=field).locator(".field-name")
    assert field.bounding_box()["y"] > name.bounding_box()["y"] + 10
    assert field.get_attribute("title") == "torn (log10), 2D t-SNE"
    page.call("e.set({color_by: 'group'})")
    assert abs(field.bounding_box()["y"] - name.bounding_box()["y"]) < 10


def test_neighbors_are_seen_in_a_low_frame(open_page: Callable[..., Any], report: Path) -> None:
    page = open_page(report, viewport={"width": 1100, "height": 480})
    page.call("e.set({selected: [4]})")
    end = page.page.locator("#inspector .actions").bounding_box()["y"]
    rows = page.page.get_by_label("Nearest neighbors").locator("li").all()
    assert sum(row.bounding_box()["y"] + row.bounding_box()["height"] <= end for row in rows) >= 2


TARGETS = """() => [...document.querySelectorAll('button, select, summary, input')]
  .filter((e) => e.offsetParent && !['checkbox', 'range', 'file'].includes(e.type))
  .map((e) => [e.title || e.textContent || e.type, e.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0)
  .map(([name, { left, right, width, height }]) => [name, left, right, width, height])"""


@pytest.mark.parametrize("width", [360, 390])
def test_a_finger_finds_all_that_can_be_pressed(
    open_page: Callable[..., Any], report: Path, width: int
) -> None:
    page = open_page(report, **PHONE | {"viewport": {"width": width, "height": 740}})
    panels = ("Data and projection panel", "Inspector panel")
    page.call("e.set({query: 'w1'})")
    for panel in (None, *panels):
        if panel:
            page.page.get_by_role("button", name=panel).tap()
        for name, left, right, wide, high in page.page.evaluate(TARGETS):
            assert min(wide, high) >= 32, name
            assert left >= 0, name
            assert right <= width, name
        if panel:
            page.page.get_by_role("button", name=panel).tap()
    left, right = (page.page.locator(f".tools.{side}").bounding_box() for side in ("left", "right"))
    assert left["x"] + left["width"] <= right["x"]


def test_a_large_file_of_bookmarks_says_its_size_first(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    n = 60000
    vectors = np.random.default_rng(2).normal(size=(n, 12)).astype(np.float32)
    table = EmbeddingTable(vectors, {"word": tuple(map(str, range(n)))}, source="x.npy")
    write_report(tmp_path / "out.html", table, [PCA().project(table)])
    page = open_page(tmp_path / "out.html")
    page.call("e.addBookmark('one')")
    length = page.call("e.exportBookmarks().length")
    page.page.get_by_role("button", name="Download the bookmarks").click()
    save = page.page.locator(".message").get_by_role("button", name="Save")
    assert save.inner_text() == f"Save {round(length / 1e6)} MB"
    with page.page.expect_download() as download:
        save.click()
    assert Path(download.value.path()).stat().st_size == length
