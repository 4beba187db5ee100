"""The search: what it finds, in which order, and the list of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import PCA, EmbeddingTable, write_report

WORDS = ("million", "nation", "ION", "ionic", "ion", "station", "Ionia", "rest", "king", "making")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    vectors = np.random.default_rng(1).normal(size=(len(WORDS), 4)).astype(np.float32)
    columns = {"word": WORDS, "a column of a rather long name": tuple("xyzuvwabcd")}
    table = EmbeddingTable(vectors, columns, source="words.npy")
    path = tmp_path_factory.mktemp("search") / "words.html"
    write_report(path, table, [PCA().project(table)], title="Words", label_by="word")
    return path


@pytest.fixture
def opened(open_page: Callable[..., Any], path: Path) -> Any:
    return open_page(path)


def names(opened: Any) -> list[str]:
    found: list[str] = opened.page.get_by_label("Matches").locator(".row-name").all_text_contents()
    return found


def search(opened: Any) -> Any:
    return opened.page.get_by_role("searchbox", name="Search")


def test_what_is_the_text_comes_first_then_what_begins_so_then_the_rest(opened: Any) -> None:
    search(opened).fill("ion")
    assert names(opened) == ["ion", "ION", "ionic", "Ionia", "million", "nation", "station"]
    assert opened.call("e.view().selected") == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("typed", ["  king ", "king\t", " =king", "=king  ", " /^king$/ "])
def test_blanks_around_a_query_are_not_part_of_it(opened: Any, typed: str) -> None:
    search(opened).fill(typed)
    assert 8 in opened.call("e.view().selected")
    assert opened.page.locator(".under .hint").first.inner_text() in ("1 match", "2 matches")


def test_the_list_stays_while_its_entries_are_looked_at(opened: Any) -> None:
    search(opened).fill("ion")
    matches = opened.page.get_by_label("Matches")
    matches.get_by_role("button", name="nation", exact=True).click()
    assert opened.call("e.view().selected") == [1]
    assert len(names(opened)) == 7
    assert matches.locator("[aria-current=true]").all_text_contents() == ["nation"]
    matches.get_by_role("button", name="station", exact=True).click()
    assert opened.call("e.view().selected") == [5]
    opened.page.get_by_label("Search", exact=True).get_by_role("button", name="Select all").click()
    assert len(opened.call("e.view().selected")) == 7


def test_enter_selects_all_matches_again(opened: Any) -> None:
    search(opened).fill("ion")
    opened.page.get_by_label("Matches").get_by_role("button").nth(2).click()
    search(opened).press("Enter")
    assert opened.call("e.view().selected") == [0, 1, 2, 3, 4, 5, 6]


def test_the_arrows_go_from_the_search_to_its_list_and_back(opened: Any) -> None:
    field = search(opened)
    field.fill("ion")
    focused = "document.activeElement.textContent || document.activeElement.type"
    field.press("ArrowDown")
    assert opened.page.evaluate(focused) == "ion"
    for key, name in (("ArrowDown", "ION"), ("End", "station"), ("Home", "ion")):
        opened.page.keyboard.press(key)
        assert opened.page.evaluate(focused) == name
    opened.page.keyboard.press("ArrowDown")
    opened.page.keyboard.press("Enter")
    assert opened.call("e.view().selected") == [2]
    assert opened.page.evaluate(focused) == "ION"
    opened.page.keyboard.press("ArrowUp")
    opened.page.keyboard.press("ArrowUp")
    assert opened.page.evaluate(focused) == "search"


def test_a_list_of_neighbors_is_walked_with_the_arrows_too(opened: Any) -> None:
    opened.call("e.set({selected: [8]})")
    near = opened.page.get_by_label("Nearest neighbors")
    near.locator("li button").first.focus()
    opened.page.keyboard.press("ArrowDown")
    want = opened.call("e.neighbors(8, 2).indices[1]")
    assert opened.page.evaluate("document.activeElement.textContent").startswith(WORDS[want])


def is_whole(locator: Any) -> bool:
    """Whether no part of a text is cut off."""
    whole: bool = locator.evaluate(
        "e => e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight + 1 "
        "|| getComputedStyle(e).overflow === 'visible'"
    )
    return whole


@pytest.mark.parametrize("typed", ["", "/(/", "/(?<=looking back is not to be had)/"])
def test_what_is_said_of_a_search_is_seen_to_its_end(opened: Any, typed: str) -> None:
    opened.call("e.set({column: 'a column of a rather long name'})")
    search(opened).fill(typed)
    said = opened.page.locator(".under .hint").first
    panel, box = opened.page.locator("#inspector").bounding_box(), said.bounding_box()
    assert is_whole(said)
    assert box["x"] + box["width"] <= panel["x"] + panel["width"]
    column = opened.page.get_by_label("Column searched").bounding_box()
    assert column["width"] >= 60


def test_nothing_is_offered_where_nothing_was_found(opened: Any) -> None:
    search(opened).fill("nothing like this")
    assert opened.page.get_by_text("0 matches").is_visible()
    assert not opened.page.get_by_role("button", name="Clear", exact=True).is_visible()
    assert not opened.page.get_by_label("Selection", exact=True).is_visible()
