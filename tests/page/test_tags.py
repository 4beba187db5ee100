"""Tagging the selection, and the metadata as a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embviz import EmbeddingTable, load_table


@pytest.fixture
def page(open_page: Callable[..., Any], report: Path) -> Any:
    return open_page(report)


def tag(page: Any, column: str, value: str) -> None:
    panel = page.page.get_by_label("Tags")
    if panel.locator("details").get_attribute("open") is None:
        panel.locator("summary").click()
    page.page.get_by_label("Column of the tag").fill(column)
    page.page.get_by_label("Value of the tag").fill(value)
    panel.get_by_role("button", name="Tag ").click()


def test_the_selection_gets_a_value_in_a_new_column_that_colors_and_can_be_searched(
    page: Any,
) -> None:
    page.call("e.select([3, 7, 9])")
    tag(page, "mine", "good")
    assert page.call("e.query('mine:good')") == [3, 7, 9]
    assert page.call("e.view()")["color_by"] == "mine"
    assert page.page.locator(".legend-row").first.text_content() == "good3"
    assert "mine" in page.page.get_by_label("Label by").text_content()
    assert page.complaints == []


def test_a_value_in_a_column_of_the_file_is_changed_and_taken_back(page: Any) -> None:
    page.call("e.select([0, 1])")
    tag(page, "group", "z")
    assert page.call("e.query('group:=z')") == [0, 1]
    assert len(page.call("e.query('group:=a')")) == 59
    page.page.get_by_role("button", name="Undo").click()
    assert page.call("e.query('group:=z')") == []
    assert len(page.call("e.query('group:=a')")) == 60


@pytest.mark.also("firefox")
def test_the_edited_metadata_is_saved_as_a_file_that_loads_again(
    page: Any, table: EmbeddingTable, tmp_path: Path
) -> None:
    page.call("e.select([3, 7])")
    tag(page, "mine", "<b>good</b>")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Save the metadata").click()
    assert download.value.suggested_filename == "Blobs-metadata.tsv"
    path = tmp_path / "Blobs-metadata.tsv"
    download.value.save_as(path)
    import numpy as np

    np.save(tmp_path / "v.npy", table.vectors)
    loaded = load_table(tmp_path / "v.npy", metadata=path)
    assert list(loaded.metadata) == ["word", "group", "size", "mine"]
    assert loaded.metadata["mine"][2:8] == ("", "<b>good</b>", "", "", "", "<b>good</b>")
    assert loaded.metadata["word"] == table.metadata["word"]


def test_the_values_of_a_column_are_buttons_that_give_them_to_the_selection(page: Any) -> None:
    page.call("e.select([0, 3])")
    panel = page.page.get_by_label("Tags")
    panel.locator("summary").click()
    values = panel.get_by_role("list", name="Values of the column").get_by_role("button")
    assert values.count() == 0
    page.page.get_by_label("Column of the tag").fill("group")
    assert values.all_text_contents() == ["a", "b", "c", "d", "e"]
    values.nth(2).click()
    assert page.call("e.view()")["tags"] == [{"column": "group", "value": "c", "rows": [0, 3]}]
    assert len(page.call("e.query('group:=c')")) == 62
    assert page.page.evaluate("() => document.activeElement.textContent") == "c"
    page.call("e.select([])")
    assert values.first.is_disabled()
    page.page.get_by_label("Column of the tag").fill("word")
    assert values.count() == 0, "more than fifty values are not listed"
    page.page.get_by_label("Column of the tag").fill("mine")
    assert values.count() == 0
    assert page.complaints == []


def tagged_page(page: Any) -> str:
    """Tag three points, wait for the address to say so, and return it."""
    page.call("e.select([3, 7, 9])")
    tag(page, "my kind", "good & bad")
    page.page.wait_for_function("() => location.hash.includes('g=')")
    return str(page.page.evaluate("() => location.href"))


def asked(page: Any) -> list[str]:
    """Try to load the page again, and return the kinds of questions that the browser asked."""
    kinds: list[str] = []
    page.page.once("dialog", lambda dialog: (kinds.append(dialog.type), dialog.accept()))
    page.page.reload()
    page.page.evaluate("() => window.embviz.ready")
    return kinds


def test_the_browser_asks_before_tags_are_left_and_loading_again_keeps_them(page: Any) -> None:
    tagged_page(page)
    assert asked(page) == ["beforeunload"]
    assert page.call("e.query('my kind:good')") == [3, 7, 9]
    assert page.call("e.view().color_by") == "my kind"
    # They are in the address, which the reader has.
    assert asked(page) == []


def test_nothing_is_asked_where_nothing_would_be_lost(page: Any) -> None:
    page.page.locator(".plot").click()
    page.call("e.select([1, 2])")
    assert asked(page) == []


def test_the_browser_asks_before_bookmarks_are_left_until_they_are_saved(page: Any) -> None:
    page.page.locator(".plot").click()
    page.page.get_by_role("button", name="Bookmark this view").click()
    page.page.keyboard.press("Enter")
    with page.page.expect_download():
        page.page.get_by_role("button", name="Download the bookmarks").click()
    page.page.evaluate("() => window.embviz.addBookmark('another')")
    assert asked(page) == ["beforeunload"]
    page.page.locator(".plot").click()
    page.call("e.addBookmark('one')")
    with page.page.expect_download():
        page.page.get_by_role("button", name="Download the bookmarks").click()
    assert asked(page) == []


def test_a_link_brings_tags_and_back_takes_none_away(
    page: Any, open_page: Callable[..., Any], report: Path
) -> None:
    address = tagged_page(page)
    other = open_page(report)
    other.page.goto("about:blank")
    other.page.goto(address)
    other.page.evaluate("() => window.embviz.ready")
    assert other.call("e.query('my kind:good')") == [3, 7, 9]
    assert not other.page.get_by_text("does not fit").is_visible()
    page.page.go_back()
    page.wait("e.view().selected.length === 0 || e.view().color_by !== 'my kind'")
    assert page.call("e.query('my kind:good')") == [3, 7, 9]


def test_tags_that_are_too_many_for_a_link_are_said_to_be(page: Any) -> None:
    page.call("e.set({tags: Array.from({length: 60}, (_, i) => ({column: 'x'.repeat(180),"
              " value: String(i), rows: [i]}))})")  # fmt: skip
    page.page.get_by_role("button", name="Save pictures and points").click()
    page.page.get_by_role("menuitem", name="Copy a link").click()
    said = "the tags are too many for a link, a bookmark holds them"
    page.page.get_by_text(said).first.wait_for()


def test_a_file_of_bookmarks_holds_the_tags(page: Any, open_page: Any, report: Path) -> None:
    tagged_page(page)
    page.call("e.addBookmark('tagged')")
    page.call("e.addBookmark('again')")
    text = page.call("e.exportBookmarks()")
    other = open_page(report)
    other.page.evaluate("text => window.embviz.loadBookmarks(text)", text)
    assert other.call("e.query('my kind:good')") == [3, 7, 9]
    assert other.call("e.apply(0)") == []
    assert other.call("e.view().color_by") == "my kind"
    again = other.call("e.exportBookmarks()")
    other.page.evaluate("text => window.embviz.loadBookmarks(text)", again)
    assert len(other.call("e.view().tags")) == 1


def test_a_kept_view_is_colored_by_its_tag_again(page: Any) -> None:
    tagged_page(page)
    index = page.call("e.addBookmark('tagged')")
    page.call("e.set({color_by: 'size'})")
    assert page.call(f"e.apply({index})") == []
    assert page.call("e.view().color_by") == "my kind"


def test_what_does_not_fit_is_said_in_words(open_page: Any, report: Path) -> None:
    page = open_page(report)
    page.page.goto("about:blank")
    page.page.goto(f"{report.resolve().as_uri()}#k=nowhere&n=99999")
    page.page.evaluate("() => window.embviz.ready")
    said = page.page.locator(".message").inner_text()
    assert "the column of the colors" in said
    assert "the number of neighbors" in said
    assert "color_by" not in said
