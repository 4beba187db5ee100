"""False and missing neighbors in one code of two dimensions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import PCA, EmbeddingTable, write_report

NAME = "false and missing neighbors, 2D PCA"


@pytest.fixture(scope="session")
def faults(table: EmbeddingTable) -> np.ndarray[Any, np.dtype[np.float32]]:
    """False and missing neighbors of each point: (n, 2); the last 50 were not measured."""
    found = np.random.default_rng(5).integers(0, 5, (table.n_points, 2)) / 10 + 0.05
    found[-50:] = np.nan
    return found.astype(np.float32)


@pytest.fixture(scope="session")
def faulty(
    table: EmbeddingTable,
    faults: np.ndarray[Any, np.dtype[np.float32]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    per_point = {"trustworthiness, 2D": 1 - faults[:, 0], "continuity, 2D": 1 - faults[:, 1]}
    path = tmp_path_factory.mktemp("faults") / "out.html"
    write_report(path, table, [replace(PCA().project(table), per_point=per_point)])
    return path


@pytest.fixture
def page(open_page: Callable[..., Any], faulty: Path) -> Any:
    page = open_page(faulty)
    page.page.get_by_label("Color by").select_option(NAME)
    return page


def cell(page: Any, wrong: int, missing: int) -> Any:
    return page.page.locator(".fault").nth(5 * (4 - missing) + wrong)


def rows(faults: Any, wrong: int, missing: int) -> list[int]:
    steps = np.floor(faults * 10)
    return list(np.flatnonzero((steps[:, 0] == wrong) & (steps[:, 1] == missing)).tolist())


def test_each_cell_says_how_many_points_have_such_faults(page: Any, faults: Any) -> None:
    assert page.call("e.view().color_by") == NAME
    for wrong, missing in ((0, 0), (4, 0), (0, 4), (2, 3)):
        count = len(rows(faults, wrong, missing))
        label = cell(page, wrong, missing).get_attribute("aria-label")
        assert label.endswith(f": {count}")
        assert label.startswith("false 0." if wrong else "false 0 to 0.1, missing")
    assert page.page.locator(".legend-row").text_content() == "not measured50"
    assert page.page.locator(".faults .hint").text_content().count(".") == 2
    assert page.complaints == []


def test_a_click_in_the_square_filters_and_a_double_click_shows_a_cell_alone(
    page: Any, faults: Any
) -> None:
    cell(page, 3, 1).click()
    assert page.call("e.view().hidden") == [8]
    assert cell(page, 3, 1).get_attribute("aria-pressed") == "false"
    page.page.get_by_text("Show every class").click()
    assert page.call("e.view().hidden") == []
    page.page.wait_for_timeout(600)
    cell(page, 2, 4).dblclick()
    assert sorted(page.call("e.view().hidden")) == [-1, *[i for i in range(25) if i != 22]]
    page.page.get_by_text("Show every class").click()
    cell(page, 2, 4).click(modifiers=["Shift"])
    assert page.call("e.selected()") == rows(faults, 2, 4)


def test_the_arrow_keys_go_from_cell_to_cell(page: Any) -> None:
    cell(page, 0, 0).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown", "ArrowDown"):
        page.page.keyboard.press(key)
    assert cell(page, 1, 0).evaluate("(e) => e === document.activeElement")
    assert page.page.locator(".fault[tabindex='0']").count() == 1
    page.page.keyboard.press("Enter")
    assert page.call("e.view().hidden") == [1]


def test_a_link_and_a_bookmark_keep_the_colors_and_what_is_filtered(page: Any) -> None:
    cell(page, 1, 1).click()
    index = page.call("e.addBookmark('faults')")
    page.call("e.set({color_by: null})")
    assert page.call(f"e.apply({index})") == []
    assert (page.call("e.view().color_by"), page.call("e.view().hidden")) == (NAME, [6])
    page.page.wait_for_function("() => location.hash.includes('h=6')")
    page.page.reload()
    page.page.evaluate("() => window.embviz.ready")
    assert (page.call("e.view().color_by"), page.call("e.view().hidden")) == (NAME, [6])


def test_isolated_points_are_counted_beside_all(page: Any, faults: Any) -> None:
    there = rows(faults, 0, 0)
    page.call(f"e.isolate({there[:2]})")
    assert cell(page, 0, 0).get_attribute("aria-label").endswith(f": 2 of {len(there)}")
